"""Draw a cover of each issue, the beginning of its email, in the background, and keep what was drawn.

Nothing is composed while a page waits. An issue is composed again only if a file that it is made from has changed.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Lock, Thread

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from newsletter.config import Config
from newsletter.errors import CannotRunError, NewsletterError
from newsletter.model.rendered import Picture
from newsletter.system.files import PRIVATE, write_whole
from newsletter.workflows.compose.compose import BUILD_FOLDER, open_theme, render_folder
from newsletter.workflows.compose.made_from import made_from, shared_by_all
from newsletter.workflows.compose.sample import sample_mail

COVERS_FOLDER = ".covers"
NOT_INSTALLED = 'Chromium\'s driver is not installed; run `pip install "newsletter-press[browser]"`'
# Imported on first use, because their package may be missing.
_DRAWING = "newsletter.checks.browser.covers"
_INDEX = "index.json"
_MOST_COVERS, _MOST_COVER_BYTES = 400, 64_000_000  # on the disk
_LARGEST_INDEX = 4_000_000  # bytes
_IN_ONE_BROWSER = 8  # issues, so that their images do not fill the memory
_HASH = re.compile(r"[0-9a-f]{64}")
_log = logging.getLogger(__name__)


class Cover(Struct, frozen=True, kw_only=True):
    """What is known of an issue since it was last composed."""

    made_from: str  # a digest of the names, sizes and times of all files
    content_hash: str = ""  # empty if its files have mistakes
    is_drawn: bool = False


class _Composed(Struct, frozen=True, kw_only=True):
    issue: str
    content_hash: str
    html: str
    pictures: tuple[Picture, ...]


class Covers:
    """The covers of a workspace. Any thread may call any method.

    One thread composes and draws, and ends when all covers are up to date.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._thread: Thread | None = None
        self._wanted: dict[str, Path] = {}
        self._covers: dict[str, Cover] | None = None
        self._is_ending = False
        self.why_not_drawn = ""  # why there are no pictures, and what to do; empty if there can be

    def known(self, config: Config, folders: Mapping[str, Path]) -> Mapping[str, Cover]:
        """Return what is known of each issue as its files are now. The others are composed and drawn from now on.

        Those named first are drawn first.
        """
        with self._lock:
            if self._covers is None:
                self._covers = _read_index(_folder(config))
        shared = shared_by_all(config)
        found: dict[str, Cover] = {}
        missing: dict[str, Path] = {}
        for issue, folder in folders.items():
            cover = self._covers.get(issue)
            if cover is not None and cover.made_from == made_from(folder, shared):
                found[issue] = cover
            if issue not in found or (found[issue].content_hash and not found[issue].is_drawn):
                missing[issue] = folder
        if missing and not (self.why_not_drawn and set(missing) <= set(found)):
            self._want(config, missing)
        return found

    @property
    def is_drawing(self) -> bool:
        """Whether more covers will come."""
        with self._lock:
            return self._thread is not None

    def picture(self, config: Config, content_hash: str) -> bytes | None:
        """Return the cover of the content with a hash as a JPEG, or None if it is not drawn."""
        path = _folder(config) / f"{content_hash}.jpg"
        if not _HASH.fullmatch(content_hash) or path.is_symlink():
            return None
        with suppress(OSError):
            return path.read_bytes()
        return None

    def end(self) -> None:
        """Stop drawing after the current cover."""
        with self._lock:
            self._is_ending = True
            thread = self._thread
        if thread is not None:
            thread.join()

    def _want(self, config: Config, folders: Mapping[str, Path]) -> None:
        with self._lock:
            self._wanted = dict(folders)
            if self._thread is None and not self._is_ending:
                self._thread = Thread(target=self._work, args=(config,), name="covers")
                self._thread.start()

    def _work(self, config: Config) -> None:
        try:
            while batch := self._next_batch():
                self._draw(config, batch)
        except Exception:  # the shelf then shows its covers in words
            _log.exception("the covers could not be drawn")
            with self._lock:
                self._thread, self._wanted = None, {}

    def _next_batch(self) -> Mapping[str, Path]:
        with self._lock:
            names = () if self._is_ending else tuple(self._wanted)[:_IN_ONE_BROWSER]
            batch = {name: self._wanted.pop(name) for name in names}
            if not batch:
                self._thread = None
            return batch

    def _draw(self, config: Config, batch: Mapping[str, Path]) -> None:
        """Compose some issues and draw their covers."""
        folder, shared = _folder(config), shared_by_all(config)
        theme = open_theme(config)
        composed: list[_Composed] = []
        for issue, files in batch.items():
            origin = made_from(files, shared)
            content_hash = ""
            try:
                _, rendered = render_folder(config, files, theme=theme)
                content_hash, html = rendered.content_hash, sample_mail(config, rendered.fullest).html
                composed.append(
                    _Composed(issue=issue, content_hash=content_hash, html=html, pictures=rendered.pictures)
                )
            except NewsletterError as err:
                _log.info("no cover of %s", issue, exc_info=err)
            except Exception:  # files may be written or deleted while they are read
                _log.exception("no cover of %s", issue)
            is_drawn = bool(content_hash) and (folder / f"{content_hash}.jpg").is_file()
            self._note(issue, Cover(made_from=origin, content_hash=content_hash, is_drawn=is_drawn))
            if self._is_ending:
                return
        undrawn = [each for each in composed if not (folder / f"{each.content_hash}.jpg").is_file()]
        if undrawn and not self.why_not_drawn:
            self._draw_pictures(folder, undrawn)
        with suppress(OSError):
            _make(folder)
            write_whole(folder / _INDEX, msgspec.json.encode(self._covers), permissions=PRIVATE)
            _delete_oldest(folder)

    def _draw_pictures(self, folder: Path, composed: Sequence[_Composed]) -> None:
        by_name = {each.issue: each for each in composed}
        try:
            _make(folder)
            for issue, content in _drawn(composed):
                write_whole(folder / f"{by_name[issue].content_hash}.jpg", content, permissions=PRIVATE)
                self._note(issue, replace((self._covers or {})[issue], is_drawn=True))
                if self._is_ending:
                    return
        except (CannotRunError, OSError) as err:
            self.why_not_drawn = str(err)

    def _note(self, issue: str, cover: Cover) -> None:
        with self._lock:
            self._covers = {**(self._covers or {}), issue: cover}


