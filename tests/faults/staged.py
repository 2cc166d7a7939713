"""Runs that are staged step by step, for transitions of the ledger that chance brings about too rarely.

Each stage begins with a frozen broadcast, does something to it, and lets it come to its end.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from newsletter.model.broadcast import BroadcastState, ChunkState
from newsletter.model.ledger import Resolution
from newsletter.model.waves import Waves
from newsletter.store.ledger.broadcasts import list_broadcasts
from newsletter.store.ledger.resolve import unknown_chunks
from tests.faults import commands
from tests.faults.director import BEFORE_HELD_MAIL, UNFINISHED, Director
from tests.faults.misfortunes import Misfortune, Mishap
from tests.faults.plan import QUIET, Plan
from tests.faults.promise import accounts_of

_PATIENCE_SECONDS = 30.0
_MOST_STEPS = 8
_HELD = timedelta(hours=3)
_TOO_LATE = timedelta(minutes=5)  # to be sure that the provider gives the email back
_BEFORE_THEY_ARE_TRIED = timedelta(minutes=16)  # after they were set aside
WAVES = Waves(seed="a seed", shares={"": 0.3}, watch=timedelta(hours=4))
_PATIENT = replace(QUIET, timeout_seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One staged run."""

    act: Callable[[Director], None]
    script: Mapping[int, StrEnum] = field(default_factory=dict)  # what requests meet with, by their number
    provider: str = "sendgrid"
    hold: timedelta | None = None
    waves: Waves | None = None
    concurrency: int = 1
    needs_postgresql: bool = False

    def plan(self, seed: int) -> Plan:
        """The plan of this stage."""
        return replace(
            _PATIENT,
            seed=seed,
            provider=self.provider,
            hold=self.hold,
            concurrency=self.concurrency,
            scripted=tuple(self.script.items()) or ((0, Misfortune.NONE),),
        )


def run_stage(stage: Stage, director: Director) -> None:
    """Freeze, act, and bring every broadcast to its end."""
    assert _do(director, commands.freeze, hold=stage.hold, waves=stage.waves) == 0
    stage.act(director)
    director.is_calm.set()
    for _ in range(_MOST_STEPS):
        state, number = _broadcast(director)
        if state is BroadcastState.CANCELLING:
            _do(director, commands.cancel, broadcast=number)
        elif state in UNFINISHED:
            _do(director, commands.resume, broadcast=number)
            _do(director, commands.send, broadcast=number)
        else:
            return


def _do(director: Director, function: Callable[..., int], **arguments: object) -> int:
    process = director.processes.start(function, scene=director.scene, **arguments)
    return process.wait(_PATIENCE_SECONDS)


def _broadcast(director: Director) -> tuple[BroadcastState, int]:
    with director.store.opened() as database:
        found = next(each for each in list_broadcasts(database) if each.issue == director.scene.issue)
    return found.state, found.id


def _await_state(director: Director, state: BroadcastState) -> None:
    pause = threading.Event()
    for _ in range(1000):
        if _broadcast(director)[0] is state:
            return
        pause.wait(0.01)
    raise AssertionError(f"the broadcast is not {state}")


def _send(director: Director) -> None:
    _do(director, commands.send, broadcast=_broadcast(director)[1])


def _cancel(director: Director) -> None:
    _do(director, commands.cancel, broadcast=_broadcast(director)[1])


def _pause(director: Director) -> None:
    _do(director, commands.pause, broadcast=_broadcast(director)[1])


def _leave_together(director: Director) -> None:
    """Everyone in the first batch leaves before it is claimed."""
    for email in director.people[: QUIET.chunk_size]:
        _do(director, commands.leave, email=email)


def _pause_then_cancel(director: Director) -> None:
    _pause(director)
    _cancel(director)


def _send_then_cancel(director: Director) -> None:
    _send(director)
    _cancel(director)


def _set_aside(director: Director) -> str:
    """Send until one person is set aside. Return who that is."""
    _send(director)
    with director.store.opened() as database:
        lines = accounts_of(database, director.scene.issue)[0].lines
    (email,) = [line.email for line in lines if line.state == ChunkState.DEFERRED]
    return email


def _set_aside_then_cancel(director: Director) -> None:
    _set_aside(director)
    _cancel(director)


def _set_aside_then_leave(director: Director) -> None:
    _do(director, commands.leave, email=_set_aside(director))
    _try_again(director)


def _set_aside_then_try(director: Director) -> None:
    _set_aside(director)
    _try_again(director)


def _try_again(director: Director) -> None:
    director.pass_time_until(director.clock.now() + _BEFORE_THEY_ARE_TRIED)
    _do(director, commands.run_due, broadcast=_broadcast(director)[1])


def _leave_while_held(director: Director) -> None:
    _send(director)
    _do(director, commands.leave, email=director.people[0])
    director.pass_time_until(director.clock.now() + _HELD - BEFORE_HELD_MAIL)
    _do(director, commands.run_due, broadcast=_broadcast(director)[1])


def _set_aside_then_restore(director: Director) -> None:
    _set_aside(director)
    _do(director, commands.restore)


def _pause_before_the_other_answer(director: Director) -> None:
    """Two requests are on their way. The answer to the first pauses the broadcast, and then the second is answered."""
    has_second = threading.Event()

    def visit(request: int, is_taken: bool) -> None:
        if request == 1:
            has_second.wait(_PATIENCE_SECONDS)
        elif request == 2 and not is_taken:
            has_second.set()
            _await_state(director, BroadcastState.PAUSED)

    director.post.visit = visit
    _send(director)


