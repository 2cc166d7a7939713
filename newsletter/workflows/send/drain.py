"""Submit the chunks of a broadcast to the provider, several at a time. This is the only loop that sends."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Event, Lock
from time import sleep as really_sleep

from msgspec import Struct, field
from msgspec.structs import replace

from newsletter.errors import StoreError
from newsletter.model.broadcast import Broadcast, BroadcastState, NextStep, Outcome, Verdict
from newsletter.model.ledger import ClaimedChunk, NotYet
from newsletter.model.pace import Pace
from newsletter.providers.base import UNRECORDED, Clock, Provider, Session, utc_now
from newsletter.store.database import Database, Runner
from newsletter.store.ledger.broadcasts import due_now, finish_if_done, next_retry, pause_broadcast, require_broadcast
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.record import Exchange, record_and_claim, record_outcome, unclear_in_a_row
from newsletter.store.ledger.told import clocks_of
from newsletter.store.ledger.variants import load_variants
from newsletter.store.reply_logs import ReplyLogs
from newsletter.workflows.send.gate import Gate, OnWait
from newsletter.workflows.send.lanes import Lanes
from newsletter.workflows.send.mailings import Mailings
from newsletter.workflows.send.pace import allowances, opens_at, shown_window
from newsletter.workflows.send.recover import outcome_from
from newsletter.workflows.send.stalls import MAX_TRIES, Stalls

UNCLEAR_IN_A_ROW = 3  # requests whose result is unclear, with no accepted chunk between them, also in earlier drains
RECORD_TRIES = 6  # for recording an outcome; about three seconds in total, plus the database's own timeouts
_PASSES_AFTER = timedelta(minutes=15)  # when a broadcast continues that the provider would not accept for now
_SHORTEST_WAIT = timedelta(seconds=1)  # before anyone is tried again, so that workers do not query in a busy loop
_FIRST_RECORD_PAUSE_SECONDS = 0.1
_NO_ANSWER = Outcome(verdict=Verdict.UNKNOWN, reason="sending was stopped before the provider had answered")
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
    on_note: Callable[[str], None] = lambda _words: None,
    stop: Event,
    is_asked: Callable[[], bool] = lambda: False,
    clock: Clock = utc_now,
    sleep: Callable[[float], None] = really_sleep,
) -> Broadcast:
    """Submit chunks until nothing is due, the broadcast is paused, or `stop` is set. Return the resulting broadcast.

    With `hold_within`, chunks that are due within that time are also submitted, for the provider to hold. The sending
    window applies only to chunks that are sent immediately; for held chunks, it was checked when the broadcast was
    scheduled.

    Once `stop` is set, no request and no message begins anymore, and those in progress are finished and recorded. The
    drain also sets `stop` itself if it ends early. If `is_asked` says that someone asked for the end, or if the
    broadcast is canceled meanwhile, replies are awaited for at most ten seconds.

    `on_settled` is called with the number of deliveries that were just completed, and `on_wait` with the end and the
    reason of each wait. Both are called from several threads, but never two at once. `on_note` is called with what a
    person should change. Only `stop`, `clock` and `sleep` know the time, so a rehearsal can replace it.

    Raise StoreError if the ledger can no longer be written; requests in progress then become unknown.
    """
    with database.runner() as runner:
        gate = Gate(clock=clock, halt=stop, on_wait=on_wait)
        mailings = Mailings(broadcast, load_variants(database, broadcast.id), clocks_of(database, broadcast.id))
        folder = database.replies if provider.notes_replies else None
        logs = ReplyLogs(folder, mailing=broadcast.mailing_id, provider=provider.name, runner=runner.id, halt=stop)
        lanes = Lanes(database, broadcast.id, stop, is_asked)
        drain = _Drain(
            database, broadcast, provider, runner, pace, hold_within, on_settled, gate, mailings, logs, lanes, sleep
        )
        drain.unclear = min(unclear_in_a_row(database, broadcast.id), UNCLEAR_IN_A_ROW - 1)
        with logs:
            try:
                drain.run()
            finally:
                for chunk in lanes.left:
                    drain.settle_left(chunk)
        if drain.advice:
            on_note(drain.advice)
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
    mailings: Mailings
    logs: ReplyLogs
    lanes: Lanes
    sleep: Callable[[float], None]
    _lock: Lock = field(default_factory=Lock)
    _tries: Counter[int] = field(default_factory=Counter)  # attempts per chunk in this drain
    _stalls: Stalls = field(default_factory=Stalls)
    _working: int = 0  # workers that have not ended
    unclear: int = 0  # requests without a clear answer since a chunk was last accepted
    advice: str = ""  # what a person should change, because a worker retired

    def run(self) -> None:
        """Run the workers until all have ended. What a worker left when it retired is sent by another."""
        count = self.provider.concurrency
        while count:
            self._working = count
            self.lanes.run(self._work, count=count)
            is_left = self.advice and not self.gate.halt.is_set() and self._is_running()
            count = 1 if is_left and due_now(self.database, self.broadcast.id, now=self.gate.clock()) else 0

    def _work(self) -> None:
        """Claim, submit and record chunks until none is ready. If this worker fails, the others stop too."""
        has_retired = False
        try:
            with self.provider.session() as session:
                chunk = self._next()
                while chunk and not has_retired:
                    following = None
                    if not self._gives_back(chunk):
                        following, has_retired = self._deliver(session, chunk)
                    chunk = following or (None if has_retired else self._next())
        except BaseException:
            self.gate.halt.set()
            raise
        finally:
            with self._lock:
                self._working -= not has_retired

    def settle_left(self, chunk: ClaimedChunk) -> None:
        """Record what is known about a chunk whose replies are no longer awaited."""
        log = self.logs.of(chunk)
        outcome = _NO_ANSWER if log is None else outcome_from(self.provider.name, log.close())
        self._record(chunk, outcome)
        self.logs.settle(chunk)

    def _next(self) -> ClaimedChunk | None:
        """Return the next chunk once the provider, the window and the pace allow it, or None if the work is done."""
        while self.gate.opens(is_worth_it=self._is_running):
            now = self.gate.clock()
            opens = now if self.pace.window is None else opens_at(self.pace.window, now)
            found = self._claim(now, is_closed=opens > now)
            if isinstance(found, NotYet):
                self.gate.close(found.until, found.reason)
            elif found is None and (retry_at := next_retry(self.database, self.broadcast.id, now=now)):
                self.gate.close(max(retry_at, now + _SHORTEST_WAIT), "people who were refused for now are tried again")
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

    def _deliver(self, session: Session, chunk: ClaimedChunk) -> tuple[ClaimedChunk | None, bool]:
        """Submit a chunk and record the outcome. Return any chunk claimed with it, and whether this worker must end."""
        submitted_at = self.gate.clock()
        replies = self.logs.of(chunk) or UNRECORDED
        outcome = self.lanes.submit(chunk, lambda: session.submit(self.mailings.outgoing(chunk), replies))
        outcome = self._retire(outcome)
        if outcome.verdict is Verdict.ACCEPTED and _accepted(chunk, outcome):
            with self._lock:
                self._stalls.note_accepted(submitted_at)
                self.unclear = 0
        if outcome.next_step is NextStep.WAIT:  # close the gate before other workers can claim the recorded chunk
            self._hold(chunk, outcome)
        exchange = self._exchange(chunk, outcome)
        if not exchange.is_recorded:
            self._record(chunk, outcome)
        self.logs.settle(chunk)
        with self._lock:
            self._react(chunk, outcome)
        return exchange.following, outcome.next_step is NextStep.RETIRE

    def _retire(self, outcome: Outcome) -> Outcome:
        """Count this worker out if the provider allows fewer connections. The last one waits instead."""
        if outcome.next_step is not NextStep.RETIRE:
            return outcome
        with self._lock:
            if self._working == 1:
                return replace(outcome, next_step=NextStep.WAIT)
            self._working -= 1
            setting = f"set concurrency = {self._working} under [provider.{self.broadcast.provider}] in newsletter.toml"
            self.advice = f"fewer connections were used, because {outcome.reason}; {setting}"
        return outcome

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
                self.sleep(pause_seconds)
        record_outcome(self.database, chunk, outcome, now=self.gate.clock())

    def _react(self, chunk: ClaimedChunk, outcome: Outcome) -> None:
        if outcome.next_step in {NextStep.PAUSE, NextStep.STOP}:
            self.gate.halt.set()  # in the ledger, the broadcast is already paused or stopped
        if outcome.next_step is NextStep.WAIT:
            self._give_up_if_hopeless(chunk, outcome)
        self.unclear += _is_unclear(outcome)
        if self.unclear == UNCLEAR_IN_A_ROW:
            self._pause(f"{UNCLEAR_IN_A_ROW} requests in a row ended without a clear answer: {outcome.reason}")
        self.on_settled(_settled(chunk, outcome))

    def _give_up_if_hopeless(self, chunk: ClaimedChunk, outcome: Outcome) -> None:
        """Pause if the provider accepts nothing for now, or not this chunk. The broadcast continues later."""
        tries, now = self._tries[chunk.number], self.gate.clock()
        if tries >= MAX_TRIES and not outcome.may_wait_long:
            reason = f"batch {chunk.number} could not be sent in {tries} attempts: {outcome.reason}"
            self._pause(reason, continues_at=now + _PASSES_AFTER)
        elif self._stalls.is_over(outcome, now=now):
            self._pause(f"nothing is accepted: {outcome.reason}", continues_at=now + _PASSES_AFTER)

    def _hold(self, chunk: ClaimedChunk, outcome: Outcome) -> None:
        """Close the gate to all workers for the time that the provider asks for, or with exponential backoff."""
        with self._lock:
            self._tries[chunk.number] += 1
            now = self.gate.clock()
            seconds = self._stalls.seconds_to_wait(outcome, now=now, is_new=not self.gate.is_closed)
            self.gate.close(now + timedelta(seconds=seconds), outcome.reason)

    def _pause(self, reason: str, *, continues_at: datetime | None = None) -> None:
        pause_broadcast(self.database, self.broadcast.id, reason, now=self.gate.clock(), continues_at=continues_at)
        self.gate.halt.set()


def _is_unclear(outcome: Outcome) -> bool:
    """Return whether it is unclear if a chunk was accepted, or which emails of an incomplete chunk were."""
    if outcome.verdict is Verdict.UNKNOWN:
        return True
    return bool(outcome.uncertain) and (outcome.verdict is not Verdict.ACCEPTED or bool(outcome.unsent))


def _accepted(chunk: ClaimedChunk, outcome: Outcome) -> int:
    """Return the number of deliveries of a chunk that were accepted, given that its verdict says so."""
    refused = len(outcome.invalid) + len(outcome.deferred) + len(outcome.blameless) + len(outcome.doubted)
    return len(chunk.deliveries) - refused - len(outcome.unsent) - len(outcome.uncertain)


def _settled(chunk: ClaimedChunk, outcome: Outcome) -> int:
    """Return the number of deliveries of a chunk that will not be tried again."""
    if outcome.verdict is Verdict.READY:
        return len(outcome.invalid) + len(outcome.uncertain) + len(outcome.doubted)
    return len(chunk.deliveries) - len(outcome.unsent) - len(outcome.deferred) - len(outcome.blameless)
