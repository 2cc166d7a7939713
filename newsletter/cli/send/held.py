"""Say whom the provider will still email although they left."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from newsletter.cli import output
from newsletter.config import Config
from newsletter.errors import ProviderError
from newsletter.language.clock import say_clock, say_moment
from newsletter.providers.registry import open_provider
from newsletter.store.database import Database
from newsletter.store.ledger.recall import watched_broadcasts
from newsletter.workflows.send.recall import StillHeld, still_held

_SHOWN = 5  # addresses


def held_for(
    config: Config, database: Database, *, only: Iterable[int] | None = None, now: datetime
) -> tuple[StillHeld, ...]:
    """Return the email that the provider holds for people who left, or for some of them: the ids in `only`."""
    if not watched_broadcasts(database, now=now):
        return ()
    try:
        scheduler = open_provider(config, os.environ).scheduler
    except ProviderError:  # without its key, it is not known how much can be canceled
        scheduler = None
    limit = scheduler.most_cancelled if scheduler is not None else None
    return still_held(database, now=now, most_cancelled=limit, only=only)


def held_by(config: Config, database: Database, broadcast: int) -> tuple[StillHeld, ...]:
    """Return the email of one broadcast that the provider holds for people who left."""
    return tuple(each for each in held_for(config, database, now=datetime.now(UTC)) if each.broadcast.id == broadcast)


def print_held(config: Config, found: Iterable[StillHeld], *, now: datetime) -> None:
    """Print whom the provider still emails, when, and what prevents it. Print nothing if there is no such email."""
    zone = config.settings.newsletter.timezone
    for held in found:
        broadcast, provider = held.broadcast, held.broadcast.provider
        when = say_moment(held.batch.due_at, zone, now=now)
        what = f"Broadcast {broadcast.id} ({broadcast.issue}) to {_names(held)}"
        if held.kept:
            output.note(f"{what} will still be sent by {provider} on {when}. It cannot be recalled: {held.kept}.")
            continue
        last = say_clock(held.batch.recall_ends_at.astimezone(ZoneInfo(zone)))
        first = say_clock(held.recalled_from.astimezone(ZoneInfo(zone)))
        output.note(f"{what} is already at {provider}, which sends it on {when}.")
        if held.recalled_from > now:
            output.note(
                f"  The service, a timer or a worker recalls it between {first} and {last}. "
                "If none runs then, it is sent."
            )
        else:
            output.note(f"  It can be recalled until {last}, and is sent otherwise.")
            output.print_next("newsletter run-due", "to recall it now")


def _names(held: StillHeld) -> str:
    emails = [leaver.email or "a person who was removed" for leaver in held.left[:_SHOWN]]
    more = len(held.left) - len(emails)
    return f"{', '.join(emails)}{f' and {more:,} more' if more else ''}"
