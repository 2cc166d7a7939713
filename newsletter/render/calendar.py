"""The link that puts an event into a reader's calendar."""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from newsletter.model.issue import Item
from newsletter.model.issue_fields import Moment

_GOOGLE = "https://calendar.google.com/calendar/render"
_USUAL_LENGTH = timedelta(hours=1)
_STAMP = "%Y%m%dT%H%M%SZ"


def google_calendar_url(item: Item) -> str | None:
    """Google Calendar's page with the event filled in; None where it has no date.

    A repeated event is its first time with a weekly rule. The end of an event of whole days is exclusive. One that
    begins at a time and names no end takes an hour, as it would if the reader entered it: without length it is hidden.
    """
    starts = item.fields.starts
    if starts is None:
        return None
    ends = _end(starts, item.fields.ends)
    query = {"action": "TEMPLATE", "text": item.fields.title, "dates": _dates(starts, ends, item), "ctz": item.zone.key}
    if item.fields.subtitle:
        query["details"] = item.fields.subtitle
    if item.fields.location:
        query["location"] = item.fields.location
    if item.fields.repeats == "weekly":
        times = (_day(ends) - _day(starts)).days // 7 + 1
        query["recur"] = f"RRULE:FREQ=WEEKLY;COUNT={times}"
    return f"{_GOOGLE}?{urlencode(query)}"


def _end(starts: Moment, ends: Moment | None) -> Moment:
    if ends is not None and ends != starts:
        return ends
    return starts + _USUAL_LENGTH if isinstance(starts, datetime) else starts


def _dates(starts: Moment, ends: Moment, item: Item) -> str:
    if isinstance(starts, datetime) and isinstance(ends, datetime):
        if item.fields.repeats == "weekly":
            ends = datetime.combine(starts.date(), ends.time())
            ends += timedelta(days=1) if ends <= starts else timedelta()
        return f"{_stamp(starts, item)}/{_stamp(ends, item)}"
    return f"{_day(starts):%Y%m%d}/{_day(ends) + timedelta(days=1):%Y%m%d}"


def _stamp(moment: datetime, item: Item) -> str:
    return moment.replace(tzinfo=item.zone).astimezone(UTC).strftime(_STAMP)


def _day(moment: Moment) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
