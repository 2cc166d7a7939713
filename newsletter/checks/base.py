"""The types that all checks share: their input, the problems that they return, rules and probes."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import datetime
from functools import lru_cache, wraps
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

from msgspec import Struct
from msgspec.structs import replace

from newsletter.checks.reading.document import MailDocument, read_document
from newsletter.checks.reading.sources import Sources, index_sources
from newsletter.checks.reading.wire import WireMessage, read_message
from newsletter.config import Config, place_of_key
from newsletter.errors import Fix
from newsletter.model.finding import Means, NotRun, Place, Severity
from newsletter.model.issue import CarriedOver, Issue, IssueHeading
from newsletter.model.ledger import ZoneCount
from newsletter.model.rendered import RenderedIssue, RenderedVariant
from newsletter.settings.workspace import Settings

_SHOWN_WORDS = 6
_Thing = TypeVar("_Thing")
# Ends the remedy of a problem that only a template can have.
IN_TEMPLATES = "in your own templates in templates/, or delete the template to use the built-in one"


class Subject(Struct, frozen=True, kw_only=True):
    """The input of all checks: the issue as written, the email as rendered, and the time of delivery."""

    issue: Issue
    rendered: RenderedIssue
    config: Config
    template_folders: tuple[Path, Path]  # the workspace's own, then those of the built-in theme
    message: bytes  # a sample of the finished email, as the provider receives it (RFC 5322)
    at: datetime
    known_fields: frozenset[str] | None  # the merge fields that subscribers have; None if they are not known
    why_unknown: str = "there are no subscribers yet"
    earlier: tuple[IssueHeading, ...] = ()  # the other issues of the workspace, up to the date of this one
    carried_over: tuple[CarriedOver, ...] = ()  # what it has in common with the issue before
    arrivals: tuple[ZoneCount, ...] = ()  # when the email arrives in each time zone; empty if at one time everywhere
    message_for: Callable[[RenderedVariant], bytes] | None = None  # the same sample of a variant in another language

    @property
    def settings(self) -> Settings:
        """The settings in `newsletter.toml`."""
        return self.config.settings


class CheckContext(Struct, frozen=True, kw_only=True):
    """The subject and its parsed parts, which all rules share."""

    subject: Subject
    documents: tuple[MailDocument, ...]  # one per variant
    sources: Sources
    message: WireMessage
    whole: Subject  # the issue in all versions and languages. `subject` is the whole or a part of it

    @property
    def issue_place(self) -> Place:
        """`issue.yaml` without a line number, the place of a problem that no single line of the user's files caused."""
        return Place(path=self.subject.issue.source.path)

    def config_place(self, *keys: str | int) -> Place:
        """Return the place of a key in `newsletter.toml`. All keys but the last one are names of tables."""
        return place_of_key(self.subject.config, *keys)

    def text_place(self, text: str) -> Place:
        """Return the place where the text was written, or `issue.yaml` if the theme or the program wrote it."""
        return self.sources.place_of_text(text) or self.issue_place

    def link_place(self, address: str, text: str) -> Place:
        """Return the place where a link was written, or `issue.yaml` if it comes from the theme."""
        return self.sources.place_of_link(address, text) or self.issue_place

    def picture_place(self, address: str) -> Place:
        """Return the place where an image was added, or `issue.yaml` if it comes from the theme."""
        return self.sources.place_of_picture(address) or self.issue_place

    def readable(self, text: str) -> str:
        """Return the text with each merge token replaced by the merge field as the user wrote it."""
        return self.subject.issue.readable(text)


class Problem(Struct, frozen=True, kw_only=True):
    """A problem that a check found, without the id of its rule. Its text may contain merge tokens."""

    severity: Severity
    place: Place
    what: str
    remedy: str
    fix: Fix | None = None  # if the remedy is exactly this edit of the line


Check = Callable[[CheckContext], Iterable[Problem]]


class Rule(Struct, frozen=True, kw_only=True):
    """A rule: its id, its texts, and the check that finds problems."""

    id: str
    title: str  # the problem in a few words, for example "Missing alt text"
    why: str  # what is checked, and why it matters to readers
    source: str = "this program"  # who requires it
    severity: Severity = Severity.ERROR  # the highest severity of its problems
    check: Check | None = None  # None if a probe does the check, or if it is done while the files are loaded
    needs_audience: bool = False  # True if it cannot run until the subscribers' merge fields are known
    can_be_waived: bool = True  # False if the law requires it, or nothing could be sent without it
    is_once: bool = False  # True if it is about what all languages share, so that it is not applied to each of them