def _drawn(composed: Sequence[_Composed]) -> Iterator[tuple[str, bytes]]:
    try:
        drawing = import_module(_DRAWING)
    except ImportError as err:
        raise CannotRunError(NOT_INSTALLED) from err
    pictures = {picture.name: picture for each in composed for picture in each.pictures}
    found: Iterator[tuple[str, bytes]] = drawing.drawn_covers(
        {each.issue: each.html for each in composed}, tuple(pictures.values())
    )
    return found


def _read_index(folder: Path) -> dict[str, Cover]:
    try:
        path = folder / _INDEX
        if path.stat().st_size > _LARGEST_INDEX:
            return {}
        covers = msgspec.json.decode(path.read_bytes(), type=dict[str, Cover])
    except (OSError, msgspec.DecodeError):
        return {}
    drawn = {path.stem for path in folder.glob("*.jpg")}
    return {issue: replace(cover, is_drawn=cover.content_hash in drawn) for issue, cover in covers.items()}


def _delete_oldest(folder: Path) -> None:
    """Delete the covers that were drawn first, if there are too many or they take too much room."""
    files = sorted(((path.lstat(), path) for path in folder.glob("*.jpg")), key=lambda each: -each[0].st_mtime_ns)
    size = 0
    for number, (status, path) in enumerate(files):
        size += status.st_size
        if number >= _MOST_COVERS or size > _MOST_COVER_BYTES:
            path.unlink(missing_ok=True)


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _folder(config: Config) -> Path:
    return config.root / BUILD_FOLDER / COVERS_FOLDER
