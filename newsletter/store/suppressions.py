"""Suppressions: addresses that must not be emailed, either at all or about a topic, on the list or not.

A person has at most one suppression from all email, and one for each topic that they left. The first reason is kept,
with one exception: `manual` replaces any other reason, and no new consent lifts it. A lifted suppression is kept as a
past one, with the reason for lifting it.
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
_WHOLE = ""  # the topic of a suppression from all email


class ListedSuppression(NamedTuple):
    """A suppression and the form of the address by which the list is sorted."""

    person: str
    suppression: Suppression


class ReasonCount(NamedTuple):
    """The number of suppressions with one reason."""

    reason: SuppressionReason
    suppressions: int


class LastHeard(Struct, frozen=True, kw_only=True):
    """When a suppression from all email was last reported."""

    said_at: datetime
    handed_over_at: datetime | None  # when we added the address to a list at the provider; None if we never did


class HeardRow(NamedTuple):
    """A person, and when their suppression was last reported."""

    person: str
    heard: LastHeard


class AllowedAgain(NamedTuple):
    """A person, and the time since which they may be emailed again."""

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
    """Suppress an address. Return whether the suppression is new.

    An existing suppression keeps its first reason and its time, unless the new reason is `manual`. The time of the
    latest report is also saved, so that a consent given before that time does not lift the suppression.
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
    """Suppress many addresses in one transaction. Return how many are new.

    If the iterable raises an exception, nothing is saved. With the `key`, erased people are skipped: they are not
    emailed anyway, and their addresses are not stored. Raise InputError if they were erased with a different key.
    """
    with _reported(database, suppressions, key) as connection:
        added = _ADD_REPORTED(connection)
        _SAY_REPORTED_AGAIN(connection)
    return added


class SuppressionPreview(Struct, frozen=True, kw_only=True):
    """The effect that adding suppressions would have."""

    named: int  # the number of rows, including repetitions
    new: int  # how many of them would be new suppressions
    mailed: int  # how many of these people are on the list and receive email now


def preview_suppressions(
    database: Database, suppressions: Iterable[Suppression], *, key: bytes | None = None
) -> SuppressionPreview:
    """Return what `add_suppressions` would do, without changing anything."""
    with _reported(database, suppressions, key) as connection:
        return SuppressionPreview(
            named=_COUNT_REPORTED(connection), new=_COUNT_NEW(connection), mailed=_COUNT_MAILED(connection)
        )


def repeat_suppressions(database: Database, suppressions: Iterable[Suppression]) -> None:
    """Save that suppressed people unsubscribed again, so that no earlier consent lifts the suppression.

    People who are not suppressed are ignored.
    """
    with _reported(database, suppressions, None) as connection:
        _SAY_REPORTED_AGAIN(connection)


def keep_handed_over(database: Database, emails: Sequence[str], *, now: datetime) -> None:
    """Save that people suppressed from all email were added to a list at the provider."""
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
    """Return the suppression of an address, in any spelling, from all email, or None if there is none."""
    return next((found for found in suppressions_of(database, email) if found.topic == _WHOLE), None)


def suppressions_of(database: Database, email: str) -> tuple[Suppression, ...]:
    """Return all suppressions of an address, in any spelling: the one from all email first, then those from topics."""
    return _OF_PERSON.ask(database, person=person_of(email))


def past_suppressions(database: Database, email: str) -> tuple[PastSuppression, ...]:
    """Return the lifted suppressions of an address, the last one first."""
    return _PAST_OF_PERSON.ask(database, person=person_of(email))


def list_suppressions(
    database: Database, *, topic: str | None = None, reason: SuppressionReason | None = None
) -> Iterator[Suppression]:
    """Yield suppressions in the order of the addresses, read page by page.

    `topic` and `reason` select only suppressions with that value. The empty topic selects suppressions from all email.
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
    """Return the number of suppressions for each reason, most frequent first."""
    return Counter(dict(_COUNTS.ask(database, **_only(topic, reason))))


class Standing(Struct, frozen=True, kw_only=True):
    """The people in a group who are erased, suppressed or allowed again, each as `person_of` their address."""

    forgotten: frozenset[str]
    suppressed: dict[str, LastHeard]  # people who are suppressed from all email
    allowed_since: dict[str, datetime]  # formerly suppressed people, and the time since which they may be emailed


def standing_of(database: Database, persons: Sequence[str], *, key: bytes | None) -> Standing:
    """Return the current standing of up to a few hundred people.

    Raise InputError if someone was erased and the key is missing or different: any of these people might be the one.
    """
    asked = orjson.dumps(persons).decode()
    with database.read() as connection:
        if key is None and is_anybody_forgotten(connection):
            raise InputError(
                "some people have been erased, and without NEWSLETTER_KEY these lists could add their addresses again; "
                "set NEWSLETTER_KEY in the environment to the key with which they were erased"
            )
        is_forgotten = _forgotten(connection, key)
        return Standing(
            forgotten=frozenset(filter(is_forgotten, persons)),
            suppressed=dict(_SUPPRESSED_AMONG(connection, persons=asked)),
            allowed_since=dict(_ALLOWED_AGAIN(connection, persons=asked)),
        )


def _forgotten(connection: Connection, key: bytes | None) -> Callable[[str], bool]:
    """Return a function that tells whether a person was erased."""
    if key is None or not is_anybody_forgotten(connection):
        return lambda _: False
    require_key(connection, key)
    digests = set(_FORGOTTEN(connection))
    return lambda person: digest_of(person, key) in digests


@contextmanager
def _reported(database: Database, suppressions: Iterable[Suppression], key: bytes | None) -> Iterator[Connection]:
    """Yield a transaction in which the temporary table `reported` holds the suppressions."""
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
    """Return the parameters of a query that selects suppressions by topic and reason. None selects all."""
    return {
        "every_topic": int(topic is None),
        "topic": topic or "",
        "every_reason": int(reason is None),
        "reason": reason.value if reason else "",
    }
