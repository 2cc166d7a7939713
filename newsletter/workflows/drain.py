"""Hands a broadcast's chunks over, one after the other and several at a time: the only loop that sends."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, Lock
from time import monotonic

from newsletter.model.broadcast import Broadcast, Mailing, NextStep, Outcome, OutgoingChunk, Verdict
from newsletter.model.ledger import ClaimedChunk
from newsletter.providers.base import Provider, Session
from newsletter.render.personalise import Personaliser
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import finish_if_done, pause_broadcast
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.record import record_outcome
from newsletter.store.ledger.variants import load_variants
from newsletter.store.runners import Runner

MAX_ATTEMPTS = 6  # of one chunk that is surely not handed over
UNKNOWNS_IN_A_ROW = 3
_LONGEST_WAIT_SECONDS = 60.0
Advance = Callable[[int], None]


def drain_broadcast(
    database: Database, broadcast: Broadcast, provider: Provider, *, on_settled: Advance, stop: Event
) -> Broadcast:
    """Submits chunks until none is ready, the broadcast is held back, or `stop` is set; how it stands then.

    `on_settled` hears how many more deliveries a provider has answered for; it is called from several threads, one
    at a time. Raises StoreError where the ledger can no longer be written: what was being handed over becomes unknown.
    """
    with database.runner() as runner:
        drain = _Drain(database, broadcast, provider, runner, on_settled, stop)
        with ThreadPoolExecutor(max_workers=provider.concurrency, thread_name_prefix="deliver") as pool:
            workers = [pool.submit(drain.work) for _ in range(provider.concurrency)]
            try:
                for worker in workers:
                    worker.result()
            except BaseException:
                drain.halt.set()
                raise
    return finish_if_done(database, broadcast.id, now=datetime.now(UTC))


@dataclass(slots=True)
class _Drain:
    """What the workers of one process share while they drain a broadcast."""

    database: Database
    broadcast: Broadcast
    provider: Provider
    runner: Runner
    on_settled: Advance
    halt: Event
    mailings: dict[str, Mailing] = field(init=False)
    personaliser: dict[str, Personaliser] = field(init=False)
    fields: tuple[str, ...] = field(init=False)
    _lock: Lock = field(default_factory=Lock)
    _resume_at: float = 0.0
    _unknowns: int = 0

    def __post_init__(self) -> None:
        variants = load_variants(self.database, self.broadcast.id)
        slots = [slot for variant in variants.values() for slot in variant.slots]
        self.fields = Personaliser.fields_of(slots)
        self.personaliser = {
            key: Personaliser(variant.slots, self.fields, self.broadcast.envelope) for key, variant in variants.items()
        }
        self.mailings = {
            key: Mailing(
                broadcast=f"b{self.broadcast.id}-{self.broadcast.nonce}",
                category=f"{self.broadcast.issue}-b{self.broadcast.id}",
                envelope=self.broadcast.envelope,
                variant_key=key,
                variant=variant,
                nonce=self.broadcast.nonce,
            )
            for key, variant in variants.items()
        }

    def work(self) -> None:
        """One worker: claim, submit, record, until nothing is ready."""
        with self.provider.session() as session:
            while self._may_go_on():
                chunk = claim_chunk(
                    self.database, self.broadcast.id, self.runner.id, self.fields, now=datetime.now(UTC)
                )
                if chunk is None:
                    return
                self._deliver(session, chunk)

    def _deliver(self, session: Session, chunk: ClaimedChunk) -> None:
        outgoing = OutgoingChunk(
            mailing=self.mailings[chunk.variant_key],
            number=chunk.number,
            attempt=chunk.attempt,
            recipients=self.personaliser[chunk.variant_key].recipients(chunk.deliveries),
        )
        outcome = session.submit(outgoing)
        record_outcome(self.database, self.broadcast.id, chunk.number, outcome, now=datetime.now(UTC))
        self._react(chunk, outcome)

    def _react(self, chunk: ClaimedChunk, outcome: Outcome) -> None:
        if outcome.next_step is NextStep.WAIT:
            self._hold(chunk, outcome)
        with self._lock:
            self._unknowns = self._unknowns + 1 if outcome.verdict is Verdict.UNKNOWN else 0
            if self._unknowns == UNKNOWNS_IN_A_ROW:
                self._pause(f"{UNKNOWNS_IN_A_ROW} requests in a row ended without a clear answer: {outcome.reason}")
            self.on_settled(_settled(chunk, outcome))

    def _hold(self, chunk: ClaimedChunk, outcome: Outcome) -> None:
        """Lets every worker wait; gives up on a chunk that was tried often enough."""
        if chunk.attempt >= MAX_ATTEMPTS:
            self._pause(f"chunk {chunk.number} could not be handed over in {chunk.attempt} attempts: {outcome.reason}")
            return
        backoff = min(2.0**chunk.attempt, _LONGEST_WAIT_SECONDS) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        seconds = outcome.retry_after_seconds if outcome.retry_after_seconds is not None else backoff
        with self._lock:
            self._resume_at = max(self._resume_at, monotonic() + seconds)

    def _pause(self, reason: str) -> None:
        pause_broadcast(self.database, self.broadcast.id, reason)
        self.halt.set()

    def _may_go_on(self) -> bool:
        while (seconds := self._resume_at - monotonic()) > 0:
            if self.halt.wait(seconds):
                break
        return not self.halt.is_set()


def _settled(chunk: ClaimedChunk, outcome: Outcome) -> int:
    """How many deliveries of a chunk will not be tried again."""
    if outcome.verdict is Verdict.READY:
        return len(outcome.invalid) + len(outcome.uncertain)
    return len(chunk.deliveries) - len(outcome.unsent)
