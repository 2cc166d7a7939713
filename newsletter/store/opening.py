"""Opens the database that a workspace names, first making or migrating it where needed."""

from pathlib import Path

from newsletter import install_hint
from newsletter.errors import StoreError
from newsletter.store.database import Database


def open_database(location: Path | str, *, wait_seconds: float = 30) -> Database:
    """Opens a SQLite file, or the PostgreSQL database of a URL.

    `wait_seconds` is how long a step waits while another program writes. Raises StoreError where the database cannot
    be used: it is locked, not reachable, not a newsletter database, written by a newer version, or not permitted.
    """
    # The engine's module is imported when it is used, so that nobody loads a driver that they do not need.
    if isinstance(location, Path):
        from newsletter.store.sqlite.database import open_sqlite

        return open_sqlite(location, wait_seconds=wait_seconds)
    try:
        import psycopg  # noqa: F401 - whether it is there
    except ImportError as err:
        raise StoreError(f"PostgreSQL needs its driver; run: {install_hint('postgres')}") from err
    from newsletter.store.postgresql.database import open_postgresql

    return open_postgresql(location, wait_seconds=wait_seconds)
