"""Approval: a yes to exactly one content, and what a broadcast lacks without it."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from newsletter.checks.registry import RULES
from newsletter.config import Config, load_config
from newsletter.errors import InputError
from newsletter.model.finding import REQUIREMENTS, Severity
from newsletter.settings.delivery import DeliverySettings
from newsletter.store.approvals import remember_test
from newsletter.store.database import Database
from newsletter.workflows.compose.compose import compose_issue, require_issue
from newsletter.workflows.send.approve import (
    ApprovalDraft,
    approve_content,
    draft_approval,
    unmet_requirements,
)
from tests.store.builders import add, row
from tests.store.empty_file import open_test_database
from tests.workspaces import CONFIG, ISSUE, LETTER, write_workspace

NOW = datetime(2026, 2, 18, 16, 0, tzinfo=UTC)
DEMANDS = "\n[delivery]\nrequire_approval = true\nrequire_test = true\n"
TOML = CONFIG.replace("[segments]", "[segments]\nparents = 'tagged(\"parent\")'")
TEXT_TEMPLATE = (Path(__file__).parents[3] / "templates/text/email.txt.j2").read_text(encoding="utf-8")
TEACHING = "---\ntype: text\ntitle: For some\n---\nOnly some of you read this line.\n"
ONLY = ISSUE + "  - section: teaching\n    only: teachers\n"


def picture(color: str) -> bytes:
    """A picture of one color."""
    file = io.BytesIO()
    Image.new("RGB", (40, 30), color).save(file, "PNG")
    return file.getvalue()


WORKSPACE: dict[str, str | bytes] = {
    "newsletter.toml": TOML + DEMANDS,
    "issues/2026-02/issue.yaml": ONLY,
    "issues/2026-02/letter.md": LETTER + "\n![A field in spring](images/field.png)\n",
    "issues/2026-02/teaching.md": TEACHING,
    "issues/2026-02/images/field.png": picture("green"),
}
EDITS: dict[str, dict[str, str | bytes]] = {
    "a word": {"issues/2026-02/letter.md": LETTER.replace("small letter", "brief letter")},
    "the subject": {"issues/2026-02/issue.yaml": ONLY.replace("for everybody", "for all")},
    "the preheader": {"issues/2026-02/issue.yaml": ONLY.replace("A few words", "Some words")},
    "the title": {"issues/2026-02/issue.yaml": ONLY.replace("title: A small", "title: The small")},
    "a picture": {"issues/2026-02/images/field.png": picture("red")},
    "a link": {"issues/2026-02/letter.md": LETTER.replace("org/small", "org/smaller")},
    "a merge field's default": {"issues/2026-02/letter.md": LETTER.replace("Friends", "Readers")},
    "a section for some": {"issues/2026-02/teaching.md": TEACHING.replace("Only some", "A few")},
    "for whom a section is": {"issues/2026-02/issue.yaml": ONLY.replace("only: teachers", "only: parents")},
    "the order of the sections": {
        "issues/2026-02/issue.yaml": ISSUE.replace(
            "  - letter", "  - section: teaching\n    only: teachers\n  - letter"
        )
    },
    "what it is about": {
        "newsletter.toml": TOML + '\n[topics]\nnews = "News and letters"\n' + DEMANDS,
        "issues/2026-02/issue.yaml": ONLY + "topics: [news]\n",
    },
    "the brand": {"newsletter.toml": TOML + '\n[brand.light]\naccent = "#224466"\n' + DEMANDS},
    "the postal address": {"newsletter.toml": TOML.replace("1 Example Street", "2 Example Street") + DEMANDS},
    "the theme": {"templates/text/email.txt.j2": TEXT_TEMPLATE + "Printed on no paper.\n"},
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace that demands both approval and a test."""
    return write_workspace(tmp_path, WORKSPACE)


@pytest.fixture
def database(root: Path) -> Iterator[Database]:
    with open_test_database(load_config(root).database) as opened:
        yield opened


def draft(root: Path, database: Database, now: datetime = NOW) -> ApprovalDraft:
    config = load_config(root)
    return draft_approval(config, database, require_issue(config, "2026-02"), now=now)


def unmet(root: Path, database: Database) -> list[str]:
    config = load_config(root)
    rendered = compose_issue(config, require_issue(config, "2026-02")).rendered
    return [str(finding) for finding in unmet_requirements(config, database, "2026-02", rendered.content_hash)]


def test_both_demands_are_errors_until_they_are_met(root: Path, database: Database) -> None:
    config = load_config(root)
    findings = unmet_requirements(config, database, "2026-02", "abc")
    assert [finding.severity for finding in findings] == [Severity.ERROR, Severity.ERROR]
    assert unmet(root, database) == [
        "issues/2026-02: no one has approved it; have it reviewed, then run: newsletter approve 2026-02 --by NAME [R1]",
        "issues/2026-02: no test email of this content has been sent; run: newsletter test 2026-02 --to reviewers [R2]",
    ]

    made = draft(root, database)
    approve_content(database, made, by="Ana Lima", now=NOW)
    remember_test(database, "2026-02", made.content_hash, copies=1, now=NOW)

    assert unmet(root, database) == []


