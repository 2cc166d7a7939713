"""Render the page of an issue: the email in the middle, and what is known about it at the edges."""

from collections.abc import Collection, Mapping
from datetime import datetime

from markupsafe import Markup
from msgspec import Struct
from starlette.responses import HTMLResponse

from newsletter.checks.clients.simulation.inbox_rows import InboxRow
from newsletter.checks.registry import named
from newsletter.checks.rules.size import HTML_LIMIT_BYTES, HTML_NEAR_LIMIT_BYTES
from newsletter.config import Config
from newsletter.language.catalogue import spoken_languages
from newsletter.language.words import language_name
from newsletter.model.axes import Axis
from newsletter.model.mailbox import MailboxProvider
from newsletter.model.readership import HIDDEN, LANGUAGE, MAILBOX, ONLY, SHOWN, TRACKING, TrackingMode
from newsletter.web.studio.frame import marked_up, shown_mail
from newsletter.web.studio.panels import (
    ListedImage,
    SectionSize,
    images_of,
    problems_of,
    rows_in_inboxes,
    section_sizes,
)
from newsletter.web.studio.proofs import IssueProof
from newsletter.web.studio.sheet import listed_files
from newsletter.web.studio.studio import Studio
from newsletter.web.studio.templates import page
from newsletter.web.studio.views import (
    SAMPLE_READER,
    UNKNOWN_READER,
    DeviceScheme,
    Letters,
    Notes,
    Pictures,
    Show,
    StudioView,
)
from newsletter.web.studio.whom import ZONES, Whom, city
from newsletter.workflows.compose.compose import Composed
from newsletter.workflows.compose.editing import usable_fixes
from newsletter.workflows.compose.sample import message_of

MESSAGE_LIMIT_BYTES = 400_000  # of the message on the page, because its images are long; the file is complete
_ONLY_VALUES = {SHOWN: "a member", HIDDEN: "not a member"}
_TRACKING_VALUES = {TrackingMode.CONSENTED.value: "agreed", TrackingMode.OFF.value: "did not agree"}


class ReaderChoice(Struct, frozen=True, kw_only=True):
    """One way in which a made-up reader can differ: the control, and the names of its values."""

    name: str  # of the form's field
    label: str
    values: Mapping[str, str]
    chosen: str


class ShownMail(Struct, frozen=True, kw_only=True):
    """The email on the page, and what is known about it."""

    composed: Composed
    seen: Whom
    subject: Markup
    preheader: Markup
    text: Markup
    html_bytes: int
    text_bytes: int
    sections: tuple[SectionSize, ...]
    images: tuple[ListedImage, ...]
    rows: tuple[InboxRow, ...]  # empty unless the view shows them, because they take time
    message: str  # likewise
    choices: tuple[ReaderChoice, ...]

    @property
    def month_and_day(self) -> str:
        """The issue's date in the short form that inboxes use, such as `Feb 3`."""
        day = self.composed.issue.fields.date
        return f"{day:%b} {day.day}"

    @property
    def image_bytes(self) -> int:
        """The size of all images together."""
        return sum(image.size_bytes for image in self.images)


def issue_page(
    studio: Studio, proof: IssueProof, view: StudioView, *, now: datetime, neighbors: Mapping[str, str]
) -> HTMLResponse:
    """Return the whole page. `neighbors` are the addresses of the studio's other pages, with their titles."""
    if proof.composed is not None:
        view = view.for_axes(proof.composed.rendered.axes)
    shown = _shown(studio, proof, view, now=now)
    folder = proof.folder
    problems = problems_of(proof.composed, proof.mistakes)
    return page(
        studio,
        "issue.html.j2",
        proof=proof,
        view=view,
        query=view.query,
        reader=view.reader if view.reader == SAMPLE_READER or (shown and shown.seen.is_subscriber) else UNKNOWN_READER,
        issues=tuple(studio.proofs.issues()),
        neighbors=neighbors,
        shown=shown,
        problems=problems,
        editable=listed_files(proof),
        fixes=usable_fixes(proof.config, folder, proof.mistakes or (proof.composed.findings if proof.composed else ())),
        first_mistake=proof.mistakes[0] if proof.mistakes else None,
        skipped=[named(each.rule) for each in shown.composed.not_run] if shown and not proof.mistakes else [],
        verdict=_verdict({kind: len(listed) for kind, listed in problems.items()}),
        html_limit_bytes=HTML_LIMIT_BYTES,
        html_near_limit_bytes=HTML_NEAR_LIMIT_BYTES,
        message_limit_bytes=MESSAGE_LIMIT_BYTES,
        options={"show": Show, "scheme": DeviceScheme, "pictures": Pictures, "letters": Letters, "notes": Notes},
    )


