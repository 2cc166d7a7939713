"""Mistakes in the dates, times and zones of an event are sentences at their line."""

from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.content.loader import load_issue
from newsletter.errors import MistakesError
from newsletter.model.issue_fields import SECTION_TYPES
from tests.workspaces import write_workspace


def issue_with(tmp_path: Path, *lines: str) -> tuple[Path, Path]:
    root = write_workspace(tmp_path)
    folder = root / "issues" / "2026-09"
    (folder / "events").mkdir(parents=True)
    (folder / "issue.yaml").write_text("subject: S\npreheader: P\ntitle: T\ndate: 2026-02-01\nsections: [events]\n")
    (folder / "events" / "index.md").write_text("---\ntitle: Events\n---\n")
    text = "\n".join(["---", "title: An event", *lines, "---", "Come."])
    (folder / "events" / "e.md").write_text(f"{text}\n", encoding="utf-8")
    return root, folder


@pytest.mark.parametrize(
    ("lines", "line", "said"),
    [
        (("starts: 20260225",), 3, "write 2026-02-25"),
        (("starts: 2026-02-25 08:00", "ends: 20260225"), 4, "write 2026-02-25"),
        (("starts: 2026-02-25", "ends: 2026-02-26 08:00"), 4, "only one of `starts` and `ends` has a time"),
        (("starts: 2026-02-25T08:00Z",), 3, "write 2026-02-25 08:00"),
        (("starts: 2026-02-25 08:00+01:00", "ends: 2026-02-25 09:00"), 3, "write 2026-02-25 08:00"),
        (("starts: 2026-W09-3",), 3, "is a day of a numbered week; write 2026-02-25"),
        (("starts: 2026W093",), 3, "write 2026-02-25"),
        (("starts: 1767225600",), 3, "is not a date"),
        (("starts: 0",), 3, "is not a date"),
        (("starts: 9999-12-31 23:00",), 3, "correct it, for example: 2026-12-31 23:00"),
        (("starts: 0001-01-01",), 3, "the year 1 in '0001-01-01'"),
        (("starts: 2026-02-25 08:00", "timezone: PST"), 4, "write a continent and a city"),
        (("starts: 2026-02-25 08:00", "timezone: europe/paris"), 4, "write Europe/Paris"),
        (("starts: 2026-02-25 08:00", "timezone: Paris"), 4, "write Europe/Paris"),
        (("starts: 2026-02-25 08:00", "timezone: New York"), 4, "write America/New_York"),
        (("starts: 2026-02-25 08:00", "timezone: Factory"), 4, "is not a time zone"),
        (("starts: 2026-02-25 08:00", "timezone: ../../etc/passwd"), 4, "is not a time zone"),
        (("starts: 2026-02-25 08:00", "offset: -8"), 4, "write it as -07:00 or +01:00"),
        (("starts: 2026-02-25 20:00", "ends: 2026-03-13 01:00", "repeats: weekly"), 4, "a Wednesday and"),
    ],
)
def test_a_mistake_is_a_sentence_at_its_line(tmp_path: Path, lines: tuple[str, ...], line: int, said: str) -> None:
    root, folder = issue_with(tmp_path, *lines)
    with pytest.raises(MistakesError) as caught:
        load_issue(load_config(root), folder, SECTION_TYPES)
    (mistake,) = caught.value.mistakes
    assert str(mistake).startswith(f"issues/2026-09/events/e.md:{line}: ")
    assert said in str(mistake)


@pytest.mark.parametrize("ends", ["2026-03-11 01:00", "2026-03-12 01:00"])
def test_a_weekly_event_past_midnight_may_name_either_day(tmp_path: Path, ends: str) -> None:
    root, folder = issue_with(tmp_path, "starts: 2026-02-25 20:00", f"ends: {ends}", "repeats: weekly")
    (section,) = load_issue(load_config(root), folder, SECTION_TYPES).sections
    times = section.items[0].times()
    assert [f"{each.starts:%m-%d %H}" for each in times] == ["02-25 20", "03-04 20", "03-11 20"]
    assert f"{section.items[0].ends_at():%Y-%m-%d %H:%M}" == "2026-03-12 01:00"
