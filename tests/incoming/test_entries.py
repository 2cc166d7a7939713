"""What is read of feeds and calendars, and what of them never gets into an issue."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from newsletter.errors import FaultError
from newsletter.incoming.entries import entries_of_feed, events_of_calendar, markdown_of

URL = "https://example.org/blog/feed.xml"
RSS = """<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>Blog</title><link>https://example.org/</link><description>d</description>
<item><guid>one</guid><title>First &amp;amp; last</title><link>/one</link>
<description><![CDATA[{}]]></description></item>
<item><guid>two</guid><title>Second</title><link>javascript:alert(1)</link></item>
<item><guid>three</guid><title>Third</title></item></channel></rss>"""


def feed(html: str = "<p>Text</p>", most: int = 5) -> tuple[object, ...]:
    return entries_of_feed(RSS.format(html).encode(), URL, most)


def ics(*lines: str) -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *lines, "END:VCALENDAR", ""]).encode()


def event(*lines: str) -> tuple[str, ...]:
    return ("BEGIN:VEVENT", "UID:walk", "DTSTAMP:20260101T000000Z", "SUMMARY:Walk", *lines, "END:VEVENT")


def test_the_first_entries_of_a_feed_are_read_with_whole_links() -> None:
    first, second = entries_of_feed(RSS.format("<p>Text <b>bold</b></p>").encode(), URL, 2)
    assert (first.title, first.link, first.text) == ("First & last", "https://example.org/one", "Text **bold**")
    assert (second.title, second.link, second.text) == ("Second", "", "")


def test_an_entry_has_the_same_key_each_time() -> None:
    keys = [[entry.key for entry in entries_of_feed(RSS.format(html).encode(), URL, 5)] for html in ("a", "b")]
    assert keys[0] == keys[1]
    assert len(set(keys[0])) == 3


@pytest.mark.parametrize("content", [b"", b"<html><body>no feed</body></html>", b"\0\xff", b"{}"])
def test_what_is_no_feed_is_told(content: bytes) -> None:
    with pytest.raises(FaultError, match="not an RSS or Atom feed"):
        entries_of_feed(content, URL, 5)


def test_entities_are_not_expanded_and_no_file_is_read(tmp_path: object) -> None:
    bomb = '<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    content = f'{bomb}<!ENTITY file SYSTEM "file:///etc/passwd">]>' + RSS.format("&j;&file;").partition("?>")[2]
    for entry in entries_of_feed(content.replace("<title>Third", "<title>&j;&file;Third").encode(), URL, 5):
        assert "root:" not in entry.title + entry.text
        assert len(entry.title + entry.text) < 2_000


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ('<a href="https://example.org/x">x</a>', "[x](https://example.org/x)"),
        ('<a href="javascript:alert(1)">x</a>', "x"),
        ("<script>alert(1)</script>text<style>p{}</style>", "text"),
        ('<div style="display: none">hidden</div>shown', "shown"),
        ('<img src="https://t.example/1.gif" width=1 height=1>text', "text"),
        ("<table><tr><td>cell</td></tr></table>", "cell"),
        ("Hi {{ first_name }} *|FNAME|*", r"Hi { { first\_name } } \* |FNAME| \*"),
        ("{% if x %} %%email%%", "{ % if x % } % %email% %"),
        ("{<b></b>{ x }<i></i>}", "{ { x } }"),
        ("&lt;script&gt;", r"\<script>"),
        ("<h1>Head</h1>", "Head"),
        ("a*b_c", r"a\*b\_c"),
        ("", ""),
        ("\x00", ""),
    ],
)  # fmt: skip
def test_html_becomes_markdown_without_what_does_harm(html: str, text: str) -> None:
    assert markdown_of(html) == text


def test_a_long_text_ends_with_a_paragraph() -> None:
    text = markdown_of("".join(f"<p>{'word ' * 50}{number}</p>" for number in range(50)))
    assert len(text) <= 1_500
    assert text.endswith("word 4")


def test_the_next_events_of_a_series_are_read_in_order() -> None:
    content = ics(*event("DTSTART;TZID=America/Los_Angeles:20260105T090000", "RRULE:FREQ=WEEKLY", "LOCATION:Park"))
    found = events_of_calendar(content, date(2026, 2, 25), 60, 3)
    zone = ZoneInfo("America/Los_Angeles")
    assert [each.starts for each in found] == [datetime(2026, 3, day, 9, tzinfo=zone) for day in (2, 9, 16)]
    assert {each.location for each in found} == {"Park"}
    assert len({each.key for each in found}) == 3


def test_whole_days_end_on_their_last_day() -> None:
    content = ics(*event("DTSTART;VALUE=DATE:20260322", "DTEND;VALUE=DATE:20260328"))
    (found,) = events_of_calendar(content, date(2026, 3, 1), 60, 3)
    assert (found.starts, found.ends) == (date(2026, 3, 22), date(2026, 3, 27))


def test_a_zone_that_is_not_known_is_refused() -> None:
    content = ics(*event("DTSTART;TZID=Mars/Olympus:20260305T090000"))
    with pytest.raises(FaultError, match="the time zone 'Mars/Olympus' is not known"):
        events_of_calendar(content, date(2026, 3, 1), 60, 3)


def test_a_name_of_windows_is_understood() -> None:
    content = ics(*event("DTSTART;TZID=Eastern Standard Time:20260305T090000"))
    (found,) = events_of_calendar(content, date(2026, 3, 1), 60, 3)
    assert isinstance(found.starts, datetime)
    assert found.starts.astimezone(UTC).hour == 14


@pytest.mark.parametrize(
    "rule", ["FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=DAILY;BYMINUTE=0,1,2,3,4,5;BYSECOND=0,1,2,3,4,5"]
)
def test_a_series_that_would_take_minutes_is_refused(rule: str) -> None:
    with pytest.raises(FaultError, match="several times a day"):
        events_of_calendar(ics(*event("DTSTART:20260101T000000Z", f"RRULE:{rule}")), date(2026, 3, 1), 60, 3)


def test_canceled_events_are_left_out() -> None:
    content = ics(*event("DTSTART:20260305T090000Z", "STATUS:CANCELLED"))
    assert events_of_calendar(content, date(2026, 3, 1), 60, 3) == ()


@pytest.mark.parametrize(
    "content", [b"", b"<rss/>", b"\0\xff", b"BEGIN:VCALENDAR\r\n", b"BEGIN:VEVENT\r\nEND:VEVENT\r\n"]
)
def test_what_is_no_calendar_is_told(content: bytes) -> None:
    with pytest.raises(FaultError, match="not a calendar"):
        events_of_calendar(content, date(2026, 3, 1), 60, 3)
