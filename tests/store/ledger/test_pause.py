"""People who want no email until a day: they are left out until it has begun, and no longer."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from newsletter.errors import InputError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import Broadcast, Outcome, Schedule, Verdict
from newsletter.model.edit import Edit
from newsletter.model.ledger import SettledCount
from newsletter.model.permission import end_of_pause, pause_at
from newsletter.store.database import Database
from newsletter.store.editing import edit_people
from newsletter.store.ledger.broadcasts import start_scheduled
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.freeze import preview_freeze
from newsletter.store.ledger.recall import batches_of, leavers_in
from newsletter.store.ledger.record import record_outcome
from newsletter.store.ledger.status import settled_counts
from newsletter.store.suppressions import add_suppression
from newsletter.system.moments import text_of
from tests.store.builders import (
    NOW,
    add,
    at,
    by_own_clock,
    claim,
    freeze,
    hold,
    id_of,
    request,
    row,
    send_all,
)
from tests.store.worlds import clear

ANA, BO = "ana@example.org", "bo@example.org"
DAY = timedelta(days=1)


def pause(database: Database, email: str, until: datetime | None) -> None:
    """Someone pauses until a time, or no longer."""
    cells = {"paused_until": text_of(until) if until else ""}
    edit_people(database, [email], Edit(cells=cells), shown=0, now=NOW)


def reasons(database: Database, broadcast: Broadcast) -> dict[str, int]:
    """Why people were left out, and how many."""
    return {each.reason: each.deliveries for each in settled_counts(database, broadcast.id)}


def test_whoever_pauses_is_left_out_with_the_day(database: Database) -> None:
    add(database, row(ANA), row(BO), row("cy@example.org"))
    pause(database, ANA, NOW + 10 * DAY)
    pause(database, BO, NOW + 3 * DAY)

    preview = preview_freeze(database, request(), now=NOW)
    broadcast = freeze(database)

    assert reasons(database, broadcast) == {"paused until 2026-02-22": 1, "paused until 2026-03-01": 1}
    assert [each.reason for each in preview.excluded] == list(reasons(database, broadcast))
    assert send_all(database, broadcast) == ["cy@example.org"]


def test_a_pause_that_has_ended_leaves_no_one_out(database: Database) -> None:
    add(database, row(ANA))
    pause(database, ANA, NOW)

    assert send_all(database, freeze(database)) == [ANA]


def test_what_is_due_after_the_pause_is_sent(database: Database) -> None:
    add(database, row(ANA), row(BO))
    pause(database, ANA, NOW + 2 * DAY)
    due_at = NOW + 3 * DAY

    broadcast = start_scheduled(database, freeze(database, schedule=at(due_at)).id, now=due_at)

    assert len(claim(database, broadcast, now=due_at).deliveries) == 2


def test_in_local_time_the_own_hour_counts(database: Database) -> None:
    add(database, row(ANA, timezone="Asia/Tokyo"), row(BO, timezone="America/Denver"))
    noon = NOW.replace(hour=12)  # the email is due in Tokyo before this, and in Denver after it
    pause(database, ANA, noon)
    pause(database, BO, noon)

    broadcast = freeze(database, schedule=by_own_clock(20))

    assert reasons(database, broadcast) == {"paused until 2026-02-19": 1}


def test_who_has_left_is_told_before_a_pause(database: Database) -> None:
    add(database, row(ANA), row(BO))
    pause(database, ANA, NOW + DAY)
    add_suppression(database, ANA, SuppressionReason.UNSUBSCRIBED, now=NOW)

    assert reasons(database, freeze(database)) == {"unsubscribed": 1}


def test_a_segment_of_paused_people_is_refused(database: Database) -> None:
    add(database, row(ANA))
    pause(database, ANA, NOW + DAY)

    with pytest.raises(InputError, match=r"of 1: 1 paused until 2026-02-20\), so nothing was sent"):
        freeze(database)


@pytest.mark.parametrize("is_another_suppressed", [True, False])
def test_who_pauses_after_the_freeze_is_left_out_when_it_is_sent(
    database: Database, *, is_another_suppressed: bool
) -> None:
    add(database, row(ANA), row(BO), row("cy@example.org"))
    broadcast = freeze(database)
    pause(database, ANA, NOW + DAY)
    if is_another_suppressed:
        add_suppression(database, BO, SuppressionReason.UNSUBSCRIBED, now=NOW)

    sent = send_all(database, broadcast)

    assert sent == ["cy@example.org"] if is_another_suppressed else [BO, "cy@example.org"]
    assert reasons(database, broadcast)["paused until 2026-02-20"] == 1


def test_who_was_set_aside_and_pauses_is_not_tried_again(database: Database) -> None:
    add(database, row(ANA), row(BO))
    broadcast = freeze(database)
    refused = dict.fromkeys((id_of(database, ANA), id_of(database, BO)), "450 4.2.1 mailbox busy")
    record_outcome(database, claim(database, broadcast), Outcome(verdict=Verdict.READY, deferred=refused), now=NOW)
    pause(database, ANA, NOW + 2 * DAY)

    again = claim(database, broadcast, now=NOW + DAY)

    assert [each.email for each in again.deliveries] == [BO]


def test_held_email_is_recalled_from_who_pauses_past_its_time(database: Database) -> None:
    add(database, row(ANA), row(BO))
    due_at = NOW + DAY
    broadcast = hold(database, due_at)
    record_outcome(
        database,
        claim(database, broadcast, hold_within=2 * DAY),
        Outcome(verdict=Verdict.ACCEPTED, message_id="m"),
        now=NOW,
    )
    pause(database, ANA, due_at)
    pause(database, BO, due_at + timedelta(seconds=1))

    (batch,) = batches_of(database, broadcast.id)

    assert [leaver.email for leaver in leavers_in(database, batch)] == [BO]


zones = st.sampled_from(["", "Asia/Tokyo", "America/Denver", "Pacific/Kiritimati", "Pacific/Honolulu"])
pauses = st.none() | st.integers(-20, 40).map(lambda hours: NOW + hours * timedelta(hours=1))
schedules = st.sampled_from([None, at(NOW + DAY), by_own_clock(20), by_own_clock(3)])
worlds = st.lists(st.tuples(zones, pauses, pauses), min_size=1, max_size=5)


def moment_of(schedule: Schedule | None, zone: str) -> datetime:
    """When the email for a person in a zone is due."""
    if schedule is None:
        return NOW
    return max(NOW, schedule.moment_in(zone if schedule.is_local_time else schedule.zone))


def test_the_policy_and_the_sql_agree_on_who_has_paused(database: Database) -> None:
    @given(worlds, schedules)
    @settings(max_examples=60, deadline=None)
    def agree(world: Sequence[tuple[str, datetime | None, datetime | None]], schedule: Schedule | None) -> None:
        clear(database)
        people = {f"person{number}@example.org": each for number, each in enumerate(world)}
        add(database, row("free@example.org"), *(row(email, timezone=zone) for email, (zone, _, _) in people.items()))
        due = {email: moment_of(schedule, zone) for email, (zone, _, _) in people.items()}
        for email, (_, before, _) in people.items():
            pause(database, email, before)

        broadcast = freeze(database, schedule=schedule)
        frozen = reasons(database, broadcast)
        for email, (_, _, after) in people.items():
            pause(database, email, after)
        sent = _sent(database, broadcast, [NOW, *sorted(due.values()), NOW + 3 * DAY])

        told = [pause_at(before, due[email]) for email, (_, before, _) in people.items()]
        stayed = [email for email, reason in zip(people, told, strict=True) if not reason]
        assert frozen == _counts(told)
        assert sent == {"free@example.org"} | {each for each in stayed if not pause_at(people[each][2], due[each])}
        event("someone was left out later" if len(sent) <= len(stayed) else "no one was left out later")

    agree()


def _counts(told: Sequence[str]) -> Mapping[str, int]:
    return {reason: told.count(reason) for reason in told if reason}


def _sent(database: Database, broadcast: Broadcast, moments: Sequence[datetime]) -> set[str]:
    if broadcast.is_scheduled:
        start_scheduled(database, broadcast.id, now=NOW)
    emails: set[str] = set()
    for now in moments:
        while (chunk := claim_chunk(database, broadcast.id, "", (), now=now)) is not None:
            emails.update(delivery.email for delivery in chunk.deliveries)  # type: ignore[union-attr]
            record_outcome(database, chunk, Outcome(verdict=Verdict.ACCEPTED, message_id="m"), now=now)  # type: ignore[arg-type]
    return emails


@pytest.mark.parametrize(
    ("zone", "ends"),
    [
        ("UTC", "2026-03-01T00:00:00Z"),
        ("Europe/Berlin", "2026-03-01T00:00:00Z"),  # an hour after midnight there
        ("Asia/Tokyo", "2026-03-01T00:00:00Z"),
        ("America/Denver", "2026-03-01T07:00:00Z"),  # midnight there
        ("Pacific/Kiritimati", "2026-03-01T00:00:00Z"),
    ],
)
def test_a_pause_ends_on_its_day_and_not_before_it_has_begun(zone: str, ends: str) -> None:
    end = end_of_pause(date(2026, 3, 1), ZoneInfo(zone))

    assert text_of(end) == ends
    assert pause_at(end, end - timedelta(seconds=1)) == "paused until 2026-03-01"
    assert pause_at(end, end) == ""
    assert end.astimezone(ZoneInfo(zone)).date() == date(2026, 3, 1)
    assert end.tzinfo is UTC


def test_a_reason_is_counted_once(database: Database) -> None:
    add(database, row(ANA), row(BO), row("cy@example.org"))
    pause(database, ANA, NOW + DAY)
    pause(database, BO, NOW + DAY + timedelta(hours=3))

    found = settled_counts(database, freeze(database).id)

    assert [type(each) for each in found] == [SettledCount]
    assert found[0].deliveries == 2
