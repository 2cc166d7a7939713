"""`newsletter run-due`: so few words that a timer's mail is worth reading."""

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import typer
from msgspec.structs import asdict

from newsletter.cli import output
from newsletter.cli.options import AsJson, DryRun
from newsletter.cli.send.progress import Teller, interruptible
from newsletter.cli.send.status import standing_data
from newsletter.cli.workspace import opened_database
from newsletter.config import Config
from newsletter.errors import ProviderError
from newsletter.model.broadcast import BroadcastState
from newsletter.providers.base import Provider
from newsletter.providers.registry import open_provider
from newsletter.store.database import Database
from newsletter.system.log import Log, command_log
from newsletter.workflows.send import run_due as workflow
from newsletter.workflows.send.deliver import Listener
from newsletter.workflows.send.run_due import DoneBroadcast, Due, DueBroadcast, Opener, look_at_due, name_of

_WOULD = {
    Due.HAND_OVER: "would be handed over now, as far as it is due",
    Due.CANCEL: "cancelling would go on",
    Due.HOLD_BACK: "would be held back: {reason}",
    Due.WAIT: "{reason}",
    Due.REFUSE: "cannot be handed over: {reason}",
}

_TOLD = ("accepted", "cancelled", "unknown", "rejected", "invalid", "excluded")  # parts, where there are more of it
_WORDS = {"accepted": "handed over", "excluded": "left out"}


def run_due(
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Carry out what is scheduled and due, once; for a timer that runs it every few minutes.

    It says nothing where nothing was due. Several at the same time do no harm.
    """
    with opened_database() as (config, database):

        def opener() -> Provider:
            return open_provider(config, os.environ)

        if dry_run:
            _print_due(look_at_due(config, database, opener, now=datetime.now(UTC)), as_json=as_json)
            return
        with command_log(config.root, "run-due") as log:
            code = _run(config, database, opener, log=log, as_json=as_json)
        if code:
            raise typer.Exit(code)


def _print_due(found: Sequence[DueBroadcast], *, as_json: bool) -> None:
    """Print what is scheduled, and what a run would do about each."""
    if as_json:
        output.print_json(
            [
                {
                    **standing_data(each.broadcast, each.tally),
                    "would": each.due,
                    "why": each.reason,
                    "until": each.until,
                }
                for each in found
            ]
        )
        return
    if not found:
        output.say("Nothing is scheduled.")
    for each in found:
        waiting = f"{each.tally.waiting:,} waiting; " if each.tally.waiting else ""
        output.say(f"{name_of(each.broadcast)}: {waiting}{_WOULD[each.due].format(reason=each.reason)}")


def _run(config: Config, database: Database, opener: Opener, *, log: Log, as_json: bool) -> int:
    """Run once, say what was done, and return the exit code."""
    done: list[DoneBroadcast] = []
    # A timer, whose runs nobody watches, is not told what mail waits for.
    on_wait = Teller(config).tell if sys.stderr.isatty() else lambda _until, _reason: None
    listener = Listener(on_settled=lambda _: None, on_wait=on_wait)
    with interruptible() as interruption:
        stops = interruption.new_stop
        for each in workflow.run_due(config, database, opener, listener=listener, new_stop=stops, log=log):
            done.append(each)
            if not as_json:
                _print(each)
    if as_json:
        output.print_json([_done_data(each) for each in done])
    elif not done and sys.stderr.isatty():
        output.note("Nothing is scheduled.")
    if interruption.is_asked:
        raise KeyboardInterrupt
    return max((_exit_code(each) for each in done), default=0)


def _print(done: DoneBroadcast) -> None:
    name, number = name_of(done.broadcast), done.broadcast.id
    if done.failure:
        output.print_error(f"broadcast {number}: {done.failure}")
    elif words := _what_was_done(done):
        output.say(f"{name}: {words}")
    elif done.tally.inflight:
        output.say(f"{name}: another process is handing over {output.count_of(done.tally.inflight, 'delivery')}")
    elif sys.stderr.isatty():  # a timer must not write a mail about it each time
        output.note(f"{name} waits: {done.found.reason or done.waits or 'the rest is not due yet'}")
    for command, why in _next_steps(done):
        output.print_next(command, why)


def _what_was_done(done: DoneBroadcast) -> str:
    """Return what is different from before; empty where nothing is."""
    before, now, state = done.found.tally, done.tally, done.broadcast.state
    was, is_now = asdict(before), asdict(now)
    words = [f"{more:,} {_WORDS.get(part, part)}" for part in _TOLD if (more := is_now[part] - was[part]) > 0]
    if state is not done.found.broadcast.state and state is not BroadcastState.RUNNING:
        words.append(f"{state.value}: {done.broadcast.reason}" if done.broadcast.reason else state.value)
    if words and now.waiting and state is BroadcastState.RUNNING:
        words.append(f"{now.waiting:,} wait{f': {done.waits}' if done.waits else ' for their time'}")
    return "; ".join(words)


def _next_steps(done: DoneBroadcast) -> list[tuple[str, str]]:
    number, is_news = done.broadcast.id, done.is_news
    steps = []
    if done.tally.unknown > done.found.tally.unknown:
        steps.append((f"newsletter resolve {number}", "to find out what became of the unknown"))
    if is_news and done.broadcast.state is BroadcastState.PAUSED:
        steps.append((f"newsletter resume {number}", "sends it now"))
        steps.append((f"newsletter cancel {number}", "ends it"))
    return steps


def _exit_code(done: DoneBroadcast) -> int:
    if done.failure:
        return ProviderError.exit_code
    if not done.is_news:
        return 0
    if done.broadcast.state is BroadcastState.PAUSED and done.found.due is not Due.HOLD_BACK:
        return ProviderError.exit_code
    before, now = done.found.tally, done.tally
    is_partial = now.unknown > before.unknown or now.rejected > before.rejected
    return 1 if is_partial or done.broadcast.state in {BroadcastState.PAUSED, BroadcastState.STOPPED} else 0


def _done_data(done: DoneBroadcast) -> dict[str, object]:
    return {
        **standing_data(done.broadcast, done.tally),
        "did": done.found.due,
        "handed_over": done.handed_over,
        "why": done.waits or done.found.reason,
        "failure": done.failure,
    }
