"""What must be running at a scheduled time, and the work of a process that stays for that."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from threading import Event

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.model.broadcast import BroadcastState
from newsletter.model.ledger import LastRun
from newsletter.store.database import Database
from newsletter.workflows.send.carry_out import DoneBroadcast
from newsletter.workflows.send.deliver import Listener
from newsletter.workflows.send.due import Opener
from newsletter.workflows.send.recall import holds_for_later, is_awake
from newsletter.workflows.send.run_due import run_due
from newsletter.workflows.send.status import line_of

SERVICE = "serve"  # what ran last, in the ledger, if it was the service
_LOOK_SECONDS = 10.0  # between two looks at what is due
_UNFINISHED = frozenset({BroadcastState.SCHEDULED, BroadcastState.RUNNING, BroadcastState.CANCELLING})


class Awake(StrEnum):
    """What can be running at a scheduled time."""

    SERVE = "serve"  # `newsletter serve`, which serves the pages for subscribers
    TIMER = "timer"  # `run-due`, every few minutes
    WORKER = "worker"
    HERE = "here"  # the process in which a person confirms the broadcast: a terminal, or the studio


_OF_COMMAND = {SERVICE: Awake.SERVE, "worker": Awake.WORKER}  # what a run in the ledger was


def usual_awake(last: LastRun | None, *, now: datetime) -> Awake:
    """Return what will probably be running: what ran last, if that was lately, or else a timer."""
    return _OF_COMMAND.get(last.command, Awake.TIMER) if last and is_awake(last, now=now) else Awake.TIMER


def possible_awake(config: Config, chosen: Awake) -> Awake:
    """Return what was chosen. Raise InputError for a worker if the database is a file."""
    if chosen is Awake.WORKER and not isinstance(config.database, str):
        raise InputError(
            "workers need PostgreSQL, but this newsletter keeps its data in a file; choose timer or here instead"
        )
    return chosen


def stay_awake(
    config: Config,
    database: Database,
    broadcast_id: int,
    opener: Opener,
    *,
    listener: Listener,
    new_stop: Callable[[], Event],
    command: str,
) -> Iterator[DoneBroadcast]:
    """Send what is due, like a timer, until nothing of a broadcast is left to send, to try again or to recall.

    Yield what was done, about any broadcast. `new_stop` returns an event that is set when the process is asked to end.
    The service, a timer or a worker can then send the rest. `command` is saved with the time of each look.
    """
    while is_unfinished(database, broadcast_id):
        if new_stop().wait(_LOOK_SECONDS):
            return
        yield from run_due(config, database, opener, listener=listener, new_stop=new_stop, command=command)


def is_unfinished(database: Database, broadcast_id: int) -> bool:
    """Return whether something of a broadcast is left to send, to try again or to recall without a person."""
    found = line_of(database, broadcast_id).broadcast
    is_open = found.state in _UNFINISHED or found.continues_at is not None
    return is_open or holds_for_later(database, broadcast_id, now=datetime.now(UTC))
