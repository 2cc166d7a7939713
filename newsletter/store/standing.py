"""How the people on a provider's lists stand here: suppressed, allowed again or erased."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import orjson
from msgspec import Struct

from newsletter.model.address import person_of
from newsletter.store.database import Database
from newsletter.store.forgotten import forgotten_test
from newsletter.store.queries import change, query_all
from newsletter.system.moments import text_of


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


_SUPPRESSED_AMONG = query_all("suppressions", "suppressed_among", HeardRow)
_KEEP_HANDED_OVER = change("suppressions", "keep_handed_over")
_ALLOWED_AGAIN = query_all("suppressions", "allowed_again", AllowedAgain)


class Standing(Struct, frozen=True, kw_only=True):
    """The people in a group who are erased, suppressed or allowed again, each as `person_of` their address."""

    forgotten: frozenset[str]
    suppressed: dict[str, LastHeard]  # people who are suppressed from all email
    allowed_since: dict[str, datetime]  # formerly suppressed people, and the time since which they may be emailed


def standing_of(database: Database, persons: Sequence[str], *, key: bytes | None) -> Standing:
    """Return the current standing of up to a few hundred people.

    Raise InputError if anyone was erased and the key is missing or different: any of these people might be the one.
    """
    asked = orjson.dumps(persons).decode()
    with database.read() as connection:
        is_forgotten = forgotten_test(connection, key)
        return Standing(
            forgotten=frozenset(filter(is_forgotten, persons)),
            suppressed=dict(_SUPPRESSED_AMONG(connection, persons=asked)),
            allowed_since=dict(_ALLOWED_AGAIN(connection, persons=asked)),
        )


def keep_handed_over(database: Database, emails: Sequence[str], *, now: datetime) -> None:
    """Save that people suppressed from all email were added to a list at the provider."""
    with database.transaction() as connection:
        _KEEP_HANDED_OVER(
            connection, persons=orjson.dumps([person_of(email) for email in emails]).decode(), at=text_of(now)
        )
