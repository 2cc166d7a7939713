"""Migrate a database file to the schema that this version uses."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from newsletter.store.person_keys import PERSON_KEYS, change_person_keys
from newsletter.store.sqlite.connection import APPLICATION_ID, BACKUP_ID, SqliteConnection
from newsletter.store.sqlite.failures import cannot_use
from newsletter.store.sqlite.files import copy_before_migration, drop_old_copies

_FOLDER = Path(__file__).parents[1] / "sql" / "migrations" / "sqlite"


def migrate(connection: SqliteConnection, path: Path) -> Path | None:
    """Apply all missing migrations in one transaction. Return the path of the copy made beforehand.

    Return None for a new file, or if no migration is missing: no copy is made then. Raise StoreError if the file
    belongs to another program or to a newer version, or if there is not enough space for the copy.
    """
    scripts = _scripts()
    if version_of(connection, path) == len(scripts):
        return None
    connection.execute("BEGIN IMMEDIATE")
    copy = None
    try:
        version = version_of(connection, path)  # read again: another process may have migrated it meanwhile
        if 0 < version < len(scripts):
            copy = copy_before_migration(path, version + 1)
        for script in scripts[version:]:
            for statement in _statements(script.read_text(encoding="utf-8")):
                connection.execute(statement)
            if script.stem.endswith(PERSON_KEYS):
                change_person_keys(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(scripts)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if copy is not None:
            copy.unlink(missing_ok=True)
        raise
    drop_old_copies(path)
    return copy


def newest_version() -> int:
    """Return the number of migrations in this version."""
    return len(_scripts())


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """Return the number of migrations that have been applied to the file.

    Raise StoreError if the file is a backup, or belongs to another program or to a newer version.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application == 0 and version == 0 and tables == 0:
        return 0
    if application == BACKUP_ID:
        raise cannot_use(
            path,
            "it is a backup, and sending from it could email people twice",
            "move it elsewhere, and restore it with `newsletter restore`",
        )
    if application != APPLICATION_ID:
        raise cannot_use(
            path,
            "it is the database of another program",
            "name another file in url under [database] in newsletter.toml",
        )
    if version > newest_version():
        raise cannot_use(path, "it was written by a newer version of newsletter", "update newsletter")
    return int(version)


def _scripts() -> list[Path]:
    return sorted(_FOLDER.glob("*.sql"))


def _statements(script: str) -> Iterator[str]:
    """Yield the statements one by one, because `executescript` would commit the open transaction first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
