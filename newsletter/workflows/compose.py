"""Compose an issue: load it, render it, check it. Every other intent begins here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from newsletter.checks.base import Subject
from newsletter.checks.registry import check_issue
from newsletter.config import Config
from newsletter.content.loader import ISSUE_FILE, load_issue
from newsletter.errors import InputError, MistakesError
from newsletter.model.finding import Finding, Place, Severity
from newsletter.model.issue import Issue
from newsletter.model.mistakes import suggestion
from newsletter.model.rendered import RenderedIssue
from newsletter.render.memory import Memory
from newsletter.render.pipeline import render_issue
from newsletter.render.theme import Theme

CONTENT_RULE = "C1"  # the files themselves: they are read before there is a mail that the other rules could judge
BUILD_FOLDER = "build"
ISSUES_FOLDER = "issues"


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """An issue as written, as rendered, and what the checks found."""

    issue: Issue
    rendered: RenderedIssue
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that hold a broadcast back."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)


def find_issue(config: Config, name: str | None) -> Path:
    """The folder of an issue, named as `2026-02` or by its path; the newest one where no name is given.

    Raises InputError where there is none.
    """
    known = issue_names(config)
    if name is None:
        if not known:
            raise InputError(f"there is no issue in {ISSUES_FOLDER}/; make one with `newsletter new`")
        return config.root / ISSUES_FOLDER / known[-1]
    folder = Path(name)
    if len(folder.parts) > 1 and (folder / ISSUE_FILE).is_file():
        return folder.resolve()
    bare = folder.name
    if bare not in known:
        hint = suggestion(bare, known) if known else "make one with `newsletter new`"
        raise InputError(f"there is no issue {name} in {ISSUES_FOLDER}/; {hint}")
    return config.root / ISSUES_FOLDER / bare


def open_theme(config: Config) -> Theme:
    """The workspace's theme, with what earlier builds remember of it."""
    return Theme(config.root, Memory(config.root / BUILD_FOLDER / ".memory"))


def issue_names(config: Config) -> list[str]:
    """The names of all issues of a workspace, in their order."""
    return sorted(path.parent.name for path in (config.root / ISSUES_FOLDER).glob(f"*/{ISSUE_FILE}"))


def compose_issue(
    config: Config,
    folder: Path,
    *,
    at: datetime | None = None,
    known_fields: Iterable[str] | None = None,
    theme: Theme | None = None,
) -> Composed:
    """Loads, renders and checks an issue, judged at `at`, or by its own date where no moment is given.

    Who composes again and again passes the same `theme`, so that its templates are compiled once.

    Raises MistakesError with every mistake in its files or in a template, InputError where a picture or MJML is wrong.
    """
    theme = theme or open_theme(config)
    issue = load_issue(config, folder, theme.section_types)
    rendered = render_issue(issue, config, theme)
    subject = Subject(
        issue=issue,
        rendered=rendered,
        settings=config.settings,
        at=at or issue.date_begins,
        known_fields=None if known_fields is None else frozenset(known_fields),
    )
    return Composed(issue=issue, rendered=rendered, findings=check_issue(subject))


def findings_of_mistakes(error: MistakesError) -> tuple[Finding, ...]:
    """The mistakes in a user's files, as findings of the rule that content is valid."""
    return tuple(
        Finding(
            rule=CONTENT_RULE,
            severity=Severity.ERROR,
            place=Place(path=mistake.path, line=mistake.line),
            what=mistake.what,
            remedy=mistake.remedy,
        )
        for mistake in error.mistakes
    )
