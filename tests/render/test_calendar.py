"""The link that puts an event into a reader's calendar."""

from urllib.parse import parse_qs, urlsplit

from newsletter.language.dates import google_calendar_url
from tests.language.items import item


def query(**fields: object) -> dict[str, str]:
    url = google_calendar_url(item(**fields))
    assert url is not None
    return {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}


def test_times_are_given_in_utc_with_the_zone_of_the_event() -> None:
    found = query(title="Self-Forgiveness", starts="2026-02-25 08:00", ends="2026-02-25 11:00")
    assert found["dates"] == "20260225T160000Z/20260225T190000Z"
    assert found["ctz"] == "America/Los_Angeles"
    assert found["text"] == "Self-Forgiveness"


def test_summer_time_is_reckoned_with() -> None:
    assert query(starts="2026-07-01 16:00", ends="2026-07-01 19:00")["dates"] == "20260701T230000Z/20260702T020000Z"


def test_an_event_that_names_no_end_takes_an_hour() -> None:
    assert query(starts="2026-02-25 08:00")["dates"] == "20260225T160000Z/20260225T170000Z"


def test_an_event_that_ends_as_it_begins_takes_an_hour() -> None:
    assert query(starts="2026-02-25 08:00", ends="2026-02-25 08:00")["dates"] == "20260225T160000Z/20260225T170000Z"


def test_each_time_of_a_weekly_event_may_end_after_midnight() -> None:
    found = query(starts="2026-02-25 23:30", repeats="weekly")
    assert found["dates"] == "20260226T073000Z/20260226T083000Z"
    assert found["recur"] == "RRULE:FREQ=WEEKLY;COUNT=1"


def test_an_event_of_whole_days_ends_on_the_day_after_its_last() -> None:
    assert query(starts="2026-03-22", ends="2026-03-27")["dates"] == "20260322/20260328"


def test_a_single_whole_day_ends_on_the_next() -> None:
    assert query(starts="2026-12-31")["dates"] == "20261231/20270101"


def test_a_weekly_event_is_its_first_time_with_a_rule() -> None:
    found = query(starts="2026-02-25 09:00", ends="2026-04-01 10:00", repeats="weekly")
    assert found["dates"] == "20260225T170000Z/20260225T180000Z"
    assert found["recur"] == "RRULE:FREQ=WEEKLY;COUNT=6"


def test_subtitle_and_place_go_along() -> None:
    found = query(starts="2026-03-22", subtitle="With Chris & friends", location="Sedona, Arizona")
    assert found["details"] == "With Chris & friends"
    assert found["location"] == "Sedona, Arizona"


def test_an_undated_offer_has_no_link() -> None:
    assert google_calendar_url(item()) is None
