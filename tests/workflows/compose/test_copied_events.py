"""Copying an issue: an event that is still to come stays the same event, and one that is over does not."""

from datetime import date
from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.content.loader import load_issue
from newsletter.workflows.compose.new import new_issue
from tests.workspaces import ISSUE, write_workspace

WEEKLY = "starts: 2026-02-25 09:00\nends: 2026-04-01 10:00\nrepeats: weekly"


@pytest.mark.parametrize(
    ("keys", "uid"),
    [
        ("starts: 2026-03-05", "2026-02-workshop@example.org"),
        ("starts: 2026-03-04", "2026-03-workshop@example.org"),
        (WEEKLY, "2026-02-workshop@example.org"),
        ("id: retreat\nstarts: 2026-03-05", "retreat@example.org"),
        ("id: retreat\nstarts: 2026-03-04", "2026-03-workshop@example.org"),
        ("badge: Any time", "2026-03-workshop@example.org"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_only_an_event_that_is_still_to_come_keeps_its_id(tmp_path: Path, keys: str, uid: str, end: str) -> None:
    files = {
        "issue.yaml": f"{ISSUE}  - events\n",
        "events/index.md": "---\ntitle: Events\n---\n",
        "events/workshop.md": f"---\n{keys}\ntitle: A workshop\n---\nWords.\n",
    }
    written = {f"issues/2026-02/{name}": text.replace("\n", end) for name, text in files.items()}
    config = load_config(write_workspace(tmp_path, written))

    copy = new_issue(config, "2026-03", source=None, issue_date=date(2026, 3, 5), today=date(2026, 2, 21))

    (item,) = load_issue(config, copy).sections[1].items
    assert item.uid == uid
    lines = (copy / "events/workshop.md").read_bytes().splitlines(keepends=True)
    before = written["issues/2026-02/events/workshop.md"].encode().splitlines(keepends=True)
    assert [line for line in lines if b"id:" not in line] == [line for line in before if b"id:" not in line]


def test_a_file_with_a_mistake_is_copied_unchanged(tmp_path: Path) -> None:
    files = {
        "issue.yaml": f"{ISSUE}  - events\n",
        "events/index.md": "",
        "events/workshop.md": "---\nstarts: soon\n---\n",
    }
    config = load_config(write_workspace(tmp_path, {f"issues/2026-02/{name}": text for name, text in files.items()}))
    copy = new_issue(config, "2026-03", source=None, issue_date=date(2026, 3, 5), today=date(2026, 2, 21))
    assert (copy / "events/workshop.md").read_text() == files["events/workshop.md"]
