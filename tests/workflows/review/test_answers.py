"""What reviewers see and say: changes in words, the files as they are now, plain text, and people who are erased."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.config import Config, load_config
from newsletter.model.personal_links import PersonalLink, read_link
from newsletter.model.review import LONGEST_REMARK, Changes, Review, ShownBlock, WordChange
from newsletter.store.database import Database
from newsletter.store.forgotten import forget_person
from newsletter.store.reviews import add_remark, open_review_of, remarks_of_issue, reviewers_of, snapshot_of
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.review.answer import plain_text, remark_on, visit_of
from newsletter.workflows.review.current import Currency, CurrentContent
from newsletter.workflows.review.invite import link_of, open_review
from newsletter.workflows.review.shown import snapshot_of_draft
from newsletter.workflows.send.approve import ApprovalDraft, approve_content, draft_approval
from tests.render.conftest import picture_bytes
from tests.store.builders import NOW, add, row
from tests.store.conftest import database, engine, fresh_location, location  # noqa: F401 - each engine in turn
from tests.workspaces import CONFIG, LETTER, write_workspace

LETTER_FILE = "issues/2026-02/letter.md"
PARAGRAPHS = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen {}.\n\n{}\n"
KEY = b"k" * 32


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(write_workspace(tmp_path / "workspace"))


def draft(config: Config, database: Database, letter: str = "") -> ApprovalDraft:  # noqa: F811
    if letter:
        (config.root / LETTER_FILE).write_text(letter)
    return draft_approval(config, database, require_issue(config, "2026-02"), now=NOW)


def asked(config: Config, database: Database) -> Review:  # noqa: F811
    """Ask Ana to review the issue as it is now."""
    open_review(config, database, draft(config, database), ["Ana <ana@example.org>"], now=NOW)
    with database.read() as connection:
        review = open_review_of(connection, "2026-02")
    assert review is not None
    return review


def changes(config: Config, database: Database) -> Changes | None:  # noqa: F811
    return snapshot_of_draft(config, database, draft(config, database)).changes


def in_words(found: Changes | None) -> list[str]:
    """Each passage, with what is gone in [brackets] and what is new in {braces}."""
    assert found is not None
    signs = {WordChange.GONE: "[{}]", WordChange.NEW: "{{{}}}", WordChange.KEPT: "{}"}
    return [" ".join(signs[each.change].format(each.words) for each in passage) for passage in found.passages]


def test_changes_since_an_approval_are_told_in_words(config: Config, database: Database) -> None:  # noqa: F811
    assert changes(config, database) is None, "no one has approved it yet"
    draft(config, database, PARAGRAPHS.format("sixteen", "A second paragraph."))
    asked(config, database)
    approve_content(database, draft(config, database), by="Ana", now=NOW)
    assert changes(config, database) is None, "it is approved as it is"

    draft(config, database, PARAGRAPHS.format("seventeen", "A last paragraph.\n\nAnd a new one."))

    found = changes(config, database)
    assert found is not None
    assert (found.approved_by, found.approved_at, found.is_known) == ("Ana", NOW, True)
    assert in_words(found) == [
        "One two three four five six … ten eleven twelve thirteen fourteen fifteen [sixteen.] {seventeen.}",
        "A [second] {last} paragraph.",
        "{And a new one.}",
    ]


def test_what_was_approved_without_a_review_is_told_to_be_unknown(
    config: Config,
    database: Database,  # noqa: F811
) -> None:
    approve_content(database, draft(config, database), by="Bo", now=NOW)
    shutil.rmtree(config.root / "build/.approved")  # which keeps what was approved
    draft(config, database, "Other words.\n")
    found = changes(config, database)
    assert found is not None
    assert (found.approved_by, found.is_known, found.passages) == ("Bo", False, ())


def test_the_files_are_compared_with_what_was_shown(config: Config, database: Database) -> None:  # noqa: F811
    (config.root / "issues/2026-02/images").mkdir()
    (config.root / "issues/2026-02/images/a.png").write_bytes(picture_bytes(60, 30))
    (config.root / LETTER_FILE).write_text(LETTER + "\n![A field](images/a.png)\n")
    review = asked(config, database)
    current = CurrentContent(config)

    def after(path: str, text: str | bytes) -> Currency:
        """Whether the content is the same with another file. Then put it back."""
        file = config.root / path
        before = file.read_bytes() if file.is_file() else None
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        found = current.compare(review)
        if before is None:
            file.unlink()
        else:
            file.write_bytes(before)
        return found

    assert current.compare(review) is Currency.SAME
    assert after(LETTER_FILE, "Other words.\n") is Currency.CHANGED
    assert after("issues/2026-02/images/a.png", picture_bytes(60, 40)) is Currency.CHANGED
    assert after("newsletter.toml", CONFIG.replace("Small Letter", "Large Letter")) is Currency.CHANGED
    assert after("newsletter.toml", "not = [toml") is Currency.CHANGED
    assert after("templates/sections/letter.mjml.j2", "<mj-section></mj-section>") is Currency.CHANGED
    assert after("issues/2026-02/notes.txt", "A note to oneself.") is Currency.SAME
    assert after(LETTER_FILE, (config.root / LETTER_FILE).read_text() + "<!-- a note -->\n") is Currency.SAME
    assert current.compare(review) is Currency.SAME
    (config.root / "issues/2026-02").rename(config.root / "issues/2026-03")
    assert current.compare(review) is Currency.UNKNOWN


def test_a_review_keeps_what_was_shown(config: Config, database: Database) -> None:  # noqa: F811
    shown = snapshot_of_draft(config, database, draft(config, database))
    review = asked(config, database)
    draft(config, database, "Other words.\n")
    with database.read() as connection:
        assert snapshot_of(connection, review.id) == shown
        assert snapshot_of(connection, review.id + 1) is None


def test_nothing_of_an_erased_person_is_kept(config: Config, database: Database) -> None:  # noqa: F811
    add(database, row("gone@example.org"), row("left@example.org"))
    forget_person(database, "gone@example.org", key=KEY, now=NOW)
    invited = open_review(config, database, draft(config, database), ["left@example.org"], now=NOW)
    with database.transaction() as connection:
        (reviewer,) = invited
        assert add_remark(connection, reviewer, ShownBlock("a.md", 1, "Write to left@example.org"), "x", now=NOW)
    with database.transaction() as connection:
        visit = visit_of(connection, _link(link_of(config, reviewer, now=NOW)), now=NOW)
        assert visit is not None
        block = ShownBlock("a.md", 2, "")
        assert remark_on(connection, visit, block, "Ask gone@example.org, not bo@example.org", key=KEY, now=NOW) is None
    forget_person(database, "left@example.org", key=KEY, now=NOW)
    with database.read() as connection:
        said = [f"{each.words} {each.said} {each.said_by}" for each in remarks_of_issue(connection, "2026-02")]
        names = [f"{each.name} {each.email}" for each in reviewers_of(connection, reviewer.review)]
    kept = " ".join([*said, *names])
    assert "gone@example.org" not in kept
    assert "left@example.org" not in kept
    assert "bo@example.org" in kept


def _link(url: str) -> PersonalLink | None:
    return read_link(url.rpartition("/")[2])


@given(st.text(max_size=3000))
def test_what_is_typed_becomes_plain_text(text: str) -> None:
    plain = plain_text(text)
    assert len(plain) <= LONGEST_REMARK
    assert all(sign.isprintable() or sign in "\n\u200c\u200d" for sign in plain)
    assert plain_text(plain) == plain


def test_letters_of_all_languages_and_line_breaks_stay() -> None:
    text = "مرحبا\n\n日本語 – naïve “quotes” 👩\u200d🚀 می\u200cخواهم"
    assert plain_text(text.replace("\n", "\r\n")) == text


def test_a_link_of_the_future_is_not_ours(config: Config, database: Database) -> None:  # noqa: F811
    (ana,) = open_review(config, database, draft(config, database), ["ana@example.org"], now=NOW)
    link = _link(link_of(config, ana, now=NOW + timedelta(minutes=1)))
    with database.read() as connection:
        assert visit_of(connection, link, now=NOW) is None
