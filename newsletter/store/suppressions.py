"""The addresses that must not be mailed, at all or about a topic; they need not be on the list.

A person has at most one suppression that says "not at all", and one for each topic that they left. The first reason of
each stands, unless they are put there by hand, which no new consent lifts; what is lifted is kept, with why it was.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import orjson

from newsletter.errors import InputError
from newsletter.model.address import canonical_address, person_of
from newsletter.model.audience import PastSuppression, Suppression, SuppressionReason
from newsletter.store.database import Connection, Database, Row
from newsletter.store.forgotten import digest_of, require_key
from newsletter.store.importing.returning import is_anybody_forgotten
from newsletter.store.queries import load_queries
from newsletter.system.moments import moment_of, text_of

_SQL = load_queries("suppressions")
_PAGE = 1000
_WHOLE = ""  # the topic of a suppression from everything


def add_suppression(
    database: Database, email: str, reason: SuppressionReason, *, topic: str = "", detail: str = "", now: datetime
) -> bool:
    """Suppresses an address; whether it was not suppressed before.

    The first reason stands with its time, unless it is said again by hand; that it was said again is kept, so that no
    consent from between lifts it.
    """
    with database.transaction() as connection:
        added = _SQL.add(
            connection,
            person=person_of(email),
            topic=topic,
            email=canonical_address(email),
            reason=reason.value,
            detail=detail,
            created_at=text_of(now),
        )
        if not added:
            _SQL.say_again(connection, person=person_of(email), topic=topic, at=text_of(now), reason=reason.value)
        return bool(added)


def add_suppressions(database: Database, suppressions: Iterable[Suppression], *, key: bytes | None = None) -> int:
    """Suppresses many addresses in one transaction, which an exception of the iterable undoes; how many are new.

    With the `key`, those who were forgotten are left out: they are not mailed anyway, and their address is not kept.
    Raises InputError where they were forgotten with another one.
    """
    with _reported(database, suppressions, key) as connection:
        added = _SQL.add_reported(connection)
        _SQL.say_reported_again(connection)
    return int(added)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionPreview:
    """What adding suppressions would do."""

    named: int  # how many there are, repeated ones and all
    new: int  # of which so many would be new
    mailed: int  # people among these who are on the list and get mail now


def preview_suppressions(
    database: Database, suppressions: Iterable[Suppression], *, key: bytes | None = None
) -> SuppressionPreview:
    """What `add_suppressions` would do; nothing is changed."""
    with _reported(database, suppressions, key) as connection:
        return SuppressionPreview(
            named=_SQL.count_reported(connection), new=_SQL.count_new(connection), mailed=_SQL.count_mailed(connection)
        )


def repeat_suppressions(database: Database, suppressions: Iterable[Suppression]) -> None:
    """Keeps that people who are suppressed left again, so that no consent from before lifts it; nobody is added."""
    with _reported(database, suppressions, None) as connection:
        _SQL.say_reported_again(connection)


def keep_handed_over(database: Database, emails: Sequence[str], *, now: datetime) -> None:
    """Keeps that people who are not mailed at all were put on a list of the provider."""
    with database.transaction() as connection:
        _SQL.keep_handed_over(
            connection, persons=orjson.dumps([person_of(email) for email in emails]).decode(), at=text_of(now)
        )


def remove_suppression(database: Database, email: str, *, topic: str = "", because: str, now: datetime) -> bool:
    """Lifts a suppression and keeps it as a past one; whether there was one."""
    person = person_of(email)
    with database.transaction() as connection:
        _SQL.keep_past(connection, person=person, topic=topic, now=text_of(now), because=because)
        return bool(_SQL.remove(connection, person=person, topic=topic))


def find_suppression(database: Database, email: str) -> Suppression | None:
    """Why an address is not mailed at all, however it is spelt; None where it may be mailed about something."""
    return next((found for found in suppressions_of(database, email) if found.topic == _WHOLE), None)


def suppressions_of(database: Database, email: str) -> tuple[Suppression, ...]:
    """All suppressions of an address, however it is spelt: the whole one, then those from topics."""
    with database.read() as connection:
        return tuple(_suppression(*row) for row in _SQL.of_person(connection, person=person_of(email)))


def past_suppressions(database: Database, email: str) -> tuple[PastSuppression, ...]:
    """The suppressions of an address that were lifted, the last one first."""
    with database.read() as connection:
        return tuple(
            PastSuppression(
                reason=SuppressionReason(reason),
                created_at=moment_of(created_at),
                lifted_at=moment_of(lifted_at),
                because=because,
                topic=topic,
            )
            for reason, created_at, lifted_at, because, topic in _SQL.past_of_person(
                connection, person=person_of(email)
            )
        )


def list_suppressions(
    database: Database, *, topic: str | None = None, reason: SuppressionReason | None = None
) -> Iterator[Suppression]:
    """Every suppression, in the order of the addresses, a page at a time.

    `topic` and `reason` leave only theirs; the empty topic those that are not mailed at all.
    """
    after = ("", "")
    while True:
        with database.read() as connection:
            page = list(
                _SQL.page(connection, after_person=after[0], after_topic=after[1], size=_PAGE, **_only(topic, reason))
            )
        for _, *columns in page:
            yield _suppression(*columns)
        if len(page) < _PAGE:
            return
        after = (page[-1][0], page[-1][4])


def count_suppressions(
    database: Database, *, topic: str | None = None, reason: SuppressionReason | None = None
) -> Counter[SuppressionReason]:
    """How many suppressions there are of each reason, the most frequent first."""
    with database.read() as connection:
        counted = _SQL.counts(connection, **_only(topic, reason))
        return Counter({SuppressionReason(each): number for each, number in counted})


@dataclass(frozen=True, slots=True, kw_only=True)
class LastHeard:
    """When something was last heard of a suppression from all mail."""

    said_at: datetime
    handed_over_at: datetime | None  # when we put it on a list of the provider; None where we never did


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How some people stand who are known by `person_of` their addresses."""

    forgotten: frozenset[str]
    suppressed: dict[str, LastHeard]  # those who are not mailed at all
    allowed_since: dict[str, datetime]  # of those who once were not: since when they may be mailed again


