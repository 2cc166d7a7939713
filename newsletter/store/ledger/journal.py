"""The journal of a broadcast: what happened to it, in order, with time and detail."""

from datetime import datetime

from newsletter.model.address import masked
from newsletter.model.ledger import Entry, JournalEntry
from newsletter.store.database import Connection, Database
from newsletter.store.queries import change, query_all, query_one
from newsletter.system.moments import text_of

_WRITE = change("journal", "write")
_ENTRIES = query_all("journal", "entries", JournalEntry)
_FIRST_OF = query_one("journal", "first_of", datetime)


def journal_of(database: Database, broadcast_id: int) -> tuple[JournalEntry, ...]:
    """Return the entries of a broadcast, oldest first."""
    return _ENTRIES.ask(database, broadcast=broadcast_id)


def write(connection: Connection, broadcast_id: int, entry: Entry, detail: str, *, now: datetime) -> None:
    """Add an entry, with addresses masked. Call it in a transaction during which no one else can write."""
    _WRITE(connection, broadcast=broadcast_id, at=text_of(now), entry=entry.value, detail=masked(detail))


def first_moment(connection: Connection, broadcast_id: int, entry: Entry) -> datetime | None:
    """Return the time of the first entry of a kind, or None if there is none."""
    return _FIRST_OF(connection, broadcast=broadcast_id, entry=entry.value)
