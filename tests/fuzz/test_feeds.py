"""Feeds, calendars and HTML of others, cut, overwritten and mixed: harmless entries, or a short message."""

from collections.abc import Callable
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import FaultError
from newsletter.incoming.calendar_entries import events_of_calendar
from newsletter.incoming.entries import Incoming, entries_of_feed, markdown_of
from newsletter.model.slots import MERGE_TOKEN
from tests.fuzz.amount import EXAMPLES
from tests.fuzz.limits import limited
from tests.fuzz.mutations import texts

_URL = "https://example.org/feed.xml"
FEEDS = (
    '<?xml version="1.0"?><rss version="2.0"><channel><title>a</title><item>'
    "<guid>1</guid><title>b</title><link>/c</link>"
    '<description>&lt;p style="display:none"&gt;d&lt;/p&gt;&lt;a href="https://example.org"&gt;e&lt;/a&gt;</description>'
    "</item></channel></rss>",
    '<feed xmlns="http://www.w3.org/2005/Atom"><title>a</title><entry><id>tag:x</id><title type="html">b</title>'
    '<link href="c"/><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>{{ d }}</p></div></content>'
    "</entry></feed>",
)
_CALENDARS = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:a\r\n"
    "DTSTART;TZID=Europe/Paris:20260301T090000\r\nRRULE:FREQ=WEEKLY;COUNT=9\r\nEXDATE:20260308T080000Z\r\n"
    "DESCRIPTION:b\\nc\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:2\r\nDTSTART;VALUE=DATE:20260301\r\nDURATION:P2D\r\nEND:VEVENT\r\n"
    "END:VCALENDAR\r\n",
)
PIECES = (
    *("<", ">", "&", "\0", "]]>", "<![CDATA[", "&lt;script&gt;", "javascript:", "{{", "}}", "*|", "%%", "<!--", "-->"),
    *(
        "\x01",
        "\x1f",
        "mfq0123456789abcdefq",
        "mfq01234567",
        "89abcdefq",
        "&amp;#109;",
        "<p>" * 200,
        "<table><tr><td>",
        "</div>",
        '<!DOCTYPE a [<!ENTITY b "c">]>',
        "&b;",
        "\ufeff",
        "\ud7ff",
        "\u202e",
    ),
    *(
        "FREQ=DAILY;",
        "FREQ=SECONDLY",
        "INTERVAL=0;",
        "TZID=x:",
        "BEGIN:VEVENT\r\n",
        "END:VEVENT\r\n",
        "99999999T999999Z",
    ),
    *("P99999999W", "VALUE=DATE:", "UNTIL=20260101", "BYDAY=5MO", "\r\n", "\r\n "),
)


@given(content=texts(FEEDS, PIECES))
@settings(max_examples=EXAMPLES)
def test_any_feed_is_read_or_refused(content: bytes) -> None:
    with limited():
        _require_harmless(lambda: entries_of_feed(content, _URL, 5))


@given(content=texts(_CALENDARS, PIECES))
@settings(max_examples=EXAMPLES)
def test_any_calendar_is_read_or_refused(content: bytes) -> None:
    with limited():
        _require_harmless(lambda: events_of_calendar(content, date(2026, 2, 20), 60, 5))


@given(html=st.lists(st.sampled_from(PIECES) | st.text(max_size=20), max_size=30).map("".join))
@settings(max_examples=EXAMPLES)
def test_any_html_becomes_a_text_without_merge_tags_and_scripts(html: str) -> None:
    with limited():
        _require_text(markdown_of(html))
        _require_text(markdown_of(html, is_bare=True))


def _require_harmless(read: Callable[[], Incoming]) -> None:
    try:
        entries = read().entries
    except FaultError as err:
        _require_short(str(err))
        return
    assert len(entries) <= 5
    for entry in entries:
        _require_text(entry.text)
        assert "\n" not in entry.title + entry.location + entry.link
        assert not entry.link or entry.link.startswith(("http://", "https://"))
        assert entry.title.strip()
        assert not any(tag in entry.title for tag in ("{{", "*|"))


def _require_short(told: str) -> None:
    assert len(told) < 300


def _require_text(text: str) -> None:
    assert len(text) <= 1_600
    assert not any(tag in text for tag in ("{{", "}}", "*|", "](javascript:"))
    assert text.count("<") == text.count(r"\<")
    assert not MERGE_TOKEN.search(text)
