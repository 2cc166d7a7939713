"""Watch the first wave of broadcasts, and let the rest follow or hold it.

Every process that sends what is due looks at all watched broadcasts, each time that it looks at what must be recalled.
Each look asks all judges; one that says to hold wins, and then one that says to go on. The decision is one commit, so
it does not matter which process decides, or dies. Whatever is in doubt is held, and a person decides.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from newsletter.config import Config
from newsletter.errors import ProviderError
from newsletter.language.clock import say_span, say_time
from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.model.waves import Watch, WaveDecision, WaveJudgment, WaveState
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import require_broadcast
from newsletter.store.ledger.recall import batches_of
from newsletter.store.ledger.states import require_current
from newsletter.store.ledger.status import tally_of
from newsletter.store.ledger.waves import broadcasts_in_waves, hold_wave, release_wave, watch_of
from newsletter.store.versions import choose_version
from newsletter.workflows.publish.on_sending import publish_again
from newsletter.workflows.send.canary import judge_canary
from newsletter.workflows.send.carry_out import DoneBroadcast, Work, name_of
from newsletter.workflows.send.due import Due, DueBroadcast
from newsletter.workflows.send.recall import LIVE, recall_batch
from newsletter.workflows.send.winner import judge_versions

Judge = Callable[[Config, Database, Watch, bool, datetime], WaveJudgment | None]

# Each judges one kind of waves, and returns None for the others. It gets whether the time of watching is over.
JUDGES: tuple[Judge, ...] = (judge_canary, judge_versions)
_TOO_LATE = "the watching ended on {time}, more than {span} ago, so the rest was not sent automatically"
_IS_OVER = "an event or a deadline in it is over, so the rest was not sent automatically"
_NOTHING = "nothing speaks against it"
_DUE = {WaveDecision.HOLD: Due.HOLD_BACK, WaveDecision.RELEASE: Due.RELEASE}


def watch_due(work: Work) -> Iterator[DoneBroadcast]:
    """Decide about all watched broadcasts, and recall what was held too late. Yield what changed."""
    for number in broadcasts_in_waves(work.database, now=work.clock()):
        now = work.clock()
        judgment, found = _look(work.config, work.database, number, now=now)
        is_decided = found is not None and _commit(work.database, number, judgment, now=now)
        failure = _recall_held(work, number)
        if is_decided and judgment.version:
            publish_again(work.config, work.database, now=now, say=work.log)
        if found is not None and (is_decided or failure):
            name = name_of(found.broadcast)
            work.log(f"{name}: {judgment.decision}: {judgment.reason}", broadcast=number, figures=judgment.figures)
            after, tally = require_broadcast(work.database, number), tally_of(work.database, number)
            yield DoneBroadcast(found=found, broadcast=after, tally=tally, failure=failure)


def look_at_watched(config: Config, database: Database, *, now: datetime) -> Iterator[DueBroadcast]:
    """Yield the watched broadcasts about which something is to be decided now, and what. Change nothing."""
    for number in broadcasts_in_waves(database, now=now):
        _, found = _look(config, database, number, now=now)
        if found is not None:
            yield found


def _look(
    config: Config, database: Database, number: int, *, now: datetime
) -> tuple[WaveJudgment, DueBroadcast | None]:
    """Return what a look at a watched broadcast leads to, and the same as what a run would do, if it is anything."""
    broadcast, watch = require_broadcast(database, number), watch_of(database, number)
    judgment = judge_watched(config, database, watch, broadcast, now=now) if watch else WaveJudgment()
    if judgment.decision is WaveDecision.GO_ON:
        return judgment, None
    due, tally = _DUE[judgment.decision], tally_of(database, number)
    return judgment, DueBroadcast(broadcast=broadcast, tally=tally, due=due, reason=judgment.reason)


def judge_watched(
    config: Config, database: Database, watch: Watch, broadcast: Broadcast, *, now: datetime
) -> WaveJudgment:
    """Return what a look at a watched broadcast leads to now. Change nothing."""
    is_over = broadcast.state is BroadcastState.WATCHING and watch.watch_until is not None and now >= watch.watch_until
    found = [each for judge in JUDGES if (each := judge(config, database, watch, is_over, now)) is not None]
    for decision in (WaveDecision.HOLD, WaveDecision.GO_ON):
        for each in found:
            if each.decision is decision:
                return each
    if not (is_over or found) or broadcast.state is not BroadcastState.WATCHING:
        return WaveJudgment()
    if doubt := _doubt(config, watch, broadcast, now=now):
        return WaveJudgment(decision=WaveDecision.HOLD, reason=doubt)
    reason = "; ".join(each.reason for each in found) or _NOTHING
    kept = next((each for each in found if each.version), next(iter(found), WaveJudgment()))
    return replace(kept, decision=WaveDecision.RELEASE, reason=reason)


def _doubt(config: Config, watch: Watch, broadcast: Broadcast, *, now: datetime) -> str:
    """Return why the rest must not be sent without a person, whatever came back, or an empty string if it may."""
    allowed = timedelta(minutes=config.settings.delivery.lateness_minutes)
    if watch.watch_until is not None and now > watch.watch_until + allowed:
        time = say_time(watch.watch_until, config.settings.newsletter.timezone)
        return _TOO_LATE.format(time=time, span=say_span(allowed))
    return _IS_OVER if broadcast.good_until is not None and broadcast.good_until <= now else ""


def _commit(database: Database, number: int, judgment: WaveJudgment, *, now: datetime) -> bool:
    """Save a decision, unless the broadcast has moved on. Return whether it was saved."""
    commit = hold_wave if judgment.decision is WaveDecision.HOLD else release_wave
    with database.transaction() as connection:
        broadcast = require_current(connection, number)
        if judgment.version and broadcast.state is BroadcastState.WATCHING:
            kept = {"because": judgment.reason, "figures": judgment.figures}
            choose_version(connection, number, judgment.version, **kept, now=now)
        return commit(connection, broadcast, judgment.reason, now=now, figures=judgment.figures)


def _recall_held(work: Work, number: int) -> str:
    """Have the provider give back what it holds of a broadcast that was held. Return its error message, if any."""
    watch = watch_of(work.database, number)
    if watch is None or watch.state is not WaveState.HELD:
        return ""
    batches = [
        batch
        for batch in batches_of(work.database, number)
        if batch.state in LIVE and not batch.is_second and work.clock() < batch.recall_ends_at
    ]
    try:
        scheduler = work.opened().scheduler if batches else None
        if scheduler is not None:
            for batch in batches:
                recall_batch(work.database, batch, scheduler, clock=work.clock)
    except ProviderError as err:
        return str(err)
    return ""
