"""A store of files on another machine as a destination. Files are written one by one, each completely or not at all.

No such store can replace a whole site at once. So nothing is written before what it leads to, and nothing is deleted
before nothing leads to it. Each step has a deadline.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import groupby
from secrets import token_hex
from typing import Protocol, TypeVar

import msgspec
from msgspec import Struct

from newsletter.destinations.destination import Progress
from newsletter.destinations.manifest import MANIFEST, Manifest, SiteChange, WantedFile
from newsletter.destinations.site_kinds import FileHeaders, order_of
from newsletter.destinations.store_failures import failure_of
from newsletter.errors import DestinationError, NewsletterError
from newsletter.system.parallel import results_of
from newsletter.system.stream import TimeLimit

LOCK = ".newsletter-publishing.json"
DRAFT = ".newsletter-draft"  # the name of a file while it is written, for stores that do not write files whole
_STEP_SECONDS = 60.0
_SLOWEST_BYTES = 50_000  # per second
_MOST_AT_ONCE_BYTES = 8_000_000
_MOST_READ_BYTES = 50_000_000  # of the manifest, which has fewer than a hundred bytes for each file of the site
_RENEW_SECONDS = 60.0
# A lock that was not renewed for so long belongs to a process that was killed. It is longer than a step can take.
_STALE_SECONDS = 600.0
_PRIVATE = FileHeaders(content_type="application/json", cache_control="no-store")
Result = TypeVar("Result")


class RemoteFiles(Protocol):
    """The files below one path of a store. Paths are relative to it. Errors are those of its library."""

    threads: int  # how many files may be written at the same time

    def read(self, path: str, *, most: int) -> bytes | None:
        """Return the first `most` bytes of a file, or None if there is none."""

    def write(self, path: str, content: bytes, headers: FileHeaders) -> None:
        """Write a file completely or not at all."""

    def create(self, path: str, content: bytes, headers: FileHeaders) -> bool:
        """Write a file unless it exists. Return whether it was written."""

    def delete(self, path: str) -> None:
        """Delete a file, if it exists."""

    def names(self) -> Iterable[str]:
        """Return the paths of all files."""


class PublishingLock(Struct, frozen=True):
    """Who publishes, and when it last said so, in seconds since 1970."""

    token: str
    renewed: float


class RemotePlace:
    """A store of files on another machine."""

    def __init__(
        self,
        files: Callable[[], RemoteFiles],
        shown: str,
        environ: Mapping[str, str],
        clock: Callable[[], float],
    ) -> None:
        self.shown = shown
        self._environ, self._clock = environ, clock
        self._files = self._within(_STEP_SECONDS, files)
        self._lock: PublishingLock | None = None

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, or None if there is none."""
        content = self._within(_STEP_SECONDS, lambda: self._files.read(path, most=_MOST_READ_BYTES + 1))
        if content is not None and len(content) > _MOST_READ_BYTES:
            what = f"{path} in {self.shown} is larger than {_MOST_READ_BYTES // 1_000_000} MB, so this program did not"
            raise DestinationError(f"{what} write it; find out who did, then delete it, or use another place")
        return content

    def names(self) -> Iterable[str]:
        """Return the paths of all files, without those of a publisher at work."""
        found = self._within(_STEP_SECONDS * 2, lambda: tuple(self._files.names()))
        return tuple(name for name in found if name != LOCK)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other publishers out by a file that only one of them can create."""
        lock = PublishingLock(token_hex(8), self._clock())
        if not self._created(lock):
            self._take_over(lock)
        self._lock = lock
        try:
            yield
        finally:
            self._lock = None
            with suppress(NewsletterError):  # if it stays, it becomes stale
                if (found := self._held()) is not None and found.token == lock.token:
                    self._deleted(LOCK)

    def apply(self, change: SiteChange, progress: Progress) -> None:
        """Write what is new, then what changed, in the order of their kinds; then delete."""
        total = len(change.writes) + len(change.removed)
        done = 0
        last = self._noted(change.claimed(), change.manifest)
        for part in _parts(change, self._files.threads):
            self._renew()
            self._written(part)
            done += len(part)
            progress(done, total)
        last = self._noted(change.published(), last)
        for path in change.removed:
            self._renew()
            self._deleted(path)
            done += 1
            progress(done, total)
        self._noted(change.settled(), last)

    def _noted(self, manifest: Manifest, last: Manifest) -> Manifest:
        if manifest != last:
            self._renew()
            self._within(_STEP_SECONDS, lambda: self._files.write(MANIFEST, manifest.written(), _PRIVATE))
        return manifest

    def _written(self, part: Sequence[WantedFile]) -> None:
        def write(file: WantedFile) -> Callable[[], None]:
            return lambda: self._files.write(file.path, file.content, file.headers)

        seconds = _STEP_SECONDS + sum(len(file.content) for file in part) / _SLOWEST_BYTES
        self._all_within(seconds, [write(file) for file in part])

    def _deleted(self, path: str) -> None:
        self._within(_STEP_SECONDS, lambda: self._files.delete(path))

    def _created(self, lock: PublishingLock) -> bool:
        return self._within(_STEP_SECONDS, lambda: self._files.create(LOCK, msgspec.json.encode(lock), _PRIVATE))

    def _held(self) -> PublishingLock | None:
        """Return the lock that is there, or None if there is none."""
        content = self.read(LOCK)
        try:
            return None if content is None else msgspec.json.decode(content, type=PublishingLock)
        except msgspec.MsgspecError:
            return PublishingLock("", 0.0)

    def _take_over(self, lock: PublishingLock) -> None:
        """Take a lock that was left by a process that was killed. Raise DestinationError if its owner is at work."""
        held = self._held()
        if held is not None:
            if abs(self._clock() - held.renewed) < _STALE_SECONDS:
                raise self._in_use(held)
            self._deleted(LOCK)
        if not self._created(lock):
            raise self._in_use(self._held() or lock)
        for name in self.names():
            if name.rpartition("/")[2] == DRAFT:
                self._deleted(name)

    def _renew(self) -> None:
        """Say now and then that this publisher is still at work. Raise DestinationError if another took over."""
        now = self._clock()
        if self._lock is None or now - self._lock.renewed < _RENEW_SECONDS:
            return
        held = self._held()
        if held is None or held.token != self._lock.token:
            raise self._in_use(held or self._lock)
        self._lock = lock = PublishingLock(held.token, now)
        self._within(_STEP_SECONDS, lambda: self._files.write(LOCK, msgspec.json.encode(lock), _PRIVATE))

    def _in_use(self, held: PublishingLock) -> DestinationError:
        until = datetime.fromtimestamp(held.renewed + _STALE_SECONDS, UTC)
        return DestinationError(
            f"someone else is publishing to {self.shown}; wait until they have ended. If their computer stopped, "
            f"publish again after {until:%H:%M} UTC"
        )

    def _within(self, seconds: float, call: Callable[[], Result]) -> Result:
        return self._all_within(seconds, [call])[0]

    def _all_within(self, seconds: float, calls: Sequence[Callable[[], Result]]) -> list[Result]:
        """Return the results of all calls. Raise DestinationError if one fails, or if they take longer than that."""
        try:
            results = list(results_of(calls, threads=len(calls), deadline=TimeLimit(seconds)))
            if len(results) < len(calls):
                raise TimeoutError
        except NewsletterError:
            raise
        except Exception as err:  # whatever a library raises
            raise failure_of(err, self.shown, self._environ) from err
        return results


def _parts(change: SiteChange, threads: int) -> Iterator[list[WantedFile]]:
    """Yield files that may be written at the same time: of one kind, all new or all changed, and not too large."""
    for files in (change.added, change.changed):
        for _, kind in groupby(files, key=lambda file: order_of(file.path)):
            part: list[WantedFile] = []
            for file in kind:
                if part and (len(part) >= threads or _size(part) + len(file.content) > _MOST_AT_ONCE_BYTES):
                    yield part
                    part = []
                part.append(file)
            yield part


def _size(files: Iterable[WantedFile]) -> int:
    return sum(len(file.content) for file in files)
