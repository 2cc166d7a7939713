"""What must be running at a scheduled time: ask for it, or do its work in this terminal."""

import os
from datetime import UTC, datetime
from enum import StrEnum

from newsletter.cli import output
from newsletter.cli.send.progress import Teller, interruptible
from newsletter.cli.send.run_due import exit_code, print_result
from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.model.broadcast import BroadcastState
from newsletter.model.ledger import LastRun
from newsletter.providers.base import Provider
from newsletter.providers.registry import open_provider
from newsletter.store.database import Database
from newsletter.workflows.send.deliver import Listener
from newsletter.workflows.send.recall import holds_for_later, is_awake
from newsletter.workflows.send.run_due import run_due
from newsletter.workflows.send.status import line_of
from newsletter.workflows.serve.sending import SERVICE

TERMINAL = "terminal"  # what ran last, in the ledger
_LOOK_SECONDS = 10.0  # between two looks at what is due
_UNFINISHED = frozenset({BroadcastState.SCHEDULED, BroadcastState.RUNNING, BroadcastState.CANCELLING})


class Awake(StrEnum):
    """What can be running at a scheduled time."""

    SERVE = "serve"  # `newsletter serve`, which serves the pages for subscribers
    TIMER = "timer"  # `run-due`, every few minutes
    WORKER = "worker"
    HERE = "here"  # the command itself stays in its terminal


_MEANINGS = {
    Awake.SERVE: "`newsletter serve`, which serves your subscribers' pages (docs/service.md)",
    Awake.TIMER: "runs `newsletter run-due` every few minutes on a computer that is on (docs/timer.md)",
    Awake.WORKER: "`newsletter worker`, with PostgreSQL",
    Awake.HERE: "this terminal: the command stays and sends the issue; the computer must not sleep",
}

_OF_COMMAND = {SERVICE: Awake.SERVE, "worker": Awake.WORKER}  # what a run in the ledger was


def choose_awake(config: Config, given: Awake | None, *, last: LastRun | None, may_ask: bool, now: datetime) -> Awake:
    """Return what will be running at the scheduled time, as given or as the user answers.

    The default is what ran last, if that was lately, or else a timer. Raise InputError for a worker if the database is
    a file.
    """
    usual = _OF_COMMAND.get(last.command, Awake.TIMER) if last and is_awake(last, now=now) else Awake.TIMER
    chosen = given
    if chosen is None and may_ask and output.can_ask():
        answers = {each.value: meaning for each, meaning in _MEANINGS.items()}
        chosen = Awake(output.choose("What will be running then?", answers, otherwise=usual.value))
    if chosen is Awake.WORKER and not isinstance(config.database, str):
        raise InputError(
            "workers need PostgreSQL, but this newsletter keeps its data in a file; choose timer or here instead"
        )
    return chosen or usual


def stay_awake(config: Config, database: Database, broadcast_id: int) -> int:
    """Send what is due, like a timer, until nothing of a broadcast is left to send, to try again or to recall.

    Return the exit code of the last run that did something about the broadcast. Raise KeyboardInterrupt if the user
    ends it. The service, a timer or a worker can then send the rest.
    """

    def opener() -> Provider:
        return open_provider(config, os.environ)

    output.note("This terminal sends the issue when it is due. Keep it open, and the computer awake. Ctrl-C ends it.")
    code = 0
    with interruptible() as interruption:
        listener = Listener(
            on_settled=lambda _: None,
            on_wait=Teller(config).tell,
            on_note=output.note,
            is_asked=lambda: interruption.is_asked,
        )
        while _is_unfinished(database, broadcast_id):
            stop = interruption.new_stop()
            if stop.wait(_LOOK_SECONDS):
                break
            stops = interruption.new_stop
            for done in run_due(config, database, opener, listener=listener, new_stop=stops, command=TERMINAL):
                print_result(done)
                if done.is_news and done.broadcast.id == broadcast_id:
                    code = exit_code(done)
    if interruption.is_asked:
        raise KeyboardInterrupt
    return code


def _is_unfinished(database: Database, broadcast_id: int) -> bool:
    found = line_of(database, broadcast_id).broadcast
    is_open = found.state in _UNFINISHED or found.continues_at is not None
    return is_open or holds_for_later(database, broadcast_id, now=datetime.now(UTC))
