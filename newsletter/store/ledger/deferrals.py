"""Recipients whom the provider refused: try them again after everyone else, set them aside, or settle them at the end.

Refused for now: they are tried again after everyone else. After `SET_ASIDE_AFTER` refusals they are set aside, and
tried once more after each of the times in `RETRIES`. If they are still refused then, they are rejected with the last
words.

Refused for good, for a reason that may be theirs or ours: they are set aside without a time. If several in a row are
refused, with nothing accepted between them, the cause is ours: they become ready again, and the broadcast pauses. The
same holds if no one at all was accepted by its end. Otherwise, the refusal was about them, and they are settled when
the broadcast ends.

Two numbers show whether anyone was accepted after a refusal: how many are accepted, and how many at most may have been
accepted before it. Until the first exceeds the second, another refusal of the same people counts like the first.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import ChunkState, DeliveryStatus, Doubt, Ending, NextStep, Outcome
from newsletter.store.database import Connection
from newsletter.store.ledger.chunks import OpenChunk, close_empty, set_state, settle, split_off, subscribers_of
from newsletter.store.queries import change, query_all, query_one, query_value
from newsletter.store.suppressions import add_reported, hear_reported, reported_table
from newsletter.system.moments import text_of

SET_ASIDE_AFTER = 3  # refusals for now
RETRIES = (timedelta(minutes=15), *(timedelta(hours=hours) for hours in (1, 4, 12, 24)))  # since they were set aside
REJECTIONS_IN_A_ROW = 5  # by policy; after these, the cause must be us
REFUSALS_IN_A_ROW = 20  # for any reason; no list is that bad, so the cause must be us or the relay
_FIRST_WAIT = timedelta(seconds=2)  # after a refusal for now; doubled with each
_MOST_TRIES = 10  # for recipients who are refused for a reason that is not theirs; after these, they are set aside
_PAUSES = tuple(later - earlier for earlier, later in pairwise((timedelta(), *RETRIES)))
_OUTDATED = "; not tried again, because an event or a deadline in the issue has passed"


class Refusals(NamedTuple):
    """How often the recipients of a chunk were tried without success, and how often they were refused for now."""

    tries: int
    deferrals: int
    accepted_before: int  # the most that may have been accepted before they were refused for a reason that may be ours


class DoubtedChunk(NamedTuple):
    """A chunk whose recipients were refused for good, and whose fault it is was not clear."""

    number: int
    size: int
    first_subscriber: int
    tries: int
    reason: str
    ending: Ending
    accepted_before: int


class RunRow(NamedTuple):
    """The number of recipients who were refused in a row, with one ending."""

    ending: str
    deliveries: int


_PUT_BACK = change("deferrals", "put_back")
_DOUBT = change("deferrals", "doubt")
_ACCEPTED = query_value("deferrals", "accepted", int)
_PERHAPS_ACCEPTED = query_value("deferrals", "perhaps_accepted", int)
_IN_A_ROW = query_all("deferrals", "in_a_row", RunRow)
_ACQUIT = change("deferrals", "acquit")
_DOUBTED = query_all("deferrals", "doubted", DoubtedChunk)
_REJECT_OUTDATED = change("deferrals", "reject_outdated")
_FIRST_RETRY = query_one("deferrals", "first_retry", datetime)
_REPORT_SUBSCRIBER = change("record", "report_subscriber")
# Instead of how many were accepted before a refusal:
_NEVER = -1  # there was no such refusal
_REFUTED = -2  # the provider accepted others after it, even if that is not recorded yet


def defer(chunk: OpenChunk, before: Refusals, deferred: Mapping[int, str]) -> None:
    """Take out recipients whom the provider refused for now (subscriber → its words), to be tried again later."""
    after = before._replace(tries=before.tries + 1, deferrals=before.deferrals + 1)
    if after.deferrals < SET_ASIDE_AFTER:
        _put_back(chunk, deferred, after, chunk.now + _FIRST_WAIT * 2 ** (after.deferrals - 1))
        return
    retry = after.deferrals - SET_ASIDE_AFTER
    for words, subscribers in by_words(deferred):
        if retry >= len(_PAUSES):
            split_off(chunk, subscribers, ChunkState.REJECTED, reason=words)
        else:
            number = split_off(chunk, subscribers, ChunkState.DEFERRED, reason=words)
            _write(chunk, number, after, chunk.now + _PAUSES[retry])


def put_behind(chunk: OpenChunk, before: Refusals, blameless: Mapping[int, str], *, accepted_here: int) -> None:
    """Take out recipients who were refused for a reason that is not theirs. They are tried again after everyone else.

    After very many tries the reason must be theirs after all, if others were accepted in the meantime. Then they are
    set aside like those refused for now. `accepted_here` is as in `doubt`.
    """
    if not blameless:
        return
    accepted = _ACCEPTED(chunk.connection, broadcast=chunk.broadcast) + accepted_here
    is_theirs = before.accepted_before != _NEVER and accepted > before.accepted_before
    if is_theirs and before.tries + 1 >= _MOST_TRIES:
        defer(chunk, before._replace(deferrals=max(before.deferrals, SET_ASIDE_AFTER - 1)), blameless)
        return
    most = _most_accepted(chunk, before, accepted_here)
    _put_back(chunk, blameless, before._replace(tries=before.tries + 1, accepted_before=most), None)


def doubt(chunk: OpenChunk, before: Refusals, doubted: Mapping[int, Doubt], *, accepted_here: int) -> None:
    """Take out recipients who were refused for good, and whose fault it is was not clear.

    `accepted_here` is the number of deliveries in the chunk that were accepted and are not recorded yet.
    """
    most = _most_accepted(chunk, before, accepted_here) if doubted else 0
    groups: defaultdict[Doubt, list[int]] = defaultdict(list)
    for subscriber, each in doubted.items():
        groups[each].append(subscriber)
    for each, subscribers in groups.items():
        number = split_off(chunk, subscribers, ChunkState.DEFERRED, reason=each.words)
        _DOUBT(
            chunk.connection,
            broadcast=chunk.broadcast,
            chunk=number,
            tries=before.tries + 1,
            ending=each.ending.value,
            accepted_before=most if each.is_last_word else _REFUTED,
        )


def count_in_a_row(connection: Connection, broadcast_id: int) -> int:
    """Return how many people were refused in a row, or 0 if the refusals may be about the recipients."""
    accepted = _ACCEPTED(connection, broadcast=broadcast_id)
    run = {row.ending: row.deliveries for row in _IN_A_ROW(connection, broadcast=broadcast_id, accepted=accepted)}
    refused = sum(run.values())
    is_ours = run.get(Ending.REJECTED, 0) >= REJECTIONS_IN_A_ROW or refused >= REFUSALS_IN_A_ROW
    return refused if is_ours else 0


def acquit(connection: Connection, broadcast_id: int, *, now: datetime) -> None:
    """Make ready again everyone who was refused once only, or who may have been refused because of us."""
    accepted = _ACCEPTED(connection, broadcast=broadcast_id)
    _ACQUIT(connection, broadcast=broadcast_id, accepted=accepted, now=text_of(now))


def words_if_all_refused(connection: Connection, broadcast_id: int) -> str | None:
    """Return the provider's last words if people were refused for good and no one was accepted, otherwise None."""
    found = _DOUBTED(connection, broadcast=broadcast_id)
    is_anyone_accepted = bool(_ACCEPTED(connection, broadcast=broadcast_id))
    return found[-1].reason if found and not is_anyone_accepted else None


