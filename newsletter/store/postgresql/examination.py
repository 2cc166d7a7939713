"""Looks at a database of a server without changing it."""

from newsletter.store.examination import DatabaseFacts
from newsletter.store.postgresql.address import read_address
from newsletter.store.postgresql.connection import connect
from newsletter.store.postgresql.failures import translated
from newsletter.store.postgresql.migrations import check_server, newest_version, version_of

_WAIT_SECONDS = 5.0


def examine_postgresql(url: str) -> DatabaseFacts:
    """Reads the server's version, and that of the schema.

    Raises StoreError where it cannot be reached, is too old, or is not ours.
    """
    address = read_address(url)
    connection = connect(address, wait_seconds=_WAIT_SECONDS)
    try:
        with translated(address.shown):
            check_server(connection, address.shown)
            schema = version_of(connection, address.shown)
            (size,) = connection.execute("SELECT pg_database_size(current_database())").fetchall()[0]
            version = connection.info.parameter_status("server_version") or ""
    finally:
        connection.close()
    return DatabaseFacts(
        engine=f"PostgreSQL {version.partition(' ')[0]}",
        schema=schema,
        newest_schema=newest_version(),
        damages=(),
        open_to="",
        journal="",
        size_bytes=int(size),
    )
