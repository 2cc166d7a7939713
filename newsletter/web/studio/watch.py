"""Watch the workspace's files, and notify open pages with server-sent events when their issue has changed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from watchfiles import Change, awatch

from newsletter.errors import InputError
from newsletter.web.studio.proofs import IssueProof, Proofs

_QUICK_MS = 5  # how long files must be unchanged before a save is reported; the library's default adds 60 ms
_CALM_MS = 50  # the same, for files that rarely change
_DEBOUNCE_MS = 50
_RETRY_MS = 1000  # how long a page waits before it tries to reconnect to a stopped studio
_BEAT_SECONDS = 15.0  # between comment lines, through which the server notices that a page was closed
_MOST_LINKS = 40  # how many symbolic links in a row Linux follows
_log = logging.getLogger(__name__)

NoteChanges = Callable[[Collection[Path]], Awaitable[None]]


class Watched(Protocol):
    """The files and folders to watch. Both properties are read again whenever their values may have changed."""

    @property
    def watched_files(self) -> frozenset[Path]:
        """The individual files, including those that do not exist yet."""

    @property
    def watched_folders(self) -> frozenset[Path]:
        """The folders in which every file is watched, including folders that do not exist yet."""


async def watch_workspace(watched: Watched, note_changes: NoteChanges) -> None:
    """Call `note_changes` with the paths that have changed, until the task is canceled."""
    polling = False
    while True:
        outdated = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_watch_from_above(watched, note_changes, outdated, polling=polling))
                tasks.create_task(_watch_folders(watched, note_changes, outdated, polling=polling))
                # After one turn of the event loop, both tasks are watching. Earlier changes were not reported, so check
                # once.
                await asyncio.sleep(0)
                await note_changes(())
        except* OSError as errors:
            # The system has no more watches, or the drive does not support them.
            _log.warning("from now on, files are polled", exc_info=errors)
            polling = True


async def _watch_from_above(
    watched: Watched, note_changes: NoteChanges, outdated: asyncio.Event, *, polling: bool
) -> None:
    """Watch the individual files. Set `outdated` when a folder is created or deleted, so that watching starts again.

    The parent folders are watched. If a file itself were watched, only the first save would be noticed in an editor
    that replaces the file when it saves. A folder that is deleted and created again is also a new folder to the system.

    The files that symbolic links lead to are watched too. A change to one is reported as a change to the link.
    """
    needed = watched.watched_files | watched.watched_folders
    absent = {folder for entry in needed for folder in entry.parents if not folder.is_dir()}
    entries = needed | absent
    links = _links(watched)
    parents = _existing(entry.parent for entry in (*entries, *links))
    async for paths in _changes(parents, outdated, step=_CALM_MS, deep=False, polling=polling):
        known = (paths & entries) | {links[path] for path in paths & links.keys()}
        if not known:
            continue
        await note_changes(known)
        if known & (watched.watched_folders | absent) or watched.watched_files - entries or _links(watched) != links:
            outdated.set()


async def _watch_folders(
    watched: Watched, note_changes: NoteChanges, outdated: asyncio.Event, *, polling: bool
) -> None:
    folders, links = _existing(watched.watched_folders), frozenset(_links(watched).values())
    async for paths in _changes(folders, outdated, step=_QUICK_MS, deep=True, polling=polling):
        await note_changes(paths)
        if any(path in links or path.is_symlink() for path in paths):
            outdated.set()


def _links(watched: Watched) -> dict[Path, Path]:
    """Return every file that a watched symbolic link leads to, directly or through other links, and the first link."""
    inside = (path for folder in _existing(watched.watched_folders) for path in folder.rglob("*"))
    links = (path for path in (*watched.watched_files, *watched.watched_folders, *inside) if path.is_symlink())
    return {target: link for link in links for target in _targets(link)}


def _targets(link: Path) -> Iterator[Path]:
    for _ in range(_MOST_LINKS):
        if not link.is_symlink():
            return
        target = link.parent / link.readlink()
        link = target.parent.resolve() / target.name
        yield link


async def _changes(
    folders: Collection[Path], outdated: asyncio.Event, *, step: int, deep: bool, polling: bool
) -> AsyncIterator[frozenset[Path]]:
    """Yield batches of paths that changed in these folders, until `outdated` is set."""
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
    """Return False for the temporary files that editors create while they save a file."""
    name = Path(path).name
    return not (name.startswith((".#", ".~", "#", "4913")) or name.endswith(("~", ".swp", ".swx", ".tmp", ".bak")))


def _existing(folders: Iterable[Path]) -> frozenset[Path]:
    return frozenset(folder for folder in folders if folder.is_dir())


class Pulse:
    """A signal that wakes every open stream after each change, and ends the streams when the server stops."""

    def __init__(self) -> None:
        self.next = asyncio.Event()  # set at the next change
        self.is_over = False

    def beat(self) -> None:
        """Wake all streams, because something has changed."""
        self.next.set()
        self.next = asyncio.Event()

    def end(self) -> None:
        """End all streams, because the server is stopping."""
        self.is_over = True
        self.beat()


async def revision_events(proofs: Proofs, issue: str, pulse: Pulse) -> AsyncIterator[str]:
    """Yield the current revision of an issue's proof, and each new revision after that, as server-sent events.

    A new email is an event of its own, which does not wait for the checks. The page that gets it asks for the rest.
    """
    yield f"retry: {_RETRY_MS}\n\n"
    told = email = ""
    while not pulse.is_over:
        changed = pulse.next  # read before the proof, so that no change between the two is missed
        try:
            proof = await run_in_threadpool(proofs.proof, issue)
        except InputError:
            return
        if email and proof.email_revision != email:
            told = ""  # the page has a later revision than the last one that was told
            yield f"event: email\ndata: {proof.email_revision}\n\n"
        elif (revision := await run_in_threadpool(_revision, proof)) != told:
            told = revision
            yield f"data: {told}\n\n"
        email = proof.email_revision
        try:
            await asyncio.wait_for(changed.wait(), _BEAT_SECONDS)
        except TimeoutError:
            yield ": still here\n\n"


def _revision(proof: IssueProof) -> str:
    return proof.judged.revision
