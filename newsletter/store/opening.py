"""Open the database of a workspace, or examine it without changing it."""

from collections.abc import Callable
from pathlib import Path

from newsletter import install_hint
from newsletter.errors import StoreError
from newsletter.store.database import Database, DatabaseFacts

# An engine's module is imported only when that engine is used, so that no one needs the driver of the other engine.


def open_database(
    location: Path | str,
    *,
    workspace: Path | None = None,
    wait_seconds: float = 30,
    on_copy: Callable[[str], None] = lambda _: None,
) -> Database:
    """Open a SQLite file, or the PostgreSQL database at a URL. Create or migrate it first if needed.

    `workspace` is where the reply logs of a PostgreSQL database are kept on this machine; without it, none are.
    `wait_seconds` is how long a step waits while another program writes. `on_copy` is called with the location
    of the backup copy if a migration made one. Raise StoreError if the database cannot be used, because it is locked or
    unreachable, is not a newsletter database, or was written by a newer version, or because access is denied.
    """
    if isinstance(location, Path):
        from newsletter.store.sqlite.engine import open_sqlite

        return open_sqlite(location, wait_seconds=wait_seconds, on_copy=on_copy)
    _require_driver()
    from newsletter.store.postgresql.engine import open_postgresql

    return open_postgresql(location, workspace=workspace, wait_seconds=wait_seconds, on_copy=on_copy)


def examine_database(location: Path | str) -> DatabaseFacts:
    """Return the state of a SQLite file, or of the PostgreSQL database at a URL, without changing it.

    Raise StoreError if it cannot be reached, or is not a newsletter database.
    """
    if isinstance(location, Path):
        from newsletter.store.sqlite.engine import examine_sqlite

        return examine_sqlite(location)
    _require_driver()
    from newsletter.store.postgresql.engine import examine_postgresql

    return examine_postgresql(location)


def _require_driver() -> None:
    try:
        import psycopg  # noqa: F401 - checks that it is installed
    except ImportError as err:
        raise StoreError(f"the PostgreSQL driver is not installed; run: {install_hint('postgres')}") from err
