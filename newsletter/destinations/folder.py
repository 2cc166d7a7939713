"""A folder as a destination: a new folder is built beside it, and the two change places in one step.

A visitor sees the old site or the new one, never a part. Files that stay are hard links to the old ones, so
only what changed is written. What others put into the folder stays too.
"""

import ctypes
import errno
import fcntl
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from newsletter.destinations.destination import Progress
from newsletter.destinations.manifest import MANIFEST, SiteChange
from newsletter.errors import DestinationError, InputError
from newsletter.system.file_errors import explained
from newsletter.system.files import synchronize

_EXCHANGE = 2  # RENAME_EXCHANGE of Linux (renameat2) and RENAME_SWAP of macOS (renamex_np)
_HERE = -100  # AT_FDCWD: paths are relative to the current folder
_CANNOT = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}  # this drive or system cannot exchange two folders


class FolderPlace:
    """A folder on this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()  # a link leads to the folder that is replaced
        self._work = self._folder.with_name(f".{self._folder.name}-publishing")
        self._new, self._old = self._work / "new", self._work / "old"
        self.shown = str(folder)

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, or None if there is none."""
        with self._explained():
            with suppress(FileNotFoundError):
                return (self._current() / path).read_bytes()
            return None

    def names(self) -> Iterator[str]:
        """Yield the paths of all files."""
        with self._explained():
            root = str(self._current())
            for above, folders, files in os.walk(root):
                head = f"{above[len(root) + 1 :]}/" if above != root else ""
                links = (name for name in folders if Path(above, name).is_symlink())
                yield from (f"{head}{name}" for name in (*files, *links))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other publishers out, by a lock that ends with the process. Afterwards, clean up."""
        with self._explained():
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            lock = self._locked()
        try:
            with self._explained():
                self._recover()
                yield
        finally:
            if self._current() == self._folder:
                shutil.rmtree(self._work, ignore_errors=True)
            os.close(lock)

    def apply(self, change: SiteChange, progress: Progress) -> None:
        """Build the new site, and swap it for the old one."""
        replaced = {each.path for each in change.writes} | set(change.removed) | {MANIFEST}
        total = len(change.writes) + len(change.removed)
        with self._explained():
            self._new.mkdir()
            if self._folder.is_dir():
                _link_all(self._folder, self._new, replaced)
            for number, file in enumerate(change.writes, 1):
                _write(self._new / file.path, file.content)
                progress(number, total)
            _write(self._new / MANIFEST, change.settled().written())
            self._swap()
        progress(total, total)

    def _current(self) -> Path:
        """Return where the site is: between two renames, the old one is only in the working folder."""
        return self._folder if self._folder.exists() or not self._old.exists() else self._old

    def _locked(self) -> int:
        """Return a descriptor of the working folder, which holds its lock."""
        while True:
            self._work.mkdir(exist_ok=True)
            lock = os.open(self._work, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(lock), self._work.stat()):
                    return lock
            except BlockingIOError:
                os.close(lock)
                what = f"another process is publishing to {self.shown}"
                raise DestinationError(f"{what}; wait until it has ended") from None
            except FileNotFoundError:  # its last owner has just removed it
                pass
            os.close(lock)

    def _recover(self) -> None:
        """Remove what a process that was killed has left, and put the old site back if it was about to be replaced."""
        if self._old.exists() and not self._folder.exists():
            self._old.rename(self._folder)
        for left in (self._new, self._old):
            if left.exists():
                shutil.rmtree(left)

    def _swap(self) -> None:
        _synchronize_all(self._new)
        if not self._folder.exists():
            self._new.rename(self._folder)
        elif not _exchanged(self._new, self._folder):
            # Two steps, between which there is no site. If the process ends there, the next one puts the old one back.
            self._folder.rename(self._old)
            try:
                self._new.rename(self._folder)
            except BaseException:
                self._old.rename(self._folder)
                raise
        synchronize(self._folder.parent)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as err:
            if err.errno == errno.EBUSY:
                what = f"{self.shown} is where a drive begins, so it cannot be replaced as a whole"
                raise InputError(f"{what}; use a folder in it, such as {self.shown}/site") from err
            raise InputError(str(explained(err, self._folder, elsewhere="publish to another folder"))) from err


def _synchronize_all(folder: Path) -> None:
    """Wait until all files are on disk, for a whole drive at once: thousands of files one by one take many seconds."""
    if function := getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None):
        drive = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if function(drive) == 0:
                return
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(folder))
        finally:
            os.close(drive)
    os.sync()


def _exchanged(new: Path, old: Path) -> bool:
    """Exchange two folders in one step. Return False if this drive cannot do that. Raise OSError if it fails."""
    library = ctypes.CDLL(None, use_errno=True)
    name = "renamex_np" if sys.platform == "darwin" else "renameat2"
    function: Callable[..., int] | None = getattr(library, name, None)
    if function is None:
        return False
    paths = (os.fsencode(new), os.fsencode(old))
    arguments = paths if sys.platform == "darwin" else (_HERE, paths[0], _HERE, paths[1])
    if function(*arguments, _EXCHANGE) == 0:
        return True
    if (number := ctypes.get_errno()) in _CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(old))


def _link_all(old: Path, new: Path, without: set[str]) -> None:
    """Give the new folder everything in the old one, except some paths, without copying it."""
    # Thousands of files: with paths as text, this takes a third of the time.
    root, target_root = str(old), str(new)
    for above, folders, files in os.walk(root):
        head = above[len(root) :].lstrip("/")
        target = f"{target_root}/{head}" if head else target_root
        kept = [name for name in files if (f"{head}/{name}" if head else name) not in without]
        links = [name for name in folders if Path(above, name).is_symlink()]
        has_lost_all = len(kept) < len(files) and not kept and not folders and head
        if not has_lost_all:
            Path(target).mkdir(parents=True, exist_ok=True)
            shutil.copystat(above, target)
        for name in (*kept, *links):
            _link(f"{above}/{name}", f"{target}/{name}")


def _link(old: str, new: str) -> None:
    try:
        os.link(old, new, follow_symlinks=False)
    except OSError as err:
        if err.errno not in {errno.EPERM, errno.EXDEV, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS}:
            raise
        shutil.copy2(old, new, follow_symlinks=False)  # a drive without hard links, or a file with too many


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(content)
