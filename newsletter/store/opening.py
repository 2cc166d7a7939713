"""Opens the database that a workspace names, first making or migrating it where needed."""

from collections.abc import Callable
from pathlib import Path

from newsletter.errors import StoreError
from newsletter.store.database import Database

_INSTALL = 'install the extra that brings it: pip install "newsletter[postgres]"'


def open_database(
    location: Path | str, *, wait_seconds: float = 30, on_copy: Callable[[str], None] = lambda _: None
) -> Database:
    """Open a SQLite file, or the PostgreSQL database of a URL.

    `wait_seconds` is how long a step waits while another program writes. `on_copy` hears where the data are kept as
    they were, when they had to be brought to a newer schema. Raise StoreError where the database cannot be used: it is
    locked, not reachable, not a newsletter database, written by a newer version, or not permitted.
    """
    # The engine's module is imported when it is used, so that nobody loads a driver that they do not need.
    if isinstance(location, Path):
        from newsletter.store.sqlite.database import open_sqlite

        return open_sqlite(location, wait_seconds=wait_seconds, on_copy=on_copy)
    try:
        import psycopg  # noqa: F401 - whether it is there
    except ImportError as err:
        raise StoreError(f"PostgreSQL needs its driver; {_INSTALL}") from err
    from newsletter.store.postgresql.database import open_postgresql

    return open_postgresql(location, wait_seconds=wait_seconds, on_copy=on_copy)
