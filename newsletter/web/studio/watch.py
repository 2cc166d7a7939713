"""Tell when a file of the workspace has changed; tell open pages, by Server-Sent Events, that their issue has."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from pathlib import Path
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from watchfiles import Change, awatch

from newsletter.errors import InputError
from newsletter.web.studio.proofs import Proofs

_QUICK_MS = 5  # how long a save must have been over before it counts; the library's own pace costs 60 ms
_CALM_MS = 50  # the same for what changes seldom
_DEBOUNCE_MS = 50
_RETRY_MS = 1000  # after which a page asks whether a stopped studio is back
_BEAT_SECONDS = 15.0  # between lines that let the server notice a page that is gone
_log = logging.getLogger(__name__)

NoteChanges = Callable[[Collection[Path]], Awaitable[None]]


class Watched(Protocol):
    """What to watch. It is read again whenever it may have changed."""

    @property
    def watched_files(self) -> frozenset[Path]:
        """Single files, whether or not they exist."""

    @property
    def watched_folders(self) -> frozenset[Path]:
        """Folders in which every file counts, whether or not they exist."""


async def watch_workspace(watched: Watched, note_changes: NoteChanges) -> None:
    """Call `note_changes` with the paths that have changed, until the task is cancelled."""
    polling = False
    while True:
        outdated = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_watch_from_above(watched, note_changes, outdated, polling=polling))
                tasks.create_task(_watch_folders(watched, note_changes, outdated, polling=polling))
                # Both have begun after one turn of the loop; changes before that have not been reported.
                await asyncio.sleep(0)
                await note_changes(())
        except* OSError as errors:
            # The system hands out no more watches, or the drive has none.
            _log.warning("from now on files are polled", exc_info=errors)
            polling = True


async def _watch_from_above(
    watched: Watched, note_changes: NoteChanges, outdated: asyncio.Event, *, polling: bool
) -> None:
    """Watch the single files, and whether the folders come and go. Set `outdated` then, so that all begins again.

    Their parents are watched: an editor that saves by putting a new file in the place of the old one would be followed
    only once, and a folder that comes again is another one.
    """
    entries = watched.watched_files | watched.watched_folders
    parents = _existing(entry.parent for entry in entries)
    async for paths in _changes(parents, outdated, step=_CALM_MS, deep=False, polling=polling):
        if not paths & entries:
            continue
        await note_changes(paths)
        if paths & watched.watched_folders or watched.watched_files - entries:
            outdated.set()


async def _watch_folders(
    watched: Watched, note_changes: NoteChanges, outdated: asyncio.Event, *, polling: bool
) -> None:
    folders = _existing(watched.watched_folders)
    async for paths in _changes(folders, outdated, step=_QUICK_MS, deep=True, polling=polling):
        await note_changes(paths)


async def _changes(
    folders: Collection[Path], outdated: asyncio.Event, *, step: int, deep: bool, polling: bool
) -> AsyncIterator[frozenset[Path]]:
    """Yield the paths changed in these folders, a batch at a time, until `outdated` is set."""
    if not folders:
        await outdated.wait()
        return
    batches = awatch(
        *folders,
        watch_filter=_is_edit,
        debounce=_DEBOUNCE_MS,
        step=step,
        stop_event=outdated,
        force_polling=polling or None,
        recursive=deep,
    )
    async for batch in batches:
        yield frozenset(Path(path) for _, path in batch)


def _is_edit(_change: Change, path: str) -> bool:
    """Return False for the files that editors put beside a file while they save it."""
    name = Path(path).name
    return not (name.startswith((".#", ".~", "#", "4913")) or name.endswith(("~", ".swp", ".swx", ".tmp", ".bak")))


def _existing(folders: Iterable[Path]) -> frozenset[Path]:
    return frozenset(folder for folder in folders if folder.is_dir())


class Pulse:
    """Wake every open stream at each change, and end them all when the server stops."""

    def __init__(self) -> None:
        self.next = asyncio.Event()  # set at the next change
        self.is_over = False

    def beat(self) -> None:
        """Wake the streams: something has changed."""
        self.next.set()
        self.next = asyncio.Event()

    def end(self) -> None:
        """End every stream: nothing will change any more."""
        self.is_over = True
        self.beat()


async def revision_events(proofs: Proofs, issue: str, pulse: Pulse) -> AsyncIterator[str]:
    """Yield the revision of an issue's proof now, and then each one that differs from the one before."""
    yield f"retry: {_RETRY_MS}\n\n"
    told = ""
    while not pulse.is_over:
        changed = pulse.next  # taken before the proof is, so that no change falls between the two
        try:
            proof = await run_in_threadpool(proofs.proof, issue)
        except InputError:
            return
        if proof.revision != told:
            told = proof.revision
            yield f"data: {told}\n\n"
        try:
            await asyncio.wait_for(changed.wait(), _BEAT_SECONDS)
        except TimeoutError:
            yield ": still here\n\n"
