"""What `run-due` found and did, a line a broadcast: so few words that a timer's mail is worth reading."""

import sys
from datetime import UTC, datetime

from newsletter.cli import output
from newsletter.cli.delivering import Teller, interruptible
from newsletter.cli.statuses import broadcast_data, tally_data
from newsletter.config import Config
from newsletter.errors import ProviderError
from newsletter.model.broadcast import BroadcastState
from newsletter.store.database import Database
from newsletter.system.log import Log
from newsletter.workflows.send.deliver import Listener
from newsletter.workflows.send.run_due import DoneBroadcast, Due, DueBroadcast, Opener, look_at_due, name_of, run_due

_WOULD = {
    Due.HAND_OVER: "would be handed over now, as far as it is due",
    Due.CANCEL: "cancelling would go on",
    Due.HOLD_BACK: "would be held back: {reason}",
    Due.WAIT: "{reason}",
    Due.REFUSE: "cannot be handed over: {reason}",
}


def show_due(config: Config, database: Database, opener: Opener, *, as_json: bool) -> None:
    """What is scheduled, and what a run would do about each."""
    found = look_at_due(config, database, opener, now=datetime.now(UTC))
    if as_json:
        output.show_json([_due_data(each) for each in found])
        return
    if not found:
        output.say("Nothing is scheduled.")
    for each in found:
        waiting = f"{each.tally.waiting:,} waiting; " if each.tally.waiting else ""
        output.say(f"{name_of(each.broadcast)}: {waiting}{_WOULD[each.due].format(reason=each.reason)}")


def show_runs(config: Config, database: Database, opener: Opener, *, log: Log, as_json: bool) -> int:
    """Runs once, and says what was done; the exit code."""
    done: list[DoneBroadcast] = []
    with interruptible() as interruption:
        for each in run_due(
            config,
            database,
            opener,
            listener=_listener(config),
            new_stop=interruption.new_stop,
            log=log,
        ):
            done.append(each)
            if not as_json:
                _show(each)
    if as_json:
        output.show_json([_done_data(each) for each in done])
    elif not done and sys.stderr.isatty():
        output.note("Nothing is scheduled.")
    if interruption.is_asked:
        raise KeyboardInterrupt
    return max((_exit_code(each) for each in done), default=0)


def _listener(config: Config) -> Listener:
    """Nobody watches a timer's run: only a terminal sees what goes on."""
    if not sys.stderr.isatty():
        return Listener(on_settled=lambda _: None, on_wait=lambda _until, _reason: None)
    return Listener(on_settled=lambda _: None, on_wait=Teller(config).tell)


def _show(done: DoneBroadcast) -> None:
    name, number = name_of(done.broadcast), done.broadcast.id
    if done.failure:
        output.show_error(f"broadcast {number}: {done.failure}")
    elif words := _what_was_done(done):
        output.say(f"{name}: {words}")
    elif done.tally.inflight:
        output.say(f"{name}: another process is handing over {output.count_of(done.tally.inflight, 'delivery')}")
    elif sys.stderr.isatty():  # a timer must not write a mail about it each time
        output.note(f"{name} waits: {done.found.reason or done.waits or 'the rest is not due yet'}")
    for command, why in _next_steps(done):
        output.show_next(command, why)


def _what_was_done(done: DoneBroadcast) -> str:
    """What is different from before; empty where nothing is."""
    before, now, state = done.found.tally, done.tally, done.broadcast.state
    changes = [
        (now.accepted - before.accepted, "handed over"),
        (now.cancelled - before.cancelled, "cancelled"),
        (now.unknown - before.unknown, "unknown"),
        (now.rejected - before.rejected, "rejected"),
        (now.invalid - before.invalid, "invalid"),
        (now.excluded - before.excluded, "left out"),
    ]
    words = [f"{count:,} {what}" for count, what in changes if count > 0]
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


def _due_data(found: DueBroadcast) -> dict[str, object]:
    return {
        **broadcast_data(found.broadcast),
        **tally_data(found.tally),
        "would": found.due.value,
        "why": found.reason,
        "until": found.until.isoformat() if found.until else None,
    }


def _done_data(done: DoneBroadcast) -> dict[str, object]:
    return {
        **broadcast_data(done.broadcast),
        **tally_data(done.tally),
        "did": done.found.due.value,
        "handed_over": done.handed_over,
        "why": done.waits or done.found.reason,
        "failure": done.failure,
    }
