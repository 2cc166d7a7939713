"""Translate errors of SQLite into a StoreError that says what to do."""

import fcntl
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from newsletter.errors import MachineError, StoreError

OTHER_DATABASE = "name another file in url under [database] in newsletter.toml"
_ASK = "ask the person who manages this computer for access to this file and its folder"
BUSY = ("another program is writing to it", "wait until that program has finished, and try again")
# By primary result code (https://www.sqlite.org/rescode.html). Other codes mean a bug in this program, and are not
# translated.
_MEANING = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_NOTADB: ("it is not a newsletter database", OTHER_DATABASE),
    sqlite3.SQLITE_CORRUPT: ("it is damaged", "move it elsewhere, and restore a backup with `newsletter restore`"),
    sqlite3.SQLITE_PERM: ("you do not have permission to use it", _ASK),
    sqlite3.SQLITE_AUTH: ("you do not have permission to use it", _ASK),
    sqlite3.SQLITE_READONLY: ("you do not have permission to change it", _ASK),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", f"create its folder if there is none, or {_ASK}"),
    sqlite3.SQLITE_FULL: ("the disk is full", "free some space and try again; this step saved nothing"),
    sqlite3.SQLITE_IOERR: ("the disk cannot be read or written", "check the disk; this step saved nothing"),
    sqlite3.SQLITE_NOMEM: ("there is not enough memory", "close other programs and try again"),
}

# Failed locks, by extended result code, or by primary code if there is none.
_LOCKS = frozenset(
    {
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_IOERR_LOCK,
        sqlite3.SQLITE_IOERR_RDLOCK,
        sqlite3.SQLITE_IOERR_UNLOCK,
        sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK,
        sqlite3.SQLITE_IOERR_SHMLOCK,
    }
)
_OF_THE_MACHINE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM})


def cannot_use(path: Path, what: str, remedy: str) -> StoreError:
    """Return a StoreError about the database file."""
    return StoreError(f"{path}: {what}; {remedy}")


def without_locks(folder: Path) -> MachineError:
    """Return a MachineError about a drive on which two processes cannot keep out of each other's way."""
    return MachineError(
        f"{folder}: this drive does not support locks, so two processes could send the same emails; move the "
        "newsletter folder to a local disk"
    )


def _has_locks(folder: Path) -> bool:
    """Return whether files in a folder can be locked. If they cannot, SQLite may report that the database is busy."""
    with suppress(OSError), tempfile.TemporaryFile(dir=folder) as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise StoreError if SQLite or the system cannot use the file at `path`."""
    try:
        yield
    except sqlite3.DatabaseError as err:
        code = getattr(err, "sqlite_errorcode", None)
        if code in _LOCKS or (code == sqlite3.SQLITE_BUSY and not _has_locks(path.parent)):
            raise without_locks(path.parent) from err
        if code is None or code & 0xFF not in _MEANING:
            raise
        what, remedy = _MEANING[code & 0xFF]
        kind = MachineError if code & 0xFF in _OF_THE_MACHINE else StoreError
        raise kind(f"{path}: {what}; {remedy}") from err
