"""Looks at a database file without changing it, or anything beside it."""

import sqlite3
from pathlib import Path
from stat import S_IMODE, filemode

from newsletter.store.examination import DatabaseFacts
from newsletter.store.sqlite.failures import cannot_use, translated
from newsletter.store.sqlite.migrations import newest_version, version_of
from newsletter.store.sqlite.privacy import OF_OTHERS

_MOST_DAMAGES = 5
_WAL_MARK = b"\x02\x02"  # bytes 18 and 19 of the header (https://www.sqlite.org/fileformat2.html)


def examine_sqlite(path: Path) -> DatabaseFacts:
    """Reads the header, the schema's version, and whether all pages hang together.

    Raises StoreError where it is not there, not ours, or cannot be read.
    """
    if not path.is_file():
        raise cannot_use(path, "it is not there", "check [database] url in newsletter.toml")
    with translated(path):
        connection = sqlite3.connect(_address(path), uri=True)
        try:
            schema = version_of(connection, path)
            checked = connection.execute(f"PRAGMA quick_check({_MOST_DAMAGES})").fetchall()
        finally:
            connection.close()
    found = path.stat()
    return DatabaseFacts(
        engine=f"SQLite {sqlite3.sqlite_version}",
        schema=schema,
        newest_schema=newest_version(),
        damages=tuple(words for (words,) in checked if words != "ok"),
        open_to=filemode(found.st_mode) if S_IMODE(found.st_mode) & OF_OTHERS else "",
        journal="wal" if _is_wal(path) else "rollback",
        size_bytes=found.st_size,
    )


def _address(path: Path) -> str:
    """How the file is opened: to read it through a WAL, files beside it are made, so only where there are some."""
    is_in_use = path.with_name(f"{path.name}-wal").exists()
    return f"{path.absolute().as_uri()}?{'mode=ro' if is_in_use else 'immutable=1'}"


def _is_wal(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(20)[18:] == _WAL_MARK
    except OSError:
        return False
