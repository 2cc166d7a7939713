"""Take the list out again, or all that is known of one person."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TextIO

from newsletter.lists.exports import person_json, write_subscribers
from newsletter.model.segment import Member, Segment
from newsletter.store.database import Database
from newsletter.store.segments import count_segment, list_members
from newsletter.store.subscribers import attribute_names, export_subscribers
from newsletter.system.files import private_file
from newsletter.workflows.subscribers.person import require_person

Advance = Callable[[int], None]  # hears how many more are written


def export_to_stream(database: Database, stream: TextIO, *, on_progress: Advance = lambda _: None) -> int:
    """Write everybody as CSV, in little memory whatever their number, and return how many they are."""
    records = (subscriber.record for subscriber in export_subscribers(database))
    return write_subscribers(records, stream, attributes=attribute_names(database), on_progress=on_progress)


def export_to_file(
    database: Database, path: Path, *, overwrite: bool = False, on_progress: Advance = lambda _: None
) -> int:
    """Write everybody into a CSV file that its owner alone can read, and return how many they are.

    The file appears whole or not at all. Raises InputError where it cannot be written, or exists and is not to be
    overwritten.
    """
    with private_file(path, overwrite=overwrite) as file:
        return export_to_stream(database, file, on_progress=on_progress)


def export_person(database: Database, email: str, *, key: bytes | None, now: datetime) -> str:
    """Return all that is known of a person as JSON; raise InputError where nothing is."""
    return person_json(require_person(database, email, key=key), now=now)


def write_person(text: str, path: Path, *, overwrite: bool = False) -> None:
    """Write what is known of a person into a file that its owner alone can read; raise InputError as above."""
    with private_file(path, overwrite=overwrite) as file:
        file.write(text)


def list_people(database: Database, segment: Segment, *, most: int | None) -> Iterator[Member]:
    """Yield the first people of a segment, or all where no number is given."""
    return list_members(database, segment.condition, most=most)


def count_people(database: Database, segment: Segment) -> int:
    """Return how many people a segment has."""
    return count_segment(database, segment.condition).members


def write_people(database: Database, segment: Segment, stream: TextIO, *, most: int | None) -> int:
    """Write people of a segment as CSV, in the form that an import reads, and return how many they are."""
    records = (member.subscriber.record for member in list_people(database, segment, most=most))
    return write_subscribers(records, stream, attributes=attribute_names(database))
