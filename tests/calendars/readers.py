"""Readers of calendar links, calendar files and structured data that share no code with the program.

Each returns the start and the end of an event: in seconds since 1970, or as days, of which the end is exclusive.
"""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar

Span = tuple[int, int] | tuple[date, date]


def query_of(url: str) -> dict[str, str]:
    """The parameters of a link, which say blanks as %20 and nothing as +."""
    assert len(url) < 2_000, len(url)
    assert "+" not in url
    assert "&amp;" not in url
    pairs = [pair.split("=", 1) for pair in urlsplit(url).query.split("&")]
    assert len(dict(pairs)) == len(pairs), url
    return {key: unquote(value, errors="strict") for key, value in pairs}


def in_google(url: str) -> Span:
    query = query_of(url)
    starts, ends = query["dates"].split("/")
    if len(starts) == 8:
        assert "ctz" not in query
        return _day(starts), _day(ends)
    if starts.endswith("Z"):
        return _utc(starts), _utc(ends)
    assert "recur" in query  # only a series is in the time of its zone
    zone = ZoneInfo(query["ctz"])
    assert "/" in query["ctz"]
    assert not query["ctz"].startswith("Etc/")
    return tuple(int(_strict(each, "%Y%m%dT%H%M%S").replace(tzinfo=zone).timestamp()) for each in (starts, ends))  # type: ignore[return-value]


def in_outlook(url: str) -> Span:
    query = query_of(url)
    if query.get("allday") == "true":
        return date.fromisoformat(query["startdt"]), date.fromisoformat(query["enddt"])
    return _utc(query["startdt"], "%Y-%m-%dT%H:%M:%SZ"), _utc(query["enddt"], "%Y-%m-%dT%H:%M:%SZ")


def in_yahoo(url: str) -> Span:
    query = query_of(url)
    assert ("et" in query) is not ("dur" in query)
    if query.get("dur") == "allday":
        return _day(query["st"]), _day(query["st"]) + timedelta(days=1)
    if len(query["st"]) == 8:
        return _day(query["st"]), _day(query["et"])
    return _utc(query["st"]), _utc(query["et"])


def in_file(content: bytes) -> list[Span]:
    """Each time of the events in a calendar file, by recurring-ical-events."""
    found = recurring_ical_events.of(Calendar.from_ical(content)).between("20200101", "20400101")
    spans = [(each["DTSTART"].dt, each["DTEND"].dt) for each in found]
    return sorted(
        (int(starts.timestamp()), int(ends.timestamp())) if isinstance(starts, datetime) else (starts, ends)
        for starts, ends in spans
    )


def in_data(content: str) -> list[Span]:
    """Each time of an event in JSON-LD. An event without an end lasts an hour, as the links say."""
    loaded = json.loads(content)
    events: list[dict[str, Any]] = loaded if isinstance(loaded, list) else [loaded]
    spans: list[Span] = []
    for event in events:
        starts, ends = event["startDate"], event.get("endDate")
        if len(starts) == 10:
            spans.append((date.fromisoformat(starts), date.fromisoformat(ends) + timedelta(days=1)))
            continue
        first = datetime.fromisoformat(starts)
        last = datetime.fromisoformat(ends) if ends else first + timedelta(hours=1)
        assert None not in (first.tzinfo, last.tzinfo)
        spans.append((int(first.timestamp()), int(last.timestamp())))
    return sorted(spans)


def _strict(text: str, form: str) -> datetime:
    read = datetime.strptime(text, form)  # noqa: DTZ007 - the caller adds the zone
    assert read.strftime(form) == text  # no month without its zero, no fractions of a second
    return read


def _utc(text: str, form: str = "%Y%m%dT%H%M%SZ") -> int:
    return int(_strict(text, form).replace(tzinfo=UTC).timestamp())


def _day(text: str) -> date:
    return _strict(text, "%Y%m%d").date()
