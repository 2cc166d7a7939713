"""The promise of delivery under any sequence of freezes, claims, outcomes, cancellings, resolutions and crashes."""

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from newsletter.errors import InputError
from newsletter.lists.exports import batch_of
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import (
    Broadcast,
    BroadcastKind,
    BroadcastState,
    Doubt,
    Ending,
    NextStep,
    Outcome,
    Schedule,
    Verdict,
)
from newsletter.model.ledger import ClaimedChunk, Resolution
from newsletter.model.pace import Allowance
from newsletter.model.segment import Segment, Tagged
from newsletter.store.database import Database
from newsletter.store.forgotten import forget_person
from newsletter.store.ledger.broadcasts import (
    continue_unattended,
    finish_if_done,
    overdue,
    pause_broadcast,
    require_broadcast,
    resume_broadcast,
    start_scheduled,
)
from newsletter.store.ledger.cancel import begin_cancel, finish_cancel
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.recall import (
    batches_of,
    begin_recall,
    give_up_recall,
    keep_batch,
    moments_to_hold,
    settle_recall,
)
from newsletter.store.ledger.record import adopt_orphans, record_outcome
from newsletter.store.ledger.resolve import prove_taken, resolve_chunk, unknown_chunks
from newsletter.store.ledger.status import tally_of
from newsletter.store.merge import merge_subscribers
from newsletter.store.opening import open_database
from newsletter.store.suppressions import add_suppression, suppressions_of
from tests.postgresql import PostgresServer
from tests.store.builders import EVERYONE, KEY, NOW, at, by_own_clock, freeze, row, segment

PEOPLE = [f"person{number:02}@example.org" for number in range(12)]
ZONES = ["", "Asia/Tokyo", "America/Denver"]
TOPICS = ["events", "news"]
WITHOUT_CONSENT = 3  # the number of the one who never said yes
TEACHERS = segment("teachers", Tagged("teacher"))
SOON, LATE, LOCAL = at(NOW + timedelta(minutes=20)), at(NOW + timedelta(hours=3)), by_own_clock(9)
MARGIN = timedelta(minutes=10)
FINAL = {"rejected", "cancelled", "excluded", "invalid"}
FATES = ["rest", "rest", "invalid", "unsent", "uncertain", "deferred", "deferred", "blameless", "doubted", "doubted"]
DOUBTS = [Doubt(words="550 no", ending=ending, is_last_word=is_last) for ending in Ending for is_last in (True, False)]
DEAD = "dead"
Attempt = tuple[int, int]  # the broadcast, and how often the chunk was handed over


