"""Carry out what a broadcast needs without a person: send, recall, cancel or pause."""

from collections.abc import Callable
from datetime import datetime
from threading import Event

from msgspec import Struct
from msgspec.structs import replace

from newsletter.config import Config
from newsletter.errors import InputError, ProviderError
from newsletter.model.broadcast import Broadcast, Tally, label_of
from newsletter.providers.base import Clock, Provider, utc_now
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import pause_broadcast, require_broadcast
from newsletter.store.ledger.status import in_words, tally_of
from newsletter.store.notices import notice_failure
from newsletter.system.log import Log, no_log
from newsletter.workflows.send.cancel import cancel_broadcast, holds_email
from newsletter.workflows.send.deliver import Listener, deliver
from newsletter.workflows.send.due import DOES_SOMETHING, Due, DueBroadcast, Opener, judge
from newsletter.workflows.send.recall import Recall, settle_batches, told_about
from newsletter.workflows.send.recover import recover
from newsletter.workflows.send.schedule import PATIENCE, lead_of

_BEGINS = {
    Due.HAND_OVER: "sending begins",
    Due.RECALL: "recalling begins",
    Due.CANCEL: "canceling begins",
    Due.HOLD_BACK: "pausing",
}


class DoneBroadcast(Struct, frozen=True, kw_only=True):
    """The result of a run for one scheduled broadcast, and the state of the broadcast afterward."""

    found: DueBroadcast
    broadcast: Broadcast
    tally: Tally
    waits: str = ""  # why the rest was left to the next run
    failure: str = ""  # the provider's error message
    recalls: tuple[Recall, ...] = ()  # what was done about batches that the provider holds

    @property
    def recalled(self) -> int:
        """The number of emails that were recalled from the provider."""
        return sum(recall.recalled for recall in self.recalls)

    @property
    def handed_over(self) -> int:
        """The number of deliveries accepted during this run, including those sent by other processes."""
        return max(self.tally.accepted - self.found.tally.accepted, 0)

    @property
    def is_news(self) -> bool:
        """Whether anything changed during the run."""
        before = self.found
        return (
            bool(self.failure)
            or bool(self.recalled)
            or self.tally != before.tally
            or self.broadcast.state != before.broadcast.state
        )


class Work(Struct, frozen=True, kw_only=True):
    """What a process works with that does what is due.

    `new_stop` returns an event for each piece of work, which is set when the process is asked to end.
    """

    config: Config
    database: Database
    opened: Opener
    listener: Listener
    new_stop: Callable[[], Event]
    clock: Clock = utc_now
    log: Log = no_log

    def process(self, broadcast: Broadcast, *, stop: Event, found: DueBroadcast | None = None) -> DoneBroadcast:
        """Do what a broadcast needs now, and log it. By default, decide first what that is.

        Before that, requests of a dead process become unknown.
        """
        database, clock = self.database, self.clock
        before, name = tally_of(database, broadcast.id), name_of(broadcast)
        recover(database, broadcast.id, now=clock())
        found = found or judge(self.config, database, broadcast, self.opened, now=clock())
        if found.due in DOES_SOMETHING:
            said = f"{name}: {_BEGINS[found.due]}: {in_words(before)}"
            self.log(said, broadcast=broadcast.id, reason=found.reason)
        done = carry_out(self, replace(found, tally=before), stop=stop)
        if done.is_news:
            ending = done.failure or ending_of(done, done.handed_over)
            self.log(f"{name}: {ending}", broadcast=broadcast.id, waits=done.waits)
        return done


def name_of(broadcast: Broadcast) -> str:
    """Return the name of a broadcast in messages: `broadcast 3 (2026-02 to everyone)`."""
    return f"broadcast {broadcast.id} ({broadcast.title})"


def ending_of(done: DoneBroadcast, handed_over: int) -> str:
    """Return a summary of one run: the number of emails sent, and the state of the broadcast."""
    reason = f" ({done.broadcast.reason})" if done.broadcast.reason else ""
    recalled = f"{done.recalled:,} recalled, " if done.recalled else ""
    state = f"it is {label_of(done.broadcast.state)}{reason}"
    return f"{recalled}{handed_over:,} sent in this run; {state}: {in_words(done.tally)}"


def carry_out(work: Work, found: DueBroadcast, *, stop: Event) -> DoneBroadcast:
    """Carry out the decision. If the provider refuses, report that; the next run tries again."""
    database, number, clock = work.database, found.broadcast.id, work.clock
    waits: list[str] = []
    recalls: tuple[Recall, ...] = ()
    failure, is_for_reviewers = "", True

    def on_wait(until: datetime, reason: str) -> None:
        waits.append(reason)
        work.listener.on_wait(until, reason)

    try:
        if found.due is Due.REFUSE:
            failure = found.reason
        elif found.due is Due.HAND_OVER:
            _deliver(work, found.broadcast, replace(work.listener, on_wait=on_wait), stop=stop)
        elif found.due is Due.RECALL:
            recalls = _recall(database, number, work.opened(), clock=clock)
            failure = "\n".join(told_about(work.config, recall) for recall in recalls if recall.kept)
            is_for_reviewers = any(recall.kept and recall.is_final for recall in recalls)
        elif found.due is Due.CANCEL:
            holder = work.opened() if holds_email(database, number, now=clock()) else None
            cancel_broadcast(database, number, holder, patience=PATIENCE, stop=stop, clock=clock)
        elif found.due is Due.HOLD_BACK:
            pause_broadcast(database, number, found.reason, now=clock())
    except ProviderError as err:
        failure = str(err)
    except InputError:
        failure = ""  # another process was faster and, for example, canceled it; the new state is reported
    if failure and is_for_reviewers and found.broadcast.is_scheduled:
        notice_failure(database, require_broadcast(database, number), failure, now=clock())
    return DoneBroadcast(
        found=found,
        broadcast=require_broadcast(database, number),
        tally=tally_of(database, number),
        waits=waits[-1] if waits and stop.is_set() else "",
        failure=failure,
        recalls=recalls,
    )


def _deliver(work: Work, broadcast: Broadcast, listener: Listener, *, stop: Event) -> None:
    deliver(
        work.config,
        work.database,
        broadcast,
        work.opened(),
        ahead=lead_of(work.config),
        listener=listener,
        stop=stop,
        patience=PATIENCE,
        clock=work.clock,
    )


def _recall(database: Database, broadcast_id: int, provider: Provider, *, clock: Clock) -> tuple[Recall, ...]:
    if provider.scheduler is None:
        return ()
    return settle_batches(database, broadcast_id, provider.scheduler, clock=clock)
