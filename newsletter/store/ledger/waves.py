"""Waves: draw who leaves first, and let the rest follow or hold it, once what came back about the first is known.

The freeze draws, in its transaction, and what was drawn never changes. `begin_watching` follows when the first wave was
sent. Then either `release_wave` or `hold_wave` commits the decision, with its reason and the change of the broadcast.
Each of them changes nothing if the broadcast has moved on, so any process may decide, and a crash loses nothing.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from random import Random
from typing import NamedTuple, TypeVar, cast

from msgspec import json

from newsletter.errors import InputError
from newsletter.language.clock import show_utc
from newsletter.language.counts import people_of
from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.model.ledger import Entry
from newsletter.model.mailbox import MailboxProvider
from newsletter.model.waves import Watch, Waves, WaveState
from newsletter.store.database import Connection, Database
from newsletter.store.ledger.numbering import STRATA, Numbering
from newsletter.store.ledger.states import hold_back, reopen, require_current, set_running, set_watching
from newsletter.store.queries import Reads, change, query_all, query_one, query_value
from newsletter.system.moments import text_of


class Stratum(NamedTuple):
    """The members who will get an email, and have their mailbox at one provider."""

    stratum: int
    people: int


class DrawnPerson(NamedTuple):
    """Someone in the first wave, and the value that was drawn for them."""

    subscriber: int
    value: str


class StratumLeft(NamedTuple):
    """A member who will get an email, and their stratum."""

    subscriber: int
    stratum: int


_S = TypeVar("_S")
Sizes = dict[str, tuple[int, int]]
_READS: Reads = {
    Waves: lambda text: json.decode(text, type=Waves),
    Mapping[str, tuple[int, int]]: lambda text: json.decode(text, type=Sizes),
}
_PAGE = 10_000
Urn = dict[str | None, int]  # what can be drawn → how often it is left; None: to wait for the decision

_STRATA = query_all("waves", "strata", Stratum)
_STRATA_LEFT = query_all("waves", "strata_left", StratumLeft)
_CREATE_DRAWN = change("waves", "create_drawn_member")
_MOVE_DRAWN = change("waves", "move_drawn")
_KEEP_DRAWN = change("waves", "keep_drawn")
_DROP_DRAWN = change("waves", "drop_drawn_member")
_ADD_WATCH = change("waves", "add_watch")
_FIND = query_one("waves", "find", Watch, _READS)
_WATCHED = query_all("waves", "watched", int)
_OPEN_WAITING = query_value("waves", "open_waiting", int)
_LAST_HELD = query_one("waves", "last_held", datetime)
_SET_WATCH = change("waves", "set_watch")
_KEEP_DECISION = change("waves", "keep_decision")
_OPEN_REST = change("waves", "open_rest")
_DRAWN = query_all("waves", "drawn", DrawnPerson)
_LET_OVERDUE_GO = change("broadcasts", "let_overdue_go")


def draw_first(connection: Connection, waves: Waves, numbering: Numbering) -> Sizes:
    """Draw the first wave among the members left, and move it to parts of its own. Return the sizes by provider.

    Each stratum has an urn with as many tickets as people. They are drawn without replacement, in the order of the
    subscribers, so the sizes are exact and everyone has the same chance. Python guarantees that `random` returns the
    same numbers for a seed in every version, so the draw can be repeated.
    """
    people = mailboxes_left(connection)
    urns = allot(waves.shares, people)
    sizes = {each.value: (people[each] - urns[each][None], urns[each][None]) for each in people}
    random = Random(waves.seed).random  # noqa: S311 - a draw that anyone can repeat
    drawn: list[tuple[int, str]] = []
    for page in _pages(connection):
        for subscriber, stratum in page:
            urn = urns[STRATA[stratum]]
            ticket = int(random() * sum(urn.values()))
            for value, left in urn.items():
                if ticket < left:
                    urn[value] -= 1
                    if value is not None:
                        drawn.append((subscriber, value))
                    break
                ticket -= left
    _CREATE_DRAWN(connection)
    connection.load("drawn_member", drawn)
    for value in waves.shares:
        _MOVE_DRAWN(connection, value=value, term=numbering.drawn_term(value))
    return sizes


def mailboxes_left(connection: Connection) -> dict[MailboxProvider, int]:
    """Return how many members will get an email, by their mailbox provider."""
    return {STRATA[row.stratum]: row.people for row in _STRATA(connection)}


def allot(shares: Mapping[str, float], people: Mapping[_S, int]) -> dict[_S, Urn]:
    """Return how often each value is drawn in each stratum.

    A value gets its share of everyone, rounded, and at least one person. What the strata get of that is rounded down,
    and the rest goes to those that lost most by that.
    """
    urns: dict[_S, Urn] = {stratum: {None: size} for stratum, size in people.items()}
    everyone = sum(people.values())
    for value, share in shares.items():
        left = max(round(everyone * share), 1)
        for stratum, size in people.items():
            urns[stratum][value] = min(int(size * share), urns[stratum][None])
            urns[stratum][None] -= urns[stratum][value]
            left -= urns[stratum][value]
        lost = {stratum: size * share - int(size * share) for stratum, size in people.items()}
        by_loss = sorted(people, key=lost.__getitem__, reverse=True)
        for stratum in [each for each in by_loss if urns[each][None]][: max(left, 0)]:
            urns[stratum][value] += 1
            urns[stratum][None] -= 1
    return urns


def keep_waves(connection: Connection, broadcast_id: int, waves: Waves, sizes: Sizes) -> None:
    """Save how a new broadcast leaves in waves, and who was drawn."""
    plan, sizes_text = json.encode(waves).decode(), json.encode(sizes).decode()
    _ADD_WATCH(connection, broadcast=broadcast_id, plan=plan, sizes=sizes_text)
    _KEEP_DRAWN(connection, broadcast=broadcast_id)
    _DROP_DRAWN(connection)


def watch_of(database: Database, broadcast_id: int) -> Watch | None:
    """Return how a broadcast leaves in waves, and how far it is. Return None if it does not."""
    return _FIND.ask(database, broadcast=broadcast_id)


def broadcasts_in_waves(database: Database, *, now: datetime) -> tuple[int, ...]:
    """Return the broadcasts in waves about which something may have to be decided, or of which email is held."""
    return _WATCHED.ask(database, now=text_of(now))


def drawn_of(database: Database, broadcast_id: int) -> dict[int, str]:
    """Return who was drawn into the first wave, and the value that was drawn for them."""
    return dict(_DRAWN.ask(database, broadcast=broadcast_id))


def open_waiting(connection: Connection, broadcast_id: int) -> int:
    """Return how many deliveries wait in waves that may leave."""
    return _OPEN_WAITING(connection, broadcast=broadcast_id)


def begin_watching(connection: Connection, broadcast: Broadcast, *, now: datetime) -> None:
    """Begin to watch a running broadcast, because its first wave was sent.

    The time counts from when the provider passes on the last of it. If it was watched before, that time stays.
    """
    watch = _FIND(connection, broadcast=broadcast.id)
    if watch is None or broadcast.state is not BroadcastState.RUNNING:
        return
    since = max(now, _LAST_HELD(connection, broadcast=broadcast.id) or now)
    until = watch.watch_until or since + watch.plan.watch
    _SET_WATCH(connection, broadcast=broadcast.id, state=WaveState.WATCHING.value, watch_until=text_of(until))
    detail = f"{people_of(watch.rest)} wait until {show_utc(until)} for what comes back about the first {watch.first:,}"
    set_watching(connection, broadcast.id, detail, until=until, now=now)


def release_wave(
    connection: Connection,
    broadcast: Broadcast,
    reason: str,
    *,
    now: datetime,
    figures: str = "{}",
    by_person: bool = False,
) -> bool:
    """Let the rest of a broadcast leave, and save why. Return False if it is not waiting for that.

    Without a person, only a broadcast that is being watched is released. What a person releases is not watched anymore.
    """
    watch = _FIND(connection, broadcast=broadcast.id)
    is_held = watch is not None and watch.state is WaveState.HELD and broadcast.state is BroadcastState.PAUSED
    if watch is None or not (broadcast.state is BroadcastState.WATCHING or (by_person and is_held)):
        return False
    if watch.plan.axis and not watch.chosen:
        remedy = (
            f"name the version that all others get: newsletter winner {broadcast.id} {sorted(watch.plan.shares)[0]}"
        )
        raise InputError(f"broadcast {broadcast.id} has several versions, and none was chosen; {remedy}")
    _keep(connection, watch, WaveState.OVER if by_person else WaveState.REST, reason, figures, now=now)
    _OPEN_REST(connection, broadcast=broadcast.id)
    _LET_OVERDUE_GO(connection, broadcast=broadcast.id, now=text_of(now))
    set_running(connection, broadcast.id, Entry.RELEASED, reason, now=now, continues_at=now)
    return True


def hold_wave(connection: Connection, broadcast: Broadcast, reason: str, *, now: datetime, figures: str = "{}") -> bool:
    """Pause a broadcast in waves until a person decides, and save why. Return False if nothing of it can be held."""
    watch = _FIND(connection, broadcast=broadcast.id)
    if watch is None or watch.state in {WaveState.HELD, WaveState.OVER}:
        return False
    hold_back(connection, broadcast, reason=reason, now=now)
    reopen(connection, broadcast, reason=reason, now=now)
    if require_current(connection, broadcast.id).reason != reason:
        return False
    _keep(connection, watch, WaveState.HELD, reason, figures, now=now)
    return True


def _keep(connection: Connection, watch: Watch, state: WaveState, reason: str, figures: str, *, now: datetime) -> None:
    kept = {"reason": reason, "figures": figures, "decided_at": text_of(now)}
    _KEEP_DECISION(connection, broadcast=watch.broadcast, state=state.value, **kept)


def _pages(connection: Connection) -> Iterator[list[tuple[int, int]]]:
    """Yield the members who will get an email, with their strata, as plain tuples in pages of many rows."""
    after = 0
    while page := connection.execute(_STRATA_LEFT.sql, {"after": after, "size": _PAGE}).fetchall():
        members = cast("list[tuple[int, int]]", page)
        yield members
        after = members[-1][0]
