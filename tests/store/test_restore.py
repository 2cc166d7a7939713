"""Restoring a backup never lets anybody get an issue twice, and keeps what is known of who left."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.errors import InputError
from newsletter.model.broadcast import Broadcast, BroadcastState, ChunkState
from newsletter.model.event import Event, EventType
from newsletter.model.ledger import Resolution
from newsletter.store.database import Database
from newsletter.store.events import own_events
from newsletter.store.forgotten import clear_forgotten
from newsletter.store.ledger.broadcasts import finish_if_done, list_broadcasts, require_broadcast, resume_broadcast
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.journal import journal_of
from newsletter.store.ledger.recall import settle_recall
from newsletter.store.ledger.resolve import resolve_chunk, unknown_chunks
from newsletter.store.ledger.status import tally_of
from newsletter.store.opening import open_database
from newsletter.store.subscribers import export_subscribers, find_subscriber, past_consents
from tests.store.builders import (
    NOW,
    add,
    add_people,
    at,
    claim,
    forget,
    freeze,
    hold,
    id_of,
    record,
    row,
    send_all,
    states,
)
from tests.store.test_backup import LATER, Location, bring_back, contents, save


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


def test_unattended_broadcasts_are_paused_too(database: Database, file: Path) -> None:
    add_people(database, 3)
    broadcast = freeze(database, schedule=at(LATER))
    save(database, file)

    done = bring_back(database, file)

    assert [(each.id, each.people) for each in done.open] == [(broadcast.id, 3)]
    assert require_broadcast(database, broadcast.id).state is BroadcastState.PAUSED


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
            at=NOW, type=EventType.OPENED, broadcast=lost.id, nonce=lost.nonce, chunk=1, attempt=1,
            subscriber=1, detail="",
        )  # fmt: skip
        assert own_events(other, [report]) == []
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


def test_what_the_provider_holds_is_not_recalled_and_sent_again_after_a_restore(database: Database, file: Path) -> None:
    """It may have been recalled and sent again since the backup."""
    add_people(database, 10)
    due = NOW + timedelta(hours=1)
    broadcast = hold(database, due)
    record(database, claim(database, broadcast, hold_within=timedelta(hours=2)))
    finish_if_done(database, broadcast.id, now=NOW)
    save(database, file)

    bring_back(database, file)
    settle_recall(database, "batch", confirmed_at=NOW + timedelta(minutes=1), now=NOW + timedelta(minutes=1))

    assert states(database, broadcast) == {ChunkState.UNKNOWN: 10}
    assert claim_chunk(database, broadcast.id, "", (), now=due) is None


def test_what_was_recalled_at_the_backup_is_not_sent_again_after_a_restore(database: Database, file: Path) -> None:
    add_people(database, 10)
    broadcast = hold(database, NOW + timedelta(hours=1))
    chunk = claim(database, broadcast, hold_within=timedelta(hours=2))
    settle_recall(database, "batch", confirmed_at=NOW, now=NOW)
    record(database, chunk)  # it was on its way, and is still to be settled
    save(database, file)

    bring_back(database, file)
    settle_recall(database, "batch", confirmed_at=None, now=NOW)

    assert states(database, broadcast) == {ChunkState.UNKNOWN: 10}
