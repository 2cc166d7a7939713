"""Submit the chunks of a broadcast to the provider, several at a time. This is the only loop that sends."""

import random
from collections import Counter
from collections.abc import Callable, Mapping
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
from newsletter.providers.base import UNRECORDED, Clock, Provider, Session, utc_now
from newsletter.render.merge import Personalizer
from newsletter.store.database import Database, Runner
from newsletter.store.ledger.broadcasts import due_now, finish_if_done, pause_broadcast, require_broadcast
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.record import Exchange, record_and_claim, record_outcome
from newsletter.store.ledger.variants import load_variants
from newsletter.store.reply_logs import ReplyLogs
from newsletter.workflows.send.gate import Gate, OnWait
from newsletter.workflows.send.lanes import Lanes
from newsletter.workflows.send.pace import allowances, opens_at, shown_window
from newsletter.workflows.send.recover import outcome_from

MAX_TRIES = 6  # for a chunk that was certainly not sent; after that, the broadcast is paused, and a person must decide
UNCLEAR_IN_A_ROW = 3  # requests whose result is unclear, with no accepted chunk between them
RECORD_TRIES = 6  # for recording an outcome; about three seconds in total, plus the database's own timeouts
_LONGEST_BACKOFF_SECONDS = 60.0
_LONGEST_WAIT_SECONDS = 3600.0  # the longest wait that a provider can request
_SHORTEST_WAIT = timedelta(seconds=1)  # for a pace limit, so that workers do not query the ledger in a busy loop
_FIRST_RECORD_PAUSE_SECONDS = 0.1
Advance = Callable[[int], None]


def drain_broadcast(  # noqa: PLR0913 - the limits of a broadcast, and the callbacks
    database: Database,
    broadcast: Broadcast,
    provider: Provider,
    *,
    pace: Pace = Pace(),  # noqa: B008 - frozen
    hold_within: timedelta | None = None,
    on_settled: Advance,
    on_wait: OnWait = lambda _until, _reason: None,
    stop: Event,
    is_asked: Callable[[], bool] = lambda: False,
    clock: Clock = utc_now,
) -> Broadcast:
    """Submit chunks until nothing is due, the broadcast is paused, or `stop` is set. Return the resulting broadcast.

    With `hold_within`, chunks that are due within that time are also submitted, for the provider to hold. The sending
    window applies only to chunks that are sent immediately; for held chunks, it was checked when the broadcast was
    scheduled.

    Once `stop` is set, no request and no message begins anymore, and those in progress are finished and recorded. The
    drain also sets `stop` itself if it ends early. If `is_asked` says that someone asked for the end, or if the
    broadcast is canceled meanwhile, replies are awaited for at most ten seconds.

    `on_settled` is called with the number of deliveries that were just completed, and `on_wait` with the end and the
    reason of each wait. Both are called from several threads, but never two at once. Raise StoreError if the ledger can
    no longer be written; requests in progress then become unknown.
    """
    with database.runner() as runner:
        gate = Gate(clock=clock, halt=stop, on_wait=on_wait)
        mailings = _Mailings(broadcast, load_variants(database, broadcast.id))
        folder = database.replies if provider.notes_replies else None
        logs = ReplyLogs(folder, mailing=broadcast.mailing_id, provider=provider.name, runner=runner.id, halt=stop)
        lanes = Lanes(database, broadcast.id, stop, is_asked)
        drain = _Drain(
            database, broadcast, provider, runner, pace, hold_within, on_settled, gate, mailings, logs, lanes
        )
        with logs:
            try:
                lanes.run(drain.work, count=provider.concurrency)
            finally:
                for chunk in lanes.left:
                    drain.settle_left(chunk)
    return finish_if_done(database, broadcast.id, now=clock())


