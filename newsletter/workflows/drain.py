"""Hands a broadcast's chunks over, one after the other and several at a time: the only loop that sends."""

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from threading import Event, Lock
from time import monotonic, sleep

from newsletter.errors import StoreError
from newsletter.model.broadcast import Broadcast, Mailing, NextStep, Outcome, OutgoingChunk, Verdict
from newsletter.model.ledger import ClaimedChunk
from newsletter.providers.base import Provider, Session
from newsletter.render.personalise import Personaliser
from newsletter.store.database import Database, Runner
from newsletter.store.ledger.broadcasts import finish_if_done, pause_broadcast
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.record import record_outcome
from newsletter.store.ledger.variants import load_variants

MAX_TRIES = 6  # of one chunk that is surely not handed over, until a person looks
UNCLEAR_IN_A_ROW = 3  # answers, with none between them that says that mail was taken
RECORD_TRIES = 6  # to write down an outcome that nobody else knows; about three seconds, and the database's own wait
_LONGEST_BACKOFF_SECONDS = 60.0
_LONGEST_WAIT_SECONDS = 3600.0  # that a provider may ask for
_FIRST_RECORD_PAUSE_SECONDS = 0.1
Advance = Callable[[int], None]


def drain_broadcast(
    database: Database, broadcast: Broadcast, provider: Provider, *, on_settled: Advance, stop: Event
) -> Broadcast:
    """Submits chunks until none is ready, the broadcast is held back, or `stop` is set; how it stands then.

    What is being handed over when it ends early is finished and recorded first. `stop` is also set by the drain itself
    where it ends early, so that no worker waits on. `on_settled` hears how many more deliveries a provider has answered
    for; it is called from several threads, one at a time. Raises StoreError where the ledger can no longer be written:
    what was being handed over becomes unknown.
    """
    with database.runner() as runner:
        drain = _Drain(database, broadcast, provider, runner, on_settled, stop)
        with ThreadPoolExecutor(max_workers=provider.concurrency, thread_name_prefix="deliver") as pool:
            workers = [pool.submit(drain.work) for _ in range(provider.concurrency)]
            try:
                for worker in workers:
                    worker.result()
            except BaseException:  # Ctrl-C too
                stop.set()
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
    _unclear: int = 0
    _tries: Counter[int] = field(default_factory=Counter)  # of each chunk, in this drain

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
        """One worker: claim, submit, record, until nothing is ready; where it fails, the others stop too."""
        try:
            with self.provider.session() as session:
                while self._may_go_on() and (chunk := self._claim()):
                    self._deliver(session, chunk)
        except BaseException:
            self.halt.set()
            raise

    def _claim(self) -> ClaimedChunk | None:
        return claim_chunk(self.database, self.broadcast.id, self.runner.id, self.fields, now=datetime.now(UTC))

    def _deliver(self, session: Session, chunk: ClaimedChunk) -> None:
        outgoing = OutgoingChunk(
            mailing=self.mailings[chunk.variant_key],
            number=chunk.number,
            attempt=chunk.attempt,
            recipients=self.personaliser[chunk.variant_key].recipients(chunk.deliveries),
        )
        outcome = session.submit(outgoing)
        self._record(chunk, outcome)
        with self._lock:
            self._react(chunk, outcome)

    def _record(self, chunk: ClaimedChunk, outcome: Outcome) -> None:
        """Writes down what the provider said, again and again: until then it is known in this process alone."""
        for pause_seconds in (_FIRST_RECORD_PAUSE_SECONDS * 2**number for number in range(RECORD_TRIES - 1)):
            try:
                record_outcome(self.database, self.broadcast.id, chunk.number, outcome, now=datetime.now(UTC))
                return
            except StoreError:
                sleep(pause_seconds)
        record_outcome(self.database, self.broadcast.id, chunk.number, outcome, now=datetime.now(UTC))

    def _react(self, chunk: ClaimedChunk, outcome: Outcome) -> None:
        if outcome.next_step in {NextStep.PAUSE, NextStep.STOP}:
            self.halt.set()  # the ledger holds the broadcast back by now
        if outcome.next_step is NextStep.WAIT:
            self._hold(chunk, outcome)
        if _is_unclear(outcome):
            self._unclear += 1
        elif outcome.verdict is Verdict.ACCEPTED:
            self._unclear = 0
        if self._unclear == UNCLEAR_IN_A_ROW:
            self._pause(f"{UNCLEAR_IN_A_ROW} requests in a row ended without a clear answer: {outcome.reason}")
        self.on_settled(_settled(chunk, outcome))

    def _hold(self, chunk: ClaimedChunk, outcome: Outcome) -> None:
        """Lets every worker wait; gives up on a chunk that was tried often enough."""
        self._tries[chunk.number] += 1
        tries = self._tries[chunk.number]
        if tries >= MAX_TRIES:
            self._pause(f"chunk {chunk.number} could not be handed over in {tries} tries: {outcome.reason}")
            return
        seconds = _seconds_asked(outcome)
        if seconds is None:
            seconds = min(2.0**tries, _LONGEST_BACKOFF_SECONDS) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        self._resume_at = max(self._resume_at, monotonic() + seconds)

    def _pause(self, reason: str) -> None:
        pause_broadcast(self.database, self.broadcast.id, reason)
        self.halt.set()

    def _may_go_on(self) -> bool:
        while (seconds := self._resume_at - monotonic()) > 0:
            if self.halt.wait(seconds):
                break
        return not self.halt.is_set()


def _is_unclear(outcome: Outcome) -> bool:
    """Whether the provider left open what it took, of all of a chunk or until the chunk was given up."""
    if outcome.verdict is Verdict.UNKNOWN:
        return True
    return bool(outcome.uncertain) and (outcome.verdict is not Verdict.ACCEPTED or bool(outcome.unsent))


def _seconds_asked(outcome: Outcome) -> float | None:
    """How long the provider asks to wait, within reason; None where it does not say."""
    asked = outcome.retry_after_seconds
    return min(max(asked, 0.0), _LONGEST_WAIT_SECONDS) if asked is not None and isfinite(asked) else None


def _settled(chunk: ClaimedChunk, outcome: Outcome) -> int:
    """How many deliveries of a chunk will not be tried again."""
    if outcome.verdict is Verdict.READY:
        return len(outcome.invalid) + len(outcome.uncertain)
    return len(chunk.deliveries) - len(outcome.unsent)
