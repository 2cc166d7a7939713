"""Claiming chunks: in order, durably, and without whoever must not be mailed any more."""

import sqlite3
from threading import Thread

import pytest

from newsletter.model.audience import ImportRow, SuppressionReason
from newsletter.model.broadcast import DeliveryStatus, Outcome, Verdict
from newsletter.model.ledger import ClaimedDelivery, SettledCount
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import pause_broadcast, resume_broadcast
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.status import settled_counts, tally_of
from newsletter.store.subscribers import find_subscriber, remove_subscriber
from newsletter.store.suppressions import add_suppression
from tests.store.builders import NOW, add, add_people, claim, freeze, record


def test_claimed_delivery_has_all_that_its_message_needs(database: Database) -> None:
    add(database, ImportRow(0, "Ana@example.org", "Ana", "Lima", "es", attributes={"country": "ES"}))
    ana = find_subscriber(database, "ana@example.org")
    assert ana is not None
    broadcast = freeze(database)

    chunk = claim(database, broadcast, ["country", "language", "shoe", "timezone"])

    assert (chunk.broadcast, chunk.number, chunk.attempt, chunk.variant_key) == (broadcast.id, 1, 1, "0")
    assert chunk.deliveries == (
        ClaimedDelivery(ana.id, "Ana@example.org", "Ana", "Lima", ana.token, ("ES", "es", "", "")),
    )


@pytest.mark.parametrize(
    ("fields", "values"),
    [
        ((), ()),
        (("first_name",), ("Ana",)),
        (("language", "first_name"), ("es", "Ana")),
        (("country",), ("ES",)),
        (("token", "id", "tags"), ("", "", "")),
    ],
)
def test_values_stand_in_the_order_of_the_fields(
    database: Database, fields: tuple[str, ...], values: tuple[str, ...]
) -> None:
    add(database, ImportRow(0, "ana@example.org", "Ana", "Lima", "es", tags=("x",), attributes={"country": "ES"}))

    assert claim(database, freeze(database), fields).deliveries[0].values == values


def test_chunks_are_claimed_from_the_lowest_until_none_is_ready(database: Database) -> None:
    add_people(database, 25)
    broadcast = freeze(database, chunk_size=10)

    assert [claim(database, broadcast).number for _ in range(3)] == [1, 2, 3]
    assert claim_chunk(database, broadcast.id, "", (), now=NOW) is None


def test_claim_is_on_record_for_any_other_program(database: Database) -> None:
    add_people(database, 3)
    broadcast = freeze(database)

    claim(database, broadcast, runner="r1")

    other = sqlite3.connect(database.path)
    assert other.execute("SELECT state, attempt, runner FROM chunk").fetchall() == [("inflight", 1, "r1")]
    other.close()


def test_attempts_are_counted(database: Database) -> None:
    add_people(database, 1)
    broadcast = freeze(database)

    for attempt in (1, 2, 3):
        chunk = claim(database, broadcast)
        assert chunk.attempt == attempt
        record(database, chunk, Outcome(verdict=Verdict.READY))


def test_paused_broadcast_gives_no_chunk_until_it_is_resumed(database: Database) -> None:
    add_people(database, 1)
    broadcast = freeze(database)

    pause_broadcast(database, broadcast.id, "look at the key")
    assert claim_chunk(database, broadcast.id, "", (), now=NOW) is None

    resume_broadcast(database, broadcast.id)
    assert claim(database, broadcast).number == 1


def test_whoever_was_suppressed_or_removed_since_the_freeze_is_excluded(database: Database) -> None:
    add_people(database, 5)
    broadcast = freeze(database)
    add_suppression(database, "person00001@example.org", SuppressionReason.UNSUBSCRIBED, now=NOW)
    remove_subscriber(database, "person00003@example.org")

    chunk = claim(database, broadcast)

    assert [delivery.email[6:11] for delivery in chunk.deliveries] == ["00000", "00002", "00004"]
    assert settled_counts(database, broadcast.id) == (
        SettledCount(status=DeliveryStatus.EXCLUDED, reason="removed from the list", deliveries=1),
        SettledCount(status=DeliveryStatus.EXCLUDED, reason="unsubscribed", deliveries=1),
    )
    record(database, chunk)
    assert tally_of(database, broadcast.id).adds_up


def test_chunk_of_which_nobody_is_left_is_passed_over(database: Database) -> None:
    add_people(database, 4)
    broadcast = freeze(database, chunk_size=2)
    for number in range(2):
        add_suppression(database, f"person{number:05}@example.org", SuppressionReason.BOUNCED, now=NOW)

    assert claim(database, broadcast).number == 2
    assert claim_chunk(database, broadcast.id, "", (), now=NOW) is None
    assert tally_of(database, broadcast.id).excluded == 2
    assert tally_of(database, broadcast.id).adds_up


def test_threads_share_the_chunks_without_overlap(database: Database) -> None:
    add_people(database, 200)
    broadcast = freeze(database, chunk_size=5)
    claimed: list[str] = []

    def work() -> None:
        while chunk := claim_chunk(database, broadcast.id, "", (), now=NOW):
            claimed.extend(delivery.email for delivery in chunk.deliveries)
            record(database, chunk)

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(claimed) == len(set(claimed)) == 200