class _Drain(Struct):
    """The state that the worker threads of one process share while they drain a broadcast."""

    database: Database
    broadcast: Broadcast
    provider: Provider
    runner: Runner
    pace: Pace
    hold_within: timedelta | None
    on_settled: Advance
    gate: Gate
    mailings: "_Mailings"
    logs: ReplyLogs
    lanes: Lanes
    _lock: Lock = field(default_factory=Lock)
    _unclear: int = 0
    _tries: Counter[int] = field(default_factory=Counter)  # attempts per chunk in this drain

    def work(self) -> None:
        """Claim, submit and record chunks until none is ready. If this worker fails, the others stop too."""
        try:
            with self.provider.session() as session:
                chunk = self._next()
                while chunk:
                    following = None if self._gives_back(chunk) else self._deliver(session, chunk)
                    chunk = following or self._next()
        except BaseException:
            self.gate.halt.set()
            raise

    def settle_left(self, chunk: ClaimedChunk) -> None:
        """Record what is known about a chunk whose replies are no longer awaited."""
        log = self.logs.of(chunk)
        if log is None:
            outcome = Outcome(verdict=Verdict.UNKNOWN, reason="sending was stopped before the provider had answered")
        else:
            outcome = outcome_from(self.provider.name, log.close())
        self._record(chunk, outcome)
        self.logs.settle(chunk)

    def _next(self) -> ClaimedChunk | None:
        """Return the next chunk once the provider, the window and the pace allow it, or None if the work is done."""
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
        """Release a chunk unsent if the gate closed while it was being claimed. Return whether it was released."""
        if self.gate.is_open:
            return False
        reason = "not sent yet, because the provider asked for a pause" if self.gate.is_closed else ""
        self._record(chunk, Outcome(verdict=Verdict.READY, reason=reason))
        self.logs.settle(chunk)
        return True

    def _is_running(self) -> bool:
        return require_broadcast(self.database, self.broadcast.id).state is BroadcastState.RUNNING

    def _claim(self, now: datetime, *, is_closed: bool) -> ClaimedChunk | NotYet | None:
        """Claim the next chunk. While the sending window is closed, claim only what the provider will hold."""
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
            on_claim=self.logs.create,
        )

    def _deliver(self, session: Session, chunk: ClaimedChunk) -> ClaimedChunk | None:
        """Submit a chunk and record the outcome. Return the next chunk if it was claimed in the same commit."""
        replies = self.logs.of(chunk) or UNRECORDED
        outcome = self.lanes.submit(chunk, lambda: session.submit(self.mailings.outgoing(chunk), replies))
        if outcome.next_step is NextStep.WAIT:  # close the gate before other workers can claim the recorded chunk
            self._hold(chunk, outcome)
        exchange = self._exchange(chunk, outcome)
        if not exchange.is_recorded:
            self._record(chunk, outcome)
        self.logs.settle(chunk)
        with self._lock:
            self._react(chunk, outcome)
        return exchange.following

    def _exchange(self, chunk: ClaimedChunk, outcome: Outcome) -> Exchange:
        """Record the outcome and claim the next chunk in one commit, or do neither if the next chunk must wait."""
        # Each commit waits for the disk. Measured on SQLite with 1,000 deliveries per chunk, one commit instead of two
        # saves a sixth to a third of the ledger's time (docs/decisions/0010).
        is_limited = self.pace.rates or self.pace.window or self.pace.warm_up  # the pace requires waits of its own
        if self.gate.is_open and not is_limited:
            now, fields = self.gate.clock(), self.mailings.fields
            with suppress(StoreError):
                return record_and_claim(
                    self.database,
                    chunk,
                    outcome,
                    self.runner.id,
                    fields,
                    now=now,
                    hold_within=self.hold_within,
                    on_claim=self.logs.create,
                )
        return Exchange(is_recorded=False, following=None)

    def _record(self, chunk: ClaimedChunk, outcome: Outcome) -> None:
        """Record the outcome. Retry if that fails, because an unrecorded outcome exists only in this process."""
        for pause_seconds in (_FIRST_RECORD_PAUSE_SECONDS * 2**number for number in range(RECORD_TRIES - 1)):
            try:
                record_outcome(self.database, chunk, outcome, now=self.gate.clock())
                return
            except StoreError:
                sleep(pause_seconds)
        record_outcome(self.database, chunk, outcome, now=self.gate.clock())

    def _react(self, chunk: ClaimedChunk, outcome: Outcome) -> None:
        if outcome.next_step in {NextStep.PAUSE, NextStep.STOP}:
            self.gate.halt.set()  # in the ledger, the broadcast is already paused or stopped
        tries = self._tries[chunk.number]
        if outcome.next_step is NextStep.WAIT and tries >= MAX_TRIES:
            self._pause(f"batch {chunk.number} could not be sent in {tries} attempts: {outcome.reason}")
        if _is_unclear(outcome):
            self._unclear += 1
        elif outcome.verdict is Verdict.ACCEPTED:
            self._unclear = 0
        if self._unclear == UNCLEAR_IN_A_ROW:
            self._pause(f"{UNCLEAR_IN_A_ROW} requests in a row ended without a clear answer: {outcome.reason}")
        self.on_settled(_settled(chunk, outcome))

    def _hold(self, chunk: ClaimedChunk, outcome: Outcome) -> None:
        """Close the gate to all workers for the time that the provider asks for, or with exponential backoff."""
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
    """The mailings of a broadcast, one per variant and batch id. Each is made when it is first needed."""

    def __init__(self, broadcast: Broadcast, variants: Mapping[str, RenderedVariant]) -> None:
        self.fields = Personalizer.fields_of(slot for variant in variants.values() for slot in variant.slots)
        self._broadcast = broadcast
        self._variants = variants
        self._made: dict[tuple[str, str], tuple[Mailing, Personalizer]] = {}

    def outgoing(self, chunk: ClaimedChunk) -> OutgoingChunk:
        """Return a claimed chunk in the form that a provider accepts."""
        key = (chunk.variant_key, chunk.batch_id)
        if key not in self._made:  # two workers may do this at the same time; the result is the same
            self._made[key] = self._make(*key)
        mailing, personalizer = self._made[key]
        return OutgoingChunk(
            mailing=mailing,
            number=chunk.number,
            attempt=chunk.attempt,
            recipients=personalizer.recipients(chunk.deliveries),
            hold_until=chunk.hold_until,
        )

    def _make(self, variant_key: str, batch_id: str) -> tuple[Mailing, Personalizer]:
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
        return mailing, Personalizer(variant.slots, self.fields, broadcast.envelope)


def _is_unclear(outcome: Outcome) -> bool:
    """Return whether it is unclear if a chunk was accepted, or which emails of an incomplete chunk were."""
    if outcome.verdict is Verdict.UNKNOWN:
        return True
    return bool(outcome.uncertain) and (outcome.verdict is not Verdict.ACCEPTED or bool(outcome.unsent))


def _seconds_asked(outcome: Outcome) -> float | None:
    """Return how many seconds the provider asks us to wait, up to one hour, or None if it does not say."""
    asked = outcome.retry_after_seconds
    return min(max(asked, 0.0), _LONGEST_WAIT_SECONDS) if asked is not None and isfinite(asked) else None


def _settled(chunk: ClaimedChunk, outcome: Outcome) -> int:
    """Return the number of deliveries of a chunk that will not be tried again."""
    if outcome.verdict is Verdict.READY:
        return len(outcome.invalid) + len(outcome.uncertain)
    return len(chunk.deliveries) - len(outcome.unsent)
