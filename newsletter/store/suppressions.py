"""The addresses that must not be mailed, at all or about a topic; they need not be on the list.

A person has at most one suppression that says "not at all", and one for each topic that they left. The first reason of
each stands, unless they are put there by hand, which no new consent lifts; what is lifted is kept, with why it was.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

import orjson
from msgspec import Struct

from newsletter.errors import InputError
from newsletter.model.address import canonical_address, person_of
from newsletter.model.audience import PastSuppression, Suppression, SuppressionReason
from newsletter.store.database import Connection, Database, Row
from newsletter.store.forgotten import digest_of, require_key
from newsletter.store.importing.returning import is_anybody_forgotten
from newsletter.store.queries import change, query_all, query_value
from newsletter.system.moments import text_of

_PAGE = 1000
_WHOLE = ""  # the topic of a suppression from everything


class ListedSuppression(NamedTuple):
    """A suppression, after the form of the address that it is listed by."""

    person: str
    suppression: Suppression


class ReasonCount(NamedTuple):
    """How many suppressions there are of one reason."""

    reason: SuppressionReason
    suppressions: int


class LastHeard(Struct, frozen=True, kw_only=True):
    """When something was last heard of a suppression from all mail."""

    said_at: datetime
    handed_over_at: datetime | None  # when we put it on a list of the provider; None where we never did


class HeardRow(NamedTuple):
    """What was last heard of somebody's suppression."""

    person: str
    heard: LastHeard


class AllowedAgain(NamedTuple):
    """Since when somebody may be mailed again."""

    person: str
    since: datetime


_ADD = change("suppressions", "add")
_SAY_AGAIN = change("suppressions", "say_again")
_CREATE_REPORTED = change("suppressions", "create_reported")
_ADD_REPORTED = change("suppressions", "add_reported")
_SAY_REPORTED_AGAIN = change("suppressions", "say_reported_again")
_COUNT_REPORTED = query_value("suppressions", "count_reported", int)
_COUNT_NEW = query_value("suppressions", "count_new", int)
_COUNT_MAILED = query_value("suppressions", "count_mailed", int)
_DROP_REPORTED = change("suppressions", "drop_reported")
_KEEP_PAST = change("suppressions", "keep_past")
_REMOVE = change("suppressions", "remove")
_OF_PERSON = query_all("suppressions", "of_person", Suppression)
_PAST_OF_PERSON = query_all("suppressions", "past_of_person", PastSuppression)
_LISTED = query_all("suppressions", "page", ListedSuppression)
_COUNTS = query_all("suppressions", "counts", ReasonCount)
_SUPPRESSED_AMONG = query_all("suppressions", "suppressed_among", HeardRow)
_KEEP_HANDED_OVER = change("suppressions", "keep_handed_over")
_ALLOWED_AGAIN = query_all("suppressions", "allowed_again", AllowedAgain)
_FORGOTTEN = query_all("suppressions", "forgotten", bytes)


def add_suppression(
    database: Database, email: str, reason: SuppressionReason, *, topic: str = "", detail: str = "", now: datetime
) -> bool:
    """Suppress an address. Return whether it was not suppressed before.

    The first reason stands with its time, unless it is said again by hand; that it was said again is kept, so that no
    consent from between lifts it.
    """
    with database.transaction() as connection:
        added = _ADD(
            connection,
            person=person_of(email),
            topic=topic,
            email=canonical_address(email),
            reason=reason.value,
            detail=detail,
            created_at=text_of(now),
        )
        if not added:
            _SAY_AGAIN(connection, person=person_of(email), topic=topic, at=text_of(now), reason=reason.value)
        return bool(added)


def add_suppressions(database: Database, suppressions: Iterable[Suppression], *, key: bytes | None = None) -> int:
    """Suppress many addresses in one transaction, which an exception of the iterable undoes. Return how many are new.

    With the `key`, those who were forgotten are left out: they are not mailed anyway, and their address is not kept.
    Raise InputError where they were forgotten with another one.
    """
    with _reported(database, suppressions, key) as connection:
        added = _ADD_REPORTED(connection)
        _SAY_REPORTED_AGAIN(connection)
    return added


class SuppressionPreview(Struct, frozen=True, kw_only=True):
    """What adding suppressions would do."""

    named: int  # how many there are, repeated ones and all
    new: int  # of which so many would be new
    mailed: int  # people among these who are on the list and get mail now


def preview_suppressions(
    database: Database, suppressions: Iterable[Suppression], *, key: bytes | None = None
) -> SuppressionPreview:
    """Return what `add_suppressions` would do; nothing is changed."""
    with _reported(database, suppressions, key) as connection:
        return SuppressionPreview(
            named=_COUNT_REPORTED(connection), new=_COUNT_NEW(connection), mailed=_COUNT_MAILED(connection)
        )


def repeat_suppressions(database: Database, suppressions: Iterable[Suppression]) -> None:
    """Keep that people who are suppressed left again, so that no consent from before lifts it; nobody is added."""
    with _reported(database, suppressions, None) as connection:
        _SAY_REPORTED_AGAIN(connection)


