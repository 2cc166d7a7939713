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

from newsletter.config import Config
from newsletter.model.broadcast import Broadcast
from newsletter.providers.base import Clock, utc_now
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import require_broadcast, unattended_broadcasts
from newsletter.store.ledger.recall import say_run, watched_broadcasts
from newsletter.system.log import Log, no_log
from newsletter.workflows.publish.on_sending import publish_sent
from newsletter.workflows.purge import purge_daily
from newsletter.workflows.send.carry_out import DoneBroadcast, Work
from newsletter.workflows.send.deliver import Listener
from newsletter.workflows.send.due import DueBroadcast, Opener, judge, judge_recall
from newsletter.workflows.send.newcomers import answer_newcomers
from newsletter.workflows.send.notices import tell_reviewers
from newsletter.workflows.send.recall_due import recall_due, recalling
from newsletter.workflows.send.told import say_changed_clocks
from newsletter.workflows.send.watching import look_at_watched


def look_at_due(config: Config, database: Database, opener: Opener, *, now: datetime) -> tuple[DueBroadcast, ...]:
    """Return every scheduled broadcast, the oldest first, and what a run would do with it. Change nothing.

    Broadcasts about whose rest something would be decided come first, and then those of which email would be recalled.
    They may come again with what would be sent.
    """
    opened = cache(opener)
    recalls = (judge_recall(config, database, each, opened, now=now) for each in _watched(database, now=now))
    rest = (judge(config, database, each, opened, now=now) for each in unattended_broadcasts(database))
    decisions = look_at_watched(config, database, now=now)
    return (*decisions, *(each for each in recalls if each is not None), *rest)


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

    Email is recalled first, for all broadcasts, because there is little time for that. Then people who join get theirs,
    because they wait for it. Both are done again and again while others are sent. What was recalled is then sent again,
    so a broadcast may have several results. The provider is opened when
    it is first needed. A failure of one broadcast does not delay the others. `new_stop` returns an event for each
    result, which is set when the process is asked to end. `command` is saved with the time of the run. Once a day,
    data that is too old is deleted.
    """
    work = Work(
        config=config,
        database=database,
        opened=cache(opener),
        listener=listener,
        new_stop=new_stop,
        clock=clock,
        log=log,
    )
    say_run(database, command, now=clock())
    say_changed_clocks(database, now=clock(), log=log)
    yield from recall_due(work)
    yield from answer_newcomers(work)
    for broadcast in unattended_broadcasts(database):
        stop = new_stop()
        if stop.is_set():
            return
        with recalling(work) as others:
            done = work.process(broadcast, stop=stop)
        yield done
        yield from others
    publish_sent(config, database, now=clock(), say=log)
    tell_reviewers(config, database, work.opened, now=clock(), log=log)
    purge_daily(config, database, now=clock(), log=log)


def _watched(database: Database, *, now: datetime) -> tuple[Broadcast, ...]:
    """Return the broadcasts with email that the provider holds, or that was recalled, in any state."""
    return tuple(require_broadcast(database, number) for number in watched_broadcasts(database, now=now))
