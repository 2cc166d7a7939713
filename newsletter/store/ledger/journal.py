"""What happened to a broadcast, in order: for whoever asks later who did what, and when."""

from datetime import datetime

from newsletter.model.address import masked
from newsletter.model.ledger import Entry, JournalEntry
from newsletter.store.database import Connection, Database
from newsletter.store.queries import load_queries
from newsletter.system.moments import moment_of, text_of

_SQL = load_queries("journal")


def journal_of(database: Database, broadcast_id: int) -> tuple[JournalEntry, ...]:
    """The entries of a broadcast, the oldest first."""
    with database.read() as connection:
        return tuple(
            JournalEntry(at=moment_of(at), entry=Entry(entry), detail=detail)
            for at, entry, detail in _SQL.entries(connection, broadcast=broadcast_id)
        )


def write(connection: Connection, broadcast_id: int, entry: Entry, detail: str, *, now: datetime) -> None:
    """Adds an entry, within a transaction beside which nobody else writes; addresses in it are masked."""
    _SQL.write(connection, broadcast=broadcast_id, at=text_of(now), entry=entry.value, detail=masked(detail))


def first_moment(connection: Connection, broadcast_id: int, entry: Entry) -> datetime | None:
    """When something happened for the first time; None where it did not."""
    text = _SQL.first_of(connection, broadcast=broadcast_id, entry=entry.value)
    return None if text is None else moment_of(text)
