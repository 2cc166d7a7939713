"""Back up all data into one file, and restore it so that no one is emailed twice.

A backup is a SQLite file even if the data is on PostgreSQL, because both engines have the same tables. A restore must
allow for everything that may have happened since the backup was made. Deliveries that had not been sent when the backup
was made become unknown. If the current database still exists, the restore keeps what it knows: who unsubscribed, who
was forgotten, and the broadcasts that began after the backup.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from newsletter.errors import InputError, StoreError
from newsletter.model.address import person_of
from newsletter.store.database import Connection, Database
from newsletter.store.forgotten import digest_of, erase_person, find_key, keep_key
from newsletter.store.ledger.states import hold_back, require_current
from newsletter.store.queries import change, query_all, query_one, query_value
from newsletter.store.sqlite.connection import APPLICATION_ID, BACKUP_ID, SqliteConnection
from newsletter.store.sqlite.engine import SqliteDatabase, is_wal, open_sqlite
from newsletter.store.sqlite.failures import cannot_use, translated
from newsletter.store.sqlite.files import copy_pages, new_file
from newsletter.system.moments import moment_of, text_of

_ROWS_AT_ONCE = 10_000
_PEOPLE_TO_COMPARE = 1000
# The tables that hold broadcasts, each with the column that contains the broadcast's id.
_OF_BROADCAST = {
    "broadcast": "id",
    **dict.fromkeys(
        ("broadcast_topic", "chunk", "delivery", "event", "journal", "picture", "reaction", "settlement", "variant"),
        "broadcast",
    ),
}
Progress = Callable[[float], None]  # called with the fraction that is done, from 0 to 1


class Mark(NamedTuple):
    """The id of a row and the random text by which the same row is recognized in another database."""

    id: int
    mark: str


class OpenBroadcast(NamedTuple):
    """A broadcast that was open when the backup was made, and how many people may have been emailed since."""

    id: int
    issue: str
    people: int


class KeptSuppression(NamedTuple):
    """A suppression with all of its columns."""

    person: str
    topic: str
    email: str
    reason: str
    detail: str
    created_at: str
    repeated_at: str
    handed_over_at: str


class ForgottenRow(NamedTuple):
    """The record of a person who was forgotten."""

    digest: bytes
    subscriber: int | None
    reason: str
    created_at: str


_IS_ANYTHING_THERE = query_value("backup", "is_anything_there", bool)
_NONCES = query_all("backup", "nonces", Mark)
_TOKENS = query_all("backup", "tokens", Mark)
_RUNNERS = query_all("backup", "runners", str)
_OPEN_BROADCASTS = query_all("backup", "open_broadcasts", OpenBroadcast)
_MAKE_UNKNOWN = change("backup", "make_unknown")
_SUPPRESSIONS = query_all("backup", "suppressions", KeptSuppression)
_SUPPRESS = change("backup", "suppress")
_FORGOTTEN = query_all("backup", "forgotten", ForgottenRow)
_REMEMBER = change("backup", "remember")
_EMAILS = query_all("backup", "emails", str)
_EMAIL_OF = query_one("backup", "email_of", str)
_TAKE_OFF = (change("forgotten", "erase_past_consents"), change("forgotten", "erase_subscriber"))


class Restored(Struct, frozen=True, kw_only=True):
    """The result of a restore, including the broadcasts whose progress since the backup is unknown."""

    made_at: datetime  # when the backup was made
    replaced: bool  # whether the database held data; if so, everything that happened since the backup was kept
    open: tuple[OpenBroadcast, ...]  # broadcasts that are now paused, with their unknown deliveries
    carried: tuple[int, ...]  # broadcasts that began after the backup and were kept


def back_up(database: Database, path: Path, *, now: datetime, on_progress: Progress) -> None:
    """Write a snapshot of all data into a new private file. Other programs can keep working meanwhile.

    Raise StoreError if the file already exists or cannot be written. No partial file is left behind.
    """
    with new_file(path) as partial:
        if isinstance(database, SqliteDatabase):
            copy_pages(database.path, partial, on_progress=lambda done, total: on_progress(done / max(1, total)))
        else:
            with (
                open_sqlite(partial, wait_seconds=0) as target,
                database.read() as source,
                target.transaction() as written,
            ):
                _copy_rows(source, written, written.table_columns(), on_progress=on_progress)
        with _plainly(partial) as file:
            file.execute("CREATE TABLE backup (made_at TEXT NOT NULL) STRICT")
            file.execute("INSERT INTO backup VALUES (?)", (text_of(now),))
            file.execute(f"PRAGMA application_id = {BACKUP_ID}")


def is_anything_there(database: Database) -> bool:
    """Return whether the database holds any data at all."""
    return _IS_ANYTHING_THERE.ask(database)


def restore(database: Database, path: Path, *, key: bytes | None, now: datetime, on_progress: Progress) -> Restored:
    """Replace all data in the database with the data of a backup, in one transaction.

    With the `key`, people who were forgotten since the backup are erased even if they were never on the list. Raise
    InputError if a broadcast is being sent, or if the backup is of a different list. Raise StoreError if the file is
    not a backup or is damaged. The file itself is not changed.
    """
    with _opened(path) as (backup, made_at), database.transaction() as present, backup.transaction() as restored:
        _require_nobody_sends(database, present)
        _require_same_list(path, present, restored)
        replaced = _IS_ANYTHING_THERE(present)
        carried = _carry_over(present, restored, key=key)
        left_open = _leave_open(restored, made_at, now=now)
        columns = restored.table_columns()
        for table in reversed(columns):
            present.execute(f"DELETE FROM {table}", {})  # noqa: S608 - our own name
        _copy_rows(restored, present, columns, on_progress=on_progress)
    return Restored(made_at=made_at, replaced=replaced, open=left_open, carried=carried)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[SqliteDatabase, datetime]]:
    """Yield a copy of a backup, migrated to this version, and the time when the backup was made."""
    if not path.is_file():
        raise cannot_use(path, "there is no such file", "give the path of a file that `newsletter backup` wrote")
    with tempfile.TemporaryDirectory(prefix="newsletter-restore-") as folder:
        copy = _copied(path, Path(folder))
        with translated(path), _readable(path), _plainly(copy) as file:
            made_at = _made_at(file, path)
            file.execute("DROP TABLE IF EXISTS backup")
            file.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        try:
            database = open_sqlite(copy, wait_seconds=0)
        except StoreError as err:  # for example, a newer version wrote it
            raise StoreError(str(err).replace(str(copy), str(path))) from err
        with database:
            yield database, made_at


def _copied(path: Path, folder: Path) -> Path:
    """Copy a backup. If the file is a database in use, also copy its WAL, which holds the latest changes."""
    copy = folder / path.name
    try:
        shutil.copyfile(path, copy)
        if is_wal(path):
            with suppress(FileNotFoundError):
                shutil.copyfile(path.with_name(f"{path.name}-wal"), copy.with_name(f"{path.name}-wal"))
    except OSError as err:
        remedy = "free some space there, or set TMPDIR to a folder with enough space"
        raise cannot_use(path, f"it cannot be copied into {folder.parent} ({err.strerror})", remedy) from err
    return copy


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Raise StoreError if SQLite cannot read the backup file."""
    try:
        yield
    except sqlite3.DatabaseError as err:
        if err.sqlite_errorcode & 0xFF == sqlite3.SQLITE_NOTADB:
            raise _no_backup(path) from err
        if err.sqlite_errorcode & 0xFF == sqlite3.SQLITE_CORRUPT:
            raise _damaged(path) from err
        raise


