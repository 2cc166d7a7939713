"""What must be running at a scheduled time: ask for it, or do its work in this terminal."""

import os
from datetime import datetime

from newsletter.cli import output
from newsletter.cli.send.progress import Teller, interruptible
from newsletter.cli.send.run_due import exit_code, print_result
from newsletter.config import Config
from newsletter.model.ledger import LastRun
from newsletter.providers.base import Provider
from newsletter.providers.registry import open_provider
from newsletter.store.database import Database
from newsletter.workflows.send.awake import Awake, possible_awake, stay_awake, usual_awake
from newsletter.workflows.send.deliver import Listener

TERMINAL = "terminal"  # what ran last, in the ledger
_MEANINGS = {
    Awake.SERVE: "`newsletter serve`, which serves your subscribers' pages (docs/service.md)",
    Awake.TIMER: "runs `newsletter run-due` every few minutes on a computer that is on (docs/timer.md)",
    Awake.WORKER: "`newsletter worker`, with PostgreSQL",
    Awake.HERE: "this terminal: the command stays and sends the issue; the computer must not sleep",
}


def choose_awake(config: Config, given: Awake | None, *, last: LastRun | None, may_ask: bool, now: datetime) -> Awake:
    """Return what will be running at the scheduled time, as given or as the user answers.

    The default is what ran last, if that was lately, or else a timer. Raise InputError for a worker if the database is
    a file.
    """
    usual = usual_awake(last, now=now)
    chosen = given
    if chosen is None and may_ask and output.can_ask():
        answers = {each.value: meaning for each, meaning in _MEANINGS.items()}
        chosen = Awake(output.choose("What will be running then?", answers, otherwise=usual.value))
    return possible_awake(config, chosen) if chosen else usual


def send_when_due(config: Config, database: Database, broadcast_id: int) -> int:
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
        stops = interruption.new_stop
        for done in stay_awake(
            config, database, broadcast_id, opener, listener=listener, new_stop=stops, command=TERMINAL
        ):
            print_result(done)
            if done.is_news and done.broadcast.id == broadcast_id:
                code = exit_code(done)
    if interruption.is_asked:
        raise KeyboardInterrupt
    return code
