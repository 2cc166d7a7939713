"""Times that the clocks skip or show twice, and dates of events that are probably mistyped."""

import pytest

from tests.checks.conftest import ISSUE, Workspace, findings_of, summary

PLACE = "events/workshop.md"
TIMES = "starts: 2026-03-07 09:00\nends: 2026-03-07 12:00\n"
DEADLINE = "deadline:\n  label: Early price ends\n  date: 2026-03-04\n"


def timed(workspace: Workspace, *lines: str) -> Workspace:
    """The workshop with these lines in place of its times and its deadline, from line 3 on."""
    return workspace.edit("workshop", f"{TIMES}{DEADLINE}", "".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize(
    ("lines", "place", "said"),
    [
        (
            ("starts: 2027-03-14 02:30", "ends: 2027-03-14 05:30", "timezone: America/Los_Angeles"),
            f"{PLACE}:3",
            "write `starts: 2027-03-14 01:30` or `starts: 2027-03-14 03:30`",
        ),
        (
            ("starts: 2027-03-14 01:00", "ends: 2027-03-14 02:00", "timezone: America/Los_Angeles"),
            f"{PLACE}:4",
            "write `ends: 2027-03-14 01:00` or `ends: 2027-03-14 03:00`",
        ),
        (  # the clocks skip midnight
            ("starts: 2027-09-05 00:30", "timezone: America/Santiago"),
            f"{PLACE}:3",
            "write `starts: 2027-09-04 23:30` or `starts: 2027-09-05 01:30`",
        ),
        (  # and here, half an hour
            ("starts: 2026-10-04 02:10", "timezone: Australia/Lord_Howe"),
            f"{PLACE}:3",
            "write `starts: 2026-10-04 01:40` or `starts: 2026-10-04 02:40`",
        ),
        (
            ("starts: 2026-03-15 01:30", "ends: 2026-04-05 02:30", "repeats: weekly"),
            f"{PLACE}:3",
            "clocks in Europe/Dublin skip 1:30 am on 2026-03-29; choose another time, for example 00:30 or 02:30",
        ),
        (
            ("starts: 2027-11-07 01:30", "ends: 2027-11-07 04:30", "timezone: America/Los_Angeles"),
            f"{PLACE}:3",
            "add `offset: -07:00` for the first time or `offset: -08:00` for the second",
        ),
        (
            ("starts: 2026-10-24 22:00", "ends: 2026-10-25 01:15"),
            f"{PLACE}:4",
            "add `offset: +01:00` for the first time or `offset: +00:00` for the second",
        ),
        (
            ("starts: 2027-11-07 01:30", "timezone: America/Los_Angeles", "offset: -05:00"),
            f"{PLACE}:5",
            "write `offset: -07:00` or `offset: -08:00`, or delete this line",
        ),
        (("starts: 2026-03-07", "offset: +01:00"), f"{PLACE}:4", "delete this line"),
    ],
)
def test_a_time_that_does_not_exist_or_comes_twice_is_found(
    workspace: Workspace, lines: tuple[str, ...], place: str, said: str
) -> None:
    findings = findings_of(timed(workspace, *lines).subject())
    assert summary(findings) == [("E4", place)]
    assert said in str(findings[0])


@pytest.mark.parametrize(
    "lines",
    [
        ("starts: 2027-11-07 01:30", "timezone: America/Los_Angeles", "offset: -08:00"),
        ("starts: 2027-11-07 01:30", "timezone: America/Los_Angeles", "offset: -07:00"),
        ("starts: 2026-11-01 01:30", "timezone: America/Vancouver"),  # changes its clocks no more
        ("starts: 2027-03-14 03:00", "timezone: America/Los_Angeles"),
        ("starts: 2027-11-07 02:00", "timezone: America/Los_Angeles"),
        ("starts: 2027-03-14", "timezone: America/Los_Angeles"),
    ],
)
def test_other_times_near_a_change_of_the_clocks_are_fine(workspace: Workspace, lines: tuple[str, ...]) -> None:
    assert summary(findings_of(timed(workspace, *lines).subject())) == []


@pytest.mark.parametrize(
    ("lines", "place", "said"),
    [
        (("starts: 2032-03-07 09:00",), f"{PLACE}:3", "6 years after the issue"),
        (("starts: 2026-03-07", "ends: 2027-04-07"), f"{PLACE}:4", "more than a year"),
        (
            ("starts: 2026-03-07 09:00", "deadline: {label: Sign up by, date: 2026-03-08}"),
            f"{PLACE}:4",
            "is after the event starts on 2026-03-07",
        ),
    ],
)
def test_an_unlikely_date_is_found(workspace: Workspace, lines: tuple[str, ...], place: str, said: str) -> None:
    findings = findings_of(timed(workspace, *lines).subject())
    assert summary(findings) == [("E5", place)]
    assert said in findings[0].what


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("title: A day of rest", "title: A Day of Rest!", [("E5", "events/zz.md:2")]),
        ("starts: 2026-03-07 09:00", "starts: 2026-03-07 10:00", []),
        ("title: A day of rest", "title: A day of rest, again", []),
    ],
)
def test_an_event_that_is_in_the_issue_twice_is_found(
    workspace: Workspace, old: str, new: str, found: list[tuple[str, str]]
) -> None:
    folder = workspace.root / ISSUE / "events"
    text = (folder / "workshop.md").read_text()
    (folder / "zz.md").write_text(text.replace(old, new))
    assert [each for each in summary(findings_of(workspace.subject())) if each[0] == "E5"] == found
