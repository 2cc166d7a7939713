"""Export the list, or everything that is known about one person."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TextIO

from newsletter.lists.exports import WrittenPeople, person_json, write_subscribers
from newsletter.model.segment import Member, Segment
from newsletter.store.database import Database
from newsletter.store.segments import count_segment, list_members
from newsletter.store.subscribers import attribute_names, export_subscribers
from newsletter.store.suppressions import with_suppressions
from newsletter.system.files import private_file
from newsletter.workflows.subscribers.person import require_person

Advance = Callable[[int], None]  # called with the number of records just written


def export_to_stream(database: Database, stream: TextIO, *, on_progress: Advance = lambda _: None) -> WrittenPeople:
    """Write all subscribers as CSV, in constant memory. Return the numbers of subscribers written."""
    people = with_suppressions(database, (subscriber.record for subscriber in export_subscribers(database)))
    return write_subscribers(people, stream, attributes=attribute_names(database), on_progress=on_progress)


def export_to_file(
    database: Database, path: Path, *, overwrite: bool = False, on_progress: Advance = lambda _: None
) -> WrittenPeople:
    """Write all subscribers to a CSV file that only its owner can read. Return the numbers of subscribers written.

    The file is written completely or not at all. Raise InputError if it cannot be written, or if it exists and
    `overwrite` is False.
    """
    with private_file(path, overwrite=overwrite) as file:
        return export_to_stream(database, file, on_progress=on_progress)


def export_person(database: Database, email: str, *, key: bytes | None, now: datetime) -> str:
    """Return everything that is known about a person as JSON. Raise InputError if nothing is known."""
    return person_json(require_person(database, email, key=key), now=now)


def write_person(text: str, path: Path, *, overwrite: bool = False) -> None:
    """Write text about one person to a file that only its owner can read. Raise InputError as `export_to_file` does."""
    with private_file(path, overwrite=overwrite) as file:
        file.write(text)


def list_people(database: Database, segment: Segment, *, most: int | None) -> Iterator[Member]:
    """Yield the first `most` people of a segment, or all of them if `most` is None."""
    return list_members(database, segment.condition, most=most)


def count_people(database: Database, segment: Segment) -> int:
    """Return the number of people in a segment."""
    return count_segment(database, segment.condition).members


def write_people(database: Database, segment: Segment, stream: TextIO, *, most: int | None) -> int:
    """Write people in a segment as CSV that can be imported again. Return the number of people written."""
    records = (member.subscriber.record for member in list_people(database, segment, most=most))
    people = with_suppressions(database, records)
    return write_subscribers(people, stream, attributes=attribute_names(database)).people