def _no_backup(path: Path) -> StoreError:
    return cannot_use(path, "it is not a newsletter backup", "give the path of a file that `newsletter backup` wrote")


def _damaged(path: Path) -> StoreError:
    return cannot_use(path, "it is damaged", "use another backup")


def _made_at(file: sqlite3.Connection, path: Path) -> datetime:
    (application,) = file.execute("PRAGMA application_id").fetchone()
    if application not in {APPLICATION_ID, BACKUP_ID}:
        raise _no_backup(path)
    if file.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise _damaged(path)
    if application == APPLICATION_ID:  # a copy made by a migration or by hand, which does not record its time
        return datetime.fromtimestamp(path.stat().st_mtime, UTC).replace(microsecond=0)
    (text,) = file.execute("SELECT made_at FROM backup").fetchone()
    return moment_of(text)


@contextmanager
def _plainly(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection to a file. The connection leaves no other files beside it."""
    file = sqlite3.connect(path, isolation_level=None)
    try:
        file.execute("PRAGMA journal_mode = DELETE")
        yield file
    finally:
        file.close()


def _copy_rows(
    source: Connection, target: Connection, columns: Mapping[str, tuple[str, ...]], *, on_progress: Progress
) -> None:
    """Copy all tables, ordered by name. In this order, every table comes after the tables that it refers to."""
    for number, (table, names) in enumerate(columns.items(), start=1):
        _copy_table(source, target, table, names)
        on_progress(number / len(columns))
    target.raise_last_ids(source.last_ids())


def _copy_table(
    source: Connection, target: Connection, table: str, names: tuple[str, ...], *, condition: str = "TRUE"
) -> None:
    query = f"SELECT {', '.join(names)} FROM {table} WHERE {condition}"  # noqa: S608 - our own names
    for page in source.pages(query, _ROWS_AT_ONCE):
        target.load_columns(table, dict(zip(names, zip(*page, strict=True), strict=True)), {})


def _require_nobody_sends(database: Database, present: Connection) -> None:
    if any(database.alive(runner) for runner in _RUNNERS(present)):
        raise InputError(
            "a broadcast is being sent from this database; wait until it is done, or stop the program that sends it, "
            "and try again"
        )


def _require_same_list(path: Path, present: Connection, restored: Connection) -> None:
    """Raise InputError if the same ids mean different broadcasts or different people in the two databases.

    Broadcasts are compared by nonce, and any difference is an error. People are compared by token, and it is an error
    only if none of them matches: a person who returns after being forgotten gets the old id again, but a new token.
    """
    nonces, theirs = dict(_NONCES(present)), dict(_NONCES(restored))
    people = [dict(_TOKENS(connection, size=_PEOPLE_TO_COMPARE)) for connection in (present, restored)]
    if any(nonces[number] != theirs[number] for number in nonces.keys() & theirs.keys()) or (
        people[0].keys() & people[1].keys() and not people[0].items() & people[1].items()
    ):
        raise InputError(
            f"{path} is a backup of a different list than the one in this database; restore it in another newsletter "
            "folder, or move this database away first"
        )


def _carry_over(present: Connection, restored: SqliteConnection, *, key: bytes | None) -> tuple[int, ...]:
    """Add what happened since the backup to the restored data. Return the broadcasts that the backup did not have."""
    known = {broadcast for broadcast, _ in _NONCES(restored)}
    carried = tuple(broadcast for broadcast, _ in _NONCES(present) if broadcast not in known)
    columns, newest = restored.table_columns(), restored.last_ids().get("subscriber", 0)
    for broadcast in carried:
        for table, column in _OF_BROADCAST.items():
            _copy_table(present, restored, table, columns[table], condition=f"{column} = {broadcast}")
    # Keep subscribers who joined since the backup and were emailed: with a new id they could get the same issue again.
    # The backup may have them under an earlier id, if they were off the list for a time. That row is removed first.
    numbers = ", ".join(map(str, carried)) or "NULL"
    mailed = f"SELECT d.subscriber FROM delivery AS d WHERE d.chunk IS NOT NULL AND d.broadcast IN ({numbers})"  # noqa: S608
    joined = f"id > {newest} AND id IN ({mailed})"
    for page in present.pages(f"SELECT person FROM subscriber WHERE {joined}", _ROWS_AT_ONCE):  # noqa: S608
        for take_off in _TAKE_OFF:
            take_off.for_each(restored, [{"person": person} for (person,) in page])
    _copy_table(present, restored, "subscriber", columns["subscriber"], condition=joined)
    _SUPPRESS.for_each(restored, [row._asdict() for row in _SUPPRESSIONS(present)])
    _forget_again(present, restored, key=key)
    restored.raise_last_ids(present.last_ids())  # no id is ever used for two people or two broadcasts
    return carried


def _forget_again(present: Connection, restored: Connection, *, key: bytes | None) -> None:
    """Erase everyone who was forgotten after the backup was made, because the backup still contains them."""
    before = {row.digest for row in _FORGOTTEN(restored)}
    since = [row for row in _FORGOTTEN(present) if row.digest not in before]
    if not since:
        return
    mark, theirs = find_key(present), find_key(restored)
    if mark is None or theirs not in {None, mark}:
        raise InputError(
            "people were forgotten in this database with a different NEWSLETTER_KEY than in the backup; see "
            "`newsletter suppressions remove --forgotten`"
        )
    found = {row.digest: _EMAIL_OF(restored, subscriber=row.subscriber) for row in since}
    if key is not None:  # with the key, also find people who were never on the list
        found |= {digest: email for email in _EMAILS(restored) if (digest := digest_of(person_of(email), key)) in found}
    for digest, email in found.items():
        if email is not None:
            erase_person(restored, email, instead=f"a forgotten person ({digest.hex()[:8]})")
    _REMEMBER.for_each(restored, [row._asdict() for row in since])
    keep_key(restored, mark)


def _leave_open(restored: Connection, made_at: datetime, *, now: datetime) -> tuple[OpenBroadcast, ...]:
    """Mark as unknown all deliveries that may have been sent since the backup, and pause the open broadcasts."""
    reason = f"restored from a backup made at {made_at:%Y-%m-%d %H:%M} UTC"
    left_open = tuple(_OPEN_BROADCASTS(restored))
    for broadcast in left_open:
        _MAKE_UNKNOWN(restored, broadcast=broadcast.id, reason=reason, now=text_of(now))
        hold_back(restored, require_current(restored, broadcast.id), reason=reason, now=now)
    return left_open
