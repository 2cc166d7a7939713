"""`newsletter review`: the file that can be mailed, the invitations with links, and the comments in the terminal."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.model.personal_links import read_link
from newsletter.model.review import ShownBlock
from newsletter.providers.base import utc_now
from newsletter.store.opening import open_database
from newsletter.store.reviews import add_remark
from newsletter.workflows.review.answer import ReviewStanding, ReviewVisit, visit_of
from tests.e2e.program import run
from tests.render.conftest import picture_bytes
from tests.workspaces import LETTER, write_workspace

SEND = ("review", "2026-02", "--send", "--yes")
LINK = re.compile(r"https://news\.example\.org/r/(\S+)")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with an image."""
    files: dict[str, str | bytes] = {
        "issues/2026-02/letter.md": f"{LETTER}\n![A field in spring](images/field.png)\n",
        "issues/2026-02/images/field.png": picture_bytes(600, 300),
    }
    return write_workspace(tmp_path, files)


def mails(root: Path) -> dict[str, EmailMessage]:
    """The latest email to each address in the outbox."""
    found = {}
    for path in sorted((root / "outbox").rglob("*.eml"), key=lambda path: path.stat().st_mtime_ns):
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        assert isinstance(message, EmailMessage)
        found[message["To"].addresses[0].addr_spec] = message
    return found


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def visit(root: Path, email: str) -> ReviewVisit:
    """The visit that the link in someone's latest email leads to."""
    found = LINK.search(text_of(mails(root)[email]))
    assert found is not None
    with open_database(load_config(root).database) as database, database.read() as connection:
        visit = visit_of(connection, read_link(found[1]), now=utc_now())
    assert visit is not None
    return visit


def comment(root: Path, email: str, said: str, *, words: str = "This is a small letter") -> None:
    block = ShownBlock("issues/2026-02/letter.md", 4, words)
    reviewer = visit(root, email).reviewer
    with open_database(load_config(root).database) as database, database.transaction() as connection:
        assert add_remark(connection, reviewer, block, said, now=utc_now())


def test_the_file_contains_everything_and_says_its_size(workspace: Path) -> None:
    told = run(workspace, "review", "2026-02")

    path = workspace / "build/2026-02.review.html"
    page = path.read_text()
    assert f"build/2026-02.review.html  {path.stat().st_size / 1000:,.1f} KB" in told.stdout
    assert "newsletter review 2026-02 --send" in told.stderr
    for words in ("A small letter for everybody", "This is a small letter", "hello@example.org", "I approve"):
        assert words in page
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "data:image/png;base64," in page
    assert not re.search(r"""(?:src|href)=(?:"|&#34;)(?:cid:|//)""", page)
    assert run(workspace, "review", "2026-02").stdout == told.stdout, "the same content gives the same file"


def test_the_file_says_what_the_checks_found(workspace: Path) -> None:
    (workspace / "issues/2026-02/letter.md").write_text(f"{LETTER}\nRead more [here](https://www.example.org/more).\n")
    found = run(workspace, "check", "2026-02", expect=1).stdout
    what = found.partition("issues/2026-02/letter.md:6: ")[2].partition(";")[0].partition(" ")[2]
    run(workspace, "review", "2026-02")
    page = unescape((workspace / "build/2026-02.review.html").read_text())
    assert what
    assert what in page
    assert "issues/2026-02/letter.md:6" in page


def test_each_reviewer_gets_a_link_of_their_own_after_a_question(workspace: Path) -> None:
    asked = run(workspace, "review", "2026-02", "--send", expect=2)
    assert "add --yes" in asked.stderr
    assert "Ana Lima <ana@example.org>" in asked.stdout
    assert not (workspace / "outbox").exists()

    told = run(workspace, *SEND)

    assert "2 invitations, in outbox/" in told.stdout
    sent = mails(workspace)
    assert set(sent) == {"ana@example.org", "noor@example.net"}
    assert sent["ana@example.org"]["Subject"] == "Please review: A small letter"
    assert sent["ana@example.org"]["List-Unsubscribe"] is None
    assert [visit(workspace, email).reviewer.name for email in sorted(sent)] == ["Ana Lima", "noor@example.net"]
    assert [visit(workspace, email).standing for email in sorted(sent)] == [ReviewStanding.OPEN] * 2


def test_sending_again_ends_the_earlier_links(workspace: Path) -> None:
    run(workspace, *SEND)
    earlier = LINK.search(text_of(mails(workspace)["ana@example.org"]))
    assert "Earlier links to this issue have ended" in run(workspace, *SEND, "--to", "ana@example.org").stderr
    assert earlier is not None
    with open_database(load_config(workspace).database) as database, database.read() as connection:
        replaced = visit_of(connection, read_link(earlier[1]), now=utc_now())
    assert replaced is not None
    assert replaced.standing is ReviewStanding.REPLACED
    assert visit(workspace, "ana@example.org").standing is ReviewStanding.OPEN


def test_comments_are_listed_and_marked_as_done(workspace: Path) -> None:
    assert "No comments on 2026-02 yet." in run(workspace, "review", "2026-02", "--remarks").stdout
    run(workspace, *SEND)
    comment(workspace, "ana@example.org", "Why small?\nWhy a letter?")
    comment(workspace, "noor@example.net", "\x1b[31mRed\x07")

    listed = run(workspace, "review", "2026-02", "--remarks")

    assert "issues/2026-02/letter.md:4: Ana Lima on " in listed.stdout
    assert "Why a letter?" in listed.stdout
    assert "about “This is a small letter”" in listed.stdout
    assert "\x1b" not in listed.stdout
    assert "2 comments not done yet" in listed.stderr
    done = run(workspace, "review", "2026-02", "--done", "1")
    assert "1 comment not done yet" in done.stderr
    assert done.stdout.index("Red") < done.stdout.index("Why small?"), "open comments come first"
    unknown = run(workspace, "review", "2026-02", "--done", "77", expect=2)
    assert "2026-02 has no comment 77" in unknown.stderr


def test_options_that_do_not_go_together_are_told(workspace: Path) -> None:
    assert "--to needs --send" in run(workspace, "review", "2026-02", "--to", "ana@example.org", expect=2).stderr
    assert "run the command twice" in run(workspace, *SEND, "--remarks", expect=2).stderr
    assert "neither a group" in run(workspace, *SEND, "--to", "no one", expect=2).stderr


def test_an_issue_with_mistakes_is_neither_written_nor_sent(workspace: Path) -> None:
    (workspace / "issues/2026-02/letter.md").write_text("---\nno such key: 1\n---\nWords.\n")
    assert "issues/2026-02/letter.md:2" in run(workspace, "review", "2026-02", expect=2).stderr
    run(workspace, *SEND, expect=2)
    assert not (workspace / "outbox").exists()
