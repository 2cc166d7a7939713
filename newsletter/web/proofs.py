"""The studio's proofs: each issue as it stands now, made anew when a file has changed."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import TypeVar

from newsletter.config import CONFIG_FILE, TEMPLATES_FOLDER, Config, load_config
from newsletter.errors import InputError, Mistake, MistakesError
from newsletter.providers.registry import with_known_provider
from newsletter.workflows.compose import ISSUES_FOLDER, Composed, compose_issue, issue_names, open_theme
from newsletter.workflows.segments import audience_fields

_Made = TypeVar("_Made")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Proof:
    """An issue at one moment: its last good composition, and what keeps its files from being composed now."""

    issue: str
    config: Config  # with which it was composed
    composed: Composed | None  # None where it could not be composed since the studio was opened
    mistakes: tuple[Mistake, ...] = ()  # empty where `composed` is what the files say

    @cached_property
    def revision(self) -> str:
        """A word that changes with anything that the page shows, and with nothing else.

        Pictures are named by their content, so the HTML stands for them too.
        """
        digest = blake2b(repr((self.config, self.mistakes)).encode(), digest_size=12)
        if self.composed is not None:
            digest.update(repr((self.composed.rendered.variants, self.composed.findings)).encode())
        return digest.hexdigest()


class Proofs:
    """Proofs of all issues of a workspace. Its methods may be called from any thread."""

    def __init__(self, config: Config, folder: Path) -> None:
        self._config = config
        self._folder = folder
        self._config_mistakes: tuple[Mistake, ...] = ()
        self._theme = open_theme(config)
        self._proofs: dict[str, Proof] = {}
        self._current: set[str] = set()  # issues whose proof is newer than every change of a file
        self._lock = Lock()

    @property
    def first(self) -> str:
        """The name of the issue with which the studio was opened."""
        return self._folder.name

    @property
    def watched_files(self) -> frozenset[Path]:
        """The files outside the issues and the templates that change what a mail looks like."""
        root, brand = self._config.root, self._config.settings.brand
        logos = (logo for logo in (brand.logo, brand.logo_dark) if logo is not None)
        return frozenset({root / CONFIG_FILE, *(root / logo for logo in logos)})

    @property
    def watched_folders(self) -> frozenset[Path]:
        """The folders in which any file can change what a mail looks like; some may not exist."""
        root = self._config.root
        return frozenset({root / ISSUES_FOLDER, root / TEMPLATES_FOLDER, self._folder})

    def issues(self) -> Mapping[str, Path]:
        """Every issue that can be shown: its name → its folder, whether or not the folder is still there."""
        root = self._config.root
        names = {*issue_names(self._config), *self._proofs}
        return {**{name: root / ISSUES_FOLDER / name for name in sorted(names)}, self.first: self._folder}

    def proof(self, issue: str) -> Proof:
        """The issue as its files stand now; it is composed only where a file has changed since the last time.

        Raises InputError where there is no such issue.
        """
        with self._lock:
            if issue not in self._current:
                folder = self.issues().get(issue)
                if folder is None:
                    raise InputError(f"there is no issue {issue}; it may have been renamed")
                self._current.add(issue)
                self._proofs[issue] = self._make(issue, folder)
            return self._proofs[issue]

    def note_changes(self, paths: Iterable[Path]) -> None:
        """Takes note that files have changed; the proofs concerned are made when they are next asked for."""
        changed = set(paths)
        with self._lock:
            self._current.clear()
            root = self._config.root
            if root / CONFIG_FILE in changed:
                self._read_config()
            # Jinja notices an edited template by itself, but not a new one that is laid over a built-in one.
            if any(path.is_relative_to(root / TEMPLATES_FOLDER) for path in changed):
                self._theme = open_theme(self._config)

    def _read_config(self) -> None:
        config, self._config_mistakes = _attempt(
            lambda: with_known_provider(load_config(self._config.root)), at=CONFIG_FILE
        )
        self._config = config or self._config

    def _make(self, issue: str, folder: Path) -> Proof:
        composed, mistakes = _attempt(
            lambda: compose_issue(self._config, folder, theme=self._theme, known_fields=audience_fields(self._config)),
            at=self._config.shown(folder),
        )
        mistakes = (*self._config_mistakes, *mistakes)
        if composed is None and (last := self._proofs.get(issue)) is not None:
            return Proof(issue=issue, config=last.config, composed=last.composed, mistakes=mistakes)
        return Proof(issue=issue, config=self._config, composed=composed, mistakes=mistakes)


def _attempt(make: Callable[[], _Made], *, at: str) -> tuple[_Made | None, tuple[Mistake, ...]]:
    """What could be made, or the mistakes that were in the way."""
    try:
        return make(), ()
    except MistakesError as err:
        return None, err.mistakes
    except InputError as err:
        what, _, remedy = str(err).partition("; ")
        return None, (Mistake(path=at, what=what, remedy=remedy or "correct it"),)
    except Exception as err:
        # Files are read while they are written and deleted, and templates run a user's expressions: whatever comes of
        # one unlucky moment, the studio stays open for the next save.
        _log.info("the issue %s cannot be composed", at, exc_info=err)
        what = f"could not be composed ({type(err).__name__}: {err})"
        return None, (Mistake(path=at, what=what, remedy="take back the last edit; the page follows by itself"),)
