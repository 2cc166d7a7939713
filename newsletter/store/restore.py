"""Replace all data with that of a backup, without anyone being emailed twice.

A restore must allow for everything that may have happened since the backup was made. Deliveries that had not been sent
when the backup was made become unknown. If the current database still exists, the restore keeps its newer data: who
unsubscribed, who was erased, the broadcasts that began after the backup, and the new subscribers who were emailed.
"""

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from newsletter.errors import InputError
from newsletter.store.backup import ROWS_AT_ONCE, Progress, copy_rows, copy_table, opened_backup
from newsletter.store.database import Connection, Database
from newsletter.store.erasing import erase_person
from newsletter.store.forgotten import (
    delete_forgotten,
    digest_of,
    find_key,
    is_key_of,
    keep_key,
    name_of_forgotten,
)
from newsletter.store.importing.import_record import clear_record
from newsletter.store.importing.returning import REMEMBER_AGAIN, may_return
from newsletter.store.ledger.states import hold_back, require_current
from newsletter.store.queries import change, query_all, query_one, query_value
from newsletter.store.sqlite.connection import SqliteConnection
from newsletter.system.moments import text_of

_PEOPLE_TO_COMPARE = 1000
# The tables with the data of broadcasts, each with the column that contains the broadcast's id.
_OF_BROADCAST = {
    "broadcast": "id",
    **dict.fromkeys(("broadcast_topic", "chunk", "delivery", "event", "held_batch", "journal"), "broadcast"),
    **dict.fromkeys(("notice", "picture", "reaction", "settlement", "tracked_link", "variant"), "broadcast"),
}


class Mark(NamedTuple):
    """The id of a row and the random text by which the same row is recognized in another database."""

    id: int
    mark: str


class OpenBroadcast(NamedTuple):
    """A broadcast that was open when the backup was made, and how many people may have been emailed since then."""

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
    consent_on_record: str


class ForgottenRow(NamedTuple):
    """The record of a person who was erased."""

    digest: bytes
    subscriber: int | None
    reason: str
    created_at: str


class PersonInBackup(NamedTuple):
    """A person in a backup, whether on the list or not, and one of their addresses."""

    person: str
    email: str


class NewSubscriber(NamedTuple):
    """A subscriber who joined after the backup was made, and their consent."""

    person: str
    consented_at: str
    consent_source: str


_IS_ANYTHING_THERE = query_value("restore", "is_anything_there", bool)
_NONCES = query_all("restore", "nonces", Mark)
_TOKENS = query_all("restore", "tokens", Mark)
_RUNNERS = query_all("restore", "runners", str)
_EDITION_OF = query_value("freeze", "edition_of", int)
_GIVE_UP_EDITION = change("restore", "give_up_edition")
_OPEN_BROADCASTS = query_all("restore", "open_broadcasts", OpenBroadcast)
_MAKE_UNKNOWN = change("restore", "make_unknown")
_END_RECALLS = change("restore", "end_recalls")
_SUPPRESSIONS = query_all("restore", "suppressions", KeptSuppression)
_SUPPRESS = change("restore", "suppress")
_FORGOTTEN = query_all("restore", "forgotten", ForgottenRow)
_REMEMBER = change("restore", "remember")
_PEOPLE = query_all("restore", "people", PersonInBackup)
_JOINED = query_all("restore", "joined", NewSubscriber)
_EMAIL_OF = query_one("restore", "email_of", str)
_TAKE_OFF = (change("forgotten", "erase_past_consents"), change("forgotten", "erase_subscriber"))


class Restored(Struct, frozen=True, kw_only=True):
    """The result of a restore, including the broadcasts whose progress since the backup is unknown."""

    made_at: datetime  # when the backup was made
    replaced: bool  # whether the database contained data; if so, the data listed in docs/backup.md was carried over
    open: tuple[OpenBroadcast, ...]  # broadcasts that are now paused, with their unknown deliveries
    carried: tuple[int, ...]  # broadcasts that began after the backup and were kept


