"""The files that `build` writes: which reader's email is in which of them."""

from datetime import UTC, datetime
from pathlib import Path

from newsletter.config import load_config
from newsletter.workflows.compose.build import build_issue
from tests.workspaces import CONFIG, ISSUE, write_workspace

NOW = datetime(2026, 2, 19, 16, 0, tzinfo=UTC)
SEGMENTS = {
    "newsletter.toml": CONFIG.replace("[segments]\n", "[segments]\nmembers = 'tagged(\"member\")'\n"),
    "issues/2026-02/issue.yaml": ISSUE
    + "  - section: teaching\n    only: teachers\n  - section: dues\n    only: members\n",
    "issues/2026-02/teaching.md": "---\ntype: text\n---\nFor teachers.\n",
    "issues/2026-02/dues.md": "---\ntype: text\n---\nFor members.\n",
}


def texts(root: Path) -> dict[str, str]:
    build_issue(load_config(root), root / "issues/2026-02", NOW)
    return {path.stem: path.read_text() for path in (root / "build/2026-02").glob("email*.txt")}


def test_email_is_what_everyone_else_gets_and_the_others_are_named(tmp_path: Path) -> None:
    built = texts(write_workspace(tmp_path, SEGMENTS))

    shown = {name: ("For teachers." in text, "For members." in text) for name, text in built.items()}
    assert shown == {
        "email": (False, False),
        "email.teachers": (True, False),
        "email.members": (False, True),
        "email.members+teachers": (True, True),
    }


def test_an_issue_without_segments_has_one_email(tmp_path: Path) -> None:
    assert texts(write_workspace(tmp_path)).keys() == {"email"}
