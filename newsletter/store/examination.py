"""Looks at a database without changing anything about it: neither made, nor migrated, nor closed to others."""

from dataclasses import dataclass
from pathlib import Path

from newsletter import install_hint
from newsletter.errors import StoreError


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFacts:
    """What a database is like."""

    engine: str  # such as `SQLite 3.45.1`
    schema: int  # how many migrations it has; 0 where it holds nothing yet
    newest_schema: int  # how many this version knows
    damages: tuple[str, ...]  # what the engine finds wrong in it
    open_to: str  # who else may read it, as the system writes permissions; empty where nobody, or nobody can tell
    journal: str  # `wal` where readers and a writer do not wait for each other; empty where the engine has no choice
    size_bytes: int


def examine_database(location: Path | str) -> DatabaseFacts:
    """Reads what a SQLite file, or the PostgreSQL database of a URL, is like.

    Raises StoreError where it cannot be reached, or is not ours.
    """
    # The engine's module is imported when it is used, so that nobody loads a driver that they do not need.
    if isinstance(location, Path):
        from newsletter.store.sqlite.examination import examine_sqlite

        return examine_sqlite(location)
    try:
        import psycopg  # noqa: F401 - whether it is there
    except ImportError as err:
        raise StoreError(f"PostgreSQL needs its driver; run: {install_hint('postgres')}") from err
    from newsletter.store.postgresql.examination import examine_postgresql

    return examine_postgresql(location)
