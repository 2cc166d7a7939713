"""The limits on sending speed that `newsletter.toml` sets for a provider: rates, sending hours and warm-up."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from math import ceil, log
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from newsletter.config import Config
from newsletter.model.broadcast import BroadcastKind
from newsletter.model.pace import Allowance, Pace, Rate, SendingWindow, WarmUp, Weekday
from newsletter.settings.provider import PaceSettings, span_of

_SPANS = {1: "per second", 60: "per minute", 3600: "per hour", 86400: "per day"}
_MIDNIGHT = time(0, 0)
_WEEKDAYS = tuple(Weekday)  # in the order of `datetime.weekday()`
_OPEN_END = 10**9  # above this many emails per day, a warm-up is over
_STEPS_A_DAY = 10  # a chunk is sent as a whole, so the first day of a warm-up is divided into this many chunks


def pace_of(config: Config) -> Pace:
    """Return the pace of the provider in use, in the newsletter's time zone."""
    provider, zone = config.settings.provider, ZoneInfo(config.settings.newsletter.timezone)
    settings = provider.table_in_use.pace
    ramp = settings.warm_up
    per = {1: settings.per_second, 60: settings.per_minute, 3600: settings.per_hour, 86400: settings.per_day}
    return Pace(
        rates=tuple(Rate(deliveries=count, seconds=seconds) for seconds, count in per.items() if count is not None),
        window=_window(settings, zone),
        warm_up=WarmUp(starts=ramp.starts, first_day=ramp.first_day, growth=ramp.growth, zone=zone) if ramp else None,
        setting=f"[provider.{provider.use}.pace]",
    )


def pace_for(config: Config, kind: BroadcastKind) -> Pace:
    """Return the pace for a broadcast of this kind. Answers to what someone has just done wait for no sending hours."""
    pace = pace_of(config)
    return replace(pace, window=None) if kind.is_answer else pace


def allowances(pace: Pace, now: datetime) -> tuple[Allowance, ...]:
    """Return one `Allowance` per limit. Each says how many deliveries may be claimed now."""
    return (*_of_rates(pace, now), *(_of_warm_up(pace.warm_up, pace.setting, now) if pace.warm_up else ()))


def opens_at(window: SendingWindow, now: datetime) -> datetime:
    """Return the next time at which the window is open. That is `now` if it is open now.

    As for a schedule (PEP 495), a time that is skipped in spring is read with the offset before the change. If a time
    occurs twice in autumn, the first occurrence is used.
    """
    day = now.astimezone(window.zone).date()
    while True:
        opens = _moment(day, window.opens, window.zone)
        closes = _moment(day + timedelta(days=window.closes == _MIDNIGHT), window.closes, window.zone)
        if _is_open_on(window, day) and now < closes and opens < closes:  # false if a clock change skips the window
            return max(opens, now)
        day += timedelta(days=1)


def shown_window(pace: Pace) -> str:
    """Return a sentence that explains the sending window to people, or an empty string if there is none."""
    if pace.window is None:
        return ""
    days = ", ".join(day for day in _WEEKDAYS if day in pace.window.weekdays)
    closes = "24:00" if pace.window.closes == _MIDNIGHT else f"{pace.window.closes:%H:%M}"
    hours = f"from {pace.window.opens:%H:%M} to {closes}"
    return f"emails are sent only {hours}{' on ' if days else ''}{days}, as set in {pace.setting}"


def chunk_size_for(provider_chunk_size: int, pace: Pace) -> int:
    """Return the largest chunk size that is within every limit and divides the limits into whole chunks."""
    limits = [rate.deliveries for rate in pace.rates]
    size = min([provider_chunk_size, *(limit // ceil(limit / provider_chunk_size) for limit in limits)])
    if pace.warm_up is not None:
        size = min(size, max(1, pace.warm_up.first_day // _STEPS_A_DAY))
    return size


def _window(settings: PaceSettings, zone: ZoneInfo) -> SendingWindow | None:
    if settings.hours is None and not settings.weekdays:
        return None
    opens, closes = (_MIDNIGHT, _MIDNIGHT) if settings.hours is None else span_of(settings.hours)
    return SendingWindow(opens=opens, closes=closes, weekdays=frozenset(settings.weekdays), zone=zone)


def _is_open_on(window: SendingWindow, day: date) -> bool:
    return not window.weekdays or _WEEKDAYS[day.weekday()] in window.weekdays


def _of_rates(pace: Pace, now: datetime) -> Iterator[Allowance]:
    for rate in pace.rates:
        yield Allowance(
            deliveries=rate.deliveries,
            since=now - timedelta(seconds=rate.seconds),
            reason=f"at most {rate.deliveries:,} {_span(rate)}, as set in {pace.setting}",
        )


def _of_warm_up(ramp: WarmUp, setting: str, now: datetime) -> Iterator[Allowance]:
    today = now.astimezone(ramp.zone).date()
    allowed = _allowed_on(ramp, today)
    if allowed is not None:
        yield Allowance(
            deliveries=allowed,
            since=_moment(today, _MIDNIGHT, ramp.zone),
            frees=_moment(today + timedelta(days=1), _MIDNIGHT, ramp.zone),
            reason=f"at most {allowed:,} today during the warm-up, as set in {setting}",
        )


def _allowed_on(ramp: WarmUp, day: date) -> int | None:
    """Return the number of deliveries that the warm-up allows on a day, or None when the warm-up is over."""
    days = max((day - ramp.starts).days, 0)
    if log(ramp.first_day) + days * log(ramp.growth) >= log(_OPEN_END):
        return None
    return int(ramp.first_day * ramp.growth**days)


def _moment(day: date, wall_time: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, wall_time, tzinfo=zone).astimezone(UTC)


def _span(rate: Rate) -> str:
    return _SPANS.get(rate.seconds, f"in {rate.seconds} seconds")
