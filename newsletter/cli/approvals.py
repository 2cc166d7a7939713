"""What somebody is about to approve, on the screen."""

from newsletter.cli import output
from newsletter.cli.findings import show_findings, summarise_findings
from newsletter.config import Config
from newsletter.language.clock import show_utc
from newsletter.model.readership import Readership
from newsletter.workflows.compose.sample import sample_mail
from newsletter.workflows.send.approve import ApprovalDraft


def show_draft(config: Config, draft: ApprovalDraft, *, by: str) -> None:
    """Prints the issue, its subject, its variants, its content's hash, what was found, and what was said before."""
    composed = draft.composed
    mail = sample_mail(config, composed.rendered.fullest)
    facts = [
        ("issue", f"{composed.issue.name}  {composed.issue.fields.title}"),
        ("subject", mail.subject),
        ("preheader", mail.preheader),
        ("variants", "\n".join(_variant_line(variant.readership) for variant in composed.rendered.variants)),
        ("content", f"{draft.content_hash[:12]}  of all variants; any edit changes it"),
        ("findings", summarise_findings(composed.findings)),
        ("tested", _tested(draft)),
        ("approved", _approved(draft)),
        ("by", by),
    ]
    if len(composed.rendered.variants) == 1:
        facts = [(name, value) for name, value in facts if name != "variants"]
    output.show_facts(facts)
    if composed.errors:
        show_findings(composed.errors)


def _variant_line(readership: Readership) -> str:
    return f"with {readership.sees}" if readership.sees else "what everybody else sees"


def _tested(draft: ApprovalDraft) -> str:
    if draft.tested_at is None:
        return f"no test copy of this content yet; `newsletter test {draft.composed.issue.name}` sends one"
    return f"a test copy of this content was sent on {show_utc(draft.tested_at)}"


def _approved(draft: ApprovalDraft) -> str:
    if draft.given:
        return "\n".join(f"this content, by {given.by} on {show_utc(given.at)}" for given in draft.given)
    if draft.last is None:
        return "not yet"
    last = draft.last
    return f"changed since {last.by} approved {last.content_hash[:12]} on {show_utc(last.at)}"
