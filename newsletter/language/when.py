"""Parse the time for a broadcast as a person would type it."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from newsletter.errors import InputError
from newsletter.language.clock import WEEKDAYS, say_clock

FORMS = "write it as 2026-02-19 08:00, tomorrow 08:00, thursday 08:00 or in 2 hours"
_FARTHEST = timedelta(days=366)
_DAYS_FROM_NOW = {"today": 0, "tomorrow": 1}
_ZONES = "write a name such as America/Los_Angeles, or UTC, or +01:00"
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})?")
_SPAN = re.compile(
    r"in(?: (?P<days>\d{1,3}) ?(?:days?|d))?(?:(?: and)? ?(?P<hours>\d{1,4}) ?(?:hours?|hrs?|h))?"
    r"(?:(?: and)? ?(?P<minutes>\d{1,5}) ?(?:minutes?|mins?|m))?",
    re.IGNORECASE,
)
_TIME_OF_DAY = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2}|[a-z]+)(?:[t ]| at )"
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::00)?)?(?: ?(?P<half>am|pm)(?![a-z]))?"
    r"(?: ?(?P<zone>[a-z+-].*))?",
    re.IGNORECASE,
)


class When(Struct, frozen=True, kw_only=True):
    """A time on a clock, as someone typed it."""

    wall_time: datetime  # without a time zone; if the clocks show it twice, its fold says which one is meant
    zone: str  # an IANA name
    fixed_by: str = ""  # the typed zone or span that makes it the same time for everyone, or empty

    @property
    def moment(self) -> datetime:
        """The time in UTC. One that the zone skips in spring counts as if it were not skipped (PEP 495)."""
        return self.wall_time.replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC)


def read_when(text: str, *, zone: str, now: datetime) -> When:
    """Return the time meant by `2026-02-19 08:00`, `tomorrow 08:00 Europe/Paris`, `thursday 8am` or `in 2 hours`.

    If the text names no time zone, it is a time in `zone`, an IANA name. A weekday is the next one whose time is in the
    future. Raise InputError if the text cannot be read.
    """
    words = " ".join(text.split())
    if (span := _SPAN.fullmatch(words)) and any(span.groups()):
        return _after(span, words, zone=zone, now=now)
    match = _TIME_OF_DAY.fullmatch(words)
    if match is None:
        raise InputError(f"{text!r} is not a time; {FORMS}")
    clock = _clock(match, text)
    typed = match["zone"] or ""
    if offset := _OFFSET.fullmatch(typed):
        return _at_offset(offset, match["day"], clock, zone=zone, now=now)
    if typed:
        zone = _zone(typed, zone)
    wall_time = _on_day(match["day"], clock, now.astimezone(ZoneInfo(zone)))
    return When(wall_time=wall_time, zone=zone, fixed_by=typed)


def clock_note(wall_time: datetime, zone: str) -> str:
    """Return a note if a zone's clocks skip a time that day or show it twice, else an empty string."""
    own = ZoneInfo(zone)
    first, second = (wall_time.replace(tzinfo=own, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return ""
    shown, real = say_clock(wall_time), first.astimezone(UTC).astimezone(own)
    if real.replace(tzinfo=None) != wall_time.replace(fold=0):
        return f"clocks in {zone} skip {shown} that day; {say_clock(real)} is used"
    which = "second" if wall_time.fold else "first"
    return f"clocks in {zone} show {shown} twice that day; the {which} is used"


def _after(span: re.Match[str], words: str, *, zone: str, now: datetime) -> When:
    """Return the end of a span that begins now, rounded up to the full minute, as a time in the zone."""
    moment = now + timedelta(**{unit: int(number) for unit, number in span.groupdict("0").items()})
    if moment.second or moment.microsecond:
        moment = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return _on_clocks_of(moment, zone, fixed_by=words)


def _on_clocks_of(moment: datetime, zone: str, *, fixed_by: str) -> When:
    return When(wall_time=moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None), zone=zone, fixed_by=fixed_by)


def _clock(match: re.Match[str], text: str) -> time:
    hour, minute, half = int(match["hour"]), int(match["minute"] or 0), (match["half"] or "").casefold()
    if not match["minute"] and not half:
        raise InputError(f"{text!r} has an hour without minutes; write 08:00 or 8am")
    if half and not 1 <= hour <= 12:
        raise InputError(f"{text!r}: there is no {hour} {half}; write 08:00 or 8am")
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    try:
        return time(hour, minute)
    except ValueError as err:
        raise InputError(f"{text!r}: there is no {hour}:{minute:02}; write a time from 00:00 to 23:59") from err


def _on_day(day: str, clock: time, today: datetime) -> datetime:
    """Return the time on a day, without a time zone. `today` is the current time in the zone that is meant."""
    word = day.casefold()
    if word[0].isdigit():
        return _still_ahead(datetime.combine(_date(day, today.date()), clock), today)
    if word in _DAYS_FROM_NOW:
        return _still_ahead(datetime.combine(today.date() + timedelta(days=_DAYS_FROM_NOW[word]), clock), today)
    weekdays = [number for number, name in enumerate(WEEKDAYS) if len(word) >= 3 and name.casefold().startswith(word)]
    if not weekdays:
        raise InputError(f"{day!r} is not a day; {FORMS}")
    days = (weekdays[0] - today.weekday()) % 7
    chosen = _still_ahead(datetime.combine(today.date() + timedelta(days=days), clock), today)
    is_past = chosen.replace(tzinfo=today.tzinfo).astimezone(UTC) <= today
    return chosen.replace(fold=0) + timedelta(days=7) if is_past else chosen


def _still_ahead(wall_time: datetime, now: datetime) -> datetime:
    """Return the second of two times if the clocks show the time twice and only the second one is in the future."""
    first, second = (wall_time.replace(tzinfo=now.tzinfo, fold=fold).astimezone(UTC) for fold in (0, 1))
    return wall_time.replace(fold=1) if first <= now < second else wall_time


def _date(day: str, today: date) -> date:
    try:
        chosen = date.fromisoformat(day)
    except ValueError as err:
        raise InputError(f"the date {day} does not exist; {FORMS}") from err
    if chosen < today - timedelta(days=2):
        raise InputError(f"{day} is in the past; write today or a later day")
    if chosen > today + _FARTHEST:
        raise InputError(f"{day} is more than a year ahead; write a day within the next 12 months")
    return chosen


def _at_offset(offset: re.Match[str], day: str, clock: time, *, zone: str, now: datetime) -> When:
    """Return a time typed with an offset from UTC, as a time in the zone."""
    sign, hours, minutes = offset[1], int(offset[2]), int(offset[3] or 0)
    if hours > 14 or minutes > 59:
        raise InputError(f"no time zone is {offset[0]} from UTC; {_ZONES}")
    ahead = timedelta(hours=hours, minutes=minutes) * (1 if sign == "+" else -1)
    wall = _on_day(day, clock, (now + ahead).astimezone(UTC))
    return _on_clocks_of(wall.replace(tzinfo=UTC) - ahead, zone, fixed_by=offset[0])


def _zone(typed: str, default: str) -> str:
    """Return the IANA name of a time zone.

    Raise InputError for an abbreviation. Some abbreviations stand for two zones, or for a zone in only half the year.
    """
    if typed.upper() in {"UTC", "Z"}:
        return "UTC"
    try:
        if "/" in typed:
            return ZoneInfo(typed).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    # Without a zone, the time is in the newsletter's own zone, which is what an abbreviation usually means.
    raise InputError(f"{typed!r} is not the full name of a time zone; {_ZONES}, or omit it for {default}")
