"""Decide whether a scheduled broadcast is too late to be sent automatically."""

from datetime import datetime, timedelta

from newsletter.config import Config
from newsletter.language.clock import say_span, say_time
from newsletter.model.broadcast import Broadcast
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import last_claimed, next_due, overdue
from newsletter.store.ledger.requests import runners_of
from newsletter.workflows.send.pace import opens_at, pace_of

_DAY = timedelta(days=1)


def lateness(config: Config, database: Database, broadcast: Broadcast, *, now: datetime) -> str:
    """Return why a broadcast is too late to be sent automatically, or an empty string if it is not.

    A broadcast in progress is late only if nothing has been sent for longer than the allowed lateness, apart from waits
    that the pace requires. The pace can spread emails with the same due time over days. The sending window can open
    long after a zone's due time.
    """
    allowed = timedelta(minutes=config.settings.delivery.lateness_minutes)
    due = next_due(database, broadcast.id)
    if due is None or not overdue(database, broadcast.id, before=now - allowed):
        return ""
    if _opens_at(config, max(due, broadcast.grace_until or due)) >= now - allowed:
        return ""
    if (moved_at := _moved_at(database, broadcast, now=now)) and _goes_on_at(config, moved_at) > now - allowed:
        return ""
    said = say_time(due, config.settings.newsletter.timezone)  # this text is stored, so it must not contain "hours ago"
    return f"scheduled for {said}, but more than {say_span(allowed)} late, so it was not sent automatically"


def _moved_at(database: Database, broadcast: Broadcast, *, now: datetime) -> datetime | None:
    """Return when a chunk of a broadcast was last sent, or None if none was.

    The time of the claim counts, because the outcome of a chunk may be determined or decided days later.
    """
    if any(database.alive(runner) for runner in runners_of(database, broadcast.id)):
        return now
    return last_claimed(database, broadcast.id)


def _goes_on_at(config: Config, moved_at: datetime) -> datetime:
    """Return the latest time at which the pace allows a broadcast to continue after it last sent something."""
    pace = pace_of(config)
    slowest = max((timedelta(seconds=rate.seconds) for rate in pace.rates), default=timedelta())
    return _opens_at(config, moved_at + (_DAY if pace.warm_up else slowest))


def _opens_at(config: Config, moment: datetime) -> datetime:
    """Return the first time from `moment` on at which the sending window is open."""
    window = pace_of(config).window
    return moment if window is None else opens_at(window, moment)
