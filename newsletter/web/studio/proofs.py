"""Keep a proof of each issue: its current state, composed again whenever a file has changed."""

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from newsletter.checks.registry import CheckResult
from newsletter.config import CONFIG_FILE, TEMPLATES_FOLDER, Config, load_config
from newsletter.content.loader import ISSUES_FOLDER, issue_names
from newsletter.errors import InputError, Mistake, MistakesError
from newsletter.model.readership import Readership
from newsletter.model.rendered import RenderedVariant
from newsletter.providers.registry import with_known_provider
from newsletter.render.theme import Theme
from newsletter.workflows.compose.compose import Composed, compose_issue, open_theme
from newsletter.workflows.compose.placed import PlacedVariant, place_blocks
from newsletter.workflows.compose.standing import compose_standing
from newsletter.workflows.segments import audience_fields

_Made = TypeVar("_Made")
_log = logging.getLogger(__name__)


class IssueProof(Struct, frozen=True, kw_only=True, dict=True):
    """The state of an issue: what can be shown of it, and the mistakes in its files."""

    issue: str
    folder: Path
    config: Config  # the settings it was composed with
    composed: Composed | None  # None if there is nothing to show
    mistakes: tuple[Mistake, ...] = ()  # if there are any, parts of `composed` are older than the files, or missing

    def placed(self, variant: RenderedVariant) -> PlacedVariant:
        """Return a variant with its blocks marked with their places. Raise ValueError if nothing is composed."""
        if self.composed is None:
            raise ValueError("there is no email")
        found = self._placed.get(variant.readership)
        if found is None:
            found = self._placed[variant.readership] = place_blocks(self.composed, variant)
        return found

    @cached_property
    def _placed(self) -> dict[Readership, PlacedVariant]:
        return {}

    @cached_property
    def email_revision(self) -> str:
        """A hash that changes whenever the email changes. It is known before the checks have run.

        Images are named after a hash of their content, so the HTML also changes if an image does.
        """
        digest = blake2b(repr(self.config).encode(), digest_size=12)
        for each in self.composed.rendered.variants if self.composed is not None else ():
            digest.update(_digest_of(each))
        return digest.hexdigest()

    @cached_property
    def revision(self) -> str:
        """A hash that changes whenever anything on the page changes, and only then. It waits for the checks."""
        findings = self.composed.findings if self.composed is not None else ()
        return blake2b(repr((self.email_revision, self.mistakes, findings)).encode(), digest_size=12).hexdigest()

    @cached_property
    def judged(self) -> "IssueProof":
        """The same proof after the checks have run. That they cannot run is a mistake, and the email stays shown."""
        composed = self.composed
        if composed is None:
            return self
        found, mistakes = _attempt(lambda: composed.findings, at=self.config.shown(self.folder))
        if found is not None:
            return self
        unchecked = replace(composed, probed=CheckResult(findings=(), not_run=()))
        return replace(self, composed=unchecked, mistakes=(*self.mistakes, *mistakes))


class _Ingredients(Struct, frozen=True, kw_only=True):
    """The inputs that all issues share. A change to any file replaces them, so the same object means no change."""

    config: Config
    mistakes: tuple[Mistake, ...]  # in the settings; if there are any, `config` holds the last valid settings
    theme: Theme


