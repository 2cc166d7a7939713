"""Migrate a PostgreSQL database to the schema that this version uses."""

from pathlib import Path

from newsletter.store.person_keys import PERSON_KEYS, change_person_keys
from newsletter.store.postgresql.connection import SCHEMA, PostgresConnection
from newsletter.store.postgresql.failures import cannot_use

OLDEST_SERVER = 140_000  # PostgreSQL 14.0, in the form in which libpq reports a version
KEPT_COPIES = 3  # how many of the copies made by migrations are kept
_MARK = "schema_version"  # the table by which a schema is recognized as ours
_FOLDER = Path(__file__).parents[1] / "sql" / "migrations" / "postgresql"


def migrate(connection: PostgresConnection, shown: str, *, lock: str) -> str | None:
    """Apply all missing migrations in one transaction. `lock` is the SQL that keeps others from writing.

    Return the schema with a copy of the old tables, or None if there were none or nothing was missing. Raise StoreError
    if the server is too old, the encoding is not UTF-8, or the schema belongs to another program or a newer version.
    """
    check_server(connection, shown)
    scripts = _scripts()
    if version_of(connection, shown) == len(scripts):
        return None
    copy = None
    try:
        connection.execute(f"BEGIN; {lock}")
        version = version_of(connection, shown)  # read again: another process may have migrated it meanwhile
        if version == 0:
            _make_schema(connection)
        elif version < len(scripts):
            copy = _copy_tables(connection, version + 1)
        for script in scripts[version:]:
            connection.execute(script.read_text(encoding="utf-8"))
            if script.stem.endswith(PERSON_KEYS):
                change_person_keys(connection)
        connection.execute("UPDATE schema_version SET version = :version", {"version": len(scripts)})
        connection.commit_changes()
    except BaseException:
        connection.drop_changes()
        raise
    return copy


def check_server(connection: PostgresConnection, shown: str) -> None:
    """Raise StoreError if the server is too old, or its encoding cannot represent every name."""
    if connection.info.server_version < OLDEST_SERVER:
        raise cannot_use(
            shown, "its PostgreSQL server is too old", f"use PostgreSQL {OLDEST_SERVER // 10_000} or newer"
        )
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise cannot_use(
            shown,
            f"its encoding is {encoding}, which cannot store every name",
            "create a new database with createdb --template=template0 --encoding=UTF8",
        )


def newest_version() -> int:
    """Return the number of migrations in this version."""
    return len(_scripts())


def version_of(connection: PostgresConnection, shown: str) -> int:
    """Return the number of migrations that have been applied. 0 means that the database has no tables yet.

    Raise StoreError if the schema belongs to another program, or to a newer version.
    """
    # Query the catalog's table, because to_regclass() may return the state from before this session got the lock.
    query = "SELECT tablename FROM pg_tables WHERE schemaname = :schema"
    tables = connection.execute(query, {"schema": SCHEMA}).fetchall()
    if not tables:
        return 0
    if (_MARK,) not in tables:
        raise cannot_use(
            shown,
            f"its schema {SCHEMA} belongs to another program",
            "name another database in url under [database] in newsletter.toml",
        )
    version = _number(connection, "SELECT max(version) FROM schema_version", {})
    if version > newest_version():
        raise cannot_use(shown, "it was written by a newer version of newsletter", "update newsletter")
    return version


def _scripts() -> list[Path]:
    return sorted(_FOLDER.glob("*.sql"))


def _make_schema(connection: PostgresConnection) -> None:
    # Check first, because CREATE SCHEMA IF NOT EXISTS needs permission even if someone has created the schema for us.
    is_there = _number(connection, "SELECT count(*) FROM pg_namespace WHERE nspname = :schema", {"schema": SCHEMA})
    if not is_there:
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
    connection.execute("CREATE TABLE schema_version (version INTEGER NOT NULL)")
    connection.execute("INSERT INTO schema_version VALUES (0)")


def _copy_tables(connection: PostgresConnection, first: int) -> str:
    """Copy all tables to a separate schema before migration number `first`. Return the schema's name.

    Only the newest of these schemas are kept. They are recognized by their name and the `schema_version` table in them.
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
    """Return the single number that a query returns."""
    ((number,),) = connection.execute(query, parameters).fetchall()
    return int(number)
