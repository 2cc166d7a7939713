"""The journal of a broadcast: what happened to it, in order, with time and detail."""

from datetime import datetime

from newsletter.model.address import masked
from newsletter.model.ledger import Entry, JournalEntry
from newsletter.store.database import Connection, Database
from newsletter.store.queries import change, query_all
from newsletter.system.moments import text_of

_WRITE = change("journal", "write")
_ENTRIES = query_all("journal", "entries", JournalEntry)


def journal_of(database: Database, broadcast_id: int) -> tuple[JournalEntry, ...]:
    """Return the entries of a broadcast, oldest first."""
    return _ENTRIES.ask(database, broadcast=broadcast_id)


def write(connection: Connection, broadcast_id: int, entry: Entry, detail: str, *, now: datetime) -> None:
    """Add an entry, with addresses masked. Call it in a transaction during which no one else can write."""
    _WRITE(connection, broadcast=broadcast_id, at=text_of(now), entry=entry.value, detail=masked(detail))
