"""The database is its owner's alone: nobody else on the machine may read the addresses in it."""

import os
from contextlib import suppress
from pathlib import Path
from stat import S_IMODE

from newsletter.store.sqlite.failures import cannot_use

OF_OTHERS = 0o077  # what the group and everybody else may do
_BESIDE = ("", "-wal", "-shm", "-journal", ".runners")  # SQLite gives its own files the permissions of the database


def make_private_file(path: Path) -> None:
    """Makes the file where there is none; raises StoreError where it can be no file."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        if path.is_dir():
            raise cannot_use(path, "it is a folder", "check [database] url in newsletter.toml") from None
    except (FileNotFoundError, NotADirectoryError) as err:
        raise cannot_use(path, "its folder does not exist", "make the folder, or correct [database] url") from err
    except OSError as err:
        raise cannot_use(path, f"it cannot be made ({err.strerror})", "check the permissions of its folder") from err


def keep_private(path: Path) -> None:
    """Takes the database, and what stands beside it, from all but its owner.

    One that an earlier umask, a copy or a backup left open to others is closed; what belongs to somebody else stays.
    """
    database = path.resolve()  # whoever reaches it by a link finds the same files beside it
    for suffix in _BESIDE:
        each = database.with_name(f"{database.name}{suffix}")
        with suppress(OSError):  # it is not there, or is on a disk that knows no permissions
            found = each.stat()
            if found.st_uid == os.geteuid() and found.st_mode & OF_OTHERS:
                each.chmod(S_IMODE(found.st_mode) & ~OF_OTHERS)
