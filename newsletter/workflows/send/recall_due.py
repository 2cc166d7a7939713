"""Recall the email of people who left when it is time for that, and watch what was sent, whatever else is being done.

There are only ten minutes for a recall, and sending something else can take hours. So a process that sends looks for
what must be recalled all the time. For the same reason, it then also answers people who join.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic

from msgspec.structs import replace

from newsletter.store.ledger.broadcasts import require_broadcast, unattended_broadcasts
from newsletter.store.ledger.recall import watched_broadcasts
from newsletter.workflows.send.carry_out import DoneBroadcast, Work
from newsletter.workflows.send.deliver import Listener
from newsletter.workflows.send.due import judge_recall
from newsletter.workflows.send.lanes import REPLY_SECONDS
from newsletter.workflows.send.newcomers import answer_newcomers
from newsletter.workflows.send.watching import watch_due

LOOK_SECONDS = 60.0  # between two looks at what must be recalled
_TICK_SECONDS = 0.05  # between two looks at whether someone asked for the end


def recall_due(work: Work) -> Iterator[DoneBroadcast]:
    """Recall what must be recalled now, of all broadcasts. Then send it again to the others. Yield the results.

    Before that, it is decided about the broadcasts that are watched, because their email may have to be recalled too.

    A broadcast that was recalled has a second result, unless it is paused.
    """
    recalled = set()
    yield from watch_due(work)
    for number in watched_broadcasts(work.database, now=work.clock()):
        stop = work.new_stop()
        if stop.is_set():
            return
        broadcast = require_broadcast(work.database, number)
        found = judge_recall(work.config, work.database, broadcast, work.opened, now=work.clock())
        if found is not None:
            done = work.process(broadcast, found=found, stop=stop)
            recalled |= {number} if done.recalled else set()
            yield done
    for broadcast in unattended_broadcasts(work.database) if recalled else ():
        stop = work.new_stop()
        if broadcast.id in recalled and not stop.is_set():
            yield work.process(broadcast, stop=stop)


@contextmanager
def recalling(work: Work) -> Iterator[list[DoneBroadcast]]:
    """Recall what must be recalled while the block runs, in a thread of its own, and answer people who join.

    The results are complete at the end of the block.

    At the end, a recall in progress is awaited, but for at most REPLY_SECONDS once someone asked for the end, and not
    at all after an error or a second Ctrl-C. It can be repeated. Raise the error of the thread, if there was one.
    """
    results: list[DoneBroadcast] = []
    faults: list[BaseException] = []
    is_over = Event()
    quiet = Listener(on_settled=lambda _: None, on_wait=lambda *_: None, is_asked=work.listener.is_asked)
    beside = replace(work, listener=quiet)

    def watch() -> None:
        try:
            while not is_over.wait(LOOK_SECONDS):
                results.extend(recall_due(beside))
                if not is_over.is_set():
                    results.extend(answer_newcomers(beside))
        except BaseException as err:
            faults.append(err)

    thread = Thread(target=watch, name="recall", daemon=True)
    thread.start()
    try:
        yield results
    finally:
        is_over.set()
    _await(thread, is_asked=work.listener.is_asked)
    if faults:
        raise faults[0]


def _await(thread: Thread, *, is_asked: Callable[[], bool]) -> None:
    until: float | None = None
    while thread.is_alive() and (until is None or monotonic() < until):
        thread.join(_TICK_SECONDS)
        if until is None and is_asked():
            until = monotonic() + REPLY_SECONDS
