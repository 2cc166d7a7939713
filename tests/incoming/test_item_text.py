"""The files of entries: the loader reads them as the same events, whatever the entries contain."""

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from html import escape
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import recurring_ical_events
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from newsletter.config import load_config
from newsletter.content.loader import load_issue
from newsletter.incoming.calendar_entries import events_of_calendar
from newsletter.incoming.entries import IncomingEntry, entries_of_feed
from newsletter.incoming.item_text import Taken, is_untouched, item_name, item_text
from newsletter.model.issue import Item
from tests.workspaces import ISSUE, write_workspace

HOME = ZoneInfo("America/Los_Angeles")  # the newsletter's own zone in the tests' workspaces
PARIS = ZoneInfo("Europe/Paris")
FLOATING = datetime.fromisoformat("2026-03-01T09:00")  # without a zone
ZONES = ("Europe/Paris", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca")
TAKEN = Taken(origin="https://example.org/feed.xml", at=datetime(2026, 2, 19, 16, 5, tzinfo=UTC), etag='W/"a"')
REUSED = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def read(root: Path, *entries: IncomingEntry) -> tuple[Item, ...]:
    """Write entries as items of a section, and return what the loader reads."""
    write_workspace(root)
    issue = root / "issues/2026-02"
    (issue / "issue.yaml").write_text(ISSUE.replace("  - letter\n", "  - events\n"))
    folder = issue / "events"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.md"):
        old.unlink()
    (folder / "index.md").write_text("---\ntitle: Events\n---\n")
    for entry in entries:
        text = item_text(entry, HOME, "Read more: all", TAKEN)
        (folder / f"{item_name(entry)}.md").write_text(text, encoding="utf-8")
    (section,) = load_issue(load_config(root), issue).sections
    return section.items


def event(starts: datetime | date, ends: datetime | date | None = None) -> IncomingEntry:
    return IncomingEntry(key="0a1b2c3d", title="Walk", starts=starts, ends=ends)


def test_an_entry_becomes_an_item_with_all_that_it_says(tmp_path: Path) -> None:
    content = (
        b'<?xml version="1.0"?><rss version="2.0"><channel><title>a</title><item><guid>1</guid>'
        b'<title>Colons: "quotes", {{ name }} and #</title><link>https://example.org/one?a=b</link>'
        b"<description>&lt;p&gt;---&lt;/p&gt;&lt;p&gt;title: b&lt;/p&gt;&lt;p&gt;&lt;b&gt;Text&lt;/b&gt;&lt;/p&gt;"
        b"</description></item></channel></rss>"
    )
    (entry,) = entries_of_feed(content, "https://example.org/feed.xml", 5).entries
    (item,) = read(tmp_path, entry)
    assert item.name == f"colons-quotes-name-and-{entry.key}"
    assert item.fields.title.replace(" ", "") == 'Colons:"quotes",{{name}}and#'
    assert item.fields.link is not None
    assert (item.fields.link.label, item.fields.link.url) == ("Read more: all", "https://example.org/one?a=b")
    assert (item.fields.origin, item.fields.etag, item.fields.id) == (TAKEN.origin, TAKEN.etag, None)
    assert item.fields.fetched == datetime.fromisoformat("2026-02-19T08:05")
    assert "**Text**" in item_text(entry, HOME, "Read more: all", TAKEN)


def test_the_events_of_a_calendar_are_the_items(tmp_path: Path) -> None:
    lines = (
        "BEGIN:VCALENDAR VERSION:2.0 PRODID:x BEGIN:VEVENT UID:1 DTSTAMP:20260101T000000Z SUMMARY:Walk LOCATION:Park"
    )
    lines += " DTSTART;TZID=Europe/Paris:20260301T090000 DTEND;TZID=Europe/Paris:20260301T110000"
    lines += " RRULE:FREQ=WEEKLY;COUNT=3 END:VEVENT END:VCALENDAR "
    content = lines.replace(" ", "\r\n").replace(";COUNT=3", "").encode()
    items = read(tmp_path, *events_of_calendar(content, date(2026, 2, 20), days=60, most=2).entries)
    assert [item.fields.id for item in items] == [item.name.rpartition("-")[2] for item in items]
    assert [item.starts_at() for item in items] == [datetime(2026, 3, day, 9, tzinfo=PARIS) for day in (1, 8)]
    assert {(item.fields.location, item.fields.timezone) for item in items} == {("Park", "Europe/Paris")}
    assert [str(item.fields.ends) for item in items] == ["2026-03-01 11:00:00", "2026-03-08 11:00:00"]


@pytest.mark.parametrize("zone", [UTC, ZoneInfo("UTC"), ZoneInfo("Etc/UTC"), timezone(timedelta(hours=5))])
def test_a_time_without_a_place_is_told_in_the_zone_of_the_newsletter(tmp_path: Path, zone: tzinfo) -> None:
    starts = datetime(2026, 2, 25, 16, tzinfo=zone)
    (item,) = read(tmp_path, event(starts, starts + timedelta(hours=1)))
    assert (item.starts_at(), item.fields.timezone) == (starts, HOME.key)


def test_whole_days_stay_as_they_are(tmp_path: Path) -> None:
    (item,) = read(tmp_path, event(date(2026, 3, 22), date(2026, 3, 27)))
    assert (item.fields.starts, item.fields.ends) == (date(2026, 3, 22), date(2026, 3, 27))


@pytest.mark.parametrize("ends", [date(2026, 3, 1), FLOATING, datetime(2026, 3, 1, 7, tzinfo=PARIS)])
def test_an_end_that_cannot_be_is_left_out(tmp_path: Path, ends: date) -> None:
    (item,) = read(tmp_path, event(datetime(2026, 3, 1, 8, tzinfo=PARIS), ends))
    assert item.fields.ends is None


def test_an_end_in_another_zone_is_told_in_the_zone_of_the_start(tmp_path: Path) -> None:
    (item,) = read(tmp_path, event(datetime(2026, 3, 1, 9, tzinfo=PARIS), datetime(2026, 3, 1, 10, tzinfo=UTC)))
    assert str(item.fields.ends) == "2026-03-01 11:00:00"


@given(st.integers(0, 365 * 24 * 60), st.sampled_from(ZONES))
@REUSED
def test_an_event_starts_at_the_same_instant_in_its_file(tmp_path: Path, minutes: int, zone: str) -> None:
    starts = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)).astimezone(ZoneInfo(zone))
    (item,) = read(tmp_path, event(starts))
    assert item.starts_at() == starts


