"""Broadcasts of letters, and those to which people are added one by one, such as confirmations.

Each would be a broadcast of one email otherwise. People are added to the newest broadcast of the same name, content and
sender while it is running or done. If a person has paused, stopped or canceled it, no one is added: what was wrong with
it would be wrong with the next one too.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson
from msgspec import Struct

from newsletter.model.broadcast import BroadcastKind, BroadcastState, Envelope
from newsletter.model.ledger import Entry, FreezeRequest
from newsletter.model.readership import Readership
from newsletter.model.rendered import RenderedVariant
from newsletter.model.waves import FIRST
from newsletter.store.database import Connection, Database
from newsletter.store.ledger import journal
from newsletter.store.ledger.members import members_left, sort_members
from newsletter.store.ledger.states import envelope_text, set_running
from newsletter.store.ledger.told import keep_told
from newsletter.store.ledger.topics import keep_topics
from newsletter.store.ledger.variants import save_variant, variant_numbers
from newsletter.store.queries import change, query_all, query_one, query_value
from newsletter.system.moments import text_of


class NewestBroadcast(NamedTuple):
    """The broadcast to which people are added, if its state allows it."""

    id: int
    is_open: bool  # whether it is running or done
    is_done: bool


_NEWEST = query_one("rolling", "newest", NewestBroadcast)
_NEXT_CHUNK = query_value("rolling", "next_chunk", int)
_ADD_DELIVERY = change("rolling", "add_delivery")
_GROW = change("rolling", "grow")
_OF_DAY = query_value("rolling", "of_day", int)
_RUNNING = query_all("rolling", "running", int)
_LAST_CONFIRMATION = query_one("rolling", "last_confirmation", int)
_ADD_BROADCAST = query_value("freeze", "add_broadcast", int)
_EDITION_OF = query_value("freeze", "edition_of", int)
_ADD_CHUNK = change("freeze", "add_chunk")
_CLEAR_UP = tuple(change("freeze", name) for name in ("drop_member", "drop_lookup"))


class Answers(Struct, frozen=True, kw_only=True):
    """What the emails of a broadcast to which people are added have in common."""

    kind: BroadcastKind
    recipients: str  # in words, in place of a segment's name
    provider: str
    content_hash: str
    envelope: Envelope
    variants: Mapping[Readership, RenderedVariant]
    topics: tuple[str, ...] = ()
    chunk_size: int = 100


def add_answers(
    connection: Connection, answers: Answers, issue: str, people: Mapping[Readership, Sequence[int]], *, now: datetime
) -> int | None:
    """Add people to the broadcast of this name, by their readership. Return the broadcast's number.

    Return None, and add no one, if a person has to look at that broadcast first. The database refuses everyone who has
    already got an email of this kind about this issue.
    """
    envelope = envelope_text(answers.envelope)
    newest = _NEWEST(
        connection,
        kind=answers.kind.value,
        issue=issue,
        content_hash=answers.content_hash,
        provider=answers.provider,
        envelope=envelope,
    )
    if newest is not None and not newest.is_open:
        return None
    broadcast = _begin(connection, answers, issue, now=now) if newest is None else newest.id
    if newest is not None and newest.is_done:
        set_running(connection, broadcast, Entry.RESUMED, "more people are added", now=now)
    _add_people(connection, answers, broadcast, people, now=now)
    return broadcast


def begin_letters(
    connection: Connection, answers: Answers, issue: str, people: Mapping[Readership, Sequence[int]], *, now: datetime
) -> int:
    """Make a broadcast of these people alone, and return its number. It is sent like a scheduled one that is due.

    The database refuses everyone who has already got an email of this kind about this issue.
    """
    broadcast = _begin(connection, answers, issue, now=now, due_at=now)
    _add_people(connection, answers, broadcast, people, now=now)
    return broadcast


def _add_people(
    connection: Connection,
    answers: Answers,
    broadcast: int,
    people: Mapping[Readership, Sequence[int]],
    *,
    now: datetime,
) -> None:
    edition = _EDITION_OF(connection, broadcast=broadcast)
    numbers = variant_numbers(connection, broadcast)
    for readership, subscribers in people.items():
        if readership not in numbers:
            numbers[readership] = len(numbers)
            variant = answers.variants[readership]
            save_variant(connection, broadcast_id=broadcast, number=numbers[readership], variant=variant)
            keep_told(connection, broadcast, {numbers[readership]: variant})
        for start in range(0, len(subscribers), answers.chunk_size):
            page = sorted(subscribers)[start : start + answers.chunk_size]
            _add_chunk(connection, broadcast, edition, numbers[readership], page, now=now)
    _GROW(connection, broadcast=broadcast, people=sum(map(len, people.values())))


def add_members(
    connection: Connection, request: FreezeRequest, answers: Answers, *, now: datetime
) -> frozenset[Readership] | None:
    """Add the members of a segment to the newest broadcast of an issue, without those who are excluded from it.

    Return the readerships that have no variant in `answers`; no one is added then. Return None if a person has to look
    at the broadcast first.
    """
    members = sort_members(connection, request, now=now)
    people: dict[Readership, list[int]] = {}
    for page in members_left(connection):
        for subscriber, part in page:
            people.setdefault(members.numbering.readership(part), []).append(subscriber)
    for drop in _CLEAR_UP:
        drop(connection)
    if missing := people.keys() - answers.variants.keys():
        return frozenset(missing)
    if people and add_answers(connection, answers, request.issue, people, now=now) is None:
        return None
    return frozenset()


def name_for_answer(connection: Connection, kind: BroadcastKind, day: str, subscriber: int, *, more: int = 0) -> str:
    """Return the name of the broadcast of a day for another email to someone, as `add_answers` takes it.

    They have no place yet in that broadcast. `more` is how many emails they are to get that are not in the ledger yet.
    Only the ledger knows of the others: what was asked for is deleted when its person is erased or moves.
    """
    before = more + _OF_DAY(connection, kind=kind.value, day=day, subscriber=subscriber)
    return f"{day}-{before + 1}" if before else day


def running_answers(database: Database) -> tuple[int, ...]:
    """Return the broadcasts of answers that are to be continued, the oldest first."""
    return _RUNNING.ask(database, kinds=orjson.dumps([kind.value for kind in BroadcastKind if kind.is_answer]).decode())


def last_confirmation(database: Database) -> int | None:
    """Return the newest broadcast of confirmations, or None if there is none."""
    return _LAST_CONFIRMATION.ask(database)


def _begin(
    connection: Connection, answers: Answers, issue: str, *, now: datetime, due_at: datetime | None = None
) -> int:
    broadcast = _ADD_BROADCAST(
        connection,
        issue=issue,
        kind=answers.kind.value,
        segment=answers.recipients,
        expression="",
        provider=answers.provider,
        state=BroadcastState.RUNNING.value,
        content_hash=answers.content_hash,
        nonce=secrets.token_hex(8),
        envelope=envelope_text(answers.envelope),
        waivers="[]",
        frozen=0,
        due_at=text_of(due_at) if due_at else "",
        is_local_time=0,
        good_until="",
        grace_until="",
        now=text_of(now),
    )
    keep_topics(connection, broadcast, answers.topics)
    journal.write(
        connection,
        broadcast,
        Entry.FROZEN,
        answers.recipients if due_at else f"{answers.recipients}, who are added as they come",
        now=now,
    )
    return broadcast


def _add_chunk(
    connection: Connection, broadcast: int, edition: int, variant: int, subscribers: Sequence[int], *, now: datetime
) -> None:
    number = _NEXT_CHUNK(connection, broadcast=broadcast)
    row = {
        "broadcast": broadcast,
        "number": number,
        "variant": variant,
        "zone": "",
        "wave": FIRST,
        "due_at": "",
        "size": len(subscribers),
        "first_subscriber": min(subscribers),
        "now": text_of(now),
    }
    _ADD_CHUNK.for_each(connection, [row])
    rows = [{"broadcast": broadcast, "edition": edition, "subscriber": each, "chunk": number} for each in subscribers]
    _ADD_DELIVERY.for_each(connection, rows)
