"""What only the service for subscribers stores: its key, and why people left."""

from datetime import datetime
from secrets import token_bytes

from newsletter.errors import InputError
from newsletter.model.address import masked
from newsletter.model.person import LeavingRemark
from newsletter.store.database import Connection, Database
from newsletter.store.forgotten import without_forgotten
from newsletter.store.queries import change, query_all, query_one
from newsletter.system.moments import text_of

_FIND_KEY = query_one("service", "find_key", bytes)
_KEEP_KEY = change("service", "keep_key")
_KEEP_REMARK = change("service", "keep_remark")
_REMARKS = query_all("service", "remarks", LeavingRemark)
_KEY_BYTES = 32


def service_key(database: Database) -> bytes:
    """Return the key for codes that belong to no subscriber: 32 bytes. The first call makes it."""
    known = _FIND_KEY.ask(database)
    if known is not None:
        return known
    with database.transaction() as connection:
        _KEEP_KEY(connection, key=token_bytes(_KEY_BYTES))
        made = _FIND_KEY(connection)
    if made is None:
        raise RuntimeError("the key was not saved")
    return made


def find_service_key(connection: Connection) -> bytes | None:
    """Return the key for codes that belong to no subscriber, or None if it was not made yet."""
    return _FIND_KEY(connection)


def keep_remark(
    connection: Connection, subscriber_id: int, *, reason: str, remark: str, key: bytes | None = None, now: datetime
) -> None:
    """Save why someone left, in their own words, without the addresses of erased people.

    `key` is the key with which people were erased. Without it, all addresses are masked.
    """
    try:
        remark = without_forgotten(connection, remark, key=key)
    except InputError:
        remark = masked(remark)
    _KEEP_REMARK(connection, subscriber=subscriber_id, at=text_of(now), reason=reason, remark=remark)


def leaving_remarks(database: Database, subscriber_id: int) -> tuple[LeavingRemark, ...]:
    """Return why someone left, the newest first."""
    return _REMARKS.ask(database, subscriber=subscriber_id)