@pytest.mark.parametrize("hour", [0, 1])  # in UTC; both are 2:30 in Paris
def test_of_a_time_that_the_clocks_show_twice_the_right_one_is_kept(tmp_path: Path, hour: int) -> None:
    starts = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
    (item,) = read(tmp_path, event(starts.astimezone(PARIS)))
    found = item.starts_at()
    assert found is not None
    assert found.astimezone(UTC) == starts


@given(
    st.integers(2, 12),
    st.integers(0, 364),
    st.integers(0, 24 * 60 - 1),
    st.integers(1, 24 * 60),
    st.sampled_from(ZONES),
)
@REUSED
def test_a_weekly_series_takes_place_at_the_same_times(
    tmp_path: Path, count: int, day: int, minute: int, length: int, zone: str
) -> None:
    starts = datetime(2026, 1, 1) + timedelta(days=day, minutes=minute)  # noqa: DTZ001 - on the clocks of the zone
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "UID:1", "SUMMARY:Walk"]
    lines += [
        f"DTSTART;TZID={zone}:{starts:%Y%m%dT%H%M%S}",
        f"DTEND;TZID={zone}:{starts + timedelta(minutes=length):%Y%m%dT%H%M%S}",
    ]
    lines += [f"RRULE:FREQ=WEEKLY;COUNT={count}", "END:VEVENT", "END:VCALENDAR", ""]
    content = "\r\n".join(lines).encode()
    found = events_of_calendar(content, starts.date() - timedelta(days=1), 366, 1).entries
    assert found[0].repeats_weekly
    (item,) = read(tmp_path, *found)
    told = [(time.starts.astimezone(UTC), time.ends and time.ends.astimezone(UTC)) for time in item.times()]
    series = recurring_ical_events.of(Calendar.from_ical(content)).between(
        starts.date() - timedelta(days=2), date(2028, 1, 1)
    )
    meant = sorted((each["DTSTART"].dt.astimezone(UTC), each["DTEND"].dt.astimezone(UTC)) for each in series)
    assert told == meant


def test_an_edit_of_a_file_is_noticed() -> None:
    text = item_text(event(FLOATING), HOME, "Read more: all", TAKEN)
    assert is_untouched(text)
    assert is_untouched(text.replace("\n", "\r\n"))
    assert is_untouched(text.replace("08:05", "09:05").replace("W/", ""))  # when it was taken does not count
    assert not is_untouched(text.replace("Walk", "Talk"))
    assert not is_untouched(f"{text}More.\n")
    assert not is_untouched(text.replace("digest: ", "badge: x\ndigest: "))
    assert not is_untouched(text.replace("---\n", "", 1))
    assert not is_untouched("")


@given(st.text(min_size=1), st.text())
@REUSED
def test_the_digest_of_any_file_is_its_own(title: str, description: str) -> None:
    words = (escape(each, quote=False) for each in (title, description))
    channel = "<rss version='2.0'><channel><item><guid>1</guid><title>{}</title><description>{}</description></item>"
    content = f"{channel.format(*words)}</channel></rss>".encode(errors="replace")
    for entry in entries_of_feed(content, "https://example.org/feed.xml", 1).entries:
        assert is_untouched(item_text(entry, HOME, entry.title, TAKEN))