def is_anything_there(database: Database) -> bool:
    """Return whether the database contains any data at all."""
    return _IS_ANYTHING_THERE.ask(database)


def restore(database: Database, path: Path, *, key: bytes | None, now: datetime, on_progress: Progress) -> Restored:
    """Replace all data in the database with the data of a backup, in one transaction.

    With the `key`, people who were erased since the backup are erased again, even if they were never on the list. Raise
    InputError if a broadcast is being sent, if the backup is of a different list, or if the key is different, or is
    needed and missing. Raise StoreError if the file is not a backup, is damaged, or is from a newer version. The file
    itself is not changed.
    """
    with opened_backup(path) as (backup, made_at), database.transaction() as present, backup.transaction() as restored:
        _require_nobody_sends(database, present)
        _require_same_list(path, present, restored)
        replaced = _IS_ANYTHING_THERE(present)
        carried = _carry_over(present, restored, key=key, now=now)
        left_open = _leave_open(restored, made_at, now=now)
        columns = restored.table_columns()
        for table in reversed(columns):
            present.execute(f"DELETE FROM {table}", {})  # noqa: S608 - our own name
        copy_rows(restored, present, columns, on_progress=on_progress)
        clear_record(present)  # it does not know what happened since the backup
    return Restored(made_at=made_at, replaced=replaced, open=left_open, carried=carried)


def _require_nobody_sends(database: Database, present: Connection) -> None:
    if any(database.alive(runner) for runner in _RUNNERS(present)):
        raise InputError(
            "a broadcast is being sent from this database; wait until it is done, or stop the program that is sending "
            "it, and try again"
        )


def _require_same_list(path: Path, present: Connection, restored: Connection) -> None:
    """Raise InputError if the same ids mean different broadcasts or different people in the two databases.

    Broadcasts are compared by nonce, and any difference is an error. People are compared by token, and it is an error
    only if none of them matches: a person who returns after being erased gets the old id again, but a new token.
    """
    nonces, theirs = dict(_NONCES(present)), dict(_NONCES(restored))
    people = [dict(_TOKENS(connection, size=_PEOPLE_TO_COMPARE)) for connection in (present, restored)]
    if any(nonces[number] != theirs[number] for number in nonces.keys() & theirs.keys()) or (
        people[0].keys() & people[1].keys() and not people[0].items() & people[1].items()
    ):
        raise InputError(
            f"{path} is a backup of a different list than the one in this database; restore it in another newsletter "
            "folder, or move this database to another folder first"
        )


def _carry_over(
    present: Connection, restored: SqliteConnection, *, key: bytes | None, now: datetime
) -> tuple[int, ...]:
    """Add what happened since the backup to the restored data. Return the broadcasts that the backup did not have."""
    known = {broadcast for broadcast, _ in _NONCES(restored)}
    carried = tuple(broadcast for broadcast, _ in _NONCES(present) if broadcast not in known)
    columns, newest = restored.table_columns(), restored.last_ids().get("subscriber", 0)
    for broadcast in carried:
        # A delivery may have given up its place to this broadcast after the backup was made. The states of the chunks
        # still tell the next freeze who may have received the edition.
        _GIVE_UP_EDITION(restored, edition=_EDITION_OF(present, broadcast=broadcast), first=min(carried))
        for table, column in _OF_BROADCAST.items():
            copy_table(present, restored, table, columns[table], condition=f"{column} = {broadcast}")
    # Keep subscribers who joined since the backup and were emailed: with a new id they could get the same issue again.
    # The backup may have them under an earlier id, if they were off the list for a time. That row is removed first.
    numbers = ", ".join(map(str, carried)) or "NULL"
    mailed = f"SELECT d.subscriber FROM delivery AS d WHERE d.chunk IS NOT NULL AND d.broadcast IN ({numbers})"  # noqa: S608
    joined = f"id > {newest} AND id IN ({mailed})"
    for page in present.pages(f"SELECT person FROM subscriber WHERE {joined}", ROWS_AT_ONCE):  # noqa: S608
        for take_off in _TAKE_OFF:
            take_off.for_each(restored, [{"person": person} for (person,) in page])
    copy_table(present, restored, "subscriber", columns["subscriber"], condition=joined)
    _SUPPRESS.for_each(restored, [row._asdict() for row in _SUPPRESSIONS(present)])
    _forget_again(present, restored, newest=newest, key=key, now=now)
    restored.raise_last_ids(present.last_ids())  # no id is ever used for two people or two broadcasts
    return carried


