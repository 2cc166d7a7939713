"""The database: whether it can be reached, is whole, of this version, and nobody else's to read."""

from collections.abc import Iterator
from pathlib import Path

from newsletter.config import Config
from newsletter.errors import StoreError
from newsletter.model.diagnosis import Health, Item, error, from_words, ok, warning
from newsletter.store.examination import DatabaseFacts, examine_database

_WORDS_OF_SIZE = 1 << 20


def database_items(config: Config) -> Iterator[Item]:
    """What the database is like; it is neither made nor migrated."""
    location = config.database
    if isinstance(location, Path) and not location.exists():
        yield ok("database", f"{config.shown(location)} is made by the first import")
        return
    try:
        facts = examine_database(location)
    except StoreError as err:
        yield from_words("database", Health.ERROR, err)
        return
    yield ok("database", f"{facts.engine}, {facts.size_bytes / _WORDS_OF_SIZE:,.1f} MB")
    yield _schema(facts)
    yield _integrity(facts)
    if isinstance(location, Path):
        yield _privacy(facts, config.shown(location))
        yield _journal(facts)


def _schema(facts: DatabaseFacts) -> Item:
    if facts.schema == facts.newest_schema:
        return ok("schema", "its tables are of this version")
    what = f"its tables are {facts.newest_schema - facts.schema} versions behind"
    remedy = "keep a copy of it; the next command that uses it brings them up to date"
    return warning("schema", what, remedy)


def _integrity(facts: DatabaseFacts) -> Item:
    if not facts.damages:
        return ok("integrity", "it is whole")
    return error("integrity", f"it is damaged: {facts.damages[0]}", "stop all programs, and restore it from a backup")


def _privacy(facts: DatabaseFacts, shown: str) -> Item:
    if not facts.open_to:
        return ok("privacy", "nobody but you may read its file")
    what = f"others on this machine may read it ({facts.open_to})"
    return error("privacy", what, f"run: chmod 600 {shown}")


def _journal(facts: DatabaseFacts) -> Item:
    if facts.journal == "wal":
        return ok("journal", "readers do not hold up a broadcast (WAL)")
    what = "its journal makes readers wait for a broadcast, and the other way round (no WAL)"
    return warning("journal", what, "the next command that uses it sets that right, if the disk is of this machine")
