"""JSON-LD of events: the properties that Google requires, and nothing that a browser takes for markup."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from newsletter.calendars.announcing import announced, facts_of
from newsletter.calendars.structured_data import is_online, structured_data
from newsletter.model.announced import CalendarEvent
from tests.calendars.test_ics import event_of

LATER = datetime(2026, 2, 20, tzinfo=UTC)


def data(event: CalendarEvent) -> list[dict[str, Any]]:
    loaded = json.loads(structured_data(event, "Small Press", "https://www.example.org"))
    found: list[dict[str, Any]] = loaded if isinstance(loaded, list) else [loaded]
    for each in found:
        assert {"@context", "@type", "name", "startDate", "eventStatus", "organizer"} <= each.keys()
    return found


def test_an_online_event_has_a_virtual_location_and_its_offset() -> None:
    button = {"label": "Join", "url": "https://www.example.org/join"}
    (found,) = data(event_of(starts="2026-02-25 08:00", ends="2026-02-25 11:00", location="Live online", button=button))
    assert (found["startDate"], found["endDate"]) == ("2026-02-25T08:00:00-08:00", "2026-02-25T11:00:00-08:00")
    assert found["location"] == {"@type": "VirtualLocation", "url": "https://www.example.org/join"}
    assert found["eventAttendanceMode"] == "https://schema.org/OnlineEventAttendanceMode"


def test_a_place_has_a_name_and_an_address() -> None:
    (found,) = data(event_of(starts="2026-03-22", ends="2026-03-27", location="Sedona, Arizona"))
    assert (found["startDate"], found["endDate"]) == ("2026-03-22", "2026-03-27")
    assert found["location"] == {"@type": "Place", "name": "Sedona, Arizona", "address": "Sedona, Arizona"}
    assert found["eventAttendanceMode"] == "https://schema.org/OfflineEventAttendanceMode"


def test_a_series_is_one_event_for_each_date() -> None:
    found = data(event_of(starts="2026-03-01 08:00", ends="2026-03-15 09:00", repeats="weekly"))
    assert [each["startDate"][:10] for each in found] == ["2026-03-01", "2026-03-08", "2026-03-15"]
    assert [each["startDate"][-6:] for each in found] == ["-08:00", "-07:00", "-07:00"]


@pytest.mark.parametrize(("status", "said"), [("canceled", "EventCancelled"), ("postponed", "EventPostponed")])
def test_the_old_date_stays_when_an_event_does_not_take_place(status: str, said: str) -> None:
    (found,) = data(event_of(starts="2026-02-25 08:00", status=status))
    assert found["eventStatus"] == f"https://schema.org/{said}"
    assert found["startDate"].startswith("2026-02-25")
    assert "previousStartDate" not in found


def test_a_moved_event_names_the_start_before() -> None:
    before, event = event_of(starts="2026-02-25 08:00"), event_of(starts="2026-02-26 08:00")
    moved = replace(event, announced=announced(facts_of(event.item), before.announced, LATER))
    (found,) = data(moved)
    assert found["eventStatus"] == "https://schema.org/EventRescheduled"
    assert found["previousStartDate"] == "2026-02-25T08:00-08:00"


def test_only_the_dates_of_a_series_that_moved_name_the_start_before() -> None:
    series = {"starts": "2026-03-01 08:00", "repeats": "weekly"}
    before = event_of(**series, ends="2026-03-08 09:00")
    longer = event_of(**series, ends="2026-03-15 09:00")
    found = data(replace(longer, announced=announced(facts_of(longer.item), before.announced, LATER)))
    assert [each["eventStatus"] for each in found] == ["https://schema.org/EventScheduled"] * 3


def test_a_title_cannot_end_the_script() -> None:
    content = structured_data(event_of(title="</script><!--&amp;", starts="2026-02-25"), "A", "https://a.example.org")
    assert not set("<>&") & set(content)
    assert json.loads(content)["name"] == "</script><!--&amp;"


@pytest.mark.parametrize(
    ("location", "online"),
    [
        ("Live online", True),
        ("Zoom", True),
        ("オンライン開催", True),
        ("عبر الإنترنت", True),
        ("Sedona, Arizona, in person", False),
        ("Moonline Hall", False),
        (None, False),
    ],
)
def test_an_event_is_online_if_its_place_says_so(location: str | None, *, online: bool) -> None:
    assert is_online(location) is online
