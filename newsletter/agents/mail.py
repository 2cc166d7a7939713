"""What an agent can see of an issue: its problems, its email as HTML and text, and pictures of it.

All of it is for sample readers, about whom nothing is known. The list is never opened, nothing is requested from the
network, and nothing is written.
"""

import os
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from newsletter.agents.files import require_issue_name
from newsletter.agents.outgoing import ToolAnswer
from newsletter.config import Config
from newsletter.content.loader import ISSUES_FOLDER
from newsletter.errors import InputError
from newsletter.model.finding import Finding, Means
from newsletter.model.rendered import RenderedVariant, with_local_pictures
from newsletter.render.theme import Theme
from newsletter.settings.mistakes import suggestion
from newsletter.workflows.compose.check import LIST_IS_CLOSED, judge_issue
from newsletter.workflows.compose.compose import Composed, Probing, compose_issue
from newsletter.workflows.compose.sample import SampleMail, mail_of, sample_reader
from newsletter.workflows.translations.overview import findings_on_translations

SAMPLE_ADDRESS = "reader@example.com"
EVERYONE_ELSE = "everyone else"


class ShownIssue(Struct, frozen=True, kw_only=True):
    """An issue and one of its variants, as a sample reader gets it."""

    composed: Composed
    variant: RenderedVariant
    mail: SampleMail

    @property
    def html(self) -> str:
        """The HTML with a path for each image. In the email, the name of an image looks like an address."""
        return with_local_pictures(self.mail.html, self.composed.rendered.pictures, "pictures/")


def require_shown(config: Config, issue: str, variant: str, theme: Theme, *, now: datetime) -> ShownIssue:
    """Compose an issue for a sample reader. Without a variant's label, take the one with the most sections.

    Raise MistakesError for mistakes in its files, and InputError if it has no such variant.
    """
    composed = compose_issue(config, require_folder(config, issue), theme=theme, known_fields=LIST_IS_CLOSED)
    known = variants_of(composed)
    if variant and variant not in known:
        raise InputError(f"the issue has no variant {variant[:60]!r}; {suggestion(variant[:60], list(known))}")
    chosen = known[variant] if variant else composed.rendered.fullest
    reader = sample_reader(config, {"email": SAMPLE_ADDRESS})
    return ShownIssue(composed=composed, variant=chosen, mail=mail_of(config, chosen, reader, made_at=now))


def variants_of(composed: Composed) -> dict[str, RenderedVariant]:
    """Return the variants of an issue, by the words that say who gets them."""
    return {variant.readership.label or EVERYONE_ELSE: variant for variant in composed.rendered.variants}


def require_folder(config: Config, issue: str) -> Path:
    """Return the folder of an issue. Raise InputError if there is none, or if it contains a link to another place."""
    folder = config.root / ISSUES_FOLDER / require_issue_name(config, issue)
    for above, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(above, name)
            if path.is_symlink():
                what = f"{config.shown(path)} is a link, and agents are shown only files that are in the issue"
                raise InputError(f"{what}; a person must replace it with a copy")
    return folder


def check_issue(config: Config, issue: str, theme: Theme, *, in_browser: bool, now: datetime) -> ToolAnswer:
    """Return one line per problem of an issue, and which checks were skipped."""
    without = frozenset(Means) - ({Means.BROWSER} if in_browser else set())
    folder = require_folder(config, issue)
    judgment = judge_issue(config, folder, probing=Probing(now=now, without=without), theme=theme, reads_list=False)
    findings = (*judgment.findings, *findings_on_translations(config, folder))
    lines = [_line(finding) for finding in findings] or ["No problems found."]
    if judgment.not_run:
        lines.append(f"Skipped: {', '.join(sorted({each.rule for each in judgment.not_run}))}")
    return ToolAnswer(text="\n".join(lines))


def build_issue(config: Config, issue: str, variant: str, theme: Theme, *, now: datetime) -> ToolAnswer:
    """Return the subject, the text part and the HTML of an issue's email."""
    shown = require_shown(config, issue, variant, theme, now=now)
    names = ", ".join(variants_of(shown.composed))
    parts = (
        f"Variant: {shown.variant.readership.label or EVERYONE_ELSE} (of: {names})",
        f"Subject: {shown.mail.subject}",
        f"Preheader: {shown.mail.preheader}",
        f"Content: {shown.composed.rendered.content_hash[:12]}",
        f"\n--- text ---\n{shown.mail.text}",
        f"\n--- HTML, {len(shown.mail.html.encode()):,} bytes ---\n{shown.html}",
    )
    return ToolAnswer(text="\n".join(parts))


def _line(finding: Finding) -> str:
    if finding.waived:
        return f"{finding.place}: overridden: {finding.what} [{finding.rule}]"
    return f"{finding.place}: {finding.severity}: {finding.what}; {finding.remedy} [{finding.rule}]"
