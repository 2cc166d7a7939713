"""The record of a broadcast: everyone, every request, and a file that reveals no more than it should."""

import csv
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import asdict

from newsletter.errors import InputError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import Broadcast, Outcome, Verdict
from newsletter.model.ledger import Approval, Entry
from newsletter.store.approvals import approve
from newsletter.store.database import Database
from newsletter.store.suppressions import add_suppression
from newsletter.workflows.send.audit import (
    COLUMNS,
    SHOWN_REQUESTS,
    audit_broadcast,
    audit_person,
    list_deliveries,
    part_of,
    write_deliveries,
)
from tests.store.builders import KEY, NOW, add, add_people, claim, forget, freeze, id_of, record, row, send_all
from tests.store.empty_file import open_test_database

FORMULA = "=1+1@example.org"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database with six people, one of whom left before anything was sent."""
    with open_test_database(tmp_path / "newsletter.db", wait_seconds=1) as opened:
        add_people(opened, 5)
        add(opened, row(FORMULA))
        add_suppression(opened, "person00004@example.org", SuppressionReason.UNSUBSCRIBED, now=NOW)
        yield opened


def mixed(database: Database) -> Broadcast:
    """Two accepted, one invalid, one unknown, one waiting, one excluded."""
    broadcast = freeze(database, chunk_size=2)
    record(database, claim(database, broadcast))
    chunk = claim(database, broadcast)
    (refused, _) = (delivery.subscriber for delivery in chunk.deliveries)
    answer = Outcome(verdict=Verdict.UNKNOWN, reason="no answer", invalid={refused: "550 nobody here"})
    record(database, chunk, answer)
    return broadcast


def parts(database: Database, broadcast: Broadcast, part: str | None = None) -> list[str]:
    return sorted(part_of(delivery) for delivery in list_deliveries(database, broadcast.id, part=part))


def test_everybody_is_behind_exactly_one_number(database: Database) -> None:
    broadcast = mixed(database)
    account = audit_broadcast(database, broadcast.id)

    assert account.tally.adds_up
    assert parts(database, broadcast) == ["accepted", "accepted", "excluded", "invalid", "unknown", "waiting"]
    numbers = asdict(account.tally)
    for part in numbers.keys() - {"frozen"}:
        assert parts(database, broadcast, part) == [part] * numbers[part]


def test_requests_are_shown_one_by_one_while_they_are_few(database: Database) -> None:
    account = audit_broadcast(database, mixed(database).id)

    assert [(request.state.value, request.deliveries, request.message_id) for request in account.requests] == [
        ("accepted", 2, "m1"),
        ("unknown", 1, ""),
        ("ready", 1, ""),
    ]
    assert account.requests[0].at == NOW


def test_many_requests_are_counted_by_state_and_listed_for_a_script(database: Database) -> None:
    add_people(database, SHOWN_REQUESTS + 10, prefix="more")
    broadcast = freeze(database, chunk_size=1)
    record(database, claim(database, broadcast))

    account = audit_broadcast(database, broadcast.id)

    assert account.requests == ()
    assert [(group.state.value, group.requests) for group in account.groups] == [
        ("accepted", 1),
        ("ready", SHOWN_REQUESTS + 14),
    ]
    assert len(audit_broadcast(database, broadcast.id, every_request=True).requests) == SHOWN_REQUESTS + 15


def test_the_account_says_what_happened_and_who_approved(database: Database) -> None:
    approve(database, Approval(issue="2026-02", content_hash="abc", by="Ana Lima", at=NOW - timedelta(hours=1)))
    approve(database, Approval(issue="2026-02", content_hash="other", by="Noor", at=NOW))
    account = audit_broadcast(database, mixed(database).id)

    assert [approval.by for approval in account.approvals] == ["Ana Lima"]
    assert account.journal[0].entry is Entry.FROZEN
    assert [waiver.rule for waiver in account.broadcast.waivers] == ["links"]


def test_account_still_names_who_approved_once_the_approval_is_void(database: Database) -> None:
    approve(database, Approval(issue="2026-02", content_hash="abc", by="Ana Lima", at=NOW - timedelta(hours=1)))
    broadcast = mixed(database)
    with database.transaction() as connection:
        connection.execute("UPDATE approval SET voided = 'it was another time'", {})

    assert [approval.by for approval in audit_broadcast(database, broadcast.id).approvals] == ["Ana Lima"]


def test_an_address_is_found_with_its_request_however_it_is_spelled(database: Database) -> None:
    broadcast = mixed(database)

    person = audit_person(database, broadcast.id, "PERSON00000@Example.org")

    assert person.delivery is not None
    assert person.request is not None
    assert (person.delivery.status, person.delivery.message_id, person.request.deliveries) == ("accepted", "m1", 2)
    assert person.on_list_since == NOW


def test_whoever_was_forgotten_since_can_still_be_asked_about_with_the_key(database: Database) -> None:
    broadcast = mixed(database)
    forget(database, "person00000@example.org")

    person = audit_person(database, broadcast.id, "person00000@example.org", key=KEY)

    assert person.delivery is not None
    assert (person.delivery.status, person.delivery.email, person.on_list_since) == ("accepted", "", None)


def test_without_the_key_it_is_said_that_somebody_may_have_been_forgotten(database: Database) -> None:
    broadcast = mixed(database)
    assert not audit_person(database, broadcast.id, "stranger@example.org").may_be_forgotten
    forget(database, "person00000@example.org")

    assert audit_person(database, broadcast.id, "person00000@example.org").may_be_forgotten
    assert not audit_person(database, broadcast.id, "person00001@example.org").may_be_forgotten
    assert not audit_person(database, broadcast.id, "stranger@example.org", key=KEY).may_be_forgotten


def test_whoever_left_before_is_excluded_with_the_reason(database: Database) -> None:
    person = audit_person(database, mixed(database).id, "person00004@example.org")

    assert person.delivery is not None
    assert (person.delivery.status, person.delivery.reason) == ("excluded", "unsubscribed")
    assert (person.request, person.never_mailed) == (None, "unsubscribed")


def test_whoever_was_never_meant_has_no_delivery(database: Database) -> None:
    broadcast = mixed(database)
    add_people(database, 1, prefix="late")

    late = audit_person(database, broadcast.id, "late00000@example.org")
    stranger = audit_person(database, broadcast.id, "stranger@example.net")

    assert (late.delivery, late.on_list_since) == (None, NOW)
    assert (stranger.delivery, stranger.on_list_since, stranger.elsewhere) == (None, None, ())


def test_other_broadcasts_of_the_issue_are_told(database: Database) -> None:
    first = freeze(database)
    send_all(database, first)
    add_people(database, 1, prefix="late")
    second = freeze(database)

    person = audit_person(database, second.id, "person00000@example.org")

    assert [(past.broadcast, past.status) for past in person.elsewhere] == [(first.id, "accepted")]


def test_the_file_has_everybody_and_only_its_owner_reads_it(database: Database, tmp_path: Path) -> None:
    broadcast, path = mixed(database), tmp_path / "account.csv"

    assert write_deliveries(database, broadcast.id, path) == 6

    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert path.stat().st_mode & 0o777 == 0o600
    assert tuple(rows[0]) == COLUMNS
    assert sorted(row["status"] for row in rows) == parts(database, broadcast)
    assert {row["email"] for row in rows if row["status"] == "excluded"} == {"person00004@example.org"}
    assert rows[0]["at"] == "2026-02-19T08:00:00Z"


def test_no_cell_of_the_file_is_a_formula(database: Database, tmp_path: Path) -> None:
    assert id_of(database, FORMULA)
    path = tmp_path / "account.csv"
    write_deliveries(database, mixed(database).id, path)

    with path.open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert f"'{FORMULA}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_the_file_can_hold_one_part_alone(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "invalid.csv"
    assert write_deliveries(database, mixed(database).id, path, part="invalid") == 1
    assert "550 nobody here" in path.read_text(encoding="utf-8")


def test_a_file_that_is_there_is_replaced_only_where_that_is_asked_for(database: Database, tmp_path: Path) -> None:
    broadcast, path = mixed(database), tmp_path / "account.csv"
    path.write_text("mine", encoding="utf-8")

    with pytest.raises(InputError, match="already exists"):
        write_deliveries(database, broadcast.id, path)
    assert path.read_text(encoding="utf-8") == "mine"

    write_deliveries(database, broadcast.id, path, overwrite=True)
    assert path.read_text(encoding="utf-8").startswith("email,")
    assert [found.name for found in tmp_path.iterdir() if found.name.startswith(".account")] == []


def test_a_file_that_cannot_be_written_is_a_message(database: Database, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder "):
        write_deliveries(database, mixed(database).id, tmp_path / "nowhere/account.csv")


def test_a_broadcast_that_is_not_there_is_a_message(database: Database, tmp_path: Path) -> None:
    for ask in (audit_broadcast, list_deliveries):
        with pytest.raises(InputError, match="there is no broadcast 7"):
            ask(database, 7)
    with pytest.raises(InputError, match="there is no broadcast 7"):
        audit_person(database, 7, "ana@example.org")
