"""What the checks are given, what they answer with, and what a rule is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from newsletter.checks.document import Document, read_document
from newsletter.checks.sources import Sources, index_sources
from newsletter.config import CONFIG_FILE
from newsletter.model.finding import Place, Severity
from newsletter.model.issue import Issue
from newsletter.model.merge import MERGE_TOKEN
from newsletter.model.rendered import RenderedIssue
from newsletter.settings.workspace import Settings

CONFIG_PLACE = Place(path=CONFIG_FILE)
THEME_REMEDY = "correct the templates of your workspace, or delete the changed ones to use the built-in theme"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is checked: the issue as written, the mail as rendered, and the moment at which it is to be judged."""

    issue: Issue
    rendered: RenderedIssue
    settings: Settings
    at: datetime
    known_fields: frozenset[str] | None  # the merge fields that the audience has; None where it is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The subject, and what is read out of it once for all rules."""

    subject: Subject
    documents: tuple[Document, ...]  # one for each variant
    sources: Sources

    @property
    def issue_place(self) -> Place:
        """`issue.yaml` as a whole: where a finding belongs that no single line of the user's files caused."""
        return Place(path=self.subject.issue.source.path)

    def readable(self, text: str) -> str:
        """The text with merge fields as the user wrote them, in the place of their tokens."""
        written = {use.field.token: str(use.field) for use in self.subject.issue.merge_fields}
        return MERGE_TOKEN.sub(lambda match: written.get(match[0], match[0]), text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that a check found, before the rule is named that it breaks; tokens may stand in its words."""

    severity: Severity
    place: Place
    what: str
    remedy: str


Check = Callable[[Evidence], Iterable[Fault]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: its id, what it asks, why, and the check that holds mail to it."""

    id: str
    severity: Severity  # the highest that it gives
    title: str
    why: str
    source: str  # who asks for it
    check: Check
    needs_audience: bool = False  # whether it says nothing until the audience's merge fields are known


def gather_evidence(subject: Subject) -> Evidence:
    """Parses each variant, and indexes the user's texts, links and pictures by what they say."""
    return Evidence(
        subject=subject,
        documents=tuple(read_document(variant) for variant in subject.rendered.variants),
        sources=index_sources(subject.issue, subject.settings),
    )


def error(place: Place, what: str, remedy: str) -> Fault:
    """A fault that holds the mail back."""
    return Fault(severity=Severity.ERROR, place=place, what=what, remedy=remedy)


def warning(place: Place, what: str, remedy: str) -> Fault:
    """A fault that is shown, and holds nothing back."""
    return Fault(severity=Severity.WARNING, place=place, what=what, remedy=remedy)
