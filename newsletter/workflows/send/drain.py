"""Hand a broadcast's chunks over, one after the other and several at a time: the only loop that sends."""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from math import isfinite
from threading import Event, Lock
from time import sleep

from msgspec import Struct, field

from newsletter.errors import StoreError
from newsletter.model.broadcast import Broadcast, BroadcastState, Mailing, NextStep, Outcome, OutgoingChunk, Verdict
from newsletter.model.ledger import ClaimedChunk, NotYet
from newsletter.model.pace import Pace
from newsletter.model.rendered import RenderedVariant
from newsletter.providers.base import Clock, Provider, Session, utc_now
from newsletter.render.merge import Personaliser
from newsletter.store.database import Database, Runner
from newsletter.store.ledger.broadcasts import due_now, finish_if_done, pause_broadcast, require_broadcast
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.record import Exchange, record_and_claim, record_outcome
from newsletter.store.ledger.variants import load_variants
from newsletter.workflows.send.gate import Gate, OnWait
from newsletter.workflows.send.pace import allowances, opens_at, shown_window

MAX_TRIES = 6  # of one chunk that is surely not handed over, by one drain, until a person looks
UNCLEAR_IN_A_ROW = 3  # answers, with none between them that says that mail was taken
RECORD_TRIES = 6  # to write down an outcome that nobody else knows; about three seconds, and the database's own wait
_LONGEST_BACKOFF_SECONDS = 60.0
_LONGEST_WAIT_SECONDS = 3600.0  # that a provider may ask for
_SHORTEST_WAIT = timedelta(seconds=1)  # for the pace, so that nobody asks the ledger again and again
_FIRST_RECORD_PAUSE_SECONDS = 0.1
Advance = Callable[[int], None]


def drain_broadcast(  # noqa: PLR0913 - what a broadcast goes by, and whom it tells
    database: Database,
    broadcast: Broadcast,
    provider: Provider,
    *,
    pace: Pace = Pace(),  # noqa: B008 - frozen
    hold_within: timedelta | None = None,
    on_settled: Advance,
    on_wait: OnWait = lambda _until, _reason: None,
    stop: Event,
    clock: Clock = utc_now,
) -> Broadcast:
    """Submit what is due until nothing is, the broadcast is held back, or `stop` is set; return how it stands then.

    With `hold_within`, what is due in that time is handed over too, for the provider to hold. Whether its hour is one
    in which mail may leave was decided with the schedule; the sending window counts for what leaves at once.

    What is being handed over when it ends early is finished and recorded first. `stop` is also set by the drain itself
    where it ends early, so that no worker waits on. `on_settled` hears how many more deliveries a provider has answered
    for, `on_wait` once for each wait until when nothing leaves and why; each is called from several threads, never by
    two at once. Raise StoreError where the ledger can no longer be written: what was being handed over becomes
    unknown.
    """
    with database.runner() as runner:
        gate = Gate(clock=clock, halt=stop, on_wait=on_wait)
        mailings = _Mailings(broadcast, load_variants(database, broadcast.id))
        drain = _Drain(database, broadcast, provider, runner, pace, hold_within, on_settled, gate, mailings)
        with ThreadPoolExecutor(max_workers=provider.concurrency, thread_name_prefix="deliver") as pool:
            try:
                for worker in [pool.submit(drain.work) for _ in range(provider.concurrency)]:
                    worker.result()
            except BaseException:  # Ctrl-C too
                stop.set()
                raise
    return finish_if_done(database, broadcast.id, now=clock())


