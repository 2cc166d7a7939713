"""Opens the database that a workspace names, or only looks at it."""

from collections.abc import Callable
from pathlib import Path

from newsletter import install_hint
from newsletter.errors import StoreError
from newsletter.store.database import Database, DatabaseFacts

# An engine's module is imported when it is used, so that nobody loads a driver that they do not need.


def open_database(
    location: Path | str, *, wait_seconds: float = 30, on_copy: Callable[[str], None] = lambda _: None
) -> Database:
    """Open a SQLite file, or the PostgreSQL database of a URL, first making or migrating it where needed.

    `wait_seconds` is how long a step waits while another program writes. `on_copy` hears where the data are kept as
    they were, when they had to be brought to a newer schema. Raise StoreError where the database cannot be used: it is
    locked, not reachable, not a newsletter database, written by a newer version, or not permitted.
    """
    if isinstance(location, Path):
        from newsletter.store.sqlite.engine import open_sqlite

        return open_sqlite(location, wait_seconds=wait_seconds, on_copy=on_copy)
    _require_driver()
    from newsletter.store.postgresql.engine import open_postgresql

    return open_postgresql(location, wait_seconds=wait_seconds, on_copy=on_copy)


def examine_database(location: Path | str) -> DatabaseFacts:
    """Return what a SQLite file, or the PostgreSQL database of a URL, is like; nothing about it is changed.

    Raise StoreError where it cannot be reached, or is not ours.
    """
    if isinstance(location, Path):
        from newsletter.store.sqlite.engine import examine_sqlite

        return examine_sqlite(location)
    _require_driver()
    from newsletter.store.postgresql.engine import examine_postgresql

    return examine_postgresql(location)


def _require_driver() -> None:
    try:
        import psycopg  # noqa: F401 - whether it is there
    except ImportError as err:
        raise StoreError(f"PostgreSQL needs its driver; run: {install_hint('postgres')}") from err
