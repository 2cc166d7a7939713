"""Which of several versions of an issue the rest of a broadcast gets: by what readers did, or as the director says."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct, json

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.language.clock import say_moment, say_span
from newsletter.language.counts import count_of
from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.model.event import EventType
from newsletter.model.readership import VERSION, TrackingMode
from newsletter.model.waves import Watch, WaveDecision, WaveJudgment, WaveState
from newsletter.statistics.intervals import Proportion
from newsletter.statistics.winner import Arm, clear_winner
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import require_broadcast
from newsletter.store.ledger.states import require_current
from newsletter.store.ledger.waves import release_wave, watch_of
from newsletter.store.versions import VersionCounts, choose_version, version_counts, version_totals
from newsletter.workflows.events.judge import judge_reactions

ME, CLICKS, OPENS = "me", "clicks", "opens"
_BY_PERSON = "was chosen by a person"
_CAN_CHOOSE = frozenset({BroadcastState.WATCHING, BroadcastState.PAUSED})


class VersionResult(Struct, frozen=True, kw_only=True):
    """What came back about one version from those who got it first."""

    version: str
    sent: int
    opened: Proportion | None = None  # of those whose opens may be known; None if there are none
    clicked: Proportion | None = None
    opens: int | None = None  # how often it was opened by whomever; None if only people are counted
    clicks: int | None = None


class Comparison(Struct, frozen=True, kw_only=True):
    """The comparison of versions in one broadcast, so far or at its end."""

    broadcast: int
    winner: str  # what decides: clicks, opens or me
    versions: tuple[VersionResult, ...]
    chosen: str  # empty until it is decided
    reason: str  # why it was chosen
    chosen_at: datetime | None
    is_clear: bool  # whether the chosen version was clearly better then
    by_person: bool
    watch_until: datetime | None
    can_choose: bool  # whether a person may choose now
    is_held: bool  # whether all others wait for a person


def judge_versions(_: Config, database: Database, watch: Watch, is_over: bool, now: datetime) -> WaveJudgment | None:
    """Return what a look at the versions of a broadcast leads to. Return None if it has none, or one is chosen."""
    if watch.plan.axis != VERSION or watch.chosen:
        return None
    if watch.plan.winner == ME:
        hold = WaveJudgment(decision=WaveDecision.HOLD, reason=_you_decide(watch, "you decide about the version"))
        return hold if is_over else WaveJudgment()
    judge_reactions(database, now=now)
    results = _results(database, watch)
    figures = json.encode(results).decode()
    if best := clear_winner(arms := arms_for(watch.plan.winner, results)):
        reason = f"version {best} clearly has more {watch.plan.winner}: {_rates(arms)}"
        return WaveJudgment(decision=WaveDecision.RELEASE, reason=reason, figures=figures, version=best)
    if not is_over:
        return WaveJudgment()
    unclear = f"no version has clearly more {watch.plan.winner} after {say_span(watch.plan.watch)} ({_rates(arms)})"
    if watch.plan.unclear == ME:
        return WaveJudgment(decision=WaveDecision.HOLD, reason=_you_decide(watch, unclear), figures=figures)
    reason = f"{unclear}, so all others get version {watch.plan.unclear}, as planned"
    return WaveJudgment(decision=WaveDecision.RELEASE, reason=reason, figures=figures, version=watch.plan.unclear)


def comparison_of(database: Database, broadcast_id: int) -> Comparison | None:
    """Return the comparison of versions in a broadcast, as it is now, or None if it compares none.

    Once a version is chosen, totals are those of that moment: what comes later is about everyone.
    """
    broadcast, watch = require_broadcast(database, broadcast_id), watch_of(database, broadcast_id)
    if watch is None or watch.plan.axis != VERSION:
        return None
    is_over = watch.plan.tracking is TrackingMode.TOTALS and watch.chosen
    then = json.decode(watch.chosen_from, type=tuple[VersionResult, ...]) if watch.chosen_from else ()
    results = then if is_over else _results(database, watch)
    return Comparison(
        broadcast=broadcast_id,
        winner=watch.plan.winner,
        versions=results,
        chosen=watch.chosen,
        reason=watch.chosen_because,
        chosen_at=watch.chosen_at,
        is_clear=bool(then) and clear_winner(arms_for(watch.plan.winner, then)) == watch.chosen,
        by_person=watch.chosen_because.endswith(_BY_PERSON),
        watch_until=watch.watch_until,
        can_choose=not watch.chosen and _can_choose(broadcast, watch),
        is_held=not watch.chosen and watch.state is WaveState.HELD,
    )


def require_choice(database: Database, broadcast_id: int, version: str) -> Watch:
    """Return the waves of a broadcast for which a person may choose this version now.

    Raise InputError if it compares no versions, has no such version, or does not wait for a choice.
    """
    broadcast, watch = require_broadcast(database, broadcast_id), watch_of(database, broadcast_id)
    if watch is None or watch.plan.axis != VERSION:
        raise InputError(f"broadcast {broadcast_id} compares no versions; `newsletter status` lists all broadcasts")
    if version not in watch.plan.shares:
        known = ", ".join(watch.plan.shares)
        raise InputError(f"broadcast {broadcast_id} has no version {version!r}; choose from {known}")
    if watch.chosen:
        raise InputError(f"all others already get version {watch.chosen}; see `newsletter status {broadcast_id}`")
    if not _can_choose(broadcast, watch):
        what = f"broadcast {broadcast_id} is {broadcast.state}, so no version can be chosen now"
        raise InputError(f"{what}; wait until the first emails are sent: newsletter status {broadcast_id}")
    return watch


def choose_winner(database: Database, broadcast_id: int, version: str, *, now: datetime) -> Broadcast:
    """Give all others the version that a person chose, and let them have it. Both are saved at once.

    Raise InputError if none can be chosen, also if it was chosen meanwhile.
    """
    watch = require_choice(database, broadcast_id, version)
    figures = json.encode(_results(database, watch)).decode()
    with database.transaction() as connection:
        broadcast = require_current(connection, broadcast_id)
        reason = f"version {version} {_BY_PERSON}"
        choose_version(connection, broadcast_id, version, because=reason, figures=figures, now=now)
        if not release_wave(connection, broadcast, reason, now=now, figures=figures, by_person=True):
            raise InputError(f"broadcast {broadcast_id} has moved on meanwhile; see `newsletter status {broadcast_id}`")
        return require_current(connection, broadcast_id)


def arms_for(winner: str, results: Sequence[VersionResult]) -> list[Arm]:
    """Return the versions as the test compares them, by clicks or opens. Totals cannot be tested."""
    rates = [(each.version, each.opened if winner == OPENS else each.clicked) for each in results]
    return [Arm(version=version, people=rate.of, reacted=rate.count) for version, rate in rates if rate]


def comparison_facts(comparison: Comparison | None, *, zone: str, now: datetime) -> list[tuple[str, str]]:
    """Return what came back about each version, and which one all others get, as names and values."""
    if comparison is None:
        return []
    lines = [f"{each.version}: {', '.join(_figures(each))}" for each in comparison.versions]
    if comparison.chosen:
        others = f"all others get version {comparison.chosen}: {comparison.reason}"
    elif comparison.is_held or comparison.winner == ME:
        others = "you decide which version all others get"
    else:
        others = f"all others get the version with clearly more {comparison.winner}; none has so far"
    if comparison.watch_until and not comparison.chosen and comparison.watch_until > now:
        others += f"\nthe test ends {say_moment(comparison.watch_until, zone, now=now)}"
    return [("versions", "\n".join(lines)), ("winner", others)]


def said_of(comparison: Comparison) -> str:
    """Return what a comparison says, and what it cannot say, in sentences."""
    if not comparison.chosen:
        return "It is not decided yet which version all others get."
    best = clear_winner(arms_for(comparison.winner, comparison.versions))
    decided = f"{comparison.reason[:1].upper()}{comparison.reason[1:]}."
    if comparison.by_person:
        is_known = comparison.versions[0].clicked is not None
        doubt = " The figures do not show that it is better." if is_known and best != comparison.chosen else ""
        return f"{decided}{doubt}"
    if comparison.is_clear:
        return f"{decided} If the versions were equally good, that would happen in at most one of 200 comparisons."
    return f"{decided} That does not show that the versions are equally good: so few people cannot tell."


def _figures(result: VersionResult) -> Iterator[str]:
    yield count_of(result.sent, "email")
    for rate, what in ((result.opened, "opened"), (result.clicked, "clicked")):
        if rate is not None and rate.of:
            low, high = rate.interval
            yield f"{rate.count:,} of {rate.of:,} {what} ({low:.1%} to {high:.1%})"
    if result.clicked is not None and not result.clicked.of:
        yield "none of them to people who agreed to tracking"
    if result.opens is not None and result.clicks is not None:
        yield f"{count_of(result.opens, 'open')} and {count_of(result.clicks, 'click')}, repetitions included"


def _can_choose(broadcast: Broadcast, watch: Watch) -> bool:
    is_held = watch.state is WaveState.HELD
    return broadcast.state in _CAN_CHOOSE and (broadcast.state is BroadcastState.WATCHING or is_held)


def _you_decide(watch: Watch, why: str) -> str:
    number = watch.broadcast
    return f"{why}: newsletter winner {number} VERSION"


def _results(database: Database, watch: Watch) -> tuple[VersionResult, ...]:
    counts = {each.version: each for each in version_counts(database, watch.broadcast)}
    totals = {(each.version, each.type): each.events for each in version_totals(database, watch.broadcast)}
    mode = watch.plan.tracking
    found = []
    for version in sorted(watch.plan.shares):
        of = counts.get(version, VersionCounts(version, 0, 0, 0, 0))
        found.append(
            VersionResult(
                version=version,
                sent=of.sent,
                opened=Proportion(of.opened, of.known) if mode is TrackingMode.CONSENTED else None,
                clicked=Proportion(of.clicked, of.known) if mode is TrackingMode.CONSENTED else None,
                opens=totals.get((version, EventType.OPENED), 0) if mode is TrackingMode.TOTALS else None,
                clicks=totals.get((version, EventType.CLICKED), 0) if mode is TrackingMode.TOTALS else None,
            )
        )
    return tuple(found)


def _rates(arms: Sequence[Arm]) -> str:
    return ", ".join(f"{arm.version} {arm.reacted:,} of {count_of(arm.people, 'reader')}" for arm in arms)