def test_a_workspace_that_demands_nothing_lacks_nothing(root: Path, database: Database) -> None:
    (root / "newsletter.toml").write_text(CONFIG, encoding="utf-8")
    assert DeliverySettings() == load_config(root).settings.delivery
    assert unmet_requirements(load_config(root), database, "2026-02", "abc") == ()


@pytest.mark.parametrize("edited", EDITS)
def test_any_edit_voids_an_approval_and_a_test(root: Path, database: Database, edited: str) -> None:
    made = draft(root, database)
    approve_content(database, made, by="Ana Lima", now=NOW)
    remember_test(database, "2026-02", made.content_hash, copies=2, now=NOW)

    write_workspace(root, {**WORKSPACE, **EDITS[edited]})

    assert draft(root, database).content_hash != made.content_hash
    approval, test = unmet(root, database)
    assert "changed after Ana Lima approved it on 2026-02-18 08:00 PST" in approval
    assert "no test email of this content" in test


def test_what_was_edited_back_is_approved_again(root: Path, database: Database) -> None:
    approve_content(database, draft(root, database), by="Ana Lima", now=NOW)
    write_workspace(root, {**WORKSPACE, **EDITS["a word"]})
    assert len(unmet(root, database)) == 2

    write_workspace(root, WORKSPACE)

    assert len(unmet(root, database)) == 1


def test_unchanged_files_are_the_same_content_whenever_they_are_looked_at(root: Path, database: Database) -> None:
    config = load_config(root)
    by_its_date = compose_issue(config, require_issue(config, "2026-02")).rendered.content_hash
    hashes = {draft(root, database, now=NOW + timedelta(days=days)).content_hash for days in (0, 1, 400)}
    assert hashes == {by_its_date}


def test_who_approved_before_is_told(root: Path, database: Database) -> None:
    first = draft(root, database)
    assert (first.given, first.last, first.tested_at) == ((), None, None)
    approve_content(database, first, by="Ana Lima", now=NOW)
    approve_content(database, first, by="  Noor  Haddad ", now=NOW + timedelta(hours=1))

    again = draft(root, database)
    assert [given.by for given in again.given] == ["Ana Lima", "Noor Haddad"]

    write_workspace(root, {**WORKSPACE, **EDITS["a word"]})
    edited = draft(root, database)
    assert edited.given == ()
    assert edited.last is not None
    assert (edited.last.by, edited.last.content_hash) == ("Noor Haddad", first.content_hash)


def test_what_was_shown_is_what_is_approved_whatever_the_files_say_by_then(root: Path, database: Database) -> None:
    shown = draft(root, database)
    write_workspace(root, {**WORKSPACE, **EDITS["a word"]})

    approve_content(database, shown, by="Ana Lima", now=NOW)

    assert "changed after Ana Lima approved it" in unmet(root, database)[0]


@pytest.mark.parametrize("name", ["", "  ", "Ana\x1b[2J"])
def test_a_yes_needs_a_name(root: Path, database: Database, name: str) -> None:
    with pytest.raises(InputError, match="is not a name"):
        approve_content(database, draft(root, database), by=name, now=NOW)


def test_requirements_are_explained_and_share_no_id_with_a_check() -> None:
    assert not {rule.id for rule in RULES} & {demand.id for demand in REQUIREMENTS}
    assert all(demand.title and demand.why.endswith(".") for demand in REQUIREMENTS)
    settings = {demand.setting for demand in REQUIREMENTS if demand.setting}
    assert settings <= DeliverySettings.model_fields.keys()


def test_new_subscriber_voids_no_approval(root: Path) -> None:
    config = load_config(root)
    with open_test_database(config.database) as database:
        before = approved(config, database)
        add(database, row("ana@gmail.com", tags=("teacher",)), row("bo@example.org", language="es"))
        after = draft_approval(config, database, require_issue(config, "2026-02"), now=NOW)

    assert after.content_hash == before.content_hash
    assert [each.by for each in after.given] == ["Ana Lima"]


def test_approval_by_a_version_that_looked_at_content_otherwise_is_told_as_void(root: Path) -> None:
    config = load_config(root)
    with open_test_database(config.database) as database:
        draft = approved(config, database)
        with database.transaction() as connection:
            connection.execute("UPDATE approval SET voided = 'it was another time'", {})

        told = unmet_requirements(config, database, "2026-02", draft.content_hash)
        again = approved(config, database)
        after = unmet_requirements(config, database, "2026-02", draft.content_hash)

    assert "the approval by Ana Lima on 2026-02-18 08:00 PST is void: it was another time" in told[0].what
    assert [each.rule for each in after] == ["R2"]  # it is reported until someone approves again
    assert again.given == ()


def approved(config: Config, database: Database) -> ApprovalDraft:
    """The issue as it was shown to Ana, who approved it then."""
    draft = draft_approval(config, database, require_issue(config, "2026-02"), now=NOW)
    approve_content(database, draft, by="Ana Lima", now=NOW)
    return draft
