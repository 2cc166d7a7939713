"""Render the page of an issue: the email in the middle, its problems and its size at the edge."""

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct
from starlette.responses import HTMLResponse

from newsletter.checks.registry import named
from newsletter.checks.rules.size import HTML_LIMIT_BYTES, HTML_NEAR_LIMIT_BYTES
from newsletter.config import Config
from newsletter.errors import Mistake
from newsletter.model.finding import Finding, Severity
from newsletter.web.studio.proofs import IssueProof
from newsletter.web.studio.studio import Studio
from newsletter.web.studio.templates import page
from newsletter.web.studio.views import (
    SAMPLE_READER,
    UNKNOWN_READER,
    DeviceScheme,
    Pictures,
    Show,
    StudioView,
    SubscriberLookup,
    chosen_variant,
    mail_in_view,
    variant_key,
)
from newsletter.workflows.compose.compose import Composed
from newsletter.workflows.compose.sample import SampleMail


class ListedProblem(Struct, frozen=True, kw_only=True):
    """One entry in the list of problems: a finding, or a mistake that keeps the issue from being built."""

    kind: str
    is_error: bool
    place: str
    what: str
    remedy: str
    check: str = ""  # the name of the check that found it: "Missing alt text (A3)"


class ShownMail(Struct, frozen=True, kw_only=True):
    """The email on the page, and its size."""

    composed: Composed
    mail: SampleMail
    variants: Mapping[str, str]  # key in the URL → who sees it
    variant: str  # the key of the variant that is shown
    html_bytes: int
    text_bytes: int
    pictures: int
    picture_bytes: int

    @property
    def month_and_day(self) -> str:
        """The issue's date in the short form that inboxes use, such as `Feb 3`."""
        day = self.composed.issue.fields.date
        return f"{day:%b} {day.day}"


def issue_page(studio: Studio, proof: IssueProof, view: StudioView, *, lookup: SubscriberLookup | None) -> HTMLResponse:
    """Return the whole page."""
    shown = _shown(proof, view, lookup)
    problems = [_of_mistake(mistake) for mistake in proof.mistakes]
    if shown is not None and not proof.mistakes:
        problems = [_of_finding(finding) for finding in _errors_first(shown.composed.findings)]
    reader = view.reader if view.reader == SAMPLE_READER or (lookup and lookup.found) else UNKNOWN_READER
    return page(
        studio,
        "issue.html.j2",
        proof=proof,
        view=view,
        reader=reader,
        readers=(UNKNOWN_READER, SAMPLE_READER, *([reader] if lookup and lookup.found else [])),
        issues=tuple(studio.proofs.issues()),
        shown=shown,
        lookup=lookup,
        problems=problems,
        skipped=[named(each.rule) for each in shown.composed.not_run] if shown and not proof.mistakes else [],
        verdict=_verdict(problems),
        html_limit_bytes=HTML_LIMIT_BYTES,
        html_near_limit_bytes=HTML_NEAR_LIMIT_BYTES,
        choices={"show": Show, "scheme": DeviceScheme, "pictures": Pictures},
    )


def mail_on_page(config: Config, composed: Composed, view: StudioView, lookup: SubscriberLookup | None) -> SampleMail:
    """Return the email for the subscriber who was looked up. If there is none, return the one that the view selects."""
    if lookup is not None and lookup.found is not None:
        return lookup.found.mail
    return mail_in_view(config, composed.rendered, view)


def _shown(proof: IssueProof, view: StudioView, lookup: SubscriberLookup | None) -> ShownMail | None:
    if proof.composed is None:
        return None
    rendered = proof.composed.rendered
    mail = mail_on_page(proof.config, proof.composed, view, lookup)
    return ShownMail(
        composed=proof.composed,
        mail=mail,
        variants={variant_key(rendered, each): each.readership.label or "everyone else" for each in rendered.variants},
        variant=variant_key(rendered, chosen_variant(rendered, view)),
        html_bytes=len(mail.html.encode()),
        text_bytes=len(mail.text.encode()),
        pictures=len(rendered.pictures),
        picture_bytes=sum(len(picture.content) for picture in rendered.pictures),
    )


def _errors_first(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (bool(finding.waived), finding.severity is not Severity.ERROR))


def _of_finding(finding: Finding) -> ListedProblem:
    return ListedProblem(
        kind="Overridden" if finding.waived else finding.severity.value.capitalize(),
        is_error=finding.severity is Severity.ERROR and not finding.waived,
        place=str(finding.place),
        what=finding.what,
        remedy=f"because {finding.waived}" if finding.waived else finding.remedy,
        check=named(finding.rule),
    )


def _of_mistake(mistake: Mistake) -> ListedProblem:
    return ListedProblem(kind="Error", is_error=True, place=mistake.place, what=mistake.what, remedy=mistake.remedy)


def _verdict(problems: Iterable[ListedProblem]) -> str:
    """Return the number of problems of each kind as text, such as `1 error, 3 warnings`."""
    counts = Counter(problem.kind.lower() for problem in problems)
    return ", ".join(f"{n} {kind}{'s' if n > 1 and kind != 'overridden' else ''}" for kind, n in counts.items())