def rule(
    id_: str,
    *,
    source: str = "this program",
    severity: Severity = Severity.ERROR,
    needs_audience: bool = False,
    can_be_waived: bool = True,
    is_once: bool = False,
) -> Callable[[Check], Rule]:
    """Return a decorator that turns a check into a rule.

    Users see the check's docstring, just as they see a command's docstring in its help. Its first line is the title:
    a noun phrase that names the problem. Its second paragraph says what is checked, then why it matters to readers.
    Further paragraphs are for developers.
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
            is_once=is_once,
        )

    return made_of


class Circumstances(Struct, frozen=True, kw_only=True):
    """The input of a probe, in addition to the context."""

    memory_folder: Path  # where results may be stored between runs
    now: datetime
    without: frozenset[Means] = frozenset()  # the tools that must not be used
    are_pictures_hosted: bool = False  # whether the images of the email were just uploaded to the archive


class Probed(Struct, frozen=True, kw_only=True):
    """The result of a probe: its problems, each with the id of its rule, the rules that it skipped, and its notes."""

    problems: tuple[tuple[str, Problem], ...] = ()
    not_run: tuple[NotRun, ...] = ()
    notes: tuple[str, ...] = ()  # about this machine, not the issue


class Probe(Struct, frozen=True, kw_only=True):
    """A check of one or more rules that needs something outside this program.

    The work is done by `examine` in its module. The module is imported on first use, because its packages are slow to
    load.
    """

    title: str  # what it does, for the progress display
    means: Means
    rules: tuple[str, ...]
    module: str  # its name within newsletter.checks

    def examine(self, context: CheckContext, circumstances: Circumstances) -> Probed:
        """Check the rules. Raise CannotRunError, with the reason, if none of them can be checked."""
        module = import_module(f"newsletter.checks.{self.module}")
        judge: Callable[[CheckContext, Circumstances], Probed] = module.examine
        return judge(context, circumstances)


_Args = ParamSpec("_Args")


def remembered(find: Callable[_Args, Iterable[_Thing]]) -> Callable[_Args, tuple[_Thing, ...]]:
    """Return a function that caches what another one yields. Its arguments must contain all that this depends on.

    A paragraph, an event or a section that has not changed is the same object in the next build. So a rebuild after an
    edit examines only what was edited.
    """

    @lru_cache(maxsize=8192)
    @wraps(find)
    def found(*args: _Args.args, **kwargs: _Args.kwargs) -> tuple[_Thing, ...]:
        return tuple(find(*args, **kwargs))

    return cast("Callable[_Args, tuple[_Thing, ...]]", found)


def read_context(subject: Subject, whole: Subject | None = None) -> CheckContext:
    """Parse each variant and the message, and index the texts, links and images in the user's files.

    `whole` is what the subject is a part of, if it is one.
    """
    issues = [part.issue for part in parts_by_form(subject)]
    return CheckContext(
        subject=subject,
        documents=tuple(read_document(variant) for variant in subject.rendered.variants),
        sources=index_sources(issues, subject.config, subject.rendered.pictures),
        message=read_message(subject.message),
        whole=whole or subject,
    )


def parts_by_form(subject: Subject) -> tuple[Subject, ...]:
    """Return the part of a subject in each version and language in which there is a variant, the issue's own first."""
    own, rendered = subject.issue, subject.rendered
    by_form: dict[tuple[str, str], list[RenderedVariant]] = {(rendered.fullest.readership.version, own.language): []}
    for variant in rendered.variants:
        by_form.setdefault((variant.readership.version, variant.language), []).append(variant)
    if len(by_form) == 1:
        return (subject,)
    return tuple(
        replace(
            subject,
            issue=own.in_version(version).in_language(language),
            rendered=replace(rendered, variants=tuple(variants), fullest=variants[0]),
        )
        for (version, language), variants in by_form.items()
        if variants
    )


def first_of_each(things: Iterable[_Thing], kind_of: Callable[[_Thing], Hashable]) -> Iterator[_Thing]:
    """Yield the first thing of each kind, so that a problem that occurs a hundred times is reported once."""
    seen: set[Hashable] = set()
    for thing in things:
        if (kind := kind_of(thing)) not in seen:
            seen.add(kind)
            yield thing


def shown(text: str) -> str:
    """Return the first words of the text, for quoting it in a problem."""
    words = text.split()
    return " ".join(words[:_SHOWN_WORDS]) + (" …" if len(words) > _SHOWN_WORDS else "")


def error(place: Place, what: str, remedy: str, *, fix: Fix | None = None) -> Problem:
    """Return a problem that blocks sending."""
    return Problem(severity=Severity.ERROR, place=place, what=what, remedy=remedy, fix=fix)


def warning(place: Place, what: str, remedy: str, *, fix: Fix | None = None) -> Problem:
    """Return a problem that is shown but does not block sending."""
    return Problem(severity=Severity.WARNING, place=place, what=what, remedy=remedy, fix=fix)