def _forget_again(present: Connection, restored: Connection, *, newest: int, key: bytes | None, now: datetime) -> None:
    """Erase everyone who was erased after the backup was made, because the backup still contains them.

    If people were erased with a different key in the backup, its records of them have been given up since then.
    `newest` is the highest subscriber id in the backup. Raise InputError if the key is different, or is needed and
    missing.
    """
    mark = find_key(present)
    if mark is not None:
        if key is not None and not is_key_of(mark, key):
            raise InputError("NEWSLETTER_KEY is not the key with which people were erased here; set it to that key")
        if find_key(restored) != mark:
            delete_forgotten(restored)
        keep_key(restored, mark)
    before = {row.digest: row.created_at for row in _FORGOTTEN(restored)}
    since = [row for row in _FORGOTTEN(present) if row.created_at > before.get(row.digest, "")]
    _REMEMBER.for_each(restored, [row._asdict() for row in since])
    if key is None:
        for row in since:
            _erase_again(restored, row.digest, _require_email(restored, row.subscriber))
        return
    if digests := _let_return(restored, {row.digest for row in since}, newest=newest, key=key, now=now):
        for person in _PEOPLE(restored):
            if (digest := digest_of(person.person, key)) in digests:
                _erase_again(restored, digest, person.email)


def _let_return(restored: Connection, since: set[bytes], *, newest: int, key: bytes, now: datetime) -> set[bytes]:
    """Delete the records of people who have come back and were carried over. Return the digests of all others.

    The same rule applies as in an import: only new consent of their own lets them return.
    """
    records = {row.digest: row for row in _FORGOTTEN(restored)}
    joined = {
        digest: row for row in _JOINED(restored, newest=newest) if (digest := digest_of(row.person, key)) in records
    }
    returned = {
        digest
        for digest, row in joined.items()
        if may_return(
            records[digest].reason,
            forgotten_at=records[digest].created_at,
            consented_at=row.consented_at,
            consent_source=row.consent_source,
            now=text_of(now),
        )
    }
    REMEMBER_AGAIN.for_each(restored, [{"digest": digest} for digest in returned])
    return (since | joined.keys()) - returned


def _require_email(restored: Connection, subscriber: int | None) -> str:
    email = _EMAIL_OF(restored, subscriber=subscriber)
    if email is None:
        raise InputError(
            "people have been erased since this backup was made, and it takes NEWSLETTER_KEY to find them in it; set "
            "NEWSLETTER_KEY in the environment to the key with which they were erased"
        )
    return email


def _erase_again(restored: Connection, digest: bytes, email: str) -> None:
    erase_person(restored, email, instead=name_of_forgotten(digest))


def _leave_open(restored: Connection, made_at: datetime, *, now: datetime) -> tuple[OpenBroadcast, ...]:
    """Mark as unknown all deliveries that may have been sent since the backup, and pause the open broadcasts."""
    reason = f"restored from a backup made at {made_at:%Y-%m-%d %H:%M} UTC"
    left_open = tuple(_OPEN_BROADCASTS(restored))
    _END_RECALLS(restored)
    for broadcast in left_open:
        _MAKE_UNKNOWN(restored, broadcast=broadcast.id, reason=reason, now=text_of(now))
        hold_back(restored, require_current(restored, broadcast.id), reason=reason, now=now)
    return left_open
