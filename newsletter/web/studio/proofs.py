"""Keep a proof of each issue: the issue as it stands now, composed anew after a file has changed."""

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import TypeVar

from msgspec import Struct

from newsletter.config import CONFIG_FILE, TEMPLATES_FOLDER, Config, load_config
from newsletter.content.loader import ISSUES_FOLDER, issue_names
from newsletter.errors import InputError, Mistake, MistakesError
from newsletter.providers.registry import with_known_provider
from newsletter.render.theme import Theme
from newsletter.workflows.compose.compose import Composed, compose_issue, open_theme
from newsletter.workflows.segments import audience_fields

_Made = TypeVar("_Made")
_log = logging.getLogger(__name__)


class IssueProof(Struct, frozen=True, kw_only=True, dict=True):
    """An issue at one moment: its last good composition, and what keeps its files from being composed now."""

    issue: str
    config: Config  # the settings it was composed with
    composed: Composed | None  # None if it could not be composed since the studio was opened
    mistakes: tuple[Mistake, ...] = ()  # empty if `composed` is what the files say

    @cached_property
    def revision(self) -> str:
        """A word that changes with anything that the page shows, and with nothing else.

        Images are named by their content, so the HTML stands for them too.
        """
        digest = blake2b(repr((self.config, self.mistakes)).encode(), digest_size=12)
        if self.composed is not None:
            digest.update(repr((self.composed.rendered.variants, self.composed.findings)).encode())
        return digest.hexdigest()


class _Ingredients(Struct, frozen=True, kw_only=True):
    """What all issues are composed with, until a file changes; two are the same only if no file has."""

    config: Config
    mistakes: tuple[Mistake, ...]  # in the settings; `config` is then the last good one
    theme: Theme


class _Desk:
    """Where one issue is composed, by one thread at a time."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.made_with: _Ingredients | None = None
        self.proof: IssueProof | None = None


class Proofs:
    """The proofs of all issues of a workspace. Any thread may call any method.

    Each issue has a lock of its own, so that a slow one holds up no other. Noting a change needs none of them: an issue
    that is being composed meanwhile is composed again the next time, because its ingredients are then outdated.
    """

    def __init__(self, config: Config, folder: Path) -> None:
        self._folder = folder
        self._ingredients = _Ingredients(config=config, mistakes=(), theme=open_theme(config))
        self._desks: dict[str, _Desk] = {}
        self._noting = Lock()

    @property
    def first(self) -> str:
        """The name of the issue that the studio was opened with."""
        return self._folder.name

    @property
    def watched_files(self) -> frozenset[Path]:
        """The files outside the issues and the templates that change what an email looks like."""
        config = self._ingredients.config
        logos = (logo for logo in (config.settings.brand.logo, config.settings.brand.logo_dark) if logo is not None)
        return frozenset({config.root / CONFIG_FILE, *(config.root / logo for logo in logos)})

    @property
    def watched_folders(self) -> frozenset[Path]:
        """The folders in which any file can change what an email looks like; some may not exist."""
        root = self._ingredients.config.root
        return frozenset({root / ISSUES_FOLDER, root / TEMPLATES_FOLDER, self._folder})

    def issues(self) -> Mapping[str, Path]:
        """Return the folder of every issue that can be shown, by name; a folder may be gone by now."""
        config = self._ingredients.config
        names = {*issue_names(config), *self._desks}
        return {**{name: config.root / ISSUES_FOLDER / name for name in sorted(names)}, self.first: self._folder}

    def proof(self, issue: str) -> IssueProof:
        """Return the issue as its files stand now. It is composed only if a file has changed since the last time.

        Raise InputError if there is no such issue.
        """
        folder = self.issues().get(issue)
        if folder is None:
            raise InputError(f"There is no issue {issue}; it may have been renamed")
        desk = self._desks.setdefault(issue, _Desk())
        with desk.lock:
            ingredients = self._ingredients  # taken before the files are read, so that a later change is not missed
            if desk.proof is None or desk.made_with is not ingredients:
                desk.proof = _compose(issue, folder, ingredients, last=desk.proof)
                desk.made_with = ingredients
            return desk.proof

    def note_changes(self, paths: Iterable[Path]) -> None:
        """Note that files have changed. The proofs are made when they are next asked for."""
        changed = set(paths)
        with self._noting:
            old = self._ingredients
            config, mistakes, theme = old.config, old.mistakes, old.theme
            if config.root / CONFIG_FILE in changed:
                loaded, mistakes = _attempt(lambda: with_known_provider(load_config(config.root)), at=CONFIG_FILE)
                config = loaded or config
            # Jinja notices an edited template, but not a new one that is laid over a built-in one.
            if any(path.is_relative_to(config.root / TEMPLATES_FOLDER) for path in changed):
                theme = open_theme(config)
            self._ingredients = _Ingredients(config=config, mistakes=mistakes, theme=theme)


def _compose(issue: str, folder: Path, ingredients: _Ingredients, *, last: IssueProof | None) -> IssueProof:
    """Compose an issue; if that fails, keep the last good composition beside the mistakes."""
    config = ingredients.config
    composed, mistakes = _attempt(
        lambda: compose_issue(config, folder, theme=ingredients.theme, known_fields=audience_fields(config)),
        at=config.shown(folder),
    )
    if composed is None and last is not None:
        config, composed = last.config, last.composed
    return IssueProof(issue=issue, config=config, composed=composed, mistakes=(*ingredients.mistakes, *mistakes))


def _attempt(make: Callable[[], _Made], *, at: str) -> tuple[_Made | None, tuple[Mistake, ...]]:
    """Return what could be made, or the mistakes that were in the way."""
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
        return None, (Mistake(path=at, what=what, remedy="undo the last edit"),)
