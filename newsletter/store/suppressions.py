"""Suppressions: addresses that must not be emailed, either at all or about a topic, on the list or not.

A person has at most one suppression from all email, and one for each topic that they left. `model/permission.py` says
how two reports about one person are combined, and what lifts a suppression. A lifted one is kept as a past one, with
the reason for lifting it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import NamedTuple

import orjson
from msgspec import Struct

from newsletter.model.address import canonical_address, person_of
from newsletter.model.audience import ExportedPerson, PastSuppression, Suppression, SuppressionReason
from newsletter.model.columns import SubscriberRecord
from newsletter.store.database import Connection, Database, Row
from newsletter.store.erasing import FIND_SUBSCRIBER
from newsletter.store.forgotten import forgotten_test, text_cleaner, without_forgotten
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


_CREATE_REPORTED = change("suppressions", "create_reported")
_TAKE_PAST_LEAVINGS = change("suppressions", "take_past_leavings")
_TAKE_CONSENTS_ON_RECORD = change("suppressions", "take_consents_on_record")
_ADD_REPORTED = change("suppressions", "add_reported")
_HEAR_REPORTED = change("import_record", "hear_reported")
_SAY_REPORTED_AGAIN = change("suppressions", "say_reported_again")
_COUNT_REPORTED = query_value("suppressions", "count_reported", int)
_COUNT_NEW = query_value("suppressions", "count_new", int)
_COUNT_MAILED = query_value("suppressions", "count_mailed", int)
_EMPTY_REPORTED = change("suppressions", "empty_reported")
_KEEP_PAST = change("suppressions", "keep_past")
_REMOVE = change("suppressions", "remove")
_OF_PERSON = query_all("suppressions", "of_person", Suppression)
_OF_PERSONS = query_all("suppressions", "of_persons", ListedSuppression)
_PAST_OF_PERSON = query_all("suppressions", "past_of_person", PastSuppression)
_LISTED = query_all("suppressions", "page", ListedSuppression)
_COUNTS = query_all("suppressions", "counts", ReasonCount)


def add_suppression(
    database: Database,
    email: str,
    reason: SuppressionReason,
    *,
    topic: str = "",
    detail: str = "",
    key: bytes | None = None,
    now: datetime,
) -> bool:
    """Suppress an address. Return whether the suppression is new.

    An existing suppression keeps its time, and of both reasons the firmer one. The time of the latest report is also
    saved, so that a consent given before that time does not lift the suppression.
    """
    suppression = Suppression(email=email, reason=reason, created_at=now, topic=topic, detail=detail)
    return bool(add_suppressions(database, [suppression], key=key))


def add_suppressions(database: Database, suppressions: Iterable[Suppression], *, key: bytes | None = None) -> int:
    """Suppress many addresses in one transaction. Return how many are new.

    If the iterable raises an exception, nothing is saved. Erased people are skipped: they get no email anyway, and
    their addresses are not stored. Raise InputError if anyone was erased and the `key` is missing or different.
    """
    with _reported(database, suppressions, _erased(key), key) as (connection, _):
        return _hear_and_add(connection)


def suppress_listed(database: Database, suppressions: Iterable[Suppression]) -> int:
    """Suppress people who are on the list, in one transaction. Return how many suppressions are new.

    People who are not on the list anymore are skipped. This needs no key, because no one on the list is erased.
    """
    with database.transaction() as connection:
        return suppress_listed_in(connection, suppressions)


def suppress_listed_in(connection: Connection, suppressions: Iterable[Suppression]) -> int:
    """Do the same as `suppress_listed`, in a transaction that is open already."""
    named = tuple(suppressions)
    with _reported_in(connection, named, _gone({person_of(each.email) for each in named}), None):
        return _hear_and_add(connection)


def _hear_and_add(connection: Connection) -> int:
    hear_reported(connection)
    return add_reported(connection)


def add_reported(connection: Connection, *, has_consents: bool = True) -> int:
    """Save the suppressions in the temporary table `reported`, each combined with the one that exists.

    Return how many are new. `model/permission.py` says how two suppressions are combined. `has_consents` says whether
    the consents on the list are those that were on record when people left.
    """
    _complete(connection, has_consents=has_consents)
    added = _ADD_REPORTED(connection)
    _SAY_REPORTED_AGAIN(connection)
    return added


def _complete(connection: Connection, *, has_consents: bool = True) -> None:
    """Add to the table `reported` what is known here: when these people left before, and their consents."""
    _TAKE_PAST_LEAVINGS(connection)
    if has_consents:
        _TAKE_CONSENTS_ON_RECORD(connection)


def hear_reported(connection: Connection) -> None:
    """Save that the people in the table `reported` left, so that undoing an import does not let them be emailed."""
    _HEAR_REPORTED(connection)


@contextmanager
def reported_table(connection: Connection) -> Iterator[None]:
    """Have an empty temporary table `reported`, and empty it afterwards."""
    _CREATE_REPORTED(connection)
    yield
    _EMPTY_REPORTED(connection)


class SuppressionPreview(Struct, frozen=True, kw_only=True):
    """The effect that adding suppressions would have."""

    named: int  # the number of rows, including repetitions
    new: int  # how many of them would be new suppressions
    mailed: int  # how many of these people are on the list and receive email now
    forgotten: int = 0  # the number of rows of erased people, whose addresses are not saved; not in `named`


def preview_suppressions(
    database: Database, suppressions: Iterable[Suppression], *, key: bytes | None = None
) -> SuppressionPreview:
    """Return what `add_suppressions` would do, without changing anything. Raise InputError as it does."""
    with _reported(database, suppressions, _erased(key), key) as (connection, skipped):
        return SuppressionPreview(
            named=_COUNT_REPORTED(connection),
            new=_COUNT_NEW(connection),
            mailed=_COUNT_MAILED(connection),
            forgotten=len(skipped),
        )


def repeat_suppressions(database: Database, suppressions: Iterable[Suppression], *, key: bytes | None = None) -> None:
    """Save further reports about suppressed people, so that no earlier consent lifts the suppression.

    People who are not suppressed are ignored, and so are erased people. Raise InputError as `add_suppressions` does.
    """
    with _reported(database, suppressions, _erased(key), key) as (connection, _):
        hear_reported(connection)
        _complete(connection)
        _SAY_REPORTED_AGAIN(connection)


def remove_suppression(
    database: Database, email: str, *, topic: str = "", because: str, key: bytes | None = None, now: datetime
) -> bool:
    """Lift a suppression and keep it as a past one. Return whether there was one.

    Raise InputError if the reason has an address, anyone was erased and the `key` is missing or different.
    """
    with database.transaction() as connection:
        words = without_forgotten(connection, because, key=key)
        return lift_suppression_in(connection, email, topic=topic, because=words, now=now)


def lift_suppression_in(
    connection: Connection, email: str, *, topic: str, because: str, consented_at: str = "", now: datetime
) -> bool:
    """Lift a suppression in a transaction that is open already. Return whether there was one.

    `because` must be in our own words: the addresses of erased people are not looked for in it. `consented_at` is the
    time of the consent that lifts it, if one does.
    """
    person, said = person_of(email), {"because": because, "consented_at": consented_at, "now": text_of(now)}
    _KEEP_PAST(connection, person=person, topic=topic, **said)
    return bool(_REMOVE(connection, person=person, topic=topic))


def find_suppression(database: Database, email: str) -> Suppression | None:
    """Return the suppression of an address, in any spelling, from all email, or None if there is none."""
    with database.read() as connection:
        return suppression_in(connection, email)


def suppression_in(connection: Connection, email: str) -> Suppression | None:
    """Do the same as `find_suppression`, in a transaction that is open already."""
    return next((found for found in suppressions_in(connection, email) if found.topic == _WHOLE), None)


def suppressions_of(database: Database, email: str) -> tuple[Suppression, ...]:
    """Return all suppressions of an address, in any spelling: the one from all email first, then those from topics."""
    with database.read() as connection:
        return suppressions_in(connection, email)


def suppressions_in(connection: Connection, email: str) -> tuple[Suppression, ...]:
    """Do the same as `suppressions_of`, in a transaction that is open already."""
    return tuple(_OF_PERSON(connection, person=person_of(email)))


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


def with_suppressions(database: Database, records: Iterable[SubscriberRecord]) -> Iterator[ExportedPerson]:
    """Yield people with their suppressions, in the same order. They are looked up page by page."""
    left = iter(records)
    while page := list(islice(left, _PAGE)):
        persons = [person_of(record.email) for record in page]
        found: defaultdict[str, list[Suppression]] = defaultdict(list)
        for person, suppression in _OF_PERSONS.ask(database, persons=orjson.dumps(persons).decode()):
            found[person].append(suppression)
        for record, person in zip(page, persons, strict=True):
            yield ExportedPerson(record=record, suppressions=tuple(found.get(person, ())))


def count_suppressions(
    database: Database, *, topic: str | None = None, reason: SuppressionReason | None = None
) -> Counter[SuppressionReason]:
    """Return the number of suppressions for each reason, most frequent first."""
    return Counter(dict(_COUNTS.ask(database, **_only(topic, reason))))


# Asks the database, and returns a function that does not: no query can run while PostgreSQL takes rows in.
_Test = Callable[[Connection], Callable[[str], bool]]


def _erased(key: bytes | None) -> _Test:
    """Return the test for people who were erased, to be made inside the transaction that stores an address."""
    return lambda connection: forgotten_test(connection, key)


def _gone(persons: Iterable[str]) -> _Test:
    """Return the test for those of these people who are not on the list."""

    def test(connection: Connection) -> Callable[[str], bool]:
        gone = {person for person in persons if FIND_SUBSCRIBER(connection, person=person) is None}
        return gone.__contains__

    return test


@contextmanager
def _reported(
    database: Database, suppressions: Iterable[Suppression], test: _Test, key: bytes | None
) -> Iterator[tuple[Connection, Sequence[int]]]:
    """Yield a transaction in which the temporary table `reported` holds the suppressions.

    Also yield the numbers of those that are not in it because `test` is true for their people.
    """
    with (
        database.transaction() as connection,
        _reported_in(connection, suppressions, test, key) as skipped,
    ):
        yield connection, skipped


@contextmanager
def _reported_in(
    connection: Connection, suppressions: Iterable[Suppression], test: _Test, key: bytes | None
) -> Iterator[Sequence[int]]:
    """Do the same as `_reported` in a transaction that is open already. Yield the numbers of those left out."""
    skipped: list[int] = []
    is_skipped = test(connection)
    with reported_table(connection):
        connection.load("reported", _rows(suppressions, is_skipped, skipped, text_cleaner(connection, key)))
        yield skipped


def _rows(
    suppressions: Iterable[Suppression],
    is_skipped: Callable[[str], bool],
    skipped: list[int],
    clean: Callable[[str], str] | None,
) -> Iterator[Row]:
    for number, each in enumerate(suppressions):
        email = canonical_address(each.email)
        person = person_of(email)
        if is_skipped(person):
            skipped.append(number)
            continue
        left_at = text_of(each.created_at)
        until = text_of(each.last)
        consent = text_of(each.consent_on_record) if each.consent_on_record else ""
        detail = clean(each.detail) if clean else each.detail
        yield number, person, each.topic, email, each.reason.value, detail, left_at, until, consent


def _only(topic: str | None, reason: SuppressionReason | None) -> dict[str, object]:
    """Return the parameters of a query that selects suppressions by topic and reason. None selects all."""
    return {
        "every_topic": int(topic is None),
        "topic": topic or "",
        "every_reason": int(reason is None),
        "reason": reason.value if reason else "",
    }
