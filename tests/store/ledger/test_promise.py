"""The promise of delivery under any sequence of freezes, claims, outcomes, suppressions and crashes."""

import contextlib
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
)

from newsletter.errors import InputError
from newsletter.model.audience import ImportRow, SuppressionReason
from newsletter.model.broadcast import Broadcast, NextStep, Outcome, Verdict
from newsletter.model.ledger import ClaimedChunk
from newsletter.model.segment import Segment, Tagged
from newsletter.store.ledger.broadcasts import finish_if_done, pause_broadcast, resume_broadcast
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.record import adopt_orphans
from newsletter.store.ledger.status import tally_of
from newsletter.store.opening import open_database
from newsletter.store.subscribers import remove_subscriber
from newsletter.store.suppressions import add_suppression
from tests.store.builders import EVERYONE, NOW, add, freeze, record, segment

PEOPLE = [f"person{number:02}@example.org" for number in range(12)]
TEACHERS = segment("teachers", Tagged("teacher"))
SETTLED_FOR_GOOD = {"accepted", "unknown", "rejected"}


class Ledger(RuleBasedStateMachine):
    """Random life of a ledger; the invariants hold after every step."""

    inflight: Bundle[ClaimedChunk] = Bundle("inflight")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.database = open_database(Path(self.folder.name) / "newsletter.db")
        self.runner_block = self.database.runner()
        self.runner = self.runner_block.__enter__()
        self.broadcasts: list[Broadcast] = []
        self.may_have_left: dict[tuple[str, int], int] = {}  # (issue, subscriber) → how many times
        self.last_states: dict[tuple[int, int], str] = {}
        self.add_people(PEOPLE[:8])

    def teardown(self) -> None:
        self.runner_block.__exit__(None, None, None)
        self.database.close()
        self.folder.cleanup()

    def add_people(self, emails: list[str]) -> None:
        add(
            self.database,
            *(
                ImportRow(0, email, tags=("teacher",) if int(email[6:8]) % 3 == 0 else ())
                for email in dict.fromkeys(emails)
            ),
        )

    @rule(emails=st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4))
    def import_people(self, emails: list[str]) -> None:
        self.add_people(emails)

    @rule(email=st.sampled_from(PEOPLE), reason=st.sampled_from(SuppressionReason))
    def suppress(self, email: str, reason: SuppressionReason) -> None:
        add_suppression(self.database, email, reason, now=NOW)

    @rule(email=st.sampled_from(PEOPLE))
    def remove(self, email: str) -> None:
        remove_subscriber(self.database, email)

    @rule(
        issue=st.sampled_from(["2026-01", "2026-02"]),
        to=st.sampled_from([EVERYONE, TEACHERS]),
        only=st.sampled_from([(), (TEACHERS,)]),
        chunk_size=st.integers(1, 5),
    )
    def freeze(self, issue: str, to: Segment, only: tuple[Segment, ...], chunk_size: int) -> None:
        with contextlib.suppress(InputError):  # nobody is left
            self.broadcasts.append(freeze(self.database, issue, to=to, only=only, chunk_size=chunk_size))

    @precondition(lambda self: self.broadcasts)
    @rule(target=inflight, data=st.data(), alive=st.booleans())
    def claim(self, data: st.DataObject, alive: bool) -> ClaimedChunk | MultipleResults[ClaimedChunk]:
        broadcast = data.draw(st.sampled_from(self.broadcasts))
        chunk = claim_chunk(self.database, broadcast.id, self.runner.id if alive else "dead", ("country",), now=NOW)
        if chunk is None:
            return multiple()
        assert chunk.deliveries
        return chunk if alive else multiple()  # what a dead runner held is left to be adopted

    @rule(
        chunk=consumes(inflight),
        verdict=st.sampled_from(Verdict),
        next_step=st.sampled_from(NextStep),
        data=st.data(),
    )
    def record(self, chunk: ClaimedChunk, verdict: Verdict, next_step: NextStep, data: st.DataObject) -> None:
        fates = data.draw(
            st.lists(
                st.sampled_from(["rest", "rest", "invalid", "unsent", "uncertain"]),
                min_size=len(chunk.deliveries),
                max_size=len(chunk.deliveries),
            )
        )
        by_fate: dict[str, list[int]] = {fate: [] for fate in ("rest", "invalid", "unsent", "uncertain")}
        for delivery, fate in zip(chunk.deliveries, fates, strict=True):
            by_fate[fate].append(delivery.subscriber)
        outcome = Outcome(
            verdict=verdict,
            next_step=next_step,
            reason="some reason",
            invalid=dict.fromkeys(by_fate["invalid"], "refused"),
            undeliverable=frozenset(by_fate["invalid"][::2]),
            unsent=frozenset(by_fate["unsent"]),
            uncertain=frozenset(by_fate["uncertain"]),
        )
        record(self.database, chunk, outcome)
        if verdict in {Verdict.ACCEPTED, Verdict.UNKNOWN}:
            self.count_as_left(chunk.broadcast, by_fate["rest"])
        self.count_as_left(chunk.broadcast, by_fate["uncertain"])

    def count_as_left(self, broadcast_id: int, subscribers: list[int]) -> None:
        issue = next(broadcast.issue for broadcast in self.broadcasts if broadcast.id == broadcast_id)
        for subscriber in subscribers:
            key = (issue, subscriber)
            self.may_have_left[key] = self.may_have_left.get(key, 0) + 1

    @precondition(lambda self: self.broadcasts)
    @rule(data=st.data())
    def adopt(self, data: st.DataObject) -> None:
        broadcast = data.draw(st.sampled_from(self.broadcasts))
        with self.database.read() as connection:
            orphans = connection.execute(
                "SELECT d.subscriber FROM delivery AS d JOIN chunk AS c ON c.broadcast = d.broadcast "
                "AND c.number = d.chunk WHERE c.broadcast = ? AND c.state = 'inflight' AND c.runner = 'dead'",
                (broadcast.id,),
            ).fetchall()
        adopt_orphans(self.database, broadcast.id, now=NOW)
        self.count_as_left(broadcast.id, [subscriber for (subscriber,) in orphans])

    @precondition(lambda self: self.broadcasts)
    @rule(data=st.data(), step=st.sampled_from(["pause", "resume", "finish"]))
    def steer(self, data: st.DataObject, step: str) -> None:
        broadcast = data.draw(st.sampled_from(self.broadcasts))
        if step == "pause":
            pause_broadcast(self.database, broadcast.id, "a person looks at it")
        elif step == "finish":
            finish_if_done(self.database, broadcast.id, now=NOW)
        else:
            with contextlib.suppress(InputError):  # it has ended
                resume_broadcast(self.database, broadcast.id)

    @invariant()
    def every_delivery_is_counted_in_exactly_one_part(self) -> None:
        for broadcast in self.broadcasts:
            tally = tally_of(self.database, broadcast.id)
            assert tally.adds_up, tally

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
            if state in SETTLED_FOR_GOOD | {"excluded", "invalid"}:
                assert now[delivery] == state
        self.last_states = now

    @invariant()
    def nobody_gets_an_issue_twice(self) -> None:
        assert all(times == 1 for times in self.may_have_left.values())


Ledger.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestPromise = Ledger.TestCase
