"""Read when a broadcast is to leave, as a person types it."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from newsletter.errors import InputError
from newsletter.language.clock import WEEKDAYS, say_clock

FORMS = "write it as 2026-02-19 08:00, tomorrow 08:00, thursday 08:00 or in 2 hours"
_FARTHEST = timedelta(days=366)
_DAYS_FROM_NOW = {"today": 0, "tomorrow": 1}
_ZONES = "write one such as America/Los_Angeles, UTC or +01:00"
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
    """A time on a clock, as somebody typed it."""

    wall_time: datetime  # without a zone; its fold says which of two, where it comes twice
    zone: str  # an IANA name
    fixed_by: str = ""  # what makes it one moment for everybody: the zone or the span that was typed

    @property
    def moment(self) -> datetime:
        """In UTC; a time that the zone skips in spring is taken as if it were not skipped (PEP 495)."""
        return self.wall_time.replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC)


def read_when(text: str, *, zone: str, now: datetime) -> When:
    """Return what `2026-02-19 08:00`, `tomorrow 08:00 Europe/Paris`, `thursday 8am` or `in 2 hours` means.

    Without a zone of its own the time is on the clocks of `zone`, an IANA name. A weekday is the next one whose time is
    still to come. Raise InputError where it cannot be read.
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
    today = now.astimezone(ZoneInfo(zone))
    return When(wall_time=_on_day(match["day"], clock, today), zone=zone, fixed_by=typed)


def clock_note(wall_time: datetime, zone: str) -> str:
    """Return what is odd about a time on a zone's clocks: they skip it that day, or show it twice. Mostly empty."""
    own = ZoneInfo(zone)
    first, second = (wall_time.replace(tzinfo=own, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return ""
    shown, real = say_clock(wall_time), first.astimezone(UTC).astimezone(own)
    if real.replace(tzinfo=None) != wall_time.replace(fold=0):
        return f"the clocks of {zone} skip {shown} that day: it is taken as {say_clock(real)}"
    which = "second" if wall_time.fold else "first"
    return f"the clocks of {zone} show {shown} twice that day: it is taken as the {which}"


def _after(span: re.Match[str], words: str, *, zone: str, now: datetime) -> When:
    """So long from now, up to the full minute, on the clocks of the zone."""
    moment = now + timedelta(**{unit: int(number) for unit, number in span.groupdict("0").items()})
    if moment.second or moment.microsecond:
        moment = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return _on_clocks_of(moment, zone, fixed_by=words)


def _on_clocks_of(moment: datetime, zone: str, *, fixed_by: str) -> When:
    return When(wall_time=moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None), zone=zone, fixed_by=fixed_by)


def _clock(match: re.Match[str], text: str) -> time:
    hour, minute, half = int(match["hour"]), int(match["minute"] or 0), (match["half"] or "").casefold()
    if not match["minute"] and not half:
        raise InputError(f"{text!r} has an hour without minutes; write 08:00, or 8am")
    if half and not 1 <= hour <= 12:
        raise InputError(f"{text!r}: there is no {hour} {half}; write 08:00, or 8am")
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    try:
        return time(hour, minute)
    except ValueError as err:
        raise InputError(f"{text!r}: there is no {hour}:{minute:02}; the hours go from 00:00 to 23:59") from err


def _on_day(day: str, clock: time, today: datetime) -> datetime:
    """The day's time, without a zone; `today` is the present on the clocks that are meant."""
    word = day.casefold()
    if word[0].isdigit():
        return datetime.combine(_date(day, today.date()), clock)
    if word in _DAYS_FROM_NOW:
        return datetime.combine(today.date() + timedelta(days=_DAYS_FROM_NOW[word]), clock)
    weekdays = [number for number, name in enumerate(WEEKDAYS) if len(word) >= 3 and name.casefold().startswith(word)]
    if not weekdays:
        raise InputError(f"{day!r} is not a day; {FORMS}")
    days = (weekdays[0] - today.weekday()) % 7 or (7 if clock <= today.time() else 0)
    return datetime.combine(today.date() + timedelta(days=days), clock)


def _date(day: str, today: date) -> date:
    try:
        chosen = date.fromisoformat(day)
    except ValueError as err:
        raise InputError(f"there is no day {day}; {FORMS}") from err
    if chosen < today - timedelta(days=2):
        raise InputError(f"{day} is past; write a day that is to come")
    if chosen > today + _FARTHEST:
        raise InputError(f"{day} is more than a year ahead; write a nearer day")
    return chosen


def _at_offset(offset: re.Match[str], day: str, clock: time, *, zone: str, now: datetime) -> When:
    """The moment that the clock shows so far from UTC, on the clocks of the zone."""
    sign, hours, minutes = offset[1], int(offset[2]), int(offset[3] or 0)
    if hours > 14 or minutes > 59:
        raise InputError(f"no clock is {offset[0]} from UTC; {_ZONES}")
    ahead = timedelta(hours=hours, minutes=minutes) * (1 if sign == "+" else -1)
    wall = _on_day(day, clock, (now + ahead).astimezone(UTC))
    return _on_clocks_of(wall.replace(tzinfo=UTC) - ahead, zone, fixed_by=offset[0])


def _zone(typed: str, default: str) -> str:
    """A zone's IANA name. Abbreviations are no names: several of them mean two zones, or half a year."""
    if typed.upper() in {"UTC", "Z"}:
        return "UTC"
    try:
        if "/" in typed:
            return ZoneInfo(typed).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    # Without one the time is on the newsletter's clocks, which is what an abbreviation mostly wants to say.
    raise InputError(f"{typed!r} is not a time zone's full name; {_ZONES}, or leave it out for {default}")