def _send_first_then_wait(director: Director) -> None:
    """The first wave is sent, and the timer lets the rest follow once the time of watching is over."""
    _send(director)
    _run_timer_after(director, WAVES.watch)
    assert _broadcast(director)[0] is BroadcastState.DONE


def _send_first_then_wait_too_long(director: Director) -> None:
    """No timer runs for a day after the watching, so a person must decide."""
    _send(director)
    _run_timer_after(director, timedelta(days=2))
    assert _broadcast(director)[0] is BroadcastState.PAUSED


def _run_timer_after(director: Director, span: timedelta) -> None:
    _, number = _broadcast(director)
    director.pass_time_until(director.clock.now() + span + timedelta(seconds=2))
    _do(director, commands.run_due, broadcast=number)


class GivenUp(StrEnum):
    """What has become of a batch whose process was cut off from its database, by the time it is answered."""

    UNKNOWN = "unknown"
    READY = "ready"
    CANCELLED = "cancelled"


def _cut_off(given_up: GivenUp, *, during: int = 1) -> Callable[[Director], None]:
    """While a request is handled, its process loses the database, and someone else decides about the batch."""

    def act(director: Director) -> None:
        _, number = _broadcast(director)
        sending = director.processes.start(commands.send, scene=director.scene, broadcast=number)

        def visit(request: int, is_taken: bool) -> None:
            if request != during or is_taken:
                return
            director.log.write("cut off", of=sending.pid)
            director.store.cut_off(sending.pid)
            _do(director, commands.cancel if given_up is GivenUp.CANCELLED else commands.resume, broadcast=number)
            if given_up is not GivenUp.UNKNOWN:
                with director.store.opened() as database:
                    decisions = {
                        (each.number, each.attempt): Resolution.RESEND for each in unknown_chunks(database, number)
                    }
                assert decisions, "the batch is not unknown"
                _do(director, commands.resolve, broadcast=number, decisions=decisions)

        director.post.visit = visit
        sending.wait(_PATIENCE_SECONDS)

    return act


_IN_PARTS = {
    2: Mishap.NO_SUCH_USER,
    3: Mishap.RESET,
    5: Mishap.POLICY,
    6: Mishap.CLOSING,
    7: Mishap.CLOSING,
}
_DEFERRED_TO_ONE = dict.fromkeys((5, 31, 32), Mishap.DEFERRED)  # the only one left, after 30 people
STAGES: Mapping[str, Stage] = {
    "the rest follows": Stage(act=_send_first_then_wait, waves=WAVES),
    "the rest is held": Stage(act=_send_first_then_wait_too_long, waves=WAVES),
    "cancel what is watched": Stage(act=_send_then_cancel, waves=WAVES),
    "everyone in a batch leaves": Stage(act=_leave_together),
    "pause before the time": Stage(act=_pause, hold=_HELD),
    "cancel before the time": Stage(act=_cancel, hold=_HELD),
    "leave while it is held": Stage(act=_leave_while_held, hold=_HELD),
    # Requests 5 and 6 cancel what is held and ask for another id; then the rest is handed over again.
    "refused after it was recalled": Stage(act=_leave_while_held, script={7: Misfortune.REFUSED}, hold=_HELD),
    "cancel when it is almost time": Stage(act=_send_then_cancel, hold=_TOO_LATE),
    "cancel what is paused": Stage(act=_pause_then_cancel),
    "refused after a pause": Stage(
        act=_pause_before_the_other_answer,
        script={1: Misfortune.NO_CREDITS, 2: Misfortune.REFUSED},
        concurrency=2,
    ),
    "the last one does not exist": Stage(act=_send, script={30: Mishap.NO_SUCH_USER}, provider="smtp"),
    "blocked by the relay": Stage(act=_send, script={10: Mishap.BLOCKED}, provider="smtp"),
    **{
        f"set aside, then {what}": Stage(act=act, script=_DEFERRED_TO_ONE, provider="smtp")
        for what, act in (
            ("try again", _set_aside_then_try),
            ("cancel", _set_aside_then_cancel),
            ("leave", _set_aside_then_leave),
            ("restore", _set_aside_then_restore),
        )
    },
    # Request 1 asks for the id under which email is held.
    "cancel what was stopped": Stage(act=_send_then_cancel, script={3: Misfortune.REFUSED}, hold=_HELD),
    "refused when unknown": Stage(act=_cut_off(GivenUp.UNKNOWN), script={1: Misfortune.REFUSED}, needs_postgresql=True),
    "invalid when unknown": Stage(
        act=_cut_off(GivenUp.UNKNOWN), script={1: Misfortune.INVALID_ONE}, needs_postgresql=True
    ),
    **{
        f"taken in parts when {given_up}": Stage(
            act=_cut_off(given_up), script=_IN_PARTS, provider="smtp", needs_postgresql=True
        )
        for given_up in GivenUp
    },
    **{
        f"{mishap} when cancelled": Stage(
            act=_cut_off(GivenUp.CANCELLED, during=during), script={2: mishap}, provider="smtp", needs_postgresql=True
        )
        # An address counts as invalid once the relay has accepted another one.
        for mishap, during in ((Mishap.NO_SUCH_USER, 3), (Mishap.RESET, 2), (Mishap.POLICY, 2))
    },
}
