"""The studio's page as HTML: the mail in the middle, all that is to be known about it at its edge."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from newsletter.checks.rules.size import HTML_LIMIT_BYTES, HTML_NEAR_LIMIT_BYTES
from newsletter.errors import Mistake
from newsletter.model.finding import Finding, Severity
from newsletter.model.rendered import RenderedVariant
from newsletter.web.studio.proofs import Proof
from newsletter.web.studio.views import Pictures, Reader, Scheme, Show, View, chosen_variant, mail_in_view, variant_key
from newsletter.workflows.compose.compose import Composed
from newsletter.workflows.compose.sample import SampleMail

# Beside this module, not in the theme: a workspace changes the look of its email, not of the tools that make it.
_PAGES = Path(__file__).parent / "pages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One line of the list beside the mail: a finding, or a mistake that keeps the issue from being composed."""

    kind: str
    is_error: bool
    place: str
    what: str
    remedy: str
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantChoice:
    """A variant to choose: its key in the address, and who sees it."""

    key: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The mail on the page, and what it weighs."""

    composed: Composed
    mail: SampleMail
    variants: tuple[VariantChoice, ...]
    variant: str  # the key of the one that is shown
    html_bytes: int
    text_bytes: int
    pictures: int
    picture_bytes: int

    @property
    def month_and_day(self) -> str:
        """The issue's date, as short as an inbox writes it."""
        day = self.composed.issue.fields.date
        return f"{day.day} {day:%b}"


def studio_page(proof: Proof, view: View, issues: Iterable[str]) -> str:
    """The whole page."""
    shown = _shown(proof, view)
    remarks = [_of_mistake(mistake) for mistake in proof.mistakes]
    if shown is not None and not proof.mistakes:
        remarks = [_of_finding(finding) for finding in _errors_first(shown.composed.findings)]
    return (
        _templates()
        .get_template("studio.html.j2")
        .render(
            proof=proof,
            newsletter=proof.config.settings.newsletter,
            view=view,
            issues=tuple(issues),
            shown=shown,
            remarks=remarks,
            verdict=_verdict(remarks),
            html_limit_bytes=HTML_LIMIT_BYTES,
            html_near_limit_bytes=HTML_NEAR_LIMIT_BYTES,
            choices={"show": Show, "scheme": Scheme, "pictures": Pictures, "reader": Reader},
        )
    )


def missing_page(issue: str, issues: Iterable[str]) -> str:
    """What is said where there is no such issue: the ones that there are."""
    return _templates().get_template("missing.html.j2").render(issue=issue, issues=tuple(issues))


def studio_file(name: str) -> str:
    """The studio's own style sheet or script."""
    return (_PAGES / name).read_text(encoding="utf-8")


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sentence"] = _sentence
    return environment


def _sentence(text: str) -> Markup:
    """The text with a capital, unless it begins with a path or a key, and with what backticks enclose set as code."""
    first, _, _ = text.partition(" ")
    if first.isalpha():
        text = text[0].upper() + text[1:]
    pieces = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if index % 2 else escape(piece) for index, piece in enumerate(pieces)
    )


def _shown(proof: Proof, view: View) -> Shown | None:
    if proof.composed is None:
        return None
    rendered = proof.composed.rendered
    mail = mail_in_view(proof.config, rendered, view)
    return Shown(
        composed=proof.composed,
        mail=mail,
        variants=tuple(
            VariantChoice(key=variant_key(rendered, each), label=_label(each)) for each in rendered.variants
        ),
        variant=variant_key(rendered, chosen_variant(rendered, view)),
        html_bytes=len(mail.html.encode()),
        pictures=len(rendered.pictures),
        text_bytes=len(mail.text.encode()),
        picture_bytes=sum(len(picture.content) for picture in rendered.pictures),
    )


def _label(variant: RenderedVariant) -> str:
    return variant.readership.label or "everyone else"


def _errors_first(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (bool(finding.waived), finding.severity is not Severity.ERROR))


def _of_finding(finding: Finding) -> Remark:
    if finding.waived:
        return Remark(
            kind="Waived",
            is_error=False,
            place=str(finding.place),
            what=finding.what,
            remedy=f"because {finding.waived}",
            rule=finding.rule,
        )
    return Remark(
        kind=finding.severity.value.capitalize(),
        is_error=finding.severity is Severity.ERROR,
        place=str(finding.place),
        what=finding.what,
        remedy=finding.remedy,
        rule=finding.rule,
    )


def _of_mistake(mistake: Mistake) -> Remark:
    return Remark(kind="Mistake", is_error=True, place=mistake.place, what=mistake.what, remedy=mistake.remedy)


def _verdict(remarks: list[Remark]) -> str:
    """How many there are of each kind, in words: `1 error, 3 warnings`."""
    counts: dict[str, int] = {}
    for remark in remarks:
        counts[remark.kind.lower()] = counts.get(remark.kind.lower(), 0) + 1
    return ", ".join(f"{count} {kind}{'s' if count > 1 and kind != 'waived' else ''}" for kind, count in counts.items())
