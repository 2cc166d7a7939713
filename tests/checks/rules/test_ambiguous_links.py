"""Links with the same text: fine where a list or a table tells them apart, ambiguous elsewhere."""

import pytest

from tests.checks.conftest import Workspace, findings_of

MEETUPS = """\
- March 5, Berlin
    - [Hack and learn](https://example.org/berlin)
- March 6, Lyon, 18:30
    - [Hack and learn](https://example.org/lyon)
- March 7, Oslo: [Hack and learn](https://example.org/oslo)
"""
TABLE = """\
| City | Meeting |
| --- | --- |
| Berlin | [Hack and learn](https://example.org/berlin) |
| Lyon | [Hack and learn](https://example.org/lyon) |
"""


def ambiguous(workspace: Workspace, text: str) -> list[str]:
    workspace.edit("letter", "A book", f"{text}\n\nA book")
    return [str(found.place) for found in findings_of(workspace.subject()) if found.rule == "A4"]


@pytest.mark.parametrize("text", [MEETUPS, MEETUPS.replace("- March", "1. March"), TABLE])
def test_titles_that_recur_in_a_list_are_told_apart_by_their_items(workspace: Workspace, text: str) -> None:
    assert ambiguous(workspace, text) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[Hack](https://example.org/a) and [Hack](https://example.org/b)", 16),
        ("- On Friday, [Hack](https://example.org/a) or [Hack](https://example.org/b)", 16),
        ("- [Hack](https://example.org/a)\n- [Hack](https://example.org/b)", 17),
        ("[Hack](https://example.org/a)\n\n- Lyon: [Hack](https://example.org/b)", 18),
        ("| City | City |\n| --- | --- |\n| [Hack](https://example.org/a) | [Hack](https://example.org/b) |", 18),
    ],
)
def test_links_that_nothing_tells_apart_are_found(workspace: Workspace, text: str, line: int) -> None:
    assert ambiguous(workspace, text) == [f"issues/2026-03/letter.md:{line}"]
