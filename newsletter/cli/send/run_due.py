"""`newsletter run-due`. It prints only news, so that an email from its timer is always worth reading."""

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
from newsletter.model.broadcast import BroadcastState, label_of
from newsletter.providers.base import Provider
from newsletter.providers.registry import open_provider
from newsletter.store.database import Database
from newsletter.system.log import Log, command_log
from newsletter.workflows.send import run_due as workflow
from newsletter.workflows.send.carry_out import DoneBroadcast, name_of
from newsletter.workflows.send.deliver import Listener
from newsletter.workflows.send.due import Due, DueBroadcast, Opener
from newsletter.workflows.send.run_due import look_at_due

_WOULD = {
    Due.HAND_OVER: "the emails that are due would be sent now",
    Due.RECALL: "emails that the provider holds would be recalled, to leave out people who left",
    Due.CANCEL: "canceling would continue",
    Due.RELEASE: "the rest would be sent: {reason}",
    Due.HOLD_BACK: "would be paused: {reason}",
    Due.WAIT: "{reason}",
    Due.REFUSE: "cannot be sent: {reason}",
}

_TOLD = (
    "accepted",
    "cancelled",
    "unknown",
    "rejected",
    "deferred",
    "invalid",
    "excluded",
)  # the states whose increase is printed
# The words for what was done in this run, where they differ from the label of the state.
_DEEDS = {"accepted": "sent", "excluded": "left out"}


def run_due(
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Send all scheduled broadcasts that are due. Run this from a timer every few minutes.

    Emails that the provider already holds are recalled for people who have left, and sent again to the others. Also
    continues broadcasts that were paused for a reason that passes, and tries the people who were set aside again.

    Prints nothing if nothing is due. It is safe to run the command more than once at the same time.

    Exits with status 1 if some emails were rejected, set aside or are unconfirmed, if a broadcast was paused, or if
    people who left still get an email that the provider holds. Exits with status 3 if the provider prevents sending.
    """
    with opened_database(prints_notes=sys.stderr.isatty()) as (config, database):

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
    """Print each scheduled broadcast, and what a run would do with it."""
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
    """Run once and print what was done. Return the exit code."""
    done: list[DoneBroadcast] = []
    # Under a timer, the reasons for waiting are not printed, since no one is watching.
    on_wait = Teller(config).tell if sys.stderr.isatty() else lambda _until, _reason: None
    with interruptible() as interruption:
        listener = Listener(
            on_settled=lambda _: None,
            on_wait=on_wait,
            on_note=output.note,
            is_asked=lambda: interruption.is_asked,
        )
        stops = interruption.new_stop
        for each in workflow.run_due(config, database, opener, listener=listener, new_stop=stops, log=log):
            done.append(each)
            if not as_json:
                print_result(each)
    if as_json:
        output.print_json([_done_data(each) for each in done])
    elif not done and sys.stderr.isatty():
        output.note("Nothing is scheduled.")
    if interruption.is_asked:
        raise KeyboardInterrupt
    return max((exit_code(each) for each in done), default=0)


def print_result(done: DoneBroadcast) -> None:
    """Print what was done for one broadcast, and what to do next. Print nothing if there is no news."""
    name, number = name_of(done.broadcast), done.broadcast.id
    if done.failure:
        output.print_error("\n".join(f"broadcast {number}: {line}" for line in done.failure.splitlines()))
    if words := _what_was_done(done):
        output.say(f"{name}: {words}")
    elif done.tally.inflight and not done.failure:
        output.say(f"{name}: another process is sending {output.count_of(done.tally.inflight, 'email')}")
    elif sys.stderr.isatty() and not done.failure:  # otherwise a timer would send an email about this every time
        output.note(f"{name} is waiting: {done.found.reason or done.waits or 'the rest is not due yet'}")
    for command, why in _next_steps(done):
        output.print_next(command, why)
    output.deliver()


def _what_was_done(done: DoneBroadcast) -> str:
    """Return what changed in this run, or an empty string if nothing did."""
    before, now, state = done.found.tally, done.tally, done.broadcast.state
    was, is_now = asdict(before), asdict(now)
    left = len({leaver.subscriber for recall in done.recalls if recall.recalled for leaver in recall.left})
    because = f", because {left:,} of these people left" if left else ""
    words = [f"{done.recalled:,} recalled from {done.broadcast.provider}{because}"] if done.recalled else []
    words += [
        f"{more:,} {_DEEDS.get(part) or label_of(part)}" for part in _TOLD if (more := is_now[part] - was[part]) > 0
    ]
    if state is not done.found.broadcast.state and state is not BroadcastState.RUNNING:
        name = label_of(state)
        words.append(f"{name}: {done.broadcast.reason}" if done.broadcast.reason else name)
    if words and now.waiting and state is BroadcastState.RUNNING:
        words.append(f"{now.waiting:,} waiting{f': {done.waits}' if done.waits else ' for their send time'}")
    return "; ".join(words)


def _next_steps(done: DoneBroadcast) -> list[tuple[str, str]]:
    number, is_news = done.broadcast.id, done.is_news
    steps = []
    if done.tally.unknown > done.found.tally.unknown:
        steps.append((f"newsletter resolve {number}", "to decide about the unconfirmed emails"))
    if is_news and done.broadcast.state is BroadcastState.PAUSED:
        steps.append((f"newsletter resume {number}", "to send it now"))
        steps.append((f"newsletter cancel {number}", "to cancel it"))
    return steps


def exit_code(done: DoneBroadcast) -> int:
    """Return the exit code for what was done about one broadcast."""
    if done.failure:
        return 1 if done.found.due is Due.RECALL else ProviderError.exit_code
    is_set_aside = bool(done.tally.deferred) and done.broadcast.state is BroadcastState.DONE
    if not done.is_news:  # people may have been tried again and set aside again
        return 1 if is_set_aside and done.broadcast.continues_at != done.found.broadcast.continues_at else 0
    if done.broadcast.state is BroadcastState.PAUSED and done.found.due is not Due.HOLD_BACK:
        return ProviderError.exit_code
    before, now = done.found.tally, done.tally
    is_partial = now.unknown > before.unknown or now.rejected > before.rejected or is_set_aside
    return 1 if is_partial or done.broadcast.state in {BroadcastState.PAUSED, BroadcastState.STOPPED} else 0


def _done_data(done: DoneBroadcast) -> dict[str, object]:
    return {
        **standing_data(done.broadcast, done.tally),
        "did": done.found.due,
        "handed_over": done.handed_over,
        "recalled": done.recalled,
        "not_recalled": [
            {"until": recall.batch.due_at, "why": recall.kept, "emails": [leaver.email for leaver in recall.left]}
            for recall in done.recalls
            if recall.kept
        ],
        "why": done.waits or done.found.reason,
        "failure": done.failure,
    }
