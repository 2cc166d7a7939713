"""What a broadcast would do, for a person who is about to say yes."""

from newsletter.cli import output
from newsletter.cli.findings import show_findings
from newsletter.config import Config
from newsletter.model.ledger import VariantCount
from newsletter.workflows.broadcast import BroadcastPlan
from newsletter.workflows.sample import sample_mail


def show_plan(config: Config, plan: BroadcastPlan, *, through: str) -> None:
    """Prints issue, sender, people, variants, provider, waivers and findings."""
    envelope, issue = plan.request.envelope, plan.composed.issue
    preview = plan.preview
    facts = [
        ("issue", f"{issue.name}  {issue.fields.title}"),
        ("subject", sample_mail(config, plan.composed.rendered.fullest).subject),
        ("from", f"{envelope.from_name} <{envelope.from_email}>"),
        ("to", f"{plan.request.segment.name}: {output.count_of(preview.recipients, 'subscriber')}"),
    ]
    left_out = [f"{count.deliveries:,} {count.reason}" for count in preview.excluded]
    if left_out:
        facts.append(("left out", "\n".join(left_out)))
    if plan.request.only:
        facts.append(("variants", "\n".join(_variant_line(variant) for variant in preview.variants)))
    facts.append(("through", through))
    facts += [("waived", f"{waiver.rule}: {waiver.because}") for waiver in plan.request.waivers]
    facts += [("not waived", f"{rule}: it found nothing") for rule in plan.unused_waivers]
    output.show_facts(facts)
    if plan.waived:
        output.note(
            f"Waived for this broadcast, which the ledger will say: {output.count_of(len(plan.waived), 'finding')}."
        )
    if plan.blocking:
        show_findings(plan.blocking, form="text", issue=issue.name)
    elif plan.warnings:
        output.note(f"{output.count_of(len(plan.warnings), 'warning')}; `newsletter check {issue.name}` lists them")


def _variant_line(variant: VariantCount) -> str:
    seen = " and ".join(sorted(variant.segments))
    return f"{variant.deliveries:,} see {f'what is only for {seen}' if seen else 'the rest alone'}"