def settle_refused(connection: Connection, broadcast_id: int, *, now: datetime) -> datetime | None:
    """Settle the refusals of a broadcast that has come to its end. Return when someone is to be tried again, if anyone.

    An address that accepts no email is suppressed, unless the provider accepted nothing else that would show that the
    refusal was about the address.
    """
    _REJECT_OUTDATED(connection, broadcast=broadcast_id, why=_OUTDATED, now=text_of(now))
    accepted = _ACCEPTED(connection, broadcast=broadcast_id)
    for found in _DOUBTED(connection, broadcast=broadcast_id):
        chunk = OpenChunk(connection=connection, broadcast=broadcast_id, number=found.number, now=now)
        if found.ending is Ending.REJECTED:
            set_state(chunk, ChunkState.REJECTED, reason=found.reason)
            continue
        subscribers = subscribers_of(chunk, first_subscriber=found.first_subscriber, size=found.size)
        settle(chunk, DeliveryStatus.INVALID, dict.fromkeys(subscribers, found.reason))
        close_empty(chunk)
        is_confirmed = accepted > found.accepted_before or (accepted > 0 and found.tries == 1)
        if found.ending is Ending.UNDELIVERABLE and is_confirmed:
            suppress_undeliverable(chunk, subscribers)
    return _FIRST_RETRY(connection, broadcast=broadcast_id)


def suppress_undeliverable(chunk: OpenChunk, subscribers: Collection[int]) -> None:
    """Suppress the addresses of subscribers that accept no email."""
    if not subscribers:
        return
    report = {"reason": SuppressionReason.INVALID.value, "now": text_of(chunk.now)}
    with reported_table(chunk.connection):
        _REPORT_SUBSCRIBER.for_each(chunk.connection, [{"subscriber": each, **report} for each in subscribers])
        hear_reported(chunk.connection)
        add_reported(chunk.connection)


def in_order(unsent: list[int], outcome: Outcome) -> list[list[int]]:
    """Return those who were not sent to, in the parts in which they are tried next.

    If several in a row were refused for now, neighbors on the list may have a mail server in common, which is out of
    order. So those further on are tried first.
    """
    is_stalled = outcome.next_step is NextStep.WAIT and not outcome.may_wait_long and len(unsent) > 1
    if not is_stalled or not (outcome.deferred or outcome.blameless):
        return [unsent]
    middle = len(unsent) // 2
    return [unsent[middle:], unsent[:middle]]


def by_words(refused: Mapping[int, str]) -> list[tuple[str, list[int]]]:
    """Return the recipients, grouped by the provider's words."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for subscriber, words in refused.items():
        groups[words].append(subscriber)
    return list(groups.items())


def _most_accepted(chunk: OpenChunk, before: Refusals, accepted_here: int) -> int:
    """Return how many deliveries at most may have been accepted before these people were refused, now or earlier.

    What is being sent at the same time counts as accepted, because the order of the replies is not known.
    """
    most = _PERHAPS_ACCEPTED(chunk.connection, broadcast=chunk.broadcast, chunk=chunk.number) + accepted_here
    return most if before.accepted_before == _NEVER else min(most, before.accepted_before)


def _put_back(chunk: OpenChunk, refused: Mapping[int, str], after: Refusals, retry_at: datetime | None) -> None:
    if refused:
        _write(chunk, split_off(chunk, refused.keys(), ChunkState.READY), after, retry_at)


def _write(chunk: OpenChunk, number: int, after: Refusals, retry_at: datetime | None) -> None:
    _PUT_BACK(
        chunk.connection,
        broadcast=chunk.broadcast,
        chunk=number,
        **after._asdict(),
        retry_at=text_of(retry_at) if retry_at else "",
    )