def standing_of(database: Database, persons: Sequence[str], *, key: bytes | None) -> Standing:
    """How people stand now; for some hundreds at a time.

    Raises InputError where somebody was forgotten and the key is missing or another one: any of them might be meant.
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
            suppressed={
                person: LastHeard(
                    said_at=moment_of(said), handed_over_at=moment_of(handed_over) if handed_over else None
                )
                for person, said, handed_over in _SQL.suppressed_among(connection, persons=asked)
            },
            allowed_since={person: moment_of(since) for person, since in _SQL.allowed_again(connection, persons=asked)},
        )


def _forgotten(connection: Connection, key: bytes | None) -> Callable[[str], bool]:
    """Says of a person whether they were forgotten."""
    if key is None or not is_anybody_forgotten(connection):
        return lambda _: False
    require_key(connection, key)
    digests = {bytes(digest) for (digest,) in _SQL.forgotten(connection)}
    return lambda person: digest_of(person, key) in digests


@contextmanager
def _reported(database: Database, suppressions: Iterable[Suppression], key: bytes | None) -> Iterator[Connection]:
    """A transaction in which suppressions stand in a table of their own."""
    with database.transaction() as connection:
        is_forgotten = _forgotten(connection, key)
        _SQL.create_reported(connection)
        connection.load("reported", _rows(suppressions, is_forgotten))
        yield connection
        _SQL.drop_reported(connection)


def _rows(suppressions: Iterable[Suppression], is_forgotten: Callable[[str], bool]) -> Iterator[Row]:
    for number, each in enumerate(suppressions):
        email = canonical_address(each.email)
        person = person_of(email)
        if not is_forgotten(person):
            yield number, person, each.topic, email, each.reason.value, each.detail, text_of(each.created_at)


def _only(topic: str | None, reason: SuppressionReason | None) -> dict[str, object]:
    """The parameters of a query that leaves some of them out."""
    return {
        "every_topic": int(topic is None),
        "topic": topic or "",
        "every_reason": int(reason is None),
        "reason": reason.value if reason else "",
    }


def _suppression(email: str, reason: str, created_at: str, topic: str, detail: str) -> Suppression:
    return Suppression(
        email=email, reason=SuppressionReason(reason), created_at=moment_of(created_at), topic=topic, detail=detail
    )
