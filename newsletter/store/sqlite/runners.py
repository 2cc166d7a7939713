"""Tells a running process from one that has died, so that a chunk which it left inflight is found.

Each process that hands over mail holds a lock of the operating system on a small file of its own beside the database.
However the process ends, the lock ends with it.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from newsletter.store.database import Runner
from newsletter.store.sqlite.failures import cannot_use


@contextmanager
def hold_runner(folder: Path) -> Iterator[Runner]:
    """A new runner that is alive until the block, or the process, ends.

    Raises StoreError where the folder cannot be written.
    """
    runner = Runner(id=secrets.token_hex(8))
    path = folder / runner.id
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    except OSError as err:
        raise cannot_use(folder, f"it cannot be written ({err.strerror})", "check its permissions") from err
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield runner
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def is_alive(folder: Path, runner_id: str) -> bool:
    """Whether the runner still holds its lock; the file of one that died is removed."""
    path = folder / runner_id
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        # Shared, so that two who ask at once do not take each other for the runner.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        path.unlink(missing_ok=True)
        return False
    finally:
        os.close(descriptor)