class _Drain(Struct):
    """What the workers of one process share while they drain a broadcast."""

    database: Database
    broadcast: Broadcast
    provider: Provider
    runner: Runner
    pace: Pace
    hold_within: timedelta | None
    on_settled: Advance
    gate: Gate
    mailings: "_Mailings"
    _lock: Lock = field(default_factory=Lock)
    _unclear: int = 0
    _tries: Counter[int] = field(default_factory=Counter)  # of each chunk, in this drain

    def work(self) -> None:
        """Claim, submit and record, until nothing is ready; where this worker fails, the others stop too."""
        try:
            with self.provider.session() as session:
                chunk = self._next()
                while chunk:
                    following = None if self._gives_back(chunk) else self._deliver(session, chunk)
                    chunk = following or self._next()
        except BaseException:
            self.gate.halt.set()
            raise

    def _next(self) -> ClaimedChunk | None:
        """Return the next chunk when the provider, the window and the pace let it go; None at the end of the work."""
        while self.gate.opens(is_worth_it=self._is_running):
            now = self.gate.clock()
            opens = now if self.pace.window is None else opens_at(self.pace.window, now)
            found = self._claim(now, is_closed=opens > now)
            if isinstance(found, NotYet):
                self.gate.close(max(found.until, now + _SHORTEST_WAIT), found.reason)
            elif found or opens <= now or not due_now(self.database, self.broadcast.id, now=now):
                return found
            else:
                self.gate.close(opens, shown_window(self.pace))
        return None

    def _gives_back(self, chunk: ClaimedChunk) -> bool:
        """Give a chunk back where another worker was asked to wait while this one claimed; return whether it was."""
        if not self.gate.is_closed:
            return False
        self._record(chunk, Outcome(verdict=Verdict.READY, reason="claimed while the provider asked to wait"))
        return True

    def _is_running(self) -> bool:
        return require_broadcast(self.database, self.broadcast.id).state is BroadcastState.RUNNING

    def _claim(self, now: datetime, *, is_closed: bool) -> ClaimedChunk | NotYet | None:
        """Return the next chunk; while the sending window is closed only what the provider holds until its time."""
        if is_closed and self.hold_within is None:
            return None
        return claim_chunk(
            self.database,
            self.broadcast.id,
            self.runner.id,
            self.mailings.fields,
            now=now,
            hold_within=self.hold_within,
            held_only=is_closed,
            allowances=allowances(self.pace, now),
        )

    def _deliver(self, session: Session, chunk: ClaimedChunk) -> ClaimedChunk | None:
        """Submit a chunk and record what came of it; return the chunk to go on with, where it was claimed with that."""
        outcome = session.submit(self.mailings.outgoing(chunk))
        if outcome.next_step is NextStep.WAIT:  # before the record gives the chunk back for any worker to take
            self._hold(chunk, outcome)
        exchange = self._exchange(chunk, outcome)
        if not exchange.is_recorded:
            self._record(chunk, outcome)
        with self._lock:
            self._react(chunk, outcome)
        return exchange.following

    def _exchange(self, chunk: ClaimedChunk, outcome: Outcome) -> Exchange:
        """Record and claim in one commit, where nothing keeps the next chunk waiting; else neither."""
        is_limited = self.pace.rates or self.pace.window or self.pace.warm_up  # not by the provider alone
        if self.gate.is_open and not is_limited:
            now, fields = self.gate.clock(), self.mailings.fields
            with suppress(StoreError):
                return record_and_claim(
                    self.database, chunk, outcome, self.runner.id, fields, now=now, hold_within=self.hold_within
                )
        return Exchange(is_recorded=False, following=None)

    def _record(self, chunk: ClaimedChunk, outcome: Outcome) -> None:
        """Write down what the provider said, again and again: until then it is known in this process alone."""
        for pause_seconds in (_FIRST_RECORD_PAUSE_SECONDS * 2**number for number in range(RECORD_TRIES - 1)):
            try:
                record_outcome(self.database, chunk, outcome, now=self.gate.clock())
                return
            except StoreError:
                sleep(pause_seconds)
        record_outcome(self.database, chunk, outcome, now=self.gate.clock())

    def _react(self, chunk: ClaimedChunk, outcome: Outcome) -> None:
        if outcome.next_step in {NextStep.PAUSE, NextStep.STOP}:
            self.gate.halt.set()  # the ledger holds the broadcast back by now
        tries = self._tries[chunk.number]
        if outcome.next_step is NextStep.WAIT and tries >= MAX_TRIES:
            self._pause(f"chunk {chunk.number} could not be handed over in {tries} tries: {outcome.reason}")
        if _is_unclear(outcome):
            self._unclear += 1
        elif outcome.verdict is Verdict.ACCEPTED:
            self._unclear = 0
        if self._unclear == UNCLEAR_IN_A_ROW:
            self._pause(f"{UNCLEAR_IN_A_ROW} requests in a row ended without a clear answer: {outcome.reason}")
        self.on_settled(_settled(chunk, outcome))

    def _hold(self, chunk: ClaimedChunk, outcome: Outcome) -> None:
        """Let every worker wait."""
        with self._lock:
            self._tries[chunk.number] += 1
            seconds = _seconds_asked(outcome)
            if seconds is None:
                longest = min(2.0 ** self._tries[chunk.number], _LONGEST_BACKOFF_SECONDS)
                seconds = longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
            self.gate.close(self.gate.clock() + timedelta(seconds=seconds), outcome.reason)

    def _pause(self, reason: str) -> None:
        pause_broadcast(self.database, self.broadcast.id, reason, now=self.gate.clock())
        self.gate.halt.set()


