"""The versions of an issue that are compared: what came back about each, and which one the rest of a broadcast gets."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from newsletter.model.event import EventType
from newsletter.model.readership import VERSION, VERSIONS
from newsletter.store.database import Connection, Database
from newsletter.store.ledger.variants import variant_numbers
from newsletter.store.queries import change, query_all, query_one, query_value
from newsletter.system.moments import text_of


class VersionCounts(NamedTuple):
    """What came back about one version from those who got it first."""

    version: str
    sent: int  # accepted by the provider
    known: int  # those whose opens and clicks we may know
    opened: int  # those of the known who opened or clicked
    clicked: int


class VersionTotal(NamedTuple):
    """How often people opened a version, or followed its links, if only totals are known."""

    version: str
    type: EventType
    events: int


class RecentBroadcast(NamedTuple):
    """A tracked broadcast of an issue, and when its first emails were accepted."""

    broadcast: int
    begun_at: datetime


class UsualReaction(NamedTuple):
    """How people reacted to earlier broadcasts in a certain time, if it may be known of them."""

    known: int
    opened: int
    clicked: int


class ChosenVersion(NamedTuple):
    """The version that was chosen for the rest of a broadcast of an issue."""

    issue: str
    version: str


_COUNTS = query_all("versions", "counts", VersionCounts)
_TOTALS = query_all("versions", "totals", VersionTotal)
_RECENT = query_all("versions", "recent", RecentBroadcast)
_USUAL = query_value("versions", "usual", UsualReaction)
_SET_VARIANT = change("versions", "set_variant")
_SET_CHOSEN = change("versions", "set_chosen")
_ALL_CHOSEN = query_all("versions", "all_chosen", ChosenVersion)
_OF_SUBSCRIBER = query_one("versions", "of_subscriber", str)


def version_counts(database: Database, broadcast_id: int) -> tuple[VersionCounts, ...]:
    """Return what came back about each version of a broadcast from those who were drawn for it."""
    return _COUNTS.ask(database, broadcast=broadcast_id)


def version_totals(database: Database, broadcast_id: int) -> tuple[VersionTotal, ...]:
    """Return how often people opened and clicked each version, if only totals are known. Repetitions count."""
    return _TOTALS.ask(database, broadcast=broadcast_id)


def usual_reaction(database: Database, *, within: timedelta, most: int) -> UsualReaction:
    """Return how people reacted to the last few broadcasts of issues within a time after they began, all together."""
    found = [
        _USUAL.ask(database, broadcast=each.broadcast, until=text_of(each.begun_at + within))
        for each in _RECENT.ask(database, most=most)
    ]
    return UsualReaction(*map(sum, zip(*found, strict=True))) if found else UsualReaction(0, 0, 0)


def choose_version(
    connection: Connection, broadcast_id: int, version: str, *, because: str, figures: str, now: datetime
) -> None:
    """Give the rest of a broadcast one of the versions. Its variants were saved when it was created.

    It is chosen once; later choices change nothing. `figures` is what is known of the versions, as JSON.
    """
    kept = {"because": because, "figures": figures, "now": text_of(now)}
    if not _SET_CHOSEN(connection, broadcast=broadcast_id, version=version, **kept):
        return
    numbers = variant_numbers(connection, broadcast_id)
    for readership, number in numbers.items():
        if readership.version == VERSIONS[0] and version != VERSIONS[0]:
            new = numbers[readership.having(VERSION, version)]
            _SET_VARIANT(connection, broadcast=broadcast_id, variant=number, version=new)


def chosen_version(database: Database, issue: str) -> str:
    """Return the version of an issue that was chosen last, or an empty string if none was."""
    return chosen_versions(database).get(issue, "")


def chosen_versions(database: Database) -> Mapping[str, str]:
    """Return the version that was chosen last of each issue of which one was chosen."""
    return dict(_ALL_CHOSEN.ask(database))


def version_for(database: Database, issue: str, subscriber_id: int) -> str:
    """Return the version of an issue that someone was sent, or will be. It is empty if it is not decided."""
    return _OF_SUBSCRIBER.ask(database, issue=issue, subscriber=subscriber_id) or ""
