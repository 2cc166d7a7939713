"""Back all data up into a file, and restore them so that nobody is mailed twice."""

from collections.abc import Callable
from datetime import datetime
from itertools import count
from pathlib import Path

from msgspec import Struct

from newsletter.store import backup
from newsletter.store.backup import Restored
from newsletter.store.database import Database


class RestoredWorkspace(Struct, frozen=True, kw_only=True):
    """What a restore did, and where the data are that it replaced."""

    restored: Restored
    aside: Path | None  # a backup of the database as it was before; None where it held nothing


def backup_workspace(database: Database, path: Path, *, now: datetime, on_progress: Callable[[float], None]) -> None:
    """Write one state of all data into a new private file, also while a broadcast is being sent.

    `on_progress` hears which share is done. Raise StoreError where the file exists or cannot be written.
    """
    backup.back_up(database, path, now=now, on_progress=on_progress)


def holds_data(database: Database) -> bool:
    """Return whether there is anything in the database that can tell what happened since a backup."""
    return backup.is_anything_there(database)


def restore_workspace(
    database: Database,
    path: Path,
    *,
    root: Path,
    key: bytes | None,
    now: datetime,
    on_progress: Callable[[float], None],
) -> RestoredWorkspace:
    """Put a backup in the place of the data, which are first backed up into a file in `root` themselves.

    Raise InputError where a broadcast is being sent, or where the backup is of another list; StoreError where the file
    is no backup, or is damaged. Nothing is changed then.
    """
    aside = None
    if holds_data(database):
        names = (f"newsletter-before-restore-{now:%Y%m%d}{f'-{number}' if number else ''}.db" for number in count())
        aside = next(free for name in names if not (free := root / name).exists())
        backup.back_up(database, aside, now=now, on_progress=lambda _: None)
    try:
        restored = backup.restore(database, path, key=key, now=now, on_progress=on_progress)
    except BaseException:
        if aside is not None:
            aside.unlink(missing_ok=True)
        raise
    return RestoredWorkspace(restored=restored, aside=aside)
