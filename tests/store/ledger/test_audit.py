"""The audit: the result of every delivery, with its time and reason, and one delivery by its address."""

from datetime import timedelta

import pytest

from newsletter.errors import InputError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import Outcome, Verdict
from newsletter.model.ledger import AuditedDelivery
from newsletter.store.database import Database
from newsletter.store.ledger import audit
from newsletter.store.ledger.audit import audited_deliveries, find_delivery
from newsletter.store.suppressions import add_suppression
from tests.store.builders import KEY, NOW, add, add_people, by_own_clock, claim, forget, freeze, id_of, record, row

LATER = NOW + timedelta(hours=1)


def test_every_delivery_is_told_with_all_that_is_known(database: Database) -> None:
    add_people(database, 4)
    add_suppression(database, "person00000@example.org", SuppressionReason.BOUNCED, now=NOW)
    ids = [id_of(database, f"person{number:05}@example.org") for number in range(4)]
    broadcast = freeze(database, chunk_size=2)
    refused = Outcome(verdict=Verdict.ACCEPTED, message_id="m1", invalid={ids[2]: "refused"})
    record(database, claim(database, broadcast, now=LATER), refused)

    empty = {"attempt": 0, "message_id": "", "due_at": None, "zone": "", "at": NOW}
    emails = [f"person{number:05}@example.org" for number in range(4)]
    assert list(audited_deliveries(database, broadcast.id)) == [
        AuditedDelivery(subscriber=ids[0], email=emails[0], status="excluded", reason="bounced", chunk=None, **empty),
        AuditedDelivery(
            subscriber=ids[1],
            email=emails[1],
            status="accepted",
            reason="",
            at=NOW,
            chunk=1,
            attempt=1,
            message_id="m1",
            due_at=None,
            zone="",
        ),
        AuditedDelivery(subscriber=ids[2], email=emails[2], status="invalid", reason="refused", chunk=None, **empty),
        AuditedDelivery(subscriber=ids[3], email=emails[3], status="ready", reason="", chunk=2, **empty),
    ]


def test_deliveries_of_one_status_are_told_alone(database: Database) -> None:
    add_people(database, 5)
    broadcast = freeze(database, chunk_size=2)
    record(database, claim(database, broadcast), Outcome(verdict=Verdict.UNKNOWN, reason="timeout"))

    unknown = list(audited_deliveries(database, broadcast.id, status="unknown"))

    assert [(delivery.email[6:11], delivery.reason) for delivery in unknown] == [
        ("00000", "timeout"),
        ("00001", "timeout"),
    ]
    assert len(list(audited_deliveries(database, broadcast.id, status="ready"))) == 3
    assert list(audited_deliveries(database, broadcast.id, status="invalid")) == []


def test_pages_follow_each_other(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_PAGE", 3)
    add_people(database, 10)
    broadcast = freeze(database)

    assert [delivery.email for delivery in audited_deliveries(database, broadcast.id)] == [
        f"person{number:05}@example.org" for number in range(10)
    ]


def test_one_delivery_is_found_by_any_spelling_of_its_address(database: Database) -> None:
    add(database, row("Ana@example.org", timezone="Asia/Tokyo"))
    broadcast = freeze(database, schedule=by_own_clock(20))

    found = find_delivery(database, broadcast.id, "ANA@Example.ORG")

    assert found is not None
    assert (found.email, found.status, found.zone) == ("Ana@example.org", "ready", "Asia/Tokyo")
    assert found.due_at == by_own_clock(20).moment_in("Asia/Tokyo")


def test_delivery_of_somebody_who_was_forgotten_is_found_with_the_key(database: Database) -> None:
    add_people(database, 2)
    broadcast = freeze(database)
    record(database, claim(database, broadcast))
    forget(database, "person00000@example.org")

    assert find_delivery(database, broadcast.id, "person00000@example.org") is None
    found = find_delivery(database, broadcast.id, "PERSON00000@example.org", key=KEY)

    assert found is not None
    assert (found.email, found.status) == ("", "accepted")


def test_nobody_is_found_whom_the_broadcast_was_not_meant_for(database: Database) -> None:
    add_people(database, 1)
    broadcast = freeze(database)
    add(database, row("new@example.org"))

    assert find_delivery(database, broadcast.id, "new@example.org") is None
    assert find_delivery(database, broadcast.id, "stranger@example.org") is None
    with pytest.raises(InputError, match="there is no broadcast 9"):
        find_delivery(database, 9, "new@example.org")
