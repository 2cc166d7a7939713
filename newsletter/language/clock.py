"""Times and time spans in English, as shown in the terminal, in messages and in reports."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from newsletter.language.counts import count_of

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (  # in English in every locale
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def show_day(day: date) -> str:
    """Return a date, or the date of a time, as `2026-02-19`."""
    return f"{day:%Y-%m-%d}"


def show_minute(moment: datetime | None) -> str:
    """Return a time as `2026-02-19 08:00` in its own time zone, or an empty string for None."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""


def show_second(moment: datetime) -> str:
    """Return a time as `2026-02-19 08:00:00` in its own time zone."""
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def show_utc(moment: datetime | None) -> str:
    """Return a time in UTC as `2026-02-19 08:00 UTC`, or an empty string for None."""
    return f"{show_minute(moment)} UTC" if moment else ""


def show_zoned(moment: datetime | None, zone: str, *, seconds: bool = False) -> str:
    """Return a time in a time zone as `2026-02-19 08:00 PST`, or an empty string for None."""
    if moment is None:
        return ""
    own = moment.astimezone(ZoneInfo(zone))
    return f"{show_second(own) if seconds else show_minute(own)} {_zone_name(own)}"


def show_consent_time(moment: datetime | None, zone: str) -> str:
    """Return a time in a zone, but a day without a time, which is stored as its first moment in UTC, as that day."""
    if moment is not None and moment.astimezone(UTC).time() == time.min:
        return show_day(moment.astimezone(UTC))
    return show_zoned(moment, zone)


def show_zoned_from(moment: datetime, zone: str, now: datetime) -> str:
    """Return a time in a time zone and how far away it is: `2026-02-19 08:00 PST · in 3 days`."""
    return f"{show_zoned(moment, zone)} · {say_distance(moment - now)}"


def say_moment(moment: datetime, zone: str, *, now: datetime) -> str:
    """Return what `say_time` returns, and how far away the time is: `… · 16:00 UTC · in 2 days 3 hours`."""
    return f"{say_time(moment, zone)} · {say_distance(moment - now)}"


def say_time(moment: datetime, zone: str) -> str:
    """Return a time as `Thursday, February 19, 2026, 8:00 am PST (America/Los_Angeles) · 16:00 UTC`."""
    own, utc = moment.astimezone(ZoneInfo(zone)), moment.astimezone(UTC)
    if zone == "UTC":
        return f"{say_day_and_clock(utc)} UTC"
    day = "" if utc.date() == own.date() else f"{MONTHS[utc.month - 1]} {utc.day}, "
    return f"{say_day_and_clock(own)} {_zone_name(own)} ({zone}) · {day}{utc:%H:%M} UTC"


def say_day_and_clock(moment: datetime) -> str:
    """Return a time as `Thursday, February 19, 2026, 8:00 am` in its own time zone."""
    return f"{_day(moment)}, {say_clock(moment)}"


def say_time_span(begin: datetime, end: datetime) -> str:
    """Return a time span as `from 6:00 am to 8:00 am on Thursday, February 19, 2026`, or with the day of each end."""
    if begin.date() != end.date():
        return f"from {say_day_and_clock(begin)} to {say_day_and_clock(end)}"
    return f"from {say_clock(begin)} to {say_clock(end)} on {_day(end)}"


def say_clock(moment: datetime) -> str:
    """Return a time as `8:00 am` in its own time zone."""
    return f"{moment.hour % 12 or 12}:{moment:%M} {'am' if moment.hour < 12 else 'pm'}"


def say_distance(span: timedelta) -> str:
    """Return how far away a time is: `in 2 days 3 hours`, `45 minutes ago` or `now`."""
    if abs(span) < timedelta(seconds=30):
        return "now"
    return f"in {say_span(span)}" if span > timedelta() else f"{say_span(-span)} ago"


def say_span(span: timedelta) -> str:
    """Return a time span in its two largest units, to the minute: `2 days 3 hours`."""
    minutes = max(round(span / timedelta(minutes=1)), 0)
    days, hours = divmod(minutes // 60, 24)
    parts = [(days, "day"), (hours, "hour"), (minutes % 60, "minute")]
    first = next((index for index, (number, _) in enumerate(parts) if number), len(parts) - 1)
    words = [count_of(number, unit) for number, unit in parts[first : first + 2] if number]
    return " ".join(words) or "0 minutes"


def say_wait(span: timedelta) -> str:
    """Return a short time span to the second, and a longer one as `say_span` does: `45 seconds`, `5 minutes`."""
    return say_span(span) if span >= timedelta(minutes=2) else count_of(round(span.total_seconds()), "second")


def _day(moment: datetime) -> str:
    return f"{WEEKDAYS[moment.weekday()]}, {MONTHS[moment.month - 1]} {moment.day}, {moment.year}"


def _zone_name(moment: datetime) -> str:
    """Return a time zone's abbreviation such as `PST`, or `UTC-03:00` if it has none."""
    name = moment.tzname() or ""
    return name if name.isalpha() else f"UTC{moment.isoformat()[-6:]}"
