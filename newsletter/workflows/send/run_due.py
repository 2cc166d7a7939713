"""Process all scheduled broadcasts once: send what is due, pause what is late, finish what is being canceled.

Before that, the email of people who left is recalled from a provider that holds it. Only scheduled broadcasts are
processed, and those that continue without a person: a broadcast that was paused for a reason that passes, or whose
people who were set aside are tried again. Any other unscheduled broadcast that was interrupted must be resumed by a
person. Simultaneous runs share the work; no chunk is claimed twice.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from threading import Event

from msgspec import Struct
from msgspec.structs import replace

from newsletter.config import Config
from newsletter.errors import InputError, ProviderError
from newsletter.model.broadcast import Broadcast, Tally, label_of
from newsletter.providers.base import Clock, Provider, utc_now
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import (
    pause_broadcast,
    require_broadcast,
    unattended_broadcasts,
)
from newsletter.store.ledger.recall import say_run, watched_broadcasts
from newsletter.store.ledger.status import in_words, tally_of
from newsletter.store.notices import notice_failure
from newsletter.system.log import Log, no_log
from newsletter.workflows.send.cancel import cancel_broadcast, holds_email
from newsletter.workflows.send.deliver import Listener, deliver
from newsletter.workflows.send.due import DOES_SOMETHING, Due, DueBroadcast, Opener, judge, judge_recall
from newsletter.workflows.send.notices import tell_reviewers
from newsletter.workflows.send.recall import Recall, settle_batches, still_emailed
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


def look_at_due(config: Config, database: Database, opener: Opener, *, now: datetime) -> tuple[DueBroadcast, ...]:
    """Return every scheduled broadcast, the oldest first, and what a run would do with it. Change nothing.

    Broadcasts of which email would be recalled come first. They may come again with what would be sent.
    """
    opened = cache(opener)
    recalls = (judge_recall(config, database, each, opened, now=now) for each in _watched(database, now=now))
    rest = (judge(config, database, each, opened, now=now) for each in unattended_broadcasts(database))
    return (*(each for each in recalls if each is not None), *rest)


def run_due(
    config: Config,
    database: Database,
    opener: Opener,
    *,
    listener: Listener,
    new_stop: Callable[[], Event],
    clock: Clock = utc_now,
    log: Log = no_log,
    command: str = "run-due",
) -> Iterator[DoneBroadcast]:
    """Process the scheduled broadcasts one after the other, and yield the results.

    Email is recalled first, for all broadcasts, because there is little time for that. What was recalled is then sent
    again, so a broadcast may have two results. The provider is opened when it is first needed. A failure of one
    broadcast does not delay the others. `new_stop` returns an event for each result, which is set when the process is
    asked to end. `command` is saved with the time of the run.
    """
    opened = cache(opener)
    say_run(database, command, now=clock())
    for is_recall in (True, False):
        for broadcast in _watched(database, now=clock()) if is_recall else unattended_broadcasts(database):
            stop = new_stop()
            if stop.is_set():
                return
            before = tally_of(database, broadcast.id)
            found = judge_recall(config, database, broadcast, opened, now=clock()) if is_recall else None
            if is_recall and found is None:
                continue
            recover(database, broadcast.id, now=clock())
            found = found or judge(config, database, broadcast, opened, now=clock())
            name = name_of(broadcast)
            if found.due in DOES_SOMETHING:
                log(f"{name}: {_BEGINS[found.due]}: {in_words(before)}", broadcast=broadcast.id, reason=found.reason)
            found = replace(found, tally=before)
            done = carry_out(config, database, found, opened, listener=listener, stop=stop, clock=clock)
            if done.is_news:
                ending = done.failure or ending_of(done, done.handed_over)
                log(f"{name}: {ending}", broadcast=broadcast.id, waits=done.waits)
            yield done
    tell_reviewers(config, database, opened, now=clock(), log=log)


def name_of(broadcast: Broadcast) -> str:
    """Return the name of a broadcast in messages: `broadcast 3 (2026-02 to everyone)`."""
    return f"broadcast {broadcast.id} ({broadcast.title})"


def ending_of(done: DoneBroadcast, handed_over: int) -> str:
    """Return a summary of one run: the number of emails sent, and the state of the broadcast."""
    reason = f" ({done.broadcast.reason})" if done.broadcast.reason else ""
    recalled = f"{done.recalled:,} recalled, " if done.recalled else ""
    state = f"it is {label_of(done.broadcast.state)}{reason}"
    return f"{recalled}{handed_over:,} sent in this run; {state}: {in_words(done.tally)}"


def _watched(database: Database, *, now: datetime) -> tuple[Broadcast, ...]:
    """Return the broadcasts with email that the provider holds, or that was recalled, in any state."""
    return tuple(require_broadcast(database, number) for number in watched_broadcasts(database, now=now))


def carry_out(
    config: Config,
    database: Database,
    found: DueBroadcast,
    opened: Opener,
    *,
    listener: Listener,
    stop: Event,
    clock: Clock = utc_now,
) -> DoneBroadcast:
    """Carry out the decision. If the provider refuses, report that; the next run tries again."""
    waits, failure, number = [], found.reason if found.due is Due.REFUSE else "", found.broadcast.id
    recalls: tuple[Recall, ...] = ()

    def on_wait(until: datetime, reason: str) -> None:
        waits.append(reason)
        listener.on_wait(until, reason)

    try:
        if found.due is Due.HAND_OVER:
            deliver(
                config,
                database,
                found.broadcast,
                opened(),
                ahead=lead_of(config),
                listener=replace(listener, on_wait=on_wait),
                stop=stop,
                patience=PATIENCE,
                clock=clock,
            )
        elif found.due is Due.RECALL:
            recalls = _recall(database, number, opened(), clock=clock)
            failure = "\n".join(still_emailed(config, recall) for recall in recalls if recall.kept)
        elif found.due is Due.CANCEL:
            holder = opened() if holds_email(database, number, now=clock()) else None
            cancel_broadcast(database, number, holder, patience=PATIENCE, stop=stop, clock=clock)
        elif found.due is Due.HOLD_BACK:
            pause_broadcast(database, number, found.reason, now=clock())
    except ProviderError as err:
        failure = str(err)
    except InputError:
        failure = ""  # another process was faster and, for example, canceled it; the new state is reported
    if failure and found.broadcast.is_scheduled:
        notice_failure(database, require_broadcast(database, number), failure, now=clock())
    return DoneBroadcast(
        found=found,
        broadcast=require_broadcast(database, number),
        tally=tally_of(database, number),
        waits=waits[-1] if waits and stop.is_set() else "",
        failure=failure,
        recalls=recalls,
    )


def _recall(database: Database, broadcast_id: int, provider: Provider, *, clock: Clock) -> tuple[Recall, ...]:
    if provider.scheduler is None:
        return ()
    return settle_batches(database, broadcast_id, provider.scheduler, clock=clock)
