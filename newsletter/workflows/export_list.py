"""Take the list out again, or all that is known of one person."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TextIO

from newsletter.audience.csv_export import write_subscribers
from newsletter.audience.person_json import person_json
from newsletter.model.audience import SUBSCRIBER_COLUMNS
from newsletter.store.database import Database
from newsletter.store.subscribers import export_subscribers, known_fields
from newsletter.workflows.person import show_person
from newsletter.workflows.private_file import private_file

Advance = Callable[[int], None]  # hears how many more are written


def export_to_stream(database: Database, stream: TextIO, *, on_progress: Advance = lambda _: None) -> int:
    """Writes everybody as CSV, in little memory whatever their number; how many they are."""
    attributes = [name for name in known_fields(database) if name not in SUBSCRIBER_COLUMNS]
    records = (subscriber.record for subscriber in export_subscribers(database))
    return write_subscribers(records, stream, attributes=attributes, on_progress=on_progress)


def export_to_file(
    database: Database, path: Path, *, overwrite: bool = False, on_progress: Advance = lambda _: None
) -> int:
    """Writes everybody into a CSV file that its owner alone can read; how many they are.

    The file appears whole or not at all. Raises InputError where it cannot be written, or exists and is not to be
    overwritten.
    """
    with private_file(path, overwrite=overwrite) as file:
        return export_to_stream(database, file, on_progress=on_progress)


def export_person(database: Database, email: str, *, key: bytes | None, now: datetime) -> str:
    """All that is known of a person, as JSON; raises InputError where nothing is."""
    return person_json(show_person(database, email, key=key), now=now)


def write_person(text: str, path: Path, *, overwrite: bool = False) -> None:
    """Writes what is known of a person into a file that its owner alone can read; raises InputError as above."""
    with private_file(path, overwrite=overwrite) as file:
        file.write(text)
