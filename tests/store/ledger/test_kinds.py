"""No one gets the same kind of an issue twice, whatever its folder is called, and the ledger itself refuses it."""

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import Broadcast, BroadcastKind, NextStep, Outcome, Verdict, Waiver
from newsletter.model.finding import REPEAT
from newsletter.model.ledger import ClaimedChunk, FreezeRequest, RepeatedContent, Resolution
from newsletter.model.segment import Tagged
from newsletter.store.database import Database
from newsletter.store.ledger import members
from newsletter.store.ledger.cancel import begin_cancel, finish_cancel
from newsletter.store.ledger.freeze import RepeatedContentError, freeze_broadcast, preview_freeze
from newsletter.store.ledger.recall import settle_recall
from newsletter.store.ledger.record import record_outcome
from newsletter.store.ledger.resolve import resolve_chunk
from newsletter.store.ledger.status import settled_counts
from newsletter.store.suppressions import add_suppression
from tests.store.builders import (
    ACCEPTED,
    NOW,
    add_people,
    claim,
    freeze,
    hold,
    record,
    request,
    segment,
    send_all,
    variants,
)
from tests.store.test_backup import bring_back, save

REFUSED = (sqlite3.IntegrityError, psycopg.errors.UniqueViolation)
HOUR = timedelta(hours=1)
TEACHERS = segment("teachers", Tagged("teacher"))
SEND_TWICE = Waiver(rule=REPEAT.id, because="the first had a broken link")


def repeat(issue: str, **changes: Any) -> FreezeRequest:
    """The content of 2026-02 under another name."""
    return replace(request(issue), content_hash=request("2026-02").content_hash, **changes)


def freeze_request(database: Database, made: FreezeRequest) -> Broadcast:
    return freeze_broadcast(database, made, variants(made.axes), chunk_size=10, now=NOW)


def reasons(database: Database, broadcast: Broadcast) -> dict[str, int]:
    return {each.reason: each.deliveries for each in settled_counts(database, broadcast.id)}


def give_up(database: Database, broadcast: Broadcast, how: str) -> None:
    """Ends a broadcast so that it certainly reached no one."""
    match how:
        case "canceled before it was sent":
            begin_cancel(database, broadcast.id, now=NOW)
        case "rejected":
            record(database, claim(database, broadcast), Outcome(verdict=Verdict.REJECTED, reason="refused"))
        case "stopped":
            stopped = Outcome(verdict=Verdict.REJECTED, next_step=NextStep.STOP, reason="the message is refused")
            record(database, claim(database, broadcast), stopped)
        case "taken back":
            record(database, claim(database, broadcast, hold_within=3 * HOUR))
            begin_cancel(database, broadcast.id, now=NOW)
            assert settle_recall(database, "batch", confirmed_at=NOW, now=NOW)
    finish_cancel(database, broadcast.id, now=NOW)


def resend(database: Database, chunk: ClaimedChunk) -> None:
    decision = Resolution.RESEND
    assert resolve_chunk(database, chunk.broadcast, chunk.number, chunk.attempt, decision, detail="by hand", now=NOW)


# Letters, and the question for a consent, are never made from an issue and a segment. Not everyone gets a follow-up.
_OTHERS = {BroadcastKind.RE_PERMISSION, BroadcastKind.FOLLOW_UP}
_OF_ISSUES = [kind for kind in BroadcastKind if not kind.is_letter and kind not in _OTHERS]


@pytest.mark.parametrize("kind", _OF_ISSUES)
def test_each_kind_of_an_issue_reaches_a_person_once(database: Database, kind: BroadcastKind) -> None:
    add_people(database, 3)
    first = freeze(database, kind=kind)
    assert len(send_all(database, first)) == 3
    add_people(database, 1, prefix="later")

    again = freeze(database, kind=kind)

    assert again.kind is kind
    assert reasons(database, again) == {f"already in broadcast {first.id}": 3}
    assert send_all(database, again) == ["later00000@example.org"]


def test_a_trial_in_the_outbox_leaves_the_issue_to_be_sent(database: Database) -> None:
    add_people(database, 3)
    trial = freeze(database)
    assert len(send_all(database, trial)) == 3

    real = freeze(database, provider="smtp")
    assert reasons(database, real) == {}
    assert len(send_all(database, real)) == 3

    add_people(database, 1, prefix="later")
    again = freeze(database, provider="sendgrid")
    assert reasons(database, again) == {f"already in broadcast {real.id}": 3}
    assert send_all(database, again) == ["later00000@example.org"]
    other_trial = freeze(database)
    assert reasons(database, other_trial) == {f"already in broadcast {trial.id}": 3}


def test_another_kind_reaches_the_people_who_got_the_issue(database: Database) -> None:
    add_people(database, 3)
    send_all(database, freeze(database))

    assert len(send_all(database, freeze(database, kind=BroadcastKind.CORRECTION))) == 3

    assert reasons(database, freeze(database, "2026-03", kind=BroadcastKind.CORRECTION)) == {}


@pytest.mark.parametrize("how", ["canceled before it was sent", "rejected", "stopped", "taken back"])
def test_whoever_a_broadcast_certainly_did_not_reach_is_reached_by_the_next(database: Database, how: str) -> None:
    add_people(database, 3)
    first = hold(database, NOW + 2 * HOUR) if how == "taken back" else freeze(database)
    give_up(database, first, how)

    second = freeze(database)
    assert len(send_all(database, second)) == 3

    add_people(database, 1, prefix="later")
    third = freeze(database)
    assert reasons(database, third) == {f"already in broadcast {second.id}": 3}


