"""Publish the archive to a place: only what changed is written, and only what we wrote is ever deleted."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from newsletter.destinations.manifest import (
    MANIFEST,
    Manifest,
    SiteChange,
    WantedFile,
    compared,
    key_of,
    read_manifest,
    wanted_files,
)
from newsletter.errors import InputError
from newsletter.model.site_files import SiteFile

Progress = Callable[[int, int], None]  # how many files are done, and how many there are


class SitePlan(Struct, frozen=True, kw_only=True):
    """What publishing would do: the paths of the files."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]


class Published(Struct, frozen=True, kw_only=True):
    """What publishing did: the paths of the files."""

    written: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class ArchivePlace(Protocol):
    """A folder, or a store of files on another machine."""

    shown: str  # its name for people, without secrets

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, or None if there is none."""

    def names(self) -> Iterable[str]:
        """Return the paths of all files at the place, also those that others wrote."""

    def alone(self) -> AbstractContextManager[None]:
        """Keep other publishers out. Raise DestinationError if there is one already."""

    def apply(self, change: SiteChange, progress: Progress) -> None:
        """Write and delete files, and keep the manifest true, however early it ends."""


class Destination:
    """Where the archive is published."""

    def __init__(self, place: ArchivePlace) -> None:
        self._place = place

    def plan(self, files: Iterable[SiteFile]) -> SitePlan:
        """Return what publishing these files would do. Raise NewsletterError if the place cannot be used."""
        change = self._with_removed(compared(wanted_files(files), self._manifest()))
        return SitePlan(
            added=_paths(change.added),
            changed=_paths(change.changed),
            unchanged=_paths(change.unchanged),
            removed=change.removed,
        )

    def publish(self, files: Iterable[SiteFile], progress: Progress, *, again: bool = False) -> Published:
        """Make the site consist of these files, and of the images that were published before.

        With `again`, write everything, also what has not changed, for a place whose files were lost. Raise
        NewsletterError if that fails; each page is whole then, old or new, and the next time completes it.
        """
        wanted = wanted_files(files)
        return self._carried_out(lambda: compared(wanted, self._manifest(), again=again), progress)

    def put_pictures(self, files: Iterable[SiteFile], progress: Progress = lambda _done, _total: None) -> Published:
        """Write the images that are missing, and leave everything else as it is."""
        wanted = wanted_files(files)
        return self._carried_out(lambda: replace(compared(wanted, self._manifest()), forgotten=frozenset()), progress)

    def _carried_out(self, change_now: Callable[[], SiteChange], progress: Progress) -> Published:
        """Carry out a change. Nothing is written at all, not even a lock, if nothing differs."""
        change = change_now()
        if change.settled() != change.manifest or change.writes:
            with self._place.alone():
                change = self._with_removed(change_now())  # another publisher may have ended in the meantime
                self._place.apply(change, progress)
        return Published(written=_paths(change.writes), unchanged=_paths(change.unchanged), removed=change.removed)

    def _with_removed(self, change: SiteChange) -> SiteChange:
        """Return a change with the paths of the files that it removes, of which the manifest has only digests."""
        if not change.forgotten:
            return change
        return replace(change, removed=tuple(sorted(n for n in self._place.names() if key_of(n) in change.forgotten)))

    def _manifest(self) -> Manifest:
        """Return what we have written to the place. Raise InputError if only others have."""
        content = self._place.read(MANIFEST)
        if content is not None:
            return read_manifest(content, self._place.shown)
        # Hidden files, such as `.git` or `.well-known/`, are not ours, and never in our way.
        if foreign := next((name for name in self._place.names() if not name.startswith(".")), None):
            raise InputError(
                f"{self._place.shown} already contains {foreign}, which this program did not write; empty the place, "
                "or use another, such as a new folder in it"
            )
        return Manifest()


def _paths(files: Iterable[WantedFile]) -> tuple[str, ...]:
    return tuple(each.path for each in files)
