"""What the checks are given, what they answer with, and what a rule is."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import datetime
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from newsletter.checks.reading.document import MailDocument, read_document
from newsletter.checks.reading.sources import Sources, index_sources
from newsletter.checks.reading.wire import WireMessage, read_message
from newsletter.config import Config, place_of_key
from newsletter.model.finding import Means, NotRun, Place, Severity
from newsletter.model.issue import Issue
from newsletter.model.rendered import RenderedIssue
from newsletter.model.slots import MERGE_TOKEN
from newsletter.settings.workspace import Settings

_SHOWN_WORDS = 6
_Thing = TypeVar("_Thing")
THEME_REMEDY = "correct the templates of your workspace, or delete the changed ones to use the built-in theme"


class Subject(Struct, frozen=True, kw_only=True):
    """What is checked: the issue as written, the mail as rendered, and the moment at which it is to be judged."""

    issue: Issue
    rendered: RenderedIssue
    config: Config
    template_folders: tuple[Path, Path]  # the workspace's, then the built-in theme's
    message: bytes  # a sample of the finished mail, as a provider gets it (RFC 5322)
    at: datetime
    known_fields: frozenset[str] | None  # the merge fields that the audience has; None where it is not known

    @property
    def settings(self) -> Settings:
        """What `newsletter.toml` says."""
        return self.config.settings


class CheckContext(Struct, frozen=True, kw_only=True):
    """The subject, and what is read out of it once for all rules."""

    subject: Subject
    documents: tuple[MailDocument, ...]  # one for each variant
    sources: Sources
    message: WireMessage

    @property
    def issue_place(self) -> Place:
        """`issue.yaml` as a whole: where a finding belongs that no single line of the user's files caused."""
        return Place(path=self.subject.issue.source.path)

    def config_place(self, *keys: str | int) -> Place:
        """Return a key of `newsletter.toml`, named with its tables."""
        return place_of_key(self.subject.config, *keys)

    def text_place(self, text: str) -> Place:
        """Where a text of the mail is written; `issue.yaml` as a whole where the theme or the program made it."""
        return self.sources.place_of_text(text) or self.issue_place

    def link_place(self, address: str, text: str) -> Place:
        """Return where a link is written; `issue.yaml` as a whole where the theme made it."""
        return self.sources.place_of_link(address, text) or self.issue_place

    def picture_place(self, address: str) -> Place:
        """Return where a picture's file is named; `issue.yaml` as a whole where the theme names it."""
        return self.sources.place_of_picture(address) or self.issue_place

    def readable(self, text: str) -> str:
        """Return the text with merge fields as the user wrote them, in the place of their tokens."""
        written = {use.field.token: str(use.field) for use in self.subject.issue.merge_fields}
        return MERGE_TOKEN.sub(lambda match: written.get(match[0], match[0]), text)


class Problem(Struct, frozen=True, kw_only=True):
    """One thing that a check found, before the rule is named that it breaks; tokens may stand in its words."""

    severity: Severity
    place: Place
    what: str
    remedy: str


Check = Callable[[CheckContext], Iterable[Problem]]


class Rule(Struct, frozen=True, kw_only=True):
    """One rule: its id, what it asks, why, and the check that holds mail to it."""

    id: str
    title: str
    why: str
    source: str = "this program"  # who asks for it
    severity: Severity = Severity.ERROR  # the highest that it gives
    check: Check | None = None  # None where a probe judges it, or the reading of the files
    needs_audience: bool = False  # whether it says nothing until the audience's merge fields are known
    can_be_waived: bool = True  # False where the law asks for it, or nothing could be sent


def rule(
    id_: str,
    *,
    source: str = "this program",
    severity: Severity = Severity.ERROR,
    needs_audience: bool = False,
    can_be_waived: bool = True,
) -> Callable[[Check], Rule]:
    """Return a decorator that makes a rule of the check below it.

    As with the commands and their help, the words are those of the docstring: its first line is the title, its second
    paragraph says why. What follows is for whoever changes the check.
    """

    def made_of(check: Check) -> Rule:
        title, why, *_ = (" ".join(paragraph.split()) for paragraph in cleandoc(check.__doc__ or "").split("\n\n"))
        return Rule(
            id=id_,
            title=title.removesuffix("."),
            why=why,
            source=source,
            severity=severity,
            check=check,
            needs_audience=needs_audience,
            can_be_waived=can_be_waived,
        )

    return made_of


class Circumstances(Struct, frozen=True, kw_only=True):
    """What the probes are given besides the context."""

    memory_folder: Path  # where answers may be kept between runs
    now: datetime
    without: frozenset[Means] = frozenset()  # what is not to be used


class Probed(Struct, frozen=True, kw_only=True):
    """What a probe found: the rule that each problem breaks, and the rules that it could not judge."""

    problems: tuple[tuple[str, Problem], ...] = ()
    not_run: tuple[NotRun, ...] = ()


class Probe(Struct, frozen=True, kw_only=True):
    """Judges rules by something outside this program.

    Its module, whose `examine` does the work, is loaded only when it is used, since what it works with is heavy.
    """

    title: str  # what it does, as progress shows it
    means: Means
    rules: tuple[str, ...]
    module: str  # below newsletter.checks

    def examine(self, context: CheckContext, circumstances: Circumstances) -> Probed:
        """Judge the rules. Raise CannotRunError, with the reason, where none of them can be judged."""
        module = import_module(f"newsletter.checks.{self.module}")
        judge: Callable[[CheckContext, Circumstances], Probed] = module.examine
        return judge(context, circumstances)


def read_context(subject: Subject) -> CheckContext:
    """Parse each variant, and index the user's texts, links and pictures by what they say."""
    return CheckContext(
        subject=subject,
        documents=tuple(read_document(variant) for variant in subject.rendered.variants),
        sources=index_sources(subject.issue, subject.config),
        message=read_message(subject.message),
    )


def first_of_each(things: Iterable[_Thing], kind_of: Callable[[_Thing], Hashable]) -> Iterator[_Thing]:
    """Yield the first thing of each kind, so that what is wrong a hundred times is told once."""
    seen: set[Hashable] = set()
    for thing in things:
        if (kind := kind_of(thing)) not in seen:
            seen.add(kind)
            yield thing


def shown(text: str) -> str:
    """Return the first words of a text, for a finding about it."""
    words = text.split()
    return " ".join(words[:_SHOWN_WORDS]) + (" …" if len(words) > _SHOWN_WORDS else "")


def error(place: Place, what: str, remedy: str) -> Problem:
    """Return a problem that holds the mail back."""
    return Problem(severity=Severity.ERROR, place=place, what=what, remedy=remedy)


def warning(place: Place, what: str, remedy: str) -> Problem:
    """Return a problem that is shown, and holds nothing back."""
    return Problem(severity=Severity.WARNING, place=place, what=what, remedy=remedy)
