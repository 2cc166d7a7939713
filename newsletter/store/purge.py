"""Delete old data, and remember when that was done."""

from datetime import datetime

from newsletter.store.database import Connection
from newsletter.store.queries import change, query_one
from newsletter.system.moments import text_of

_REMARKS = change("purge", "remarks")
_SOFT_BOUNCES = change("purge", "soft_bounces")
_PROOFS = change("purge", "proofs")
_LAST_AT = query_one("purge", "last_at", datetime)
_FORGET_LAST = change("purge", "forget_last")
_KEEP_LAST = change("purge", "keep_last")


def delete_remarks(connection: Connection, *, before: datetime) -> int:
    """Delete why people left before a time. Return the number of remarks."""
    return _REMARKS(connection, before=text_of(before))


def delete_soft_bounces(connection: Connection, *, before: datetime) -> int:
    """Delete the soft bounces from before a time. Return their number."""
    return _SOFT_BOUNCES(connection, before=text_of(before))


def delete_proofs(connection: Connection, *, before: datetime) -> int:
    """Delete the consents that were replaced before a time. Return their number."""
    return _PROOFS(connection, before=text_of(before))


def last_purge(connection: Connection) -> datetime | None:
    """Return when old data was last deleted, or None if that was never done."""
    return _LAST_AT(connection)


def keep_purge(connection: Connection, *, now: datetime) -> None:
    """Save that old data is deleted now."""
    _FORGET_LAST(connection)
    _KEEP_LAST(connection, now=text_of(now))
