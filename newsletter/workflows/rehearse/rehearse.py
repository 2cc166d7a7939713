"""Rehearse a broadcast from beginning to end, and forecast who gets it when. Nothing is sent, and nothing is written.

The plan, the freeze, the pace, the claims and the recording are the real ones. They work on a copy of the data, with a
virtual clock and a twin of the provider.
"""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.model.broadcast import Waiver
from newsletter.model.finding import REPEAT
from newsletter.render.memory import Memory
from newsletter.render.theme import Theme
from newsletter.store.ledger.recall import last_run
from newsletter.store.ledger.tempo import past_claims
from newsletter.store.scratch import forget_past, fork, scratch_copy
from newsletter.store.sqlite.engine import SqliteDatabase
from newsletter.workflows.compose.compose import BUILD_FOLDER
from newsletter.workflows.rehearse.failures import Scene, aftermaths, cut_off_freeze
from newsletter.workflows.rehearse.forecast import Rehearsal, forecast_of
from newsletter.workflows.rehearse.run import RehearsedRun, offline
from newsletter.workflows.rehearse.tempo import tempo_of
from newsletter.workflows.rehearse.twin import Twin
from newsletter.workflows.rehearse.virtual_time import VirtualTime
from newsletter.workflows.send.awake import Awake, usual_awake
from newsletter.workflows.send.begin import beginning_of
from newsletter.workflows.send.plan import BroadcastPlan, Order, plan_broadcast, start_broadcast

Progress = Callable[[float], None]  # called with the fraction that is done, from 0 to 1
_COPIED, _PREPARED, _SENT = 0.05, 0.2, 0.7  # the fractions at which the parts of a rehearsal are done, by experience


class Wish(Struct, frozen=True, kw_only=True):
    """What is to be rehearsed, besides the order itself."""

    seed: int = 1
    awake: Awake | None = None  # what sends what is due; None: what ran last, or a timer
    seconds: float | None = None  # how long the provider takes per email or request; None: as measured
    with_failures: bool = True


def rehearse(
    config: Config,
    order_in: Callable[[SqliteDatabase], Order],
    wish: Wish,
    *,
    now: datetime,
    on_progress: Progress = lambda _done: None,
) -> Rehearsal:
    """Rehearse an order on a copy of the data. `order_in` makes the order, given that copy.

    The same data, seed and time give the same result. Raise MistakesError for mistakes in the files. Raise InputError
    if there is no list, no recipient, or no twin of the provider, or if the time is not possible.
    """
    if not config.has_database:
        raise InputError("there is no list yet; import one with `newsletter subscribers import FILE`")
    copied = _part(on_progress, 0.0, _COPIED)
    with scratch_copy(config.database, workspace=config.root, on_progress=copied) as database:
        time = VirtualTime(now)
        twin = Twin(config, time, seed=wish.seed)
        twin.tempo = tempo_of(
            twin.name,
            is_one_by_one=twin.is_one_by_one,
            connections=twin.concurrency,
            claims=past_claims(database, twin.name),
            stated_seconds=wish.seconds,
        )
        awake = wish.awake or usual_awake(last_run(database), now=now)
        plan = _plan(config, database, order_in(database), twin, now=now)
        permitted = _permitted(plan, wish.seed)
        cut_off = cut_off_freeze(database, permitted, twin, now=now) if wish.with_failures else None
        broadcast = start_broadcast(database, permitted, twin, now=now)
        people = plan.preview.recipients
        sent = _part(on_progress, _PREPARED, _SENT if wish.with_failures else 1.0)
        run = RehearsedRun(
            config=offline(config),
            database=database,
            twin=twin,
            time=time,
            broadcast=broadcast.id,
            awake=awake,
            on_settled=lambda _more: sent(twin.accepted / people),
        )
        beginning = beginning_of(config, broadcast, plan, now=now)
        with ExitStack() as forks:
            scene = None
            if cut_off is not None:
                forget_past(database)
                frozen = forks.enter_context(fork(database))
                scene = Scene(run=run, plan=plan, seed=wish.seed, cut_off=cut_off, frozen=frozen, frozen_at=now)
                twin.call_at_half(
                    people, lambda: scene.keep_middle(forks.enter_context(fork(database, logs=twin.open_logs())))
                )
            run.begin(beginning)
            run.to_end()
            found = forecast_of(run, plan, seed=wish.seed, now=now)
            if scene is None:
                return found
            failures = aftermaths(scene, _part(on_progress, _SENT, 1.0))
            return replace(found, failures=tuple(failures))


def _part(on_progress: Progress, begins: float, ends: float) -> Progress:
    """Return a callback for the progress of one part, given the fractions of the whole at which it begins and ends."""
    return lambda done: on_progress(begins + (ends - begins) * min(done, 1.0))


def _plan(config: Config, database: SqliteDatabase, order: Order, twin: Twin, *, now: datetime) -> BroadcastPlan:
    """Plan the broadcast without writing to the workspace, not even what builds remember."""
    theme = Theme(config.root, Memory(config.root / BUILD_FOLDER / ".memory", is_written=False))
    return plan_broadcast(config, database, order, provider=twin, now=now, is_preview=True, theme=theme)


def _permitted(plan: BroadcastPlan, seed: int) -> BroadcastPlan:
    """Return the plan without what blocks it, because a rehearsal often comes before the approval.

    Who is in the first wave, if there is one, is drawn from the seed.
    """
    known = {waiver.rule for waiver in plan.request.waivers}
    repeat = () if REPEAT.id in known else (Waiver(rule=REPEAT.id, because="this is a rehearsal"),)
    waves = plan.request.waves and replace(plan.request.waves, seed=str(seed))
    request = replace(plan.request, waivers=(*plan.request.waivers, *repeat), waves=waves)
    return replace(plan, blocking=(), request=request)