def keep_handed_over(database: Database, emails: Sequence[str], *, now: datetime) -> None:
    """Keep that people who are not mailed at all were put on a list of the provider."""
    with database.transaction() as connection:
        _KEEP_HANDED_OVER(
            connection, persons=orjson.dumps([person_of(email) for email in emails]).decode(), at=text_of(now)
        )


def remove_suppression(database: Database, email: str, *, topic: str = "", because: str, now: datetime) -> bool:
    """Lift a suppression and keep it as a past one. Return whether there was one."""
    person = person_of(email)
    with database.transaction() as connection:
        _KEEP_PAST(connection, person=person, topic=topic, now=text_of(now), because=because)
        return bool(_REMOVE(connection, person=person, topic=topic))


def find_suppression(database: Database, email: str) -> Suppression | None:
    """Return why an address is not mailed at all, however it is spelled; None where it is mailed about some topic."""
    return next((found for found in suppressions_of(database, email) if found.topic == _WHOLE), None)


def suppressions_of(database: Database, email: str) -> tuple[Suppression, ...]:
    """Return all suppressions of an address, however it is spelled: the whole one, then those from topics."""
    return _OF_PERSON.ask(database, person=person_of(email))


def past_suppressions(database: Database, email: str) -> tuple[PastSuppression, ...]:
    """Return the suppressions of an address that were lifted, the last one first."""
    return _PAST_OF_PERSON.ask(database, person=person_of(email))


def list_suppressions(
    database: Database, *, topic: str | None = None, reason: SuppressionReason | None = None
) -> Iterator[Suppression]:
    """Yield every suppression in the order of the addresses; they are read page by page.

    `topic` and `reason` leave only theirs; the empty topic those that are not mailed at all.
    """
    after = ("", "")
    while True:
        page = _LISTED.ask(database, after_person=after[0], after_topic=after[1], size=_PAGE, **_only(topic, reason))
        yield from (row.suppression for row in page)
        if len(page) < _PAGE:
            return
        after = (page[-1].person, page[-1].suppression.topic)


def count_suppressions(
    database: Database, *, topic: str | None = None, reason: SuppressionReason | None = None
) -> Counter[SuppressionReason]:
    """Return how many suppressions there are of each reason, the most frequent first."""
    return Counter(dict(_COUNTS.ask(database, **_only(topic, reason))))


class Standing(Struct, frozen=True, kw_only=True):
    """How some people stand who are known by `person_of` their addresses."""

    forgotten: frozenset[str]
    suppressed: dict[str, LastHeard]  # those who are not mailed at all
    allowed_since: dict[str, datetime]  # of those who once were not: since when they may be mailed again


def standing_of(database: Database, persons: Sequence[str], *, key: bytes | None) -> Standing:
    """Return how people stand now; for some hundreds at a time.

    Raise InputError where somebody was forgotten and the key is missing or another one: any of them might be meant.
    """
    asked = orjson.dumps(persons).decode()
    with database.read() as connection:
        if key is None and is_anybody_forgotten(connection):
            raise InputError(
                "people were forgotten here, and these lists could bring their addresses back; "
                "set NEWSLETTER_KEY in the environment to the key that was used then"
            )
        is_forgotten = _forgotten(connection, key)
        return Standing(
            forgotten=frozenset(filter(is_forgotten, persons)),
            suppressed=dict(_SUPPRESSED_AMONG(connection, persons=asked)),
            allowed_since=dict(_ALLOWED_AGAIN(connection, persons=asked)),
        )


def _forgotten(connection: Connection, key: bytes | None) -> Callable[[str], bool]:
    """Return what says of a person whether they were forgotten."""
    if key is None or not is_anybody_forgotten(connection):
        return lambda _: False
    require_key(connection, key)
    digests = set(_FORGOTTEN(connection))
    return lambda person: digest_of(person, key) in digests


@contextmanager
def _reported(database: Database, suppressions: Iterable[Suppression], key: bytes | None) -> Iterator[Connection]:
    """Yield a transaction in which suppressions stand in a table of their own."""
    with database.transaction() as connection:
        is_forgotten = _forgotten(connection, key)
        _CREATE_REPORTED(connection)
        connection.load("reported", _rows(suppressions, is_forgotten))
        yield connection
        _DROP_REPORTED(connection)


def _rows(suppressions: Iterable[Suppression], is_forgotten: Callable[[str], bool]) -> Iterator[Row]:
    for number, each in enumerate(suppressions):
        email = canonical_address(each.email)
        person = person_of(email)
        if not is_forgotten(person):
            yield number, person, each.topic, email, each.reason.value, each.detail, text_of(each.created_at)


def _only(topic: str | None, reason: SuppressionReason | None) -> dict[str, object]:
    """Return the parameters of a query that leaves some of them out."""
    return {
        "every_topic": int(topic is None),
        "topic": topic or "",
        "every_reason": int(reason is None),
        "reason": reason.value if reason else "",
    }
