"""Subscribers as readers of an issue: found by address, or searched for by name."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.model.issue import Issue
from newsletter.model.ledger import NO_CONSENT
from newsletter.model.permission import pause_at
from newsletter.model.readership import Reader
from newsletter.store.database import Database
from newsletter.store.opening import open_database
from newsletter.store.readers import reader_of
from newsletter.store.subscribers import SubscriberName, find_subscriber, search_subscribers
from newsletter.store.suppressions import suppressions_of
from newsletter.store.versions import version_for
from newsletter.workflows.segments import require_segments


class FoundReader(Struct, frozen=True, kw_only=True):
    """A subscriber, and whether they would receive the issue."""

    reader: Reader
    left_out: str = ""  # why they would not, for example "unsubscribed on 2026-02-03"; empty if they would


def find_reader(config: Config, database: Database, issue: Issue, email: str, *, now: datetime) -> FoundReader | None:
    """Return the subscriber with this address, and the segments of the issue that they belong to.

    Return None if no subscriber has the address. Raise MistakesError if a segment's expression is wrong.
    """
    reader = reader_of(database, email, require_segments(config, database, issue.only_segments, now=now))
    if reader is None:
        return None
    reader = replace(reader, version=version_for(database, issue.name, reader.id))
    return FoundReader(reader=reader, left_out=_why_left_out(database, issue, reader, now=now))


def require_reader(config: Config, issue: Issue, email: str, *, now: datetime) -> FoundReader:
    """Return a subscriber as `find_reader` does. Raise InputError if no subscriber has the address."""
    found = None
    if config.has_database:
        with open_database(config.database) as database:
            found = find_reader(config, database, issue, email, now=now)
    if found is None:
        raise InputError(
            f"no subscriber has the address {email!r}; check the spelling, or search by name: "
            "newsletter subscribers list --where 'last_name = \"…\"'"
        )
    return found


def reader_for_address(config: Config, issue: Issue, email: str, now: datetime) -> FoundReader | None:
    """Return the subscriber with this address as `find_reader` does, from the workspace's own list.

    Raise StoreError if the list cannot be read, or MistakesError if a segment of the issue is wrong.
    """
    with open_database(config.database) as database:
        return find_reader(config, database, issue, email, now=now)


def matching_subscribers(config: Config, text: str, *, size: int) -> tuple[SubscriberName, ...]:
    """Return the subscribers whose address or name contains the text. The one with exactly this address comes first.

    Raise StoreError if the list cannot be read.
    """
    with open_database(config.database) as database:
        exact = find_subscriber(database, text)
        found = search_subscribers(database, text, size=size)
    if exact is None:
        return found
    record = exact.record
    first = SubscriberName(email=record.email, first_name=record.first_name, last_name=record.last_name)
    return (first, *(each for each in found if each != first))[:size]


def _why_left_out(database: Database, issue: Issue, reader: Reader, *, now: datetime) -> str:
    suppressions = {each.topic: each for each in suppressions_of(database, reader.email)}
    if whole := suppressions.get(""):
        return f"{whole.reason.value} on {whole.created_at:%Y-%m-%d}"
    topics = issue.fields.topics
    if topics and all(topic in suppressions for topic in topics):
        return f"left {' and '.join(topics)}"
    subscriber = find_subscriber(database, reader.email)
    if subscriber is None or not subscriber.record.may_be_mailed:
        return NO_CONSENT
    return pause_at(subscriber.record.paused_until, now)