class _Desk:
    """The last proof of one issue, and the lock that lets only one thread at a time compose it."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.made_with: _Ingredients | None = None
        self.proof: IssueProof | None = None


class Proofs:
    """The proofs of all issues in a workspace. Any thread may call any method.

    Each issue has its own lock, so that a slow issue does not delay the others. Recording a change needs none of these
    locks. If an issue is being composed at that time, it is composed again next time, because its inputs are outdated.
    """

    def __init__(self, config: Config, folder: Path) -> None:
        self._folder = folder
        self._ingredients = _Ingredients(config=config, mistakes=(), theme=open_theme(config))
        self._desks: dict[str, _Desk] = {}
        self._noting = Lock()

    @property
    def config(self) -> Config:
        """The settings as they were when they were last valid."""
        return self._ingredients.config

    @property
    def theme(self) -> Theme:
        """The theme that the issues are composed with."""
        return self._ingredients.theme

    @property
    def first(self) -> str:
        """The name of the issue that the studio was opened with."""
        return self._folder.name

    @property
    def watched_files(self) -> frozenset[Path]:
        """The files that affect the emails, other than issues and templates: the settings and the logos."""
        config = self._ingredients.config
        logos = (logo for logo in (config.settings.brand.logo, config.settings.brand.logo_dark) if logo is not None)
        return frozenset({config.root / CONFIG_FILE, *(config.root / logo for logo in logos)})

    @property
    def watched_folders(self) -> frozenset[Path]:
        """The folders in which every file can affect the emails. Some of the folders may not exist."""
        root = self._ingredients.config.root
        return frozenset({root / ISSUES_FOLDER, root / TEMPLATES_FOLDER, self._folder})

    def issues(self) -> Mapping[str, Path]:
        """Return the folder of every issue that can be shown, by name. Some of the folders may no longer exist."""
        config = self._ingredients.config
        names = {*issue_names(config), *self._desks}
        return {**{name: config.root / ISSUES_FOLDER / name for name in sorted(names)}, self.first: self._folder}

    def proof(self, issue: str) -> IssueProof:
        """Return the current proof of an issue. The issue is composed only if a file has changed since the last time.

        Raise InputError if there is no such issue.
        """
        folder = self.issues().get(issue)
        if folder is None:
            raise InputError(f"There is no issue {issue}; it may have been renamed or deleted")
        desk = self._desks.setdefault(issue, _Desk())
        with desk.lock:
            ingredients = self._ingredients  # read before the files are, so that no later change is missed
            if desk.proof is None or desk.made_with is not ingredients:
                desk.proof = _compose(issue, folder, ingredients, last=desk.proof)
                desk.made_with = ingredients
            return desk.proof

    def note_changes(self, paths: Iterable[Path]) -> None:
        """Record that files have changed. Each issue is composed again when its proof is next requested."""
        changed = set(paths)
        with self._noting:
            old = self._ingredients
            config, mistakes, theme = old.config, old.mistakes, old.theme
            if config.root / CONFIG_FILE in changed:
                loaded, mistakes = _attempt(lambda: with_known_provider(load_config(config.root)), at=CONFIG_FILE)
                config = loaded or config
            # Jinja notices when a template is edited, but not when a new template replaces a built-in one.
            if any(path.is_relative_to(config.root / TEMPLATES_FOLDER) for path in changed):
                theme = open_theme(config)
            self._ingredients = _Ingredients(config=config, mistakes=mistakes, theme=theme)

    def open_theme_again(self) -> None:
        """Forget what was rendered of earlier texts, which the theme keeps."""
        with self._noting:
            self._ingredients = replace(self._ingredients, theme=open_theme(self.config))


@lru_cache(maxsize=32)  # after an edit, the variants in the other languages are the same as before
def _digest_of(variant: RenderedVariant) -> bytes:
    told = repr((variant.readership, variant.subject, variant.preheader, variant.text, variant.html.slots))
    return blake2b(f"{told}{''.join(variant.html.parts)}".encode(), digest_size=12).digest()


def _compose(issue: str, folder: Path, ingredients: _Ingredients, *, last: IssueProof | None) -> IssueProof:
    """Compose an issue. If that fails, return the mistakes with what can be shown of the issue nevertheless.

    That is the sections without mistakes, and the others as they were. If `issue.yaml`, a setting or a template is
    wrong, it is the last successful composition.
    """
    config = ingredients.config
    composed, mistakes = _attempt(
        lambda: compose_issue(config, folder, theme=ingredients.theme, known_fields=audience_fields(config)),
        at=config.shown(folder),
    )
    before = last.composed if last is not None else None
    if composed is None and not ingredients.mistakes:
        theme, fields, issue_before = ingredients.theme, audience_fields(config), before.issue if before else None
        composed, _ = _attempt(
            lambda: compose_standing(config, folder, theme=theme, known_fields=fields, last=issue_before),
            at=config.shown(folder),
        )
    if composed is None and last is not None:
        config, composed = last.config, before
    return IssueProof(
        issue=issue, folder=folder, config=config, composed=composed, mistakes=(*ingredients.mistakes, *mistakes)
    )


def _attempt(make: Callable[[], _Made], *, at: str) -> tuple[_Made | None, tuple[Mistake, ...]]:
    """Return the result of `make`, or None and the mistakes that prevented it."""
    try:
        return make(), ()
    except MistakesError as err:
        return None, err.mistakes
    except InputError as err:
        what, _, remedy = str(err).partition("; ")
        return None, (Mistake(path=at, what=what, remedy=remedy or "fix it"),)
    except Exception as err:
        # Files may be written or deleted while they are read, and templates run the user's expressions. Any error can
        # therefore happen here. The studio must survive it and wait for the next save.
        _log.info("the issue %s cannot be composed", at, exc_info=err)
        what = f"the issue could not be built ({type(err).__name__}: {err})"
        return None, (Mistake(path=at, what=what, remedy="undo the last edit"),)
