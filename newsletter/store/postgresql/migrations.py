"""Brings a database to the schema that this version uses."""

from pathlib import Path

from newsletter.store.postgresql.connection import SCHEMA, PostgresConnection
from newsletter.store.postgresql.failures import cannot_use

OLDEST_SERVER = 140_000  # as libpq writes a version
KEPT_COPIES = 3  # of those that migrations make
_MARK = "schema_version"  # the table by which a schema is known as ours
_FOLDER = Path(__file__).parents[1] / "sql" / "migrations" / "postgresql"


def migrate(connection: PostgresConnection, shown: str, *, lock: str) -> str | None:
    """Apply the migrations that the database lacks, all or none of them; `lock` keeps others from writing.

    Return the schema in which the tables are kept as they were, if there were any. Raise StoreError where the server is
    too old, the database of another encoding, the schema of another program or of a newer version.
    """
    check_server(connection, shown)
    scripts = _scripts()
    if version_of(connection, shown) == len(scripts):
        return None
    copy = None
    try:
        connection.execute(f"BEGIN; {lock}")
        version = version_of(connection, shown)  # another process may have been faster
        if version == 0:
            _make_schema(connection)
        elif version < len(scripts):
            copy = _copy_tables(connection, version + 1)
        for script in scripts[version:]:
            connection.execute(script.read_text(encoding="utf-8"))
        connection.execute("UPDATE schema_version SET version = :version", {"version": len(scripts)})
        connection.commit_changes()
    except BaseException:
        connection.drop_changes()
        raise
    return copy


def check_server(connection: PostgresConnection, shown: str) -> None:
    """Raise StoreError where the server is too old, or its encoding cannot hold every name."""
    if connection.info.server_version < OLDEST_SERVER:
        raise cannot_use(shown, "its PostgreSQL is too old", f"use PostgreSQL {OLDEST_SERVER // 10_000} or newer")
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise cannot_use(
            shown,
            f"its encoding is {encoding}, in which not every name can be written",
            "make a new database with createdb --template=template0 --encoding=UTF8",
        )


def newest_version() -> int:
    """Return how many migrations there are."""
    return len(_scripts())


def version_of(connection: PostgresConnection, shown: str) -> int:
    """Return how many migrations the database has; raise StoreError where its schema is another program's, or newer."""
    # Asked of the catalog's tables: to_regclass() may answer from before this session waited for the lock.
    query = "SELECT tablename FROM pg_tables WHERE schemaname = :schema"
    tables = connection.execute(query, {"schema": SCHEMA}).fetchall()
    if not tables:
        return 0
    if (_MARK,) not in tables:
        raise cannot_use(shown, f"its schema {SCHEMA} is another program's", "name another database as [database] url")
    version = _number(connection, "SELECT max(version) FROM schema_version", {})
    if version > newest_version():
        raise cannot_use(shown, "it was written by a newer version of newsletter", "update newsletter")
    return version


def _scripts() -> list[Path]:
    return sorted(_FOLDER.glob("*.sql"))


def _make_schema(connection: PostgresConnection) -> None:
    # Asked first: CREATE SCHEMA IF NOT EXISTS wants permission even where somebody else has made it for us.
    is_there = _number(connection, "SELECT count(*) FROM pg_namespace WHERE nspname = :schema", {"schema": SCHEMA})
    if not is_there:
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
    connection.execute("CREATE TABLE schema_version (version INTEGER NOT NULL)")
    connection.execute("INSERT INTO schema_version VALUES (0)")


def _copy_tables(connection: PostgresConnection, first: int) -> str:
    """Keep all tables as they are before the `first` new migration, in a schema of their own. Return its name.

    Only the newest of such schemas are kept. One is known by its name and by our mark in it.
    """
    copy = f"{SCHEMA}_before_{first:04}"
    query = "SELECT schemaname FROM pg_tables WHERE tablename = :mark AND schemaname ~ :pattern ORDER BY schemaname"
    kept = connection.execute(query, {"mark": _MARK, "pattern": f"^{SCHEMA}_before_[0-9]{{4}}$"}).fetchall()
    copies = sorted({*(name for (name,) in kept), copy})
    for old in {*copies[:-KEPT_COPIES], copy}:
        connection.execute(f"DROP SCHEMA IF EXISTS {old} CASCADE")
    connection.execute(f"CREATE SCHEMA {copy}")
    for (table,) in connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = :schema", {"schema": SCHEMA}
    ):
        connection.execute(f"CREATE TABLE {copy}.{table} AS TABLE {SCHEMA}.{table}")
    return copy


def _number(connection: PostgresConnection, query: str, parameters: dict[str, str]) -> int:
    """Return the one number that a query gives."""
    ((number,),) = connection.execute(query, parameters).fetchall()
    return int(number)