class Ledger(RuleBasedStateMachine):
    """Random life of a ledger; the invariants hold after every step.

    What may have reached people is known here from the outcomes alone, whatever the ledger makes of them.
    """

    inflight: Bundle[ClaimedChunk] = Bundle("inflight")

    def __init__(self, borrow: Callable[[], Database], give_back: Callable[[Database], None]) -> None:
        super().__init__()
        self.database = borrow()
        self.give_back = give_back
        self.runner_block = self.database.runner()
        self.runner = self.runner_block.__enter__()
        self.now = NOW
        self.broadcasts: list[Broadcast] = []
        self.topics: dict[int, frozenset[str]] = {}
        # (issue, kind, subscriber) → the attempts that may have reached them, and the batch in which it is held
        self.may_have_left: defaultdict[tuple[str, str, int], dict[Attempt, str]] = defaultdict(dict)
        self.resent: set[tuple[int, int, int]] = set()  # broadcast, attempt, subscriber: a person took the risk
        self.cancelled: set[str] = set()  # the batches that the provider certainly cancelled in time
        self.opened = 0  # batches
        self.last_states: dict[tuple[int, int], str] = {}
        self.add_people(range(8))

    def teardown(self) -> None:
        self.runner_block.__exit__(None, None, None)
        self.give_back(self.database)

    def add_people(self, numbers: Iterable[int]) -> None:
        people = [
            row(
                PEOPLE[n],
                timezone=ZONES[n % 3],
                tags=("teacher",) if n % 4 in {0, 1} else (),
                consented_at=None if n == WITHOUT_CONSENT else self.now,
            )
            for n in numbers
        ]
        merge_subscribers(self.database, [batch_of(people)], key=KEY, now=self.now)

    @rule(minutes=st.sampled_from([1, 9, 30, 180]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(
        change=st.sampled_from(["import", "import", "remove", "suppress"]),
        number=st.integers(0, len(PEOPLE) - 1),
        reason=st.sampled_from(SuppressionReason),
    )
    def change_list(self, change: str, number: int, reason: SuppressionReason) -> None:
        if change == "import":
            self.add_people([number, (number + 1) % len(PEOPLE)])
        elif change == "remove":
            forget_person(self.database, PEOPLE[number], key=KEY, now=self.now)
        elif number % 4 == 1:  # the others always remain
            add_suppression(self.database, PEOPLE[number], reason, key=KEY, now=self.now)

    @rule(number=st.sampled_from([1, 2, 5, 6]), topic=st.sampled_from(TOPICS))
    def leave_topic(self, number: int, topic: str) -> None:
        add_suppression(
            self.database, PEOPLE[number], SuppressionReason.UNSUBSCRIBED, topic=topic, key=KEY, now=self.now
        )

    @initialize(chunk_size=st.integers(2, 5))
    def freeze_one(self, chunk_size: int) -> None:
        self.broadcasts.append(freeze(self.database, "2026-01", to=TEACHERS, chunk_size=chunk_size, now=self.now))

    @rule(
        issue=st.sampled_from(["2026-01", "2026-01", "2026-02"]),
        kind=st.sampled_from([BroadcastKind.ISSUE, BroadcastKind.ISSUE, BroadcastKind.CORRECTION]),
        to=st.sampled_from([EVERYONE, TEACHERS]),
        only=st.sampled_from([(), (TEACHERS,)]),
        chunk_size=st.integers(2, 5),
        schedule=st.sampled_from([None, None, SOON, LATE, LOCAL]),
        is_held=st.booleans(),
        topics=st.sampled_from([(), ("events",), ("events", "news")]),
    )
    def freeze(
        self,
        issue: str,
        kind: BroadcastKind,
        to: Segment,
        only: tuple[Segment, ...],
        chunk_size: int,
        schedule: Schedule | None,
        is_held: bool,
        topics: tuple[str, ...],
    ) -> None:
        with contextlib.suppress(InputError):  # no one is left
            broadcast = freeze(
                self.database,
                issue,
                kind=kind,
                to=to,
                only=only,
                chunk_size=chunk_size,
                schedule=schedule,
                topics=topics,
                now=self.now,
            )
            self.broadcasts.append(broadcast)
            self.topics[broadcast.id] = frozenset(topics)
            if is_held:
                self.open_batches(broadcast)

    @rule(data=st.data())
    def hold_more(self, data: st.DataObject) -> None:
        """Lets the provider hold more: what is due later, and what was recalled."""
        self.open_batches(data.draw(st.sampled_from(self.broadcasts)))

    def open_batches(self, broadcast: Broadcast) -> None:
        until = self.now + timedelta(hours=4)
        for moment in moments_to_hold(self.database, broadcast.id, now=self.now, until=until):
            self.opened += 1
            batch_id = f"batch-{self.opened}"
            keep_batch(self.database, broadcast.id, batch_id, due_at=moment, margin=MARGIN, now=self.now)

    @rule(
        target=inflight,
        data=st.data(),
        alive=st.booleans(),
        hold_within=st.sampled_from([None, timedelta(hours=4)]),
        allowed=st.sampled_from([None, None, 3]),
    )
    def claim(
        self, data: st.DataObject, alive: bool, hold_within: timedelta | None, allowed: int | None
    ) -> ClaimedChunk | MultipleResults[ClaimedChunk]:
        hour = timedelta(hours=1)
        limits = [Allowance(deliveries=allowed, since=self.now - hour, frees=self.now + hour)] if allowed else []
        chunk = claim_chunk(
            self.database,
            self.any_broadcast(data, BroadcastState.RUNNING),
            self.runner.id if alive else DEAD,
            ("country", "language"),
            now=self.now,
            hold_within=hold_within,
            allowances=limits,
        )
        if not isinstance(chunk, ClaimedChunk):
            return multiple()
        assert chunk.deliveries
        self.everybody_may_be_mailed(chunk)
        assert chunk.due_at is None or chunk.due_at <= self.now or chunk.hold_until == chunk.due_at
        return chunk  # a dead runner's may be adopted, and its outcome may still come, late

    @rule(data=st.data(), verdict=st.sampled_from([Verdict.ACCEPTED, Verdict.ACCEPTED, *Verdict]))
    def deliver(self, data: st.DataObject, verdict: Verdict) -> None:
        """Claims and records at once, as nearly always."""
        number = self.any_broadcast(data, BroadcastState.RUNNING)
        ahead = timedelta(hours=4)
        chunk = claim_chunk(self.database, number, self.runner.id, (), now=self.now, hold_within=ahead)
        if isinstance(chunk, ClaimedChunk):
            self.everybody_may_be_mailed(chunk)
            self.learn(chunk, Outcome(verdict=verdict, reason="some reason"))

    def everybody_may_be_mailed(self, chunk: ClaimedChunk) -> None:
        topics = self.topics.get(chunk.broadcast, frozenset())
        for delivery in chunk.deliveries:
            assert delivery.email != PEOPLE[WITHOUT_CONSENT]
            left = {suppression.topic for suppression in suppressions_of(self.database, delivery.email)}
            assert "" not in left
            assert not topics or topics - left

    @rule(
        chunk=consumes(inflight),
        verdict=st.sampled_from(Verdict),
        next_step=st.sampled_from(NextStep),
        times=st.integers(1, 2),
        data=st.data(),
    )
    def record(
        self, chunk: ClaimedChunk, verdict: Verdict, next_step: NextStep, times: int, data: st.DataObject
    ) -> None:
        size = len(chunk.deliveries)
        fates = data.draw(st.lists(st.sampled_from(FATES), min_size=size, max_size=size))
        by_fate: dict[str, list[int]] = {fate: [] for fate in FATES}
        for delivery, fate in zip(chunk.deliveries, fates, strict=True):
            by_fate[fate].append(delivery.subscriber)
        outcome = Outcome(
            verdict=verdict,
            next_step=next_step,
            reason="some reason",
            invalid=dict.fromkeys(by_fate["invalid"], "refused"),
            undeliverable=frozenset(by_fate["invalid"][::2]),
            unsent=frozenset(by_fate["unsent"]),
            uncertain=dict.fromkeys(by_fate["uncertain"], "lost"),
            deferred=dict.fromkeys(by_fate["deferred"], "450 later"),
            blameless=dict.fromkeys(by_fate["blameless"], "450 too many"),
            doubted={each: data.draw(st.sampled_from(DOUBTS)) for each in by_fate["doubted"]},
        )
        for _ in range(times):
            self.learn(chunk, outcome)

    def learn(self, chunk: ClaimedChunk, outcome: Outcome) -> None:
        record_outcome(self.database, chunk, outcome, now=self.now)
        attempt = chunk.broadcast, chunk.attempt
        named = {*outcome.invalid, *outcome.unsent, *outcome.uncertain}
        named |= {*outcome.deferred, *outcome.blameless, *outcome.doubted}
        rest_left = outcome.verdict in {Verdict.ACCEPTED, Verdict.UNKNOWN}
        for delivery in chunk.deliveries:
            subscriber = delivery.subscriber
            self.reached(attempt, subscriber).pop(attempt, None)
            if subscriber in outcome.uncertain or (rest_left and subscriber not in named):
                self.count_as_left(attempt, [subscriber], chunk.batch_id)

    def any_broadcast(self, data: st.DataObject, *states: BroadcastState) -> int:
        """One of the chunks in a state, or one of all chunks if there is none."""
        numbers = [broadcast.id for broadcast in self.broadcasts]
        fitting = [number for number in numbers if require_broadcast(self.database, number).state in states]
        return data.draw(st.sampled_from(fitting or numbers))

    def reached(self, attempt: Attempt, subscriber: int) -> dict[Attempt, str]:
        broadcast = next(broadcast for broadcast in self.broadcasts if broadcast.id == attempt[0])
        return self.may_have_left[broadcast.issue, broadcast.kind, subscriber]

    def count_as_left(self, attempt: Attempt, subscribers: Iterable[int], batch_id: str) -> None:
        if batch_id in self.cancelled:
            return
        for subscriber in subscribers:
            if (*attempt, subscriber) not in self.resent:
                self.reached(attempt, subscriber)[attempt] = batch_id

    @rule(data=st.data())
    def adopt(self, data: st.DataObject) -> None:
        broadcast = data.draw(st.sampled_from(self.broadcasts))
        with self.database.read() as connection:
            orphans = connection.execute(
                "SELECT d.subscriber, c.attempt, c.batch_id FROM delivery AS d JOIN chunk AS c "
                "ON c.broadcast = d.broadcast AND c.number = d.chunk "
                "WHERE c.broadcast = :broadcast AND c.state = 'inflight' AND c.runner = 'dead'",
                {"broadcast": broadcast.id},
            ).fetchall()
        adopt_orphans(self.database, broadcast.id, now=self.now)
        for subscriber, attempt, batch_id in orphans:
            self.count_as_left((broadcast.id, attempt), [subscriber], batch_id)

    @rule(data=st.data(), resolution=st.sampled_from([None, *Resolution]))
    def resolve(self, data: st.DataObject, resolution: Resolution | None) -> None:
        number = data.draw(st.sampled_from(self.broadcasts)).id
        for chunk in unknown_chunks(self.database, number)[:1]:
            place = (self.database, number, chunk.number, chunk.attempt)
            if resolution is None:
                assert prove_taken(*place, evidence="delivered", now=self.now)
                continue
            members = self.members_of(number, chunk.number)
            assert len(members) == chunk.deliveries
            assert resolve_chunk(*place, resolution, detail="Ana says so", now=self.now)
            if resolution is Resolution.RESEND:
                for subscriber in members:
                    self.resent.add((number, chunk.attempt, subscriber))
                    self.reached((number, chunk.attempt), subscriber).pop((number, chunk.attempt), None)

    def members_of(self, broadcast_id: int, chunk: int) -> list[int]:
        with self.database.read() as connection:
            rows = connection.execute(
                "SELECT subscriber FROM delivery WHERE broadcast = :broadcast AND chunk = :chunk",
                {"broadcast": broadcast_id, "chunk": chunk},
            ).fetchall()
        return [subscriber for (subscriber,) in rows]

    @rule(data=st.data(), step=st.sampled_from(["pause", "resume", "resume", "continue", "finish", "begin", "end"]))
    def steer(self, data: st.DataObject, step: str) -> None:
        number = data.draw(st.sampled_from(self.broadcasts)).id
        with contextlib.suppress(InputError):  # it has ended
            match step:
                case "pause":
                    pause_broadcast(self.database, number, "a person looks at it", now=self.now)
                case "resume":
                    resume_broadcast(self.database, number, now=self.now)
                    assert overdue(self.database, number, before=self.now) == 0
                case "continue":
                    continue_unattended(self.database, number, now=self.now)
                case "finish":
                    finish_if_done(self.database, number, now=self.now)
                case "begin":
                    begin_cancel(self.database, number, now=self.now)
                case "end":
                    finish_cancel(self.database, number, now=self.now)

    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        start_scheduled(self.database, self.any_broadcast(data, BroadcastState.SCHEDULED), now=self.now)

    @rule(data=st.data(), step=st.sampled_from(["die", "refuse", "cancel", "cancel", "cancel and die"]))
    def recall(self, data: st.DataObject, step: str) -> None:
        """The provider is asked to cancel a batch. The program may die before, or before it can settle the answer."""
        number = data.draw(st.sampled_from(self.broadcasts)).id
        batches = [batch for batch in batches_of(self.database, number) if batch.due_at > self.now]
        if not batches:
            return
        batch = data.draw(st.sampled_from(batches))
        if not begin_recall(self.database, batch.id, now=self.now) or step == "die":
            return
        if step == "refuse":
            give_up_recall(self.database, batch.id, "no", now=self.now)
            return
        if self.now < batch.recall_ends_at:
            self.cancelled.add(batch.id)
            for attempts in self.may_have_left.values():
                for attempt in [attempt for attempt, held_in in attempts.items() if held_in == batch.id]:
                    del attempts[attempt]
        if step == "cancel":
            settle_recall(self.database, batch.id, confirmed_at=self.now, now=self.now)

    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(self.broadcasts)).id
        for batch in batches_of(self.database, number):
            settle_recall(self.database, batch.id, confirmed_at=None, now=self.now)

    @invariant()
    def every_delivery_is_counted_in_exactly_one_part(self) -> None:
        for broadcast in self.broadcasts:
            tally = tally_of(self.database, broadcast.id)
            assert tally.adds_up, tally

    @invariant()
    def nothing_is_left_to_leave_of_what_has_ended(self) -> None:
        for broadcast in self.broadcasts:
            state, tally = require_broadcast(self.database, broadcast.id).state, tally_of(self.database, broadcast.id)
            if state in {
                BroadcastState.DONE,
                BroadcastState.STOPPED,
                BroadcastState.CANCELLING,
                BroadcastState.CANCELLED,
            }:
                assert tally.waiting == 0
            if state in {BroadcastState.DONE, BroadcastState.CANCELLED}:
                assert tally.inflight == 0

    @invariant()
    def sizes_are_what_is_there(self) -> None:
        with self.database.read() as connection:
            for table in ("chunk", "settlement"):
                wrong = connection.execute(
                    f"SELECT t.broadcast, t.number, t.size, count(d.subscriber) FROM {table} AS t "
                    f"LEFT JOIN delivery AS d ON d.broadcast = t.broadcast AND d.{table} = t.number "
                    "GROUP BY t.broadcast, t.number, t.size HAVING count(d.subscriber) <> t.size"
                ).fetchall()
                assert wrong == []
            assert connection.execute(
                "SELECT count(*) FROM delivery AS d JOIN chunk AS c ON c.broadcast = d.broadcast "
                "AND c.number = d.chunk WHERE d.subscriber < c.first_subscriber"
            ).fetchone() == (0,)

    @invariant()
    def what_is_settled_for_good_stays_so(self) -> None:
        with self.database.read() as connection:
            now = {
                (broadcast, subscriber): state
                for broadcast, subscriber, state in connection.execute(
                    "SELECT d.broadcast, d.subscriber, coalesce(c.state, t.status) FROM delivery AS d "
                    "LEFT JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk "
                    "LEFT JOIN settlement AS t ON t.broadcast = d.broadcast AND t.number = d.settlement"
                )
            }
        for delivery, state in self.last_states.items():
            assert delivery in now, "a delivery was dropped"
            if state in FINAL:
                assert now[delivery] == state
            if state == "accepted":
                assert now[delivery] in {"accepted", "unknown", "cancelled", "ready"}  # as what is recalled
        self.last_states = now

    @invariant()
    def nobody_gets_an_issue_twice(self) -> None:
        for person, attempts in self.may_have_left.items():
            assert len(attempts) <= 1, (person, attempts)


def test_promise_holds_whatever_happens(
    engine: str, fresh_location: Callable[[], object], request: pytest.FixtureRequest
) -> None:
    urls: dict[Database, str] = {}
    server: PostgresServer | None = request.getfixturevalue("postgresql_server") if engine == "postgresql" else None

    def borrow() -> Database:
        location = fresh_location() if server is None else server.lend_database()
        database = open_database(location, wait_seconds=5)
        urls[database] = str(location)
        return database

    def give_back(database: Database) -> None:
        database.close()
        if server is not None:
            server.take_back(urls[database])

    run_state_machine_as_test(
        lambda: Ledger(borrow, give_back),
        settings=settings(
            max_examples=60 if server is None else 15,
            stateful_step_count=30,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
