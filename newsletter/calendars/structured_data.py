"""Events for search engines: JSON-LD with the properties that Google requires and schema.org defines.

A series is one Event for each of its dates. What is unknown is left out.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

from newsletter.model.announced import CalendarEvent

_SCHEMA = "https://schema.org"
_STATUS = {"canceled": "EventCancelled", "postponed": "EventPostponed"}
# Words by which a typed place says that the event is on the web, in the languages of the theme.
_ONLINE = re.compile(
    r"\b(online|on-line|zoom|webinar|virtual|virtuell|virtuel|live ?stream|en línea|en ligne|im netz|em linha)\b"
    r"|オンライン|线上|線上|在线|온라인|عبر الإنترنت|אונליין|מקוון",
    re.IGNORECASE,
)


def is_online(location: str | None) -> bool:
    """Return whether an event takes place on the web, according to its location."""
    return location is not None and _ONLINE.search(location) is not None


def structured_data(event: CalendarEvent, organizer: str, website: str) -> str:
    """Return the JSON-LD of an event's page, which can stand in a `script` element as it is."""
    found = [_of_time(event, index, time, organizer, website) for index, time in enumerate(_times(event))]
    content = json.dumps(found[0] if len(found) == 1 else found, ensure_ascii=False)
    return content.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _times(event: CalendarEvent) -> Sequence[tuple[str, str]]:
    """Return the start and end of each time in ISO 8601: with the difference from UTC, or whole days."""
    item, fields = event.item, event.item.fields
    if times := item.times():
        return [(time.starts.isoformat(), time.ends.isoformat() if time.ends else "") for time in times]
    first, last = fields.first_day, fields.last_day
    if first is None or last is None:
        return ()
    if fields.repeats == "weekly":
        days = [first + timedelta(weeks=week) for week in range((last - first).days // 7 + 1)]
        return [(f"{day}", f"{day}") for day in days]
    return [(f"{first}", f"{last}")]


def _of_time(
    event: CalendarEvent, index: int, time: tuple[str, str], organizer: str, website: str
) -> Mapping[str, object]:
    fields, (starts, ends) = event.item.fields, time
    before = _start_before(event, index)
    status = _STATUS.get(fields.status or "", "EventRescheduled" if before else "EventScheduled")
    target = fields.button or fields.link
    online = is_online(fields.location)
    found: dict[str, object] = {
        "@context": _SCHEMA,
        "@type": "Event",
        "name": fields.title,
        "startDate": starts,
        "endDate": ends,
        "description": fields.subtitle or "",
        "eventStatus": f"{_SCHEMA}/{status}",
        "previousStartDate": before if status == "EventRescheduled" else "",
        "eventAttendanceMode": f"{_SCHEMA}/{'Online' if online else 'Offline'}EventAttendanceMode",
        "url": event.page,
        "inLanguage": event.language,
        "organizer": {"@type": "Organization", "name": organizer, "url": website},
    }
    if online:
        found["location"] = {"@type": "VirtualLocation", "url": target.url if target else event.page}
    elif fields.location:
        found["location"] = {"@type": "Place", "name": fields.location, "address": fields.location}
    else:
        del found["eventAttendanceMode"]
    return {key: value for key, value in found.items() if value}


def _start_before(event: CalendarEvent, index: int) -> str:
    """Return when a time of the event was to start before its times were last changed, or an empty string."""
    before, now = event.announced.before, event.announced.times
    if index >= len(before) or before[index] == now[index]:
        return ""
    return before[index].partition("/")[0]
