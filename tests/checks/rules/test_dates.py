"""What an issue announces must still lie ahead."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from newsletter.checks.reading.typed_dates import date_words
from newsletter.checks.rules.dates import CLOCK_WITH_ZONE
from newsletter.model.ledger import ZoneCount
from tests.checks.conftest import Workspace, findings_of, summary

PLACE = "events/workshop.md"


def found_at(workspace: Workspace, moment: datetime) -> list[tuple[str, str]]:
    return summary(findings_of(workspace.subject(at=moment)))


def test_an_event_that_is_over_blocks_at_its_end(workspace: Workspace) -> None:
    assert found_at(workspace, datetime(2026, 3, 7, 12, 0, tzinfo=UTC)) == [("E1", f"{PLACE}:4")]


def test_an_event_that_is_going_on_is_fine(workspace: Workspace) -> None:
    workspace.edit("workshop", "deadline:\n  label: Early price ends\n  date: 2026-03-04\n", "")

    assert found_at(workspace, datetime(2026, 3, 7, 11, 59, tzinfo=UTC)) == []


def test_an_event_s_own_zone_counts(workspace: Workspace) -> None:
    workspace.edit("workshop", "deadline:\n  label: Early price ends\n  date: 2026-03-04\n", "timezone: Asia/Tokyo\n")

    assert found_at(workspace, datetime(2026, 3, 7, 2, 59, tzinfo=UTC)) == []
    assert found_at(workspace, datetime(2026, 3, 7, 3, 0, tzinfo=UTC)) == [("E1", f"{PLACE}:4")]


def test_a_whole_day_is_over_when_its_day_is(workspace: Workspace) -> None:
    deadline = "deadline:\n  label: Early price ends\n  date: 2026-03-04\n"
    workspace.edit("workshop", f"starts: 2026-03-07 09:00\nends: 2026-03-07 12:00\n{deadline}", "starts: 2026-03-03\n")

    assert found_at(workspace, datetime(2026, 3, 3, 23, 0, tzinfo=UTC)) == []
    assert found_at(workspace, datetime(2026, 3, 4, 0, 0, tzinfo=UTC)) == [("E1", f"{PLACE}:3")]


@pytest.mark.parametrize(
    ("moment", "found"),
    [
        (datetime(2026, 3, 4, 23, 30, tzinfo=UTC), []),
        (datetime(2026, 3, 5, 0, 0, tzinfo=UTC), [("E1", f"{PLACE}:7")]),
    ],
)
def test_a_deadline_holds_until_its_day_ends(
    workspace: Workspace, moment: datetime, found: list[tuple[str, str]]
) -> None:
    assert found_at(workspace, moment) == found


def test_the_finding_names_the_event_and_both_times(workspace: Workspace) -> None:
    (finding,) = findings_of(workspace.subject(at=datetime(2026, 3, 9, 8, 0, tzinfo=UTC)))

    assert "A day of rest" in finding.what
    assert "2026-03-07 12:00," in finding.what
    assert "2026-03-09 08:00" in finding.what


def test_a_merge_field_in_a_finding_is_shown_as_written(workspace: Workspace) -> None:
    workspace.edit("workshop", "title: A day of rest", "title: Rest for {{ city }}")

    (finding, _) = findings_of(workspace.subject(at=datetime(2026, 3, 9, 8, 0, tzinfo=UTC)))

    assert "“Rest for {{ city }}” ends on " in finding.what


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("en", "on Wednesday, February 26 at noon", (2, 2, 26, None)),
        ("en", "Wed, Feb. 25, 2026", (2, 2, 25, 2026)),
        ("en", "Friday\nMarch 6th, 2026", (4, 3, 6, 2026)),
        ("en", "Friday the 13th of March", (4, 3, 13, None)),
        ("en", "Saturday, 2026-03-07", (5, 3, 7, 2026)),
        ("en", "TUESDAY, MAY 5–7", (1, 5, 5, None)),
        ("de", "am Mittwoch, den 26. Februar", (2, 2, 26, None)),
        ("de", "Mi., 26.02.2026", (2, 2, 26, 2026)),
        ("es", "el miércoles 26 de febrero de 2026", (2, 2, 26, 2026)),
        ("fr", "dimanche 1er mars", (6, 3, 1, None)),
        ("pt-BR", "quarta-feira, 26 de fevereiro", (2, 2, 26, None)),
        ("nl", "woensdag 26 februari", (2, 2, 26, None)),
        ("sv", "onsdag den 26 februari", (2, 2, 26, None)),
        ("ja", "2月26日（木）", (3, 2, 26, None)),
        ("zh-Hans", "2026年2月26日 星期四", (3, 2, 26, 2026)),
        ("ko", "2월 26일 (목)", (3, 2, 26, None)),
        ("he", "יום רביעי, 26 בפברואר", (2, 2, 26, None)),
        ("ar", "الأربعاء، 26 فبراير", (2, 2, 26, None)),
    ],
)
def test_a_date_with_its_weekday_is_found(language: str, text: str, found: tuple[int, int, int, int | None]) -> None:
    words = date_words(language)
    assert words is not None

    (typed,) = words.dates_in(text)

    assert (typed.weekday, typed.month, typed.day, typed.year) == found
    assert typed.written in " ".join(text.split())


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Wednesdays, February 26"),
        ("en", "Monday – Wednesday, February 23–25"),
        ("en", "Tuesday or Wednesday, March 3 or 4"),
        ("en", "We sat March 3 out"),
        ("en", "Friday, March 2026"),
        ("en", "Black Friday. March 6 is another day for walks"[:12]),
        ("de", "mittwochs, 26. Februar"),
        ("ja", "2月26日木々が"),
        ("en", "miércoles 26 de febrero"),
    ],
)
def test_what_may_mean_something_else_is_not_found(language: str, text: str) -> None:
    words = date_words(language)
    assert words is not None
    assert list(words.dates_in(text)) == []


def test_a_language_that_nothing_is_known_of_has_no_words() -> None:
    assert date_words("xx") is None


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("8 am PST", "PST"),
        ("8:00 a.m. (PDT)", "PDT"),
        ("17 Uhr MEZ", "MEZ"),
        ("17:30 CET", "CET"),
        ("9–11 am EST", "EST"),
    ],
)
def test_a_zone_is_found_behind_a_time(text: str, zone: str) -> None:
    (match,) = CLOCK_WITH_ZONE.finditer(text)
    assert match["zone"] == zone


@pytest.mark.parametrize("text", ["8 am in the EST office", "à 8 h est prévu", "PST 8", "a BEST of 8 songs"])
def test_capitals_elsewhere_are_no_zone(text: str) -> None:
    assert [match["zone"] for match in CLOCK_WITH_ZONE.finditer(text)] == []


# By local time

EVENING = datetime(2026, 3, 7, 8, 0, tzinfo=UTC)


def arriving(**people: int) -> tuple[ZoneCount, ...]:
    """One zone per hour from 8:00 UTC on March 7, with so many people; the event ends at 12:00 there."""
    return tuple(
        ZoneCount(zone=zone.replace("_", "/"), due_at=EVENING + timedelta(hours=hour), deliveries=count)
        for hour, (zone, count) in enumerate(people.items())
    )


@pytest.mark.parametrize(
    ("people", "told"),
    [
        ({"Europe_Rome": 5, "Europe_London": 4, "America_Lima": 3, "America_Denver": 2}, ""),
        (
            {"A": 1, "B": 1, "C": 1, "D": 1, "Pacific_Honolulu": 1},
            "to 1 person in Pacific/Honolulu, the last of them on 2026-03-07 12:00",
        ),
        (
            {"A": 1, "B": 1, "C": 1, "D": 1, "America_Denver": 2, "Pacific_Honolulu": 3},
            "to 5 people in Pacific/Honolulu and America/Denver, the last of them on 2026-03-07 13:00",
        ),
        (
            {"A": 1, "B": 1, "C": 1, "D": 1, "E": 1, "F": 2, "G": 3, "H": 4},
            "to 10 people in H, G, F and 1 more time zone, the last of them on 2026-03-07 15:00",
        ),
    ],
)
def test_by_local_time_whoever_gets_it_too_late_is_counted_and_their_zones_are_named(
    workspace: Workspace, people: dict[str, int], told: str
) -> None:
    workspace.edit("workshop", "deadline:\n  label: Early price ends\n  date: 2026-03-04\n", "")
    arrivals = arriving(**people)

    found = findings_of(replace(workspace.subject(at=arrivals[-1].due_at), arrivals=arrivals))

    assert [finding.what for finding in found] == [
        f"“A day of rest” ends on 2026-03-07 12:00, before the email is sent {told}"
    ] * bool(told)


def test_by_local_time_a_deadline_names_those_whom_it_reaches_too_late(workspace: Workspace) -> None:
    arrivals = (
        ZoneCount(zone="Asia/Tokyo", due_at=datetime(2026, 3, 4, 8, 0, tzinfo=UTC), deliveries=7),
        ZoneCount(zone="America/Denver", due_at=datetime(2026, 3, 5, 8, 0, tzinfo=UTC), deliveries=2),
    )

    (finding,) = findings_of(replace(workspace.subject(at=arrivals[-1].due_at), arrivals=arrivals))

    assert "by the time the email is sent to 2 people in America/Denver, the last of them on 2026-03-05" in finding.what
