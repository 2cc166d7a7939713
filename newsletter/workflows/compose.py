"""Compose an issue: load it, render it, check it. Every other intent begins here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from newsletter.checks.base import Subject
from newsletter.checks.registry import check_issue
from newsletter.config import Config
from newsletter.content.loader import ISSUE_FILE, load_issue
from newsletter.errors import InputError, MistakesError
from newsletter.model.broadcast import Envelope, Mailing, Recipient
from newsletter.model.finding import Finding, Place, Severity
from newsletter.model.issue import Issue
from newsletter.model.merge import UNSUBSCRIBE_FIELD
from newsletter.model.mistakes import suggestion
from newsletter.model.rendered import RenderedIssue, RenderedVariant
from newsletter.render.memory import Memory
from newsletter.render.merge import slot_values
from newsletter.render.pipeline import render_issue
from newsletter.render.theme import Theme

CONTENT_RULE = "C1"  # the files themselves: they are read before there is a mail that the other rules could judge
BUILD_FOLDER = "build"
ISSUES_FOLDER = "issues"
SAMPLE_TOKEN = "sample"  # noqa: S105 - what stands in unsubscribe links of mail that goes to nobody on the list


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleMail:
    """One mail as somebody would receive it."""

    subject: str
    preheader: str
    html: str
    text: str


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

    Raises MistakesError with every mistake in its files, InputError where a template is wrong.
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


def sample_mail(config: Config, variant: RenderedVariant, values: Mapping[str, str] | None = None) -> SampleMail:
    """The mail of somebody with these merge values; of somebody of whom nothing is known without them."""
    unsubscribe_url = sample_unsubscribe_url(config)
    filled = slot_values(variant.slots, {**(values or {}), UNSUBSCRIBE_FIELD: unsubscribe_url})
    return SampleMail(
        subject=variant.subject.fill(filled),
        preheader=variant.preheader.fill(filled),
        html=variant.html.fill(filled),
        text=variant.text.fill(filled),
    )


def plain_subject(config: Config, composed: Composed) -> str:
    """The subject as somebody of whom nothing is known would see it."""
    return sample_mail(config, composed.rendered.fullest).subject


def sample_unsubscribe_url(config: Config) -> str:
    """An unsubscribe link that belongs to nobody."""
    return f"{config.settings.service.url}/u/{SAMPLE_TOKEN}"


def envelope_of(config: Config) -> Envelope:
    """Who sends, as `newsletter.toml` says."""
    identity = config.settings.newsletter
    return Envelope(
        from_name=identity.from_name,
        from_email=identity.from_email,
        reply_to=identity.reply_to or "",
        list_name=identity.name,
        list_id=identity.list_id or f"newsletter.{identity.from_email.rpartition('@')[2]}",
        service_url=config.settings.service.url,
    )


def address_recipient(
    variant: RenderedVariant, *, delivery: int, email: str, name: str, unsubscribe_url: str, values: Mapping[str, str]
) -> Recipient:
    """One message to make: the values of a person, escaped for each slot of the variant."""
    return Recipient(
        delivery=delivery,
        email=email,
        name=name,
        unsubscribe_url=unsubscribe_url,
        values=slot_values(variant.slots, {**values, UNSUBSCRIBE_FIELD: unsubscribe_url}),
    )


def mailing_of(
    variant: RenderedVariant,
    envelope: Envelope,
    *,
    broadcast: str,
    category: str,
    variant_key: str,
    nonce: str,
    subject_prefix: str = "",
) -> Mailing:
    """All that is the same for every message of a variant."""
    return Mailing(
        broadcast=broadcast,
        category=category,
        envelope=envelope,
        variant_key=variant_key,
        variant=variant,
        nonce=nonce,
        subject_prefix=subject_prefix,
    )
