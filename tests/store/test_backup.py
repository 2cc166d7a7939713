"""A backup holds one state of everything; restoring it never lets anybody get an issue twice."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.errors import InputError, StoreError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import Broadcast, BroadcastState, ChunkState
from newsletter.model.event import Event, EventType
from newsletter.model.ledger import Resolution
from newsletter.store.backup import Restored, back_up, restore
from newsletter.store.database import Database
from newsletter.store.events import add_events
from newsletter.store.forgotten import clear_forgotten, count_forgotten, forgotten_since
from newsletter.store.ledger.broadcasts import finish_if_done, list_broadcasts, require_broadcast, resume_broadcast
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.journal import journal_of
from newsletter.store.ledger.resolve import resolve_chunk, unknown_chunks
from newsletter.store.ledger.status import tally_of
from newsletter.store.opening import open_database
from newsletter.store.sqlite import files
from newsletter.store.subscribers import export_subscribers, find_subscriber, past_consents
from newsletter.store.suppressions import add_suppression, find_suppression
from tests.store.builders import (
    KEY,
    NOW,
    add,
    add_people,
    at,
    claim,
    forget,
    freeze,
    id_of,
    record,
    row,
    send_all,
    states,
)
from tests.store.earlier import PEOPLE
from tests.store.query_world import seed
from tests.store.sqlite.test_migrations import of_the_schema_before

Location = Path | str
LATER = NOW + timedelta(days=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup.db"


def ignore(_share: float) -> None:
    """Hears progress."""


def save(database: Database, file: Path) -> Path:
    back_up(database, file, now=NOW, on_progress=ignore)
    return file


def bring_back(database: Database, file: Path, *, key: bytes | None = KEY) -> Restored:
    return restore(database, file, key=key, now=LATER, on_progress=ignore)


def contents(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    with sqlite3.connect(":memory:") as names:
        for script in sorted((Path(files.__file__).parents[1] / "sql/migrations/sqlite").glob("*.sql")):
            names.executescript(script.read_text())
        query = (
            "SELECT t.name, group_concat(c.name) FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c ON TRUE "
            "WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' GROUP BY t.name"
        )
        tables = names.execute(query).fetchall()
    names.close()
    with database.read() as connection:
        return {
            table: sorted(connection.execute(f"SELECT {columns} FROM {table}", {}).fetchall(), key=repr)
            for table, columns in tables
        }


def test_everything_comes_back_into_a_new_database_of_either_engine(
    database: Database, fresh_location: Callable[[], Location], file: Path, tmp_path: Path
) -> None:
    with database.transaction() as connection:
        seed(connection)
        connection.execute("UPDATE chunk SET state = 'accepted' WHERE state IN ('ready', 'inflight')", {})
        connection.execute("DELETE FROM forgotten", {})
        connection.raise_last_ids({"broadcast": 20, "subscriber": 20})  # which were given by the product itself
        connection.execute("UPDATE broadcast SET state = 'paused' WHERE state IN ('scheduled', 'running')", {})
    add(database, row("ünï@example.org", first_name="Zoë 💗"))
    save(database, file)

    assert file.stat().st_mode & 0o777 == 0o600
    for location in (fresh_location(), tmp_path / "other.db"):
        with open_database(location) as other:
            done = bring_back(other, file)
            assert contents(other) == contents(database)
            last = id_of(other, "ünï@example.org")
            add(other, row("next@example.org"))
            assert id_of(other, "next@example.org") > last
        assert (done.made_at, done.replaced, done.open, done.carried) == (NOW, False, (), ())


def test_a_backup_is_of_one_state_though_others_write_meanwhile(
    database: Database, file: Path, monkeypatch: pytest.MonkeyPatch, fresh_location: Callable[[], Location]
) -> None:
    monkeypatch.setattr(files, "_PAGES_AT_ONCE", 1)
    add_people(database, 50)
    told = []

    def change_names() -> None:
        with database.transaction() as connection:
            connection.execute("UPDATE subscriber SET first_name = 'changed'", {})

    def hear(share: float) -> None:
        if not told:
            with ThreadPoolExecutor(1) as aside:  # whose connection is another, as that of another process is
                aside.submit(change_names).result()
        told.append(share)

    back_up(database, file, now=NOW, on_progress=hear)

    assert len(told) > 5
    assert (sorted(told), told[-1]) == (told, 1.0)
    with open_database(fresh_location()) as other:
        bring_back(other, file)
        assert {person.record.first_name for person in export_subscribers(other)} == {""}


def test_a_file_is_never_overwritten_and_nothing_is_left_of_a_failure(database: Database, file: Path) -> None:
    file.write_text("mine")
    with pytest.raises(StoreError, match="already exists; choose another file"):
        save(database, file)
    assert file.read_text() == "mine"
    file.unlink()

    with pytest.raises(StoreError, match="its folder does not exist"):
        save(database, file.parent / "none" / "backup.db")

    def fail(_share: float) -> None:
        file.write_text("mine")  # somebody puts a file there meanwhile

    with pytest.raises(StoreError, match="already exists"):
        back_up(database, file, now=NOW, on_progress=fail)
    assert file.read_text() == "mine"
    assert not [each.name for each in file.parent.iterdir() if each.name.startswith(".")]


def broadcast_under_way(database: Database) -> Broadcast:
    """One chunk of three was taken, one is being handed over by a program that has died since."""
    add_people(database, 30)
    broadcast = freeze(database)
    record(database, claim(database, broadcast))
    claim(database, broadcast)
    return broadcast


def test_what_was_not_handed_over_at_the_backup_is_unknown_and_never_leaves_again(
    database: Database, file: Path
) -> None:
    broadcast = broadcast_under_way(database)
    save(database, file)
    send_all(database, broadcast)

    done = bring_back(database, file)

    assert [(each.id, each.issue, each.people) for each in done.open] == [(broadcast.id, "2026-02", 20)]
    assert states(database, broadcast) == {ChunkState.ACCEPTED: 10, ChunkState.UNKNOWN: 20}
    assert tally_of(database, broadcast.id).adds_up
    held = require_broadcast(database, broadcast.id)
    assert (held.state, held.reason) == (BroadcastState.PAUSED, "restored from a backup made at 2026-02-19 08:00 UTC")
    assert journal_of(database, broadcast.id)[-1].detail == held.reason
    assert {chunk.reason for chunk in unknown_chunks(database, broadcast.id)} == {held.reason}
    resume_broadcast(database, broadcast.id, now=LATER)
    assert claim_chunk(database, broadcast.id, "", (), now=LATER) is None
    with pytest.raises(InputError, match=f"30 already in broadcast {broadcast.id}"):
        freeze(database)


def test_a_person_can_still_decide_to_resend(database: Database, file: Path) -> None:
    broadcast = broadcast_under_way(database)
    save(database, file)
    bring_back(database, file)

    for chunk in unknown_chunks(database, broadcast.id):
        assert resolve_chunk(
            database, broadcast.id, chunk.number, chunk.attempt, Resolution.RESEND, detail="looked", now=LATER
        )
    resume_broadcast(database, broadcast.id, now=LATER)

    assert len(send_all(database, broadcast)) == 20


def test_scheduled_broadcasts_are_paused_too(database: Database, file: Path) -> None:
    add_people(database, 3)
    broadcast = freeze(database, schedule=at(LATER))
    save(database, file)

    done = bring_back(database, file)

    assert [(each.id, each.people) for each in done.open] == [(broadcast.id, 3)]
    assert require_broadcast(database, broadcast.id).state is BroadcastState.PAUSED


def test_who_left_and_who_was_forgotten_since_stays_so(database: Database, file: Path) -> None:
    add(database, *(row(f"{name}@example.org") for name in ("ana", "bo", "cy", "di")))
    add_suppression(database, "stranger@example.org", SuppressionReason.BOUNCED, now=NOW)
    add_suppression(database, "di@example.org", SuppressionReason.BOUNCED, now=NOW)
    save(database, file)
    add_suppression(database, "ana@example.org", SuppressionReason.UNSUBSCRIBED, now=LATER)
    add_suppression(database, "di@example.org", SuppressionReason.MANUAL, now=LATER)
    assert forget(database, "bo@example.org")
    assert forget(database, "stranger@example.org")

    bring_back(database, file)

    for email, reason in (("ana@example.org", "unsubscribed"), ("di@example.org", "manual")):
        suppression = find_suppression(database, email)
        assert suppression is not None
        assert suppression.reason == reason
    assert find_subscriber(database, "bo@example.org") is None
    assert find_suppression(database, "stranger@example.org") is None
    assert count_forgotten(database) == 2
    for email in ("bo@example.org", "stranger@example.org"):
        assert forgotten_since(database, email, key=KEY) == NOW
    assert send_all(database, freeze(database)) == ["cy@example.org"]


def test_without_the_key_those_on_the_list_are_erased_again_all_the_same(database: Database, file: Path) -> None:
    add(database, row("bo@example.org"), row("cy@example.org"))
    save(database, file)
    forget(database, "bo@example.org")

    bring_back(database, file, key=None)

    assert find_subscriber(database, "bo@example.org") is None
    assert forgotten_since(database, "bo@example.org", key=KEY) == NOW


def test_broadcasts_that_began_since_are_carried_over(database: Database, file: Path) -> None:
    add_people(database, 20)
    first = freeze(database, "2026-01")
    send_all(database, first)
    finish_if_done(database, first.id, now=NOW)
    save(database, file)
    add_people(database, 20, prefix="new")
    third = freeze(database, "2026-03")
    send_all(database, third)
    finish_if_done(database, third.id, now=NOW)
    second = freeze(database, "2026-02")
    add_people(database, 20, prefix="later")
    record(database, claim(database, second))

    done = bring_back(database, file)

    assert done.carried == (third.id, second.id)
    assert [(each.id, each.people) for each in done.open] == [(second.id, 30)]
    assert states(database, second) == {ChunkState.ACCEPTED: 10, ChunkState.UNKNOWN: 30}
    assert tally_of(database, second.id).adds_up
    with pytest.raises(InputError, match=f"40 already in broadcast {second.id}"):
        freeze(database, "2026-02")
    assert len(list(export_subscribers(database))) == 40, "those who were mailed stay; the later ones are gone"
    add_people(database, 20, prefix="new")
    with pytest.raises(InputError, match=f"40 already in broadcast {second.id}"):
        freeze(database, "2026-02")
    add(database, row("last@example.org"))
    assert id_of(database, "last@example.org") > 60, "the number of somebody who was on the list was given again"


def test_who_was_mailed_by_another_number_than_the_backup_knows_is_on_the_list_once(
    database: Database, file: Path
) -> None:
    add_people(database, 3)
    add(database, row("ana@example.org", consent_source="before"))
    add(database, row("ana@example.org", consent_source="after", consented_at=NOW + timedelta(hours=1)))
    earlier = id_of(database, "ana@example.org")
    assert past_consents(database, earlier)
    save(database, file)
    forget(database, "ana@example.org")
    clear_forgotten(database)
    add(database, row("ana@example.org", first_name="Ana"))
    number = id_of(database, "ana@example.org")
    sent = freeze(database)
    send_all(database, sent)

    bring_back(database, file)

    ana = find_subscriber(database, "ana@example.org")
    assert ana is not None
    assert (ana.id, ana.record.first_name, past_consents(database, earlier)) == (number, "Ana", ())
    with pytest.raises(InputError, match=f"4 already in broadcast {sent.id}"):
        freeze(database)


def test_a_restore_can_be_undone_though_the_list_was_imported_again_and_mailed(database: Database, file: Path) -> None:
    add_people(database, 3)
    save(database, file)
    add_people(database, 3, prefix="late")
    aside = save(database, file.with_name("aside.db"))
    for _ in range(2):
        bring_back(database, file)
    add_people(database, 3, prefix="late")
    sent = freeze(database)
    send_all(database, sent)

    for _ in range(2):
        bring_back(database, aside)

    assert len(list(export_subscribers(database))) == 6
    with pytest.raises(InputError, match=f"6 already in broadcast {sent.id}"):
        freeze(database)


def test_numbers_of_broadcasts_that_nobody_knows_of_bring_no_old_reports(
    database: Database, fresh_location: Callable[[], Location], file: Path
) -> None:
    add_people(database, 2)
    save(database, file)
    lost = freeze(database)

    with open_database(fresh_location()) as other:
        assert not bring_back(other, file).replaced
        again = freeze(other)
        assert again.id == lost.id
        report = Event(
            id="1", at=NOW, type=EventType.OPENED, broadcast=lost.id, nonce=lost.nonce, chunk=1, attempt=1,
            subscriber=1, detail="",
        )  # fmt: skip
        assert add_events(other, [report]) == 0
        assert again.mailing_id != lost.mailing_id


def test_nothing_is_restored_while_a_program_sends(database: Database, file: Path) -> None:
    add_people(database, 5)
    save(database, file)
    broadcast = freeze(database)
    with database.runner() as runner:
        chunk = claim(database, broadcast, runner=runner.id)
        with pytest.raises(InputError, match="a broadcast is being sent"):
            bring_back(database, file)
    record(database, chunk)

    assert list_broadcasts(database)


def test_a_backup_of_another_list_is_refused(
    database: Database, fresh_location: Callable[[], Location], file: Path
) -> None:
    add_people(database, 3)
    freeze(database)
    people = contents(database)
    with open_database(fresh_location()) as other:
        add_people(other, 3, prefix="other")
        save(other, file)
        with pytest.raises(InputError, match="a backup of a different list"):
            bring_back(database, file)
        file.unlink()
        freeze(other)
        save(other, file)
    with pytest.raises(InputError, match="a backup of a different list"):
        bring_back(database, file)

    assert contents(database) == people


def test_a_file_that_is_none_or_damaged_is_refused(database: Database, file: Path) -> None:
    with pytest.raises(StoreError, match="there is no such file"):
        bring_back(database, file)
    file.write_text("nothing of the kind, and long enough to be looked at" * 50)
    with pytest.raises(StoreError, match=r"backup\.db: it is not a newsletter backup"):
        bring_back(database, file)
    file.unlink()
    sqlite3.connect(file).executescript("CREATE TABLE a (b)").connection.close()
    with pytest.raises(StoreError, match="it is not a newsletter backup"):
        bring_back(database, file)
    file.unlink()
    add_people(database, 200)
    newer = sqlite3.connect(save(database, file))
    newer.execute("PRAGMA user_version = 999")
    newer.close()
    with pytest.raises(StoreError, match=f"{file}: it was written by a newer version"):
        bring_back(database, file)
    file.unlink()
    data = bytearray(save(database, file).read_bytes())
    data[8192:16384] = b"\xff" * 8192
    for damaged in (data, data[:16384]):
        file.write_bytes(damaged)
        with pytest.raises(StoreError, match=r"backup\.db: it is damaged; use another backup"):
            bring_back(database, file)


def test_a_backup_put_in_place_by_hand_is_refused(tmp_path: Path, database: Database) -> None:
    save(database, tmp_path / "copied.db")

    with pytest.raises(StoreError, match=r"it is a backup, .*; .* `newsletter restore`"):
        open_database(tmp_path / "copied.db")


def test_what_a_migration_kept_of_an_earlier_version_can_be_restored(database: Database, tmp_path: Path) -> None:
    earlier = of_the_schema_before(tmp_path / "earlier.db", PEOPLE)
    before = earlier.read_bytes()

    bring_back(database, earlier)

    assert id_of(database, "ana@example.org") == 1
    assert earlier.read_bytes() == before


def test_of_a_database_in_use_the_newest_is_restored_too(database: Database, tmp_path: Path) -> None:
    source = tmp_path / "source.db"
    with open_database(source) as other:
        add_people(other, 5)
        add(other, row("last@example.org"))
        assert source.with_name("source.db-wal").stat().st_size
        bring_back(database, source)

    assert len(list(export_subscribers(database))) == 6


KILLED = """
import os, pathlib, signal, sys
from datetime import UTC, datetime
from newsletter.store import backup
from newsletter.store.opening import open_database
what, location, file = sys.argv[1:]
location = location if "://" in location else pathlib.Path(location)
def die(share):
    if share > 0.5:
        os.kill(os.getpid(), signal.SIGKILL)
with open_database(location) as database:
    if what == "back_up":
        backup.back_up(database, pathlib.Path(file), now=datetime.now(UTC), on_progress=die)
    backup.restore(database, pathlib.Path(file), key=None, now=datetime.now(UTC), on_progress=die)
"""


def test_a_process_killed_while_it_restores_or_saves_changes_nothing(
    database: Database, location: Location, file: Path
) -> None:
    broadcast_under_way(database)
    save(database, file)
    add(database, row("late@example.org"))
    before = contents(database)
    for what, path in (("restore", file), ("back_up", file.with_name("second.db"))):
        died = subprocess.run([sys.executable, "-c", KILLED, what, str(location), str(path)], check=False)
        assert died.returncode == -signal.SIGKILL

    with open_database(location) as again:
        assert contents(again) == before
    assert not file.with_name("second.db").exists()