def test_whoever_was_left_out_or_refused_is_reached_by_the_next(database: Database) -> None:
    add_people(database, 2)
    add_suppression(database, "person00000@example.org", SuppressionReason.MANUAL, now=NOW)
    first = freeze(database)
    chunk = claim(database, first)
    refused = {chunk.deliveries[0].subscriber: "no such mailbox"}
    record(database, chunk, Outcome(verdict=Verdict.ACCEPTED, invalid=refused))

    second = freeze(database)

    assert send_all(database, second) == ["person00001@example.org"]


@pytest.mark.parametrize("state", ["ready", "inflight", "unknown", "accepted", "resent"])
def test_the_ledger_refuses_a_second_delivery_even_if_the_freeze_overlooks_the_first(
    database: Database, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    add_people(database, 3)
    first = freeze(database)
    if state != "ready":
        chunk = claim(database, first)
        if state in {"unknown", "resent"}:
            record(database, chunk, Outcome(verdict=Verdict.UNKNOWN, reason="no answer"))
        if state == "resent":
            resend(database, chunk)
        if state == "accepted":
            record(database, chunk)
    monkeypatch.setattr(members, "_EARLIER_BROADCASTS", lambda _connection, **_: [])

    with pytest.raises(REFUSED):
        freeze(database)

    assert len(send_all(database, freeze(database, kind=BroadcastKind.CORRECTION))) == 3


def test_a_late_answer_about_a_canceled_delivery_is_kept_beside_that_of_the_next(database: Database) -> None:
    add_people(database, 3)
    first = freeze(database)
    chunk = claim(database, first)
    record(database, chunk, Outcome(verdict=Verdict.UNKNOWN, reason="no answer"))
    resend(database, chunk)
    begin_cancel(database, first.id, now=NOW)
    send_all(database, freeze(database))

    record_outcome(database, chunk, ACCEPTED, now=NOW)  # it was accepted after all

    add_people(database, 1, prefix="later")
    third = freeze(database)
    assert sum(reasons(database, third).values()) == 3
    assert send_all(database, third) == ["later00000@example.org"]


def test_people_who_have_the_content_under_another_name_are_found(database: Database) -> None:
    add_people(database, 3, tags=("teacher",), prefix="teacher")
    add_people(database, 4)
    first = freeze(database, to=TEACHERS)
    send_all(database, first)

    renamed = repeat("2026-12")
    found = preview_freeze(database, renamed, now=NOW)

    assert found.repeats == (RepeatedContent(broadcast=first.id, issue="2026-02", people=3),)
    with pytest.raises(RepeatedContentError) as refused:
        freeze_request(database, renamed)
    assert refused.value.repeats == found.repeats
    allowed = freeze_request(database, replace(renamed, waivers=(SEND_TWICE,)))
    assert len(send_all(database, allowed)) == 7


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": BroadcastKind.CORRECTION},
        {"content_hash": "edited"},
        {"segment": segment("teachers", Tagged("teacher"))},
    ],
)
def test_another_kind_content_or_other_people_repeat_nothing(database: Database, changes: dict[str, Any]) -> None:
    add_people(database, 3)
    send_all(database, freeze(database))
    add_people(database, 1, tags=("teacher",), prefix="teacher")

    made = replace(repeat("2026-12"), **changes)

    assert preview_freeze(database, made, now=NOW).repeats == ()
    freeze_request(database, made)


@pytest.mark.parametrize("how", ["canceled before it was sent", "rejected", "stopped"])
def test_content_that_reached_no_one_is_not_repeated(database: Database, how: str) -> None:
    add_people(database, 3)
    give_up(database, freeze(database), how)

    assert preview_freeze(database, repeat("2026-12"), now=NOW).repeats == ()
    assert len(send_all(database, freeze_request(database, repeat("2026-12")))) == 3


def test_the_same_content_is_told_for_each_earlier_broadcast(database: Database) -> None:
    add_people(database, 2, tags=("teacher",), prefix="teacher")
    first = freeze(database, to=TEACHERS)
    add_people(database, 3)
    second = freeze_request(database, replace(repeat("2026-12"), waivers=(SEND_TWICE,)))

    assert [
        (each.broadcast, each.issue, each.people)
        for each in preview_freeze(database, repeat("2027-01"), now=NOW).repeats
    ] == [
        (first.id, "2026-02", 2),
        (second.id, "2026-12", 5),
    ]


def test_a_broadcast_that_took_places_since_the_backup_is_kept_by_a_restore(database: Database, tmp_path: Path) -> None:
    add_people(database, 3)
    first = freeze(database)
    save(database, tmp_path / "backup.db")
    give_up(database, first, "canceled before it was sent")
    second = freeze(database)
    send_all(database, second)

    restored = bring_back(database, tmp_path / "backup.db")

    assert restored.carried == (second.id,)
    add_people(database, 1, prefix="later")
    assert send_all(database, freeze(database)) == ["later00000@example.org"]


def test_exclusion_is_counted_once_per_person(database: Database) -> None:
    add_people(database, 2, tags=("teacher",), prefix="teacher")
    add_people(database, 1)
    first, second = freeze(database, to=TEACHERS), freeze(database)
    add_people(database, 1, prefix="later")

    third = freeze(database)

    assert reasons(database, third) == {
        f"already in broadcast {first.id}": 2,
        f"already in broadcast {second.id}": 1,
    }
