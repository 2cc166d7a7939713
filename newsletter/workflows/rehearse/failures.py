"""What a failure at each stage of a broadcast would leave, found out by letting it happen on copies of the data."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from newsletter.errors import StoreError
from newsletter.model.broadcast import BroadcastState, Outcome, Tally, Verdict
from newsletter.model.ledger import ClaimedChunk
from newsletter.store.ledger.broadcasts import list_broadcasts
from newsletter.store.ledger.record import record_outcome
from newsletter.store.scratch import fork
from newsletter.store.sqlite.connection import SqliteConnection
from newsletter.store.sqlite.engine import SqliteDatabase
from newsletter.workflows.rehearse.provider_models import ProviderFault, Trouble
from newsletter.workflows.rehearse.run import RehearsedRun
from newsletter.workflows.rehearse.twin import Twin
from newsletter.workflows.rehearse.virtual_time import VirtualTime
from newsletter.workflows.send.account import Step, next_steps, sending_again, state_in_words
from newsletter.workflows.send.begin import Beginning
from newsletter.workflows.send.plan import BroadcastPlan, start_broadcast
from newsletter.workflows.send.recover import recover
from newsletter.workflows.send.schedule import lead_of
from newsletter.workflows.send.status import status_of

_ABSENCE = timedelta(days=1)
_CLAIMED = timedelta(milliseconds=50)  # after this, batches have been claimed, and are being sent
_FULL = "the disk is full"
_NOTHING = "nothing was sent, and nothing is recorded"


class Aftermath(Struct, frozen=True, kw_only=True):
    """What one failure would leave."""

    stage: str
    what: str
    at: datetime
    state: str  # in words
    reason: str
    tally: Tally | None  # None if there is no broadcast
    steps: tuple[Step, ...]  # what a person can do then
    ends: datetime | None = None  # when the last email is sent, if that needs no person


class Scene(Struct, kw_only=True):
    """The broadcast whose failures are tried: its run, and copies of the data as they were on the way."""

    run: RehearsedRun
    plan: BroadcastPlan
    seed: int
    cut_off: Aftermath  # what a freeze that does not end leaves
    frozen: SqliteDatabase  # just after the freeze
    frozen_at: datetime
    middle: "Middle | None" = None  # None if no half of the people ever had it

    def keep_middle(self, database: SqliteDatabase) -> None:
        """Keep a copy of the data, made now."""
        run = self.run
        self.middle = Middle(database, run.time(), run.twin.under_way(run.broadcast))


class Middle(Struct):
    """When half of the people had the email, and more was being sent."""

    database: SqliteDatabase
    at: datetime
    under_way: tuple[ClaimedChunk, ...]  # the batches that were being sent


def cut_off_freeze(database: SqliteDatabase, plan: BroadcastPlan, twin: Twin, *, now: datetime) -> Aftermath:
    """Let the program be killed while it creates the broadcast. `database` is as it was before."""
    before = list_broadcasts(database)
    with _Failing(database, lambda: True) as failing, suppress(StoreError):
        start_broadcast(failing, plan, twin, now=now)
    is_clean = list_broadcasts(database) == before
    return Aftermath(
        stage="creating",
        what="The program is killed while it creates the broadcast",
        at=now,
        state="not created" if is_clean else "created",
        reason=_NOTHING if is_clean else "",
        tally=None,
        steps=((sending_again(plan.request.issue, plan.request.segment.name), "to send it"),),
    )


def aftermaths(scene: Scene, on_progress: Callable[[float], None]) -> Iterator[Aftermath]:
    """Yield what each failure leaves, in the order of the stages."""
    yield scene.cut_off
    stages = [partial(stage, scene) for stage in _BEFORE if stage is not _absent or scene.plan.schedule is not None]
    if scene.middle is not None:
        stages += [partial(stage, scene, scene.middle) for stage in _IN_THE_MIDDLE]
        faults = () if scene.run.twin.name == "outbox" else _FAULTS  # which only this machine can prevent
        stages += [partial(_with_fault, scene, scene.middle, *fault) for fault in faults]
    for number, stage in enumerate(stages):
        on_progress(number / len(stages))
        with _repeatable(scene.seed):
            yield stage()
    on_progress(1.0)


def _created(scene: Scene) -> Aftermath:
    return _told(scene, scene.frozen, "created", "The program is killed before the first email", at=scene.frozen_at)


def _absent(scene: Scene) -> Aftermath:
    """Let nothing run from the creation until a day after the scheduled time."""
    with fork(scene.frozen) as database:
        run = _again(scene, database, at=scene.frozen_at)
        schedule = scene.plan.schedule
        run.time.move_to((schedule.first if schedule else scene.frozen_at) + _ABSENCE)
        run.to_end()
        what = "Nothing that sends is running until a day after the time"
        return _told(scene, database, "absent", what, at=run.time(), run=run)


def _killed(scene: Scene, middle: Middle) -> Aftermath:
    """Let the program be killed in the middle, and look at what the next start finds."""
    with fork(middle.database, logs=middle.database.replies.iterdir()) as database:
        recover(database, scene.run.broadcast, now=middle.at)
        return _told(scene, database, "killed", "The program is killed when half have it", at=middle.at)


def _disk(scene: Scene, middle: Middle) -> Aftermath:
    """Let the disk fill up in the middle. The process ends, and the next one finds room again."""
    with _calm(middle) as database:
        run, full_from = _again(scene, database, at=middle.at), middle.at + _CLAIMED
        run.twin.keep_logs(is_noting=True)
        with _Failing(database, lambda: run.time() >= full_from) as failing, suppress(StoreError):
            replace(run, database=failing).begin(_continued(run))
        recover(database, run.broadcast, now=run.time())
        return _told(scene, database, "disk", "The disk is full when half have it", at=run.time())


def _with_fault(
    scene: Scene, middle: Middle, stage: str, trouble: Trouble, lasts: timedelta | None, what: str
) -> Aftermath:
    """Let the provider fail in the middle, for a while or until a person does something."""
    with _calm(middle) as database:
        fault = ProviderFault(trouble=trouble, ends=middle.at + lasts if lasts else None)
        run = _again(scene, database, at=middle.at, fault=fault)
        run.begin(_continued(run))
        run.to_end()
        return _told(scene, database, stage, f"{what}, from when half have it", at=run.time(), run=run)


_BEFORE = (_created, _absent)
_IN_THE_MIDDLE = (_killed, _disk)
_FAULTS = (
    ("unreachable", Trouble.UNREACHABLE, timedelta(hours=1), "The provider cannot be reached for an hour"),
    ("key", Trouble.KEY_REVOKED, None, "The provider no longer accepts the key or password"),
    ("answers", Trouble.ANSWERS_LOST, None, "The provider's answers get lost"),
)


def _told(
    scene: Scene, database: SqliteDatabase, stage: str, what: str, *, at: datetime, run: RehearsedRun | None = None
) -> Aftermath:
    status = status_of(database, scene.run.broadcast)
    handed = [each.reaches_at for each in run.twin.handed] if run is not None else []
    is_over = status.broadcast.state is BroadcastState.DONE
    return Aftermath(
        stage=stage,
        what=what,
        at=at,
        state=state_in_words(status.broadcast, status.tally),
        reason=status.broadcast.reason,
        tally=status.tally,
        steps=tuple(next_steps(status, at)),
        ends=max(handed) if is_over and handed else None,
    )


def _again(scene: Scene, database: SqliteDatabase, *, at: datetime, fault: ProviderFault | None = None) -> RehearsedRun:
    """Return a run of the same broadcast on another copy, at a time."""
    time = VirtualTime(at)
    twin = Twin(scene.run.config, time, seed=scene.seed, fault=fault)
    twin.tempo = scene.run.twin.tempo
    return replace(scene.run, database=database, twin=twin, time=time, waits=[], failures=[], on_settled=lambda _: None)


def _continued(run: RehearsedRun) -> Beginning:
    """Return what a process does that is already sending."""
    return Beginning(is_now=True, ahead=lead_of(run.config))


@contextmanager
def _calm(middle: Middle) -> Iterator[SqliteDatabase]:
    """Yield a copy of the middle in which the batches that were being sent have not begun."""
    with fork(middle.database) as database:
        for claimed in middle.under_way:
            record_outcome(database, claimed, Outcome(verdict=Verdict.READY), now=middle.at)
        yield database


@contextmanager
def _repeatable(seed: int) -> Iterator[None]:
    """Draw the jitter of waits from the seed."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


class _Failing(SqliteDatabase):
    """A database whose transactions are not committed when it fails."""

    def __init__(self, database: SqliteDatabase, fails: Callable[[], bool]) -> None:
        super().__init__(database.path, wait_seconds=0, is_durable=False)
        self._fails = fails

    @contextmanager
    def transaction(self) -> Iterator[SqliteConnection]:
        """Yield a connection. Roll its changes back if the database fails."""
        with super().transaction() as connection:
            yield connection
            if self._fails():
                raise StoreError(_FULL)
