"""Claiming chunks: in order, durably, and without the people who must no longer be emailed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Thread

import pytest

from newsletter.lists.exports import batch_of
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import DeliveryStatus, Outcome, Verdict
from newsletter.model.edit import Edit
from newsletter.model.ledger import ClaimedChunk, ClaimedDelivery, NotYet, SettledCount
from newsletter.model.pace import Allowance
from newsletter.store.database import Database
from newsletter.store.editing import edit_people
from newsletter.store.ledger.broadcasts import pause_broadcast, resume_broadcast, start_scheduled
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.status import settled_counts, tally_of
from newsletter.store.merge import merge_subscribers
from newsletter.store.subscribers import find_subscriber
from newsletter.store.suppressions import add_suppression
from newsletter.store.undo import undo_last_import
from newsletter.system.moments import text_of
from tests.store.builders import NOW, add, add_people, at, by_own_clock, claim, forget, freeze, hold, record, row


def test_claimed_delivery_has_all_that_its_message_needs(database: Database) -> None:
    add(
        database,
        row("Ana@example.org", first_name="Ana", last_name="Lima", language="es", attributes={"country": "ES"}),
    )
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
    add(
        database,
        row(
            "ana@example.org",
            first_name="Ana",
            last_name="Lima",
            language="es",
            tags=("x",),
            attributes={"country": "ES"},
        ),
    )

    assert claim(database, freeze(database), fields).deliveries[0].values == values


def test_chunks_are_claimed_from_the_lowest_until_none_is_ready(database: Database) -> None:
    add_people(database, 25)
    broadcast = freeze(database, chunk_size=10)

    assert [claim(database, broadcast).number for _ in range(3)] == [1, 2, 3]
    assert claim_chunk(database, broadcast.id, "", (), now=NOW) is None


def test_claim_is_on_record_for_any_other_connection(database: Database) -> None:
    add_people(database, 3)
    broadcast = freeze(database)

    claim(database, broadcast, runner="r1")

    def look() -> list[object]:
        with database.read() as connection:
            return connection.execute("SELECT state, attempt, runner FROM chunk").fetchall()

    with ThreadPoolExecutor() as pool:  # each thread has a connection of its own
        assert pool.submit(look).result() == [("inflight", 1, "r1")]


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

    pause_broadcast(database, broadcast.id, "look at the key", now=NOW)
    assert claim_chunk(database, broadcast.id, "", (), now=NOW) is None

    resume_broadcast(database, broadcast.id, now=NOW)
    assert claim(database, broadcast).number == 1


def test_whoever_was_suppressed_or_removed_since_the_freeze_is_excluded(database: Database) -> None:
    add_people(database, 5)
    broadcast = freeze(database)
    add_suppression(database, "person00001@example.org", SuppressionReason.UNSUBSCRIBED, now=NOW)
    forget(database, "person00003@example.org")

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
        while isinstance(chunk := claim_chunk(database, broadcast.id, "", (), now=NOW), ClaimedChunk):
            claimed.extend(delivery.email for delivery in chunk.deliveries)
            record(database, chunk)

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(claimed) == len(set(claimed)) == 200


LATER = NOW + timedelta(hours=2)


def test_chunk_is_not_claimed_before_it_is_due(database: Database) -> None:
    add_people(database, 1)
    broadcast = start_scheduled(database, freeze(database, schedule=at(LATER)).id, now=NOW)

    assert claim_chunk(database, broadcast.id, "", (), now=LATER - timedelta(seconds=1)) is None
    chunk = claim(database, broadcast, now=LATER)

    assert (chunk.due_at, chunk.hold_until) == (LATER, None)


def test_scheduled_broadcast_gives_no_chunk_before_it_is_started(database: Database) -> None:
    add_people(database, 1)
    broadcast = freeze(database, schedule=at(LATER))

    assert claim_chunk(database, broadcast.id, "", (), now=LATER) is None

    start_scheduled(database, broadcast.id, now=LATER)
    assert claim(database, broadcast, now=LATER).number == 1


def test_provider_is_asked_to_hold_what_is_due_within_reach(database: Database) -> None:
    add_people(database, 1)
    broadcast = hold(database, LATER)

    assert claim_chunk(database, broadcast.id, "", (), now=NOW, hold_within=timedelta(minutes=119)) is None
    chunk = claim(database, broadcast, hold_within=timedelta(minutes=120))

    assert (chunk.due_at, chunk.hold_until, chunk.batch_id) == (LATER, LATER, "batch")


def test_nothing_is_claimed_ahead_of_its_time_without_a_batch_id(database: Database) -> None:
    add_people(database, 1)
    broadcast = hold(database, LATER, batch_id="")

    assert claim_chunk(database, broadcast.id, "", (), now=NOW, hold_within=timedelta(days=3)) is None


def test_provider_is_not_asked_to_hold_what_is_late(database: Database) -> None:
    add_people(database, 1)
    broadcast = hold(database, LATER)

    chunk = claim(database, broadcast, now=LATER + timedelta(minutes=1), hold_within=timedelta(hours=1))

    assert (chunk.due_at, chunk.hold_until) == (LATER, None)


def test_what_is_due_first_is_claimed_first(database: Database) -> None:
    for email, zone in (("a", "America/Denver"), ("b", "Asia/Tokyo"), ("c", "Europe/London")):
        add(database, row(f"{email}@example.org", timezone=zone))
    broadcast = start_scheduled(database, freeze(database, schedule=by_own_clock(20)).id, now=NOW)

    chunks = [claim(database, broadcast, now=NOW + timedelta(days=1)) for _ in range(3)]

    assert [chunk.deliveries[0].email[0] for chunk in chunks] == ["b", "c", "a"]


def test_removed_people_are_excluded_though_nobody_is_suppressed(database: Database) -> None:
    add_people(database, 3)
    broadcast = freeze(database)
    forget(database, "person00001@example.org")

    assert [delivery.email[6:11] for delivery in claim(database, broadcast).deliveries] == ["00000", "00002"]
    assert tally_of(database, broadcast.id).excluded == 1


@pytest.mark.parametrize("is_anybody_suppressed", [False, True])
def test_whoever_has_no_consent_on_record_anymore_is_excluded(database: Database, is_anybody_suppressed: bool) -> None:
    add_people(database, 3)
    add(database, row("basis@example.org", consented_at=None, consent_source="", consent_basis="members"))
    broadcast = freeze(database)
    if is_anybody_suppressed:
        add_suppression(database, "person00002@example.org", SuppressionReason.UNSUBSCRIBED, now=NOW)
    for email, column in (("person00001@example.org", "consented_at"), ("basis@example.org", "consent_basis")):
        edit_people(database, [email], Edit(cells={column: ""}), shown=0, now=NOW)

    chunk = claim(database, broadcast)

    expected = ["00000"] if is_anybody_suppressed else ["00000", "00002"]
    assert [delivery.email[6:11] for delivery in chunk.deliveries] == expected
    reasons = {each.reason: each.deliveries for each in settled_counts(database, broadcast.id)}
    assert reasons["no consent on record"] == 2
    record(database, chunk)
    assert tally_of(database, broadcast.id).adds_up


def test_whoever_lost_the_consent_by_an_undo_is_excluded_and_whoever_has_it_again_is_not(database: Database) -> None:
    without = row("ana@example.org", consented_at=None, consent_source="")
    add(database, without, row("bo@example.org"))
    merge_subscribers(database, [batch_of([row("ana@example.org")])], now=NOW)
    broadcast = freeze(database)
    undo_last_import(database, shown=0, now=NOW)
    cleared, again = ({"consented_at": ""}, {"consented_at": text_of(NOW), "consent_source": "phone"})
    for cells in (cleared, again):
        edit_people(database, ["bo@example.org"], Edit(cells=cells), shown=0, now=NOW)

    assert [delivery.email for delivery in claim(database, broadcast).deliveries] == ["bo@example.org"]


def test_whoever_left_all_topics_since_the_freeze_is_excluded(database: Database) -> None:
    add_people(database, 4)
    broadcast = freeze(database, topics=("events", "news"))
    other = freeze(database, "2026-03")
    for number, topics in enumerate((("events",), ("news", "events"), ("retreats", "news"))):
        for topic in topics:
            email = f"person{number:05}@example.org"
            add_suppression(database, email, SuppressionReason.UNSUBSCRIBED, topic=topic, now=NOW)

    chunk = claim(database, broadcast)

    assert [delivery.email[6:11] for delivery in chunk.deliveries] == ["00000", "00002", "00003"]
    assert settled_counts(database, broadcast.id) == (
        SettledCount(status=DeliveryStatus.EXCLUDED, reason="left the topics events and news", deliveries=1),
    )
    assert tally_of(database, broadcast.id).adds_up
    assert len(claim(database, other).deliveries) == 4


def test_topic_that_somebody_leaves_late_adds_to_those_who_left_before(database: Database) -> None:
    add_people(database, 5)
    add_suppression(database, "person00000@example.org", SuppressionReason.UNSUBSCRIBED, topic="news", now=NOW)
    broadcast = freeze(database, topics=("news",), chunk_size=2)
    add_suppression(database, "person00001@example.org", SuppressionReason.UNSUBSCRIBED, topic="news", now=NOW)
    add_suppression(database, "person00002@example.org", SuppressionReason.BOUNCED, now=NOW)

    claimed = [claim(database, broadcast).deliveries]

    assert [[delivery.email[6:11] for delivery in deliveries] for deliveries in claimed] == [["00003", "00004"]]
    assert settled_counts(database, broadcast.id) == (
        SettledCount(status=DeliveryStatus.EXCLUDED, reason="left the topic news", deliveries=2),
        SettledCount(status=DeliveryStatus.EXCLUDED, reason="bounced", deliveries=1),
    )


@pytest.mark.parametrize("fields", [("language", "country", "first_name"), ("consent_source",), ("country",)])
def test_values_are_right_beside_somebody_who_is_excluded(database: Database, fields: tuple[str, ...]) -> None:
    person = {"language": "es", "first_name": "Ana", "consent_source": "form"}
    for number in range(2):
        email = f"person{number:05}@example.org"
        add(database, row(email, last_name="Lima", **{**person, "attributes": {"country": "ES"}}))
    broadcast = freeze(database)
    add_suppression(database, "person00000@example.org", SuppressionReason.BOUNCED, now=NOW)

    (delivery,) = claim(database, broadcast, fields).deliveries

    assert delivery.email == "person00001@example.org"
    assert delivery.values == tuple({**person, "country": "ES"}[name] for name in fields)


def allowed(deliveries: int, minutes: int = 60) -> Allowance:
    return Allowance(
        deliveries=deliveries,
        since=NOW - timedelta(minutes=minutes),
        frees=NOW + timedelta(minutes=minutes),
        reason=f"at most {deliveries} in {minutes} minutes",
    )


def test_allowance_that_is_used_up_keeps_chunks_waiting(database: Database) -> None:
    add_people(database, 6)
    broadcast = freeze(database, chunk_size=2)

    for _ in range(2):
        assert isinstance(claim_chunk(database, broadcast.id, "", (), now=NOW, allowances=[allowed(5)]), ClaimedChunk)

    assert claim_chunk(database, broadcast.id, "", (), now=NOW, allowances=[allowed(5)]) == NotYet(
        until=NOW + timedelta(minutes=60), reason="at most 5 in 60 minutes"
    )
    assert tally_of(database, broadcast.id).waiting == 2


def test_longest_wait_of_several_allowances_counts(database: Database) -> None:
    add_people(database, 4)
    broadcast = freeze(database, chunk_size=2)
    claim(database, broadcast)

    limits = [allowed(2, 1), allowed(100, 600), allowed(3, 60)]

    assert claim_chunk(database, broadcast.id, "", (), now=NOW, allowances=limits) == NotYet(
        until=NOW + timedelta(minutes=60), reason="at most 3 in 60 minutes"
    )


def test_chunk_larger_than_an_allowance_goes_alone(database: Database) -> None:
    add_people(database, 6)
    broadcast = freeze(database, chunk_size=3)

    assert isinstance(claim_chunk(database, broadcast.id, "", (), now=NOW, allowances=[allowed(2)]), ClaimedChunk)
    assert isinstance(claim_chunk(database, broadcast.id, "", (), now=NOW, allowances=[allowed(2)]), NotYet)


def test_allowance_counts_every_broadcast_of_the_same_provider(database: Database) -> None:
    add_people(database, 2)
    first, other = freeze(database, "2026-01"), freeze(database, "2026-02", provider="smtp")
    second = freeze(database, "2026-03")
    claim(database, first)
    claim(database, other)

    assert isinstance(claim_chunk(database, second.id, "", (), now=NOW, allowances=[allowed(3)]), NotYet)
    assert isinstance(claim_chunk(database, second.id, "", (), now=NOW, allowances=[allowed(4)]), ClaimedChunk)


def test_what_came_back_or_is_long_past_uses_up_no_allowance(database: Database) -> None:
    add_people(database, 4)
    broadcast = freeze(database, chunk_size=2)
    record(database, claim(database, broadcast, now=NOW - timedelta(hours=2)))
    record(database, claim(database, broadcast), Outcome(verdict=Verdict.READY))

    assert isinstance(claim_chunk(database, broadcast.id, "", (), now=NOW, allowances=[allowed(2)]), ClaimedChunk)


def test_no_allowance_is_asked_for_where_nothing_is_ready(database: Database) -> None:
    add_people(database, 1)
    broadcast = freeze(database)
    claim(database, broadcast)

    assert claim_chunk(database, broadcast.id, "", (), now=NOW, allowances=[allowed(1)]) is None


def test_threads_never_claim_more_than_an_allowance_together(database: Database) -> None:
    add_people(database, 40)
    broadcast = freeze(database, chunk_size=2)

    def work(_: int) -> int:
        claimed = 0
        while isinstance(
            chunk := claim_chunk(database, broadcast.id, "", (), now=NOW, allowances=[allowed(11)]), ClaimedChunk
        ):
            claimed += len(chunk.deliveries)
        return claimed

    with ThreadPoolExecutor(max_workers=4) as pool:
        assert sum(pool.map(work, range(4))) == 10


def test_threads_exclude_late_suppressions_together(database: Database) -> None:
    add_people(database, 60)
    broadcast = freeze(database, chunk_size=3)
    for number in range(0, 60, 3):
        add_suppression(database, f"person{number:05}@example.org", list(SuppressionReason)[number % 4], now=NOW)

    def work(_: int) -> int:
        sent = 0
        while isinstance(chunk := claim_chunk(database, broadcast.id, "", (), now=NOW), ClaimedChunk):
            sent += len(chunk.deliveries)
            record(database, chunk)
        return sent

    with ThreadPoolExecutor(max_workers=4) as pool:
        assert sum(pool.map(work, range(4))) == 40
    tally = tally_of(database, broadcast.id)
    assert (tally.accepted, tally.excluded, tally.adds_up) == (40, 20, True)


def test_an_allowance_holds_for_the_chunk_behind_one_of_which_nobody_is_left(database: Database) -> None:
    add(database, *(row(f"{name}@example.org", timezone="Asia/Tokyo") for name in "ab"))
    add_people(database, 6)
    claim(database, freeze(database, "2026-03", chunk_size=5))
    broadcast = freeze(database, schedule=by_own_clock(NOW.hour))  # Tokyo's two first, then the others
    start_scheduled(database, broadcast.id, now=NOW)
    for name in "ab":
        add_suppression(database, f"{name}@example.org", SuppressionReason.UNSUBSCRIBED, now=NOW)
    allowance = Allowance(deliveries=10, since=NOW - timedelta(hours=1), frees=NOW + timedelta(hours=1))

    found = claim_chunk(database, broadcast.id, "", (), now=NOW, allowances=[allowance])

    assert isinstance(found, NotYet)
    assert tally_of(database, broadcast.id).excluded == 2
