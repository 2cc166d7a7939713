"""Delete old data, and remember when that was done."""

from datetime import datetime

from newsletter.model.preferences import FORMER_TOKEN_VALID_FOR
from newsletter.store.database import Connection
from newsletter.store.queries import change, query_one
from newsletter.system.moments import text_of

_REMARKS = change("purge", "remarks")
_SOFT_BOUNCES = change("purge", "soft_bounces")
_PROOFS = change("purge", "proofs")
_TRACKING_CHOICES = change("purge", "tracking_choices")
_SIGNUPS = change("purge", "signups")
_REFUSALS = change("purge", "refusals")
_WORDINGS = change("purge", "wordings")
_LINK_REQUESTS = change("purge", "link_requests")
_FORMER_TOKENS = change("purge", "former_tokens")
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
    """Delete the consents and the choices about tracking that were replaced before a time. Return their number."""
    return _PROOFS(connection, before=text_of(before)) + _TRACKING_CHOICES(connection, before=text_of(before))


def delete_signups(connection: Connection, *, before: datetime) -> int:
    """Delete the sign-ups from before a time that were not confirmed. Return their number."""
    return _SIGNUPS(connection, before=text_of(before))


def delete_refusals(connection: Connection, *, before: datetime) -> int:
    """Delete the counts of sign-ups from before a time that were not followed up. Return the number of counts."""
    return _REFUSALS(connection, before=text_of(before))


def delete_wordings(connection: Connection, *, before: datetime) -> int:
    """Delete the words of forms from before a time to which no one on record agreed. Return their number."""
    return _WORDINGS(connection, before=text_of(before))


def delete_link_requests(connection: Connection, *, before: datetime) -> int:
    """Delete the links from before a time that people asked for. Return their number."""
    return _LINK_REQUESTS(connection, before=text_of(before))


def delete_former_tokens(connection: Connection, *, before: datetime) -> int:
    """Delete the tokens that were replaced before a time, if they have ended. Return their number."""
    return _FORMER_TOKENS(connection, before=text_of(before + FORMER_TOKEN_VALID_FOR))


def last_purge(connection: Connection) -> datetime | None:
    """Return when old data was last deleted, or None if that was never done."""
    return _LAST_AT(connection)


def keep_purge(connection: Connection, *, now: datetime) -> None:
    """Save that old data is deleted now."""
    _FORGET_LAST(connection)
    _KEEP_LAST(connection, now=text_of(now))
