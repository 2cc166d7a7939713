"""Bring a list in, take it out again, and show what is known of a person."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from newsletter.audience.addresses import checked_address
from newsletter.audience.csv_export import write_subscribers
from newsletter.audience.csv_import import read_subscribers
from newsletter.errors import InputError
from newsletter.model.audience import SUBSCRIBER_COLUMNS, ImportReport, Subscriber, Suppression, SuppressionReason
from newsletter.model.ledger import PastDelivery
from newsletter.store.database import Database
from newsletter.store.merge import merge_subscribers
from newsletter.store.subscribers import export_subscribers, find_subscriber, history, known_fields
from newsletter.store.suppressions import (
    add_suppression,
    find_suppression,
    list_suppressions,
    remove_suppression,
)
from newsletter.workflows.private_file import private_file


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPerson:
    """Everything that is known of one person."""

    subscriber: Subscriber | None
    suppression: Suppression | None
    deliveries: tuple[PastDelivery, ...]


def import_subscribers(
    database: Database, path: Path, *, now: datetime, on_progress: Callable[[int], None]
) -> ImportReport:
    """Merges a CSV file into the audience, in one transaction; `on_progress` hears how many rows were read so far.

    Raises InputError or MistakesError, with nothing imported, where the file cannot be read as a list.
    """
    return merge_subscribers(database, read_subscribers(path), now=now, on_progress=on_progress)


def export_to_stream(database: Database, stream: TextIO) -> int:
    """Writes everybody as CSV; how many they are."""
    attributes = [name for name in known_fields(database) if name not in SUBSCRIBER_COLUMNS]
    records = (subscriber.record for subscriber in export_subscribers(database))
    return write_subscribers(records, stream, attributes=attributes)


def export_to_file(database: Database, path: Path) -> int:
    """Writes everybody into a CSV file that its owner alone can read; how many they are.

    The file appears whole or not at all. Raises InputError where it cannot be written.
    """
    with private_file(path, overwrite=True) as file:
        return export_to_stream(database, file)


def show_person(database: Database, email: str) -> KnownPerson:
    """All that is known of the person with this address.

    Raises InputError where nothing is.
    """
    subscriber = find_subscriber(database, email)
    suppression = find_suppression(database, email)
    if subscriber is None and suppression is None:
        raise InputError(f"nobody with the address {email} is known; `newsletter subscribers import` brings people in")
    deliveries = history(database, subscriber.id) if subscriber else ()
    return KnownPerson(subscriber=subscriber, suppression=suppression, deliveries=deliveries)


def suppress(database: Database, email: str, reason: SuppressionReason, *, now: datetime) -> bool:
    """Sees to it that an address is never mailed again; whether it was not suppressed before.

    Raises InputError where it is no address.
    """
    try:
        address = checked_address(email)
    except ValueError as err:
        raise InputError(f"{err}; write it as name@example.org") from err
    return add_suppression(database, address, reason, now=now)


def suppressed(database: Database) -> Iterator[Suppression]:
    """Every address that must not be mailed."""
    return list_suppressions(database)


def lift_suppression(database: Database, email: str) -> None:
    """Lets an address be mailed again, for somebody who asked for it.

    Raises InputError where it is not suppressed.
    """
    if not remove_suppression(database, email):
        raise InputError(f"{email} is not suppressed; `newsletter suppressions list` shows who is")
