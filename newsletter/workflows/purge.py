"""Delete data that is older than `[retention]` says. Whatever sends what is due does this once a day."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from newsletter.config import Config
from newsletter.model.preferences import FORMER_TOKEN_VALID_FOR
from newsletter.settings.retention import RetentionSettings
from newsletter.settings.workspace import Settings
from newsletter.store.database import Connection, Database
from newsletter.store.dry_run import unless_dry_run
from newsletter.store.posts import delete_posts
from newsletter.store.purge import (
    delete_former_tokens,
    delete_link_requests,
    delete_proofs,
    delete_refusals,
    delete_remarks,
    delete_signups,
    delete_soft_bounces,
    delete_wordings,
    keep_purge,
    last_purge,
)
from newsletter.store.reviews import delete_reviews
from newsletter.system.log import Log, delete_log_lines, no_log

PURGE_EVERY = timedelta(days=1)


class _Delete(Protocol):
    """A function that deletes what is from before a time."""

    def __call__(self, connection: Connection, *, before: datetime) -> int:
        """Return the number of rows that were deleted."""


class _Kept(NamedTuple):
    """One kind of data in the database."""

    what: str
    days: Callable[[Settings], int]
    delete: _Delete


def _soft_bounce_days(settings: Settings) -> int:
    return max(settings.retention.soft_bounces, settings.suppressions.soft_bounce_days + 1)  # blocking depends on them


# Every kind of data in the database that is not kept forever.
_KEPT: Sequence[_Kept] = (
    _Kept("posts of your provider", lambda settings: settings.retention.posts, delete_posts),
    _Kept("reasons for leaving", lambda settings: settings.retention.remarks, delete_remarks),
    _Kept("soft bounces", _soft_bounce_days, delete_soft_bounces),
    _Kept("replaced consents", lambda settings: settings.retention.proofs, delete_proofs),
    _Kept("sign-ups that were not confirmed", lambda settings: settings.retention.requests, delete_signups),
    _Kept("links that people asked for", lambda settings: settings.retention.requests, delete_link_requests),
    _Kept("counts of refused sign-ups", lambda settings: settings.retention.requests, delete_refusals),
    _Kept("words of forms that no one agreed to", lambda settings: settings.retention.proofs, delete_wordings),
    _Kept("reviews and their comments", lambda settings: settings.retention.reviews, delete_reviews),
    _Kept("unsubscribe links of former addresses", lambda _: FORMER_TOKEN_VALID_FOR.days, delete_former_tokens),
)
_LOGS = "lines of logs and reports"


class Purged(NamedTuple):
    """How much of one kind of data is deleted."""

    what: str
    days: int  # how long it is kept
    deleted: int


def purge(config: Config, database: Database, *, now: datetime, is_preview: bool = False) -> tuple[Purged, ...]:
    """Delete what is too old. Return how much of each kind. A preview counts the same and deletes nothing."""
    settings, found = config.settings, []
    with unless_dry_run(database.transaction(), is_dry_run=is_preview) as connection:
        for kept in _KEPT:
            days = kept.days(settings)
            found.append(Purged(kept.what, days, kept.delete(connection, before=now - timedelta(days=days))))
        keep_purge(connection, now=now)
    return (*found, _purge_logs(config, settings.retention, now=now, is_preview=is_preview))


def purge_daily(config: Config, database: Database, *, now: datetime, log: Log = no_log) -> None:
    """Delete what is too old, unless that was done within a day."""
    with database.read() as connection:
        last = last_purge(connection)
    if last is not None and now - last < PURGE_EVERY:
        return
    for purged in purge(config, database, now=now):
        if purged.deleted:
            log(f"{purged.what} older than {purged.days} days were deleted", deleted=purged.deleted)


def _purge_logs(config: Config, retention: RetentionSettings, *, now: datetime, is_preview: bool) -> Purged:
    before = now - timedelta(days=retention.logs)
    return Purged(_LOGS, retention.logs, delete_log_lines(config.root, before=before, is_preview=is_preview))
