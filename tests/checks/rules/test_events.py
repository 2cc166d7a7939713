"""What an issue announces must still lie ahead."""

from datetime import UTC, datetime

import pytest

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
    workspace.edit("workshop", "starts: 2026-03-07 09:00\nends: 2026-03-07 12:00\n", "starts: 2026-03-03\n")

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

    assert "“Rest for {{ city }}” was over" in finding.what
