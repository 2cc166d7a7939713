"""What is recorded of a published event, and what raises its sequence."""

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.calendars.announcing import announced, facts_of, read_record, times_of, written_record
from newsletter.errors import InputError
from tests.language.items import item

NOW = datetime(2026, 2, 19, 8, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
FIRST = {"title": "A talk", "starts": "2026-02-25 08:00", "ends": "2026-02-25 09:00", "location": "Online"}


def test_the_first_time_an_event_has_the_sequence_zero_and_the_time_of_publishing_in_whole_seconds() -> None:
    told = announced(facts_of(item(**FIRST)), None, NOW)
    assert (told.sequence, told.changed, told.before) == (0, NOW.replace(microsecond=0), ())
    assert told.times == ("2026-02-25T08:00-08:00/2026-02-25T09:00-08:00",)


def test_what_has_not_changed_stays_as_it_was() -> None:
    told = announced(facts_of(item(**FIRST)), None, NOW)
    assert announced(facts_of(item(**FIRST)), told, LATER) == told


@pytest.mark.parametrize(
    "change",
    [
        {"starts": "2026-02-25 08:30"},
        {"ends": "2026-02-25 09:30"},
        {"timezone": "America/Phoenix"},
        {"location": "Room 4"},
        {"status": "canceled"},
        {"status": "postponed"},
    ],
)
def test_a_change_of_time_place_or_status_raises_the_sequence(change: dict[str, str]) -> None:
    told = announced(facts_of(item(**FIRST)), None, NOW)
    after = announced(facts_of(item(**{**FIRST, **change})), told, LATER)
    assert (after.sequence, after.changed) == (1, LATER.replace(microsecond=0))
    assert after.before == (told.times if after.times != told.times else ())
    assert announced(facts_of(item(**FIRST)), after, LATER).sequence == 2  # and changing it back raises it again


def test_a_change_of_a_zones_rule_raises_the_sequence() -> None:
    event = item(**{**FIRST, "timezone": "America/Vancouver", "starts": "2026-12-09 08:00", "ends": None})
    told = announced(facts_of(event), None, NOW)
    before = type(told)(
        **{**{name: getattr(told, name) for name in told.__struct_fields__}, "times": ("2026-12-09T08:00-09:00",)}
    )
    assert announced(facts_of(event), before, LATER).sequence == 1


def test_new_words_are_a_change_but_do_not_raise_the_sequence() -> None:
    told = announced(facts_of(item(**FIRST)), None, NOW)
    after = announced(facts_of(item(**{**FIRST, "title": "A better talk"})), told, LATER)
    assert (after.sequence, after.changed) == (0, LATER.replace(microsecond=0))


@pytest.mark.parametrize(
    ("fields", "times"),
    [
        ({"starts": "2026-02-25"}, ("2026-02-25",)),
        ({"starts": "2026-03-22", "ends": "2026-03-27"}, ("2026-03-22/2026-03-27",)),
        ({"starts": "2026-02-25", "ends": "2026-03-04", "repeats": "weekly"}, ("2026-02-25", "2026-03-04")),
        ({"starts": "2026-02-25 08:00"}, ("2026-02-25T08:00-08:00",)),
        (
            {"starts": "2026-03-01 08:00", "ends": "2026-03-08 09:00", "repeats": "weekly"},
            ("2026-03-01T08:00-08:00/2026-03-01T09:00-08:00", "2026-03-08T08:00-07:00/2026-03-08T09:00-07:00"),
        ),
        ({}, ()),
    ],
)
def test_times_are_written_with_their_offsets(fields: dict[str, str], times: tuple[str, ...]) -> None:
    assert times_of(item(**fields)) == times


def test_the_record_reads_back_and_is_in_the_order_of_the_ids() -> None:
    told = announced(facts_of(item(**FIRST)), None, NOW)
    content = written_record({"b": told, "a": told})
    assert read_record(content, "calendar.json") == {"a": told, "b": told}
    assert content.index(b'"a"') < content.index(b'"b"')
    assert content == written_record(read_record(content, "calendar.json"))


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"a": {}}', b"\xff", b'{"a": {"sequence": "x"}}', b"[" * 100_000]
)
def test_a_damaged_record_is_named(content: bytes) -> None:
    with pytest.raises(InputError, match=r"issues/2026-02/calendar.json cannot be read"):
        read_record(content, "issues/2026-02/calendar.json")
