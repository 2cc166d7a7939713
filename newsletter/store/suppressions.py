"""The addresses that must not be mailed; they need not be on the list."""

from collections.abc import Iterator
from datetime import datetime

from newsletter.model.address import canonical_address, person_of
from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.store.database import Database
from newsletter.store.moments import moment_of, text_of
from newsletter.store.queries import load_queries

_SQL = load_queries("suppressions")
_PAGE = 1000


def add_suppression(database: Database, email: str, reason: SuppressionReason, *, now: datetime) -> bool:
    """Suppresses an address; whether it was not suppressed before. The first reason stands."""
    with database.transaction() as connection:
        added = _SQL.add(
            connection,
            person=person_of(email),
            email=canonical_address(email),
            reason=reason.value,
            created_at=text_of(now),
        )
        return bool(added)


def remove_suppression(database: Database, email: str) -> bool:
    """Lifts a suppression; whether there was one."""
    with database.transaction() as connection:
        return bool(_SQL.remove(connection, person=person_of(email)))


def find_suppression(database: Database, email: str) -> Suppression | None:
    """The suppression of an address, however it is spelt; None where it may be mailed."""
    with database.read() as connection:
        row = _SQL.find(connection, person=person_of(email))
    return None if row is None else _suppression(*row)


def list_suppressions(database: Database) -> Iterator[Suppression]:
    """Every suppression, in the order of the addresses; a page at a time."""
    after = ""
    while True:
        with database.read() as connection:
            page = list(_SQL.page(connection, after=after, size=_PAGE))
        if not page:
            return
        for person, email, reason, created_at in page:
            yield _suppression(email, reason, created_at)
            after = person


def _suppression(email: str, reason: str, created_at: str) -> Suppression:
    return Suppression(email=email, reason=SuppressionReason(reason), created_at=moment_of(created_at))