def raw_message(config: Config, seen: Whom, *, now: datetime) -> bytes:
    """Return the message as it would be sent to a reader: with its headers, the text, the HTML and the images."""
    return message_of(config, seen.variant, seen.reader, now=now)


def _shown(studio: Studio, proof: IssueProof, view: StudioView, *, now: datetime) -> ShownMail | None:
    composed, config = proof.composed, proof.config
    if composed is None:
        return None
    seen = studio.lookups.whom(config, composed, view)
    mail = shown_mail(proof, seen, now=now)
    sections = section_sizes(composed, mail)
    message = raw_message(config, seen, now=now) if view.show is Show.SOURCE else b""
    return ShownMail(
        composed=composed,
        seen=seen,
        subject=marked_up(mail.subject, view),
        preheader=marked_up(mail.preheader, view),
        text=marked_up(mail.text, view),
        html_bytes=sum(section.size_bytes for section in sections),
        text_bytes=len(str(mail.text).encode()),
        sections=sections,
        images=images_of(config, composed, seen),
        rows=rows_in_inboxes(composed, config, seen, mail) if view.show is Show.INBOX else (),
        message=message[:MESSAGE_LIMIT_BYTES].decode(errors="replace").replace("\r\n", "\n"),
        choices=() if seen.is_subscriber else tuple(_reader_choices(config, view, composed.rendered.axes)),
    )


def _reader_choices(config: Config, view: StudioView, axes: Collection[Axis]) -> list[ReaderChoice]:
    """Return the controls of a made-up reader: language and zone, then the axes on which the issue differs."""
    languages = dict(sorted(((code, language_name(code)) for code in spoken_languages()), key=lambda pair: pair[1]))
    zones = {zone: city(zone) for zone in dict.fromkeys((config.settings.newsletter.timezone, *ZONES))}
    choices = [
        ReaderChoice(name="language", label="Language", values={"": "unknown", **languages}, chosen=view.language),
        ReaderChoice(name="timezone", label="Time zone", values={"": "unknown", **zones}, chosen=view.timezone),
    ]
    others = (axis for axis in axes if axis.name != LANGUAGE)  # which follows from that of the reader
    return choices + [_axis_choice(axis, view) for axis in others if len(axis.values) > 1]


def _axis_choice(axis: Axis, view: StudioView) -> ReaderChoice:
    names: Mapping[str, str] = {}
    label = axis.name.capitalize()
    if axis.name.startswith(ONLY):
        label, names = f"Segment {axis.name.removeprefix(ONLY)}", _ONLY_VALUES
    elif axis.name == MAILBOX:
        names = {provider.value: provider.label for provider in MailboxProvider}
    elif axis.name == TRACKING:
        label, names = "Consent to tracking", _TRACKING_VALUES
    values = {value: names.get(value, value) for value in axis.values}
    chosen = view.sees.get(axis.name, axis.fullest)
    return ReaderChoice(name=f"see.{axis.name}", label=label, values=values, chosen=chosen)


def _verdict(counts: Mapping[str, int]) -> str:
    """Return the number of problems of each kind as text, such as `1 error, 3 warnings`."""
    told = ((kind.lower(), n) for kind, n in counts.items())
    return ", ".join(f"{n} {kind}{'s' if n > 1 and kind != 'overridden' else ''}" for kind, n in told)
