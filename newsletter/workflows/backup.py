"""Back up all data to a file, and restore it without anyone being emailed twice."""

from collections.abc import Callable
from datetime import datetime
from itertools import count
from pathlib import Path

from msgspec import Struct

from newsletter.store.backup import back_up
from newsletter.store.database import Database
from newsletter.store.restore import Restored, is_anything_there, restore


class RestoredWorkspace(Struct, frozen=True, kw_only=True):
    """The result of a restore, and the file that contains the replaced data."""

    restored: Restored
    aside: Path | None  # a backup of the database before the restore; None if the database was empty


def backup_workspace(database: Database, path: Path, *, now: datetime, on_progress: Callable[[float], None]) -> None:
    """Write a consistent snapshot of all data to a new private file, even while a broadcast is being sent.

    `on_progress` is called with the completed fraction, from 0 to 1. Raise StoreError if the file exists or cannot be
    written.
    """
    back_up(database, path, now=now, on_progress=on_progress)


def holds_data(database: Database) -> bool:
    """Return whether the database holds any data that a restore would replace."""
    return is_anything_there(database)


def restore_workspace(
    database: Database,
    path: Path,
    *,
    root: Path,
    key: bytes | None,
    now: datetime,
    on_progress: Callable[[float], None],
) -> RestoredWorkspace:
    """Replace the data with a backup. The current data is first backed up to a file in `root`.

    Raise InputError or StoreError as `restore` in the store does. In both cases, no data is changed.
    """
    aside = None
    if holds_data(database):
        names = (f"newsletter-before-restore-{now:%Y%m%d}{f'-{number}' if number else ''}.db" for number in count())
        aside = next(free for name in names if not (free := root / name).exists())
        back_up(database, aside, now=now, on_progress=lambda _: None)
    try:
        restored = restore(database, path, key=key, now=now, on_progress=on_progress)
    except BaseException:
        if aside is not None:
            aside.unlink(missing_ok=True)
        raise
    return RestoredWorkspace(restored=restored, aside=aside)