class _Mailings:
    """What the messages of a broadcast are made from: each variant, and whose values it needs."""

    def __init__(self, broadcast: Broadcast, variants: Mapping[str, RenderedVariant]) -> None:
        self.fields = Personaliser.fields_of(slot for variant in variants.values() for slot in variant.slots)
        self._broadcast = broadcast
        self._variants = variants
        self._made: dict[tuple[str, str], tuple[Mailing, Personaliser]] = {}

    def outgoing(self, chunk: ClaimedChunk) -> OutgoingChunk:
        """Return a claimed chunk as a provider is handed it."""
        key = (chunk.variant_key, chunk.batch_id)
        if key not in self._made:  # two workers may both make it, to the same effect
            self._made[key] = self._make(*key)
        mailing, personaliser = self._made[key]
        return OutgoingChunk(
            mailing=mailing,
            number=chunk.number,
            attempt=chunk.attempt,
            recipients=personaliser.recipients(chunk.deliveries),
            hold_until=chunk.hold_until,
        )

    def _make(self, variant_key: str, batch_id: str) -> tuple[Mailing, Personaliser]:
        variant, broadcast = self._variants[variant_key], self._broadcast
        mailing = Mailing(
            broadcast=broadcast.mailing_id,
            category=f"{broadcast.issue}-b{broadcast.id}",
            envelope=broadcast.envelope,
            variant_key=variant_key,
            variant=variant,
            nonce=broadcast.nonce,
            batch_id=batch_id,
        )
        return mailing, Personaliser(variant.slots, self.fields, broadcast.envelope)


def _is_unclear(outcome: Outcome) -> bool:
    """Return whether the provider left open what it took, of all of a chunk or until the chunk was given up."""
    if outcome.verdict is Verdict.UNKNOWN:
        return True
    return bool(outcome.uncertain) and (outcome.verdict is not Verdict.ACCEPTED or bool(outcome.unsent))


def _seconds_asked(outcome: Outcome) -> float | None:
    """Return how long the provider asks to wait, within reason; None where it does not say."""
    asked = outcome.retry_after_seconds
    return min(max(asked, 0.0), _LONGEST_WAIT_SECONDS) if asked is not None and isfinite(asked) else None


def _settled(chunk: ClaimedChunk, outcome: Outcome) -> int:
    """Return how many deliveries of a chunk will not be tried again."""
    if outcome.verdict is Verdict.READY:
        return len(outcome.invalid) + len(outcome.uncertain)
    return len(chunk.deliveries) - len(outcome.unsent)
