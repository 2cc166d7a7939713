"""The plan of a broadcast, which a person reviews before they confirm."""

from datetime import datetime
from shlex import quote

from newsletter.cli import output
from newsletter.cli.compose.findings import print_findings
from newsletter.config import Config
from newsletter.model.broadcast import BroadcastKind
from newsletter.workflows.send.plan import BroadcastPlan
from newsletter.workflows.send.plan_facts import TERMINAL_SEAT, notes_on_people, plan_facts


def print_plan(config: Config, plan: BroadcastPlan, *, through: str, now: datetime) -> None:
    """Print the issue, sender, recipients, variants, time, provider, overridden checks and problems."""
    output.print_facts(plan_facts(config, plan, through=through, seat=TERMINAL_SEAT, now=now))
    output.print_notes((*plan.notes, *plan.composed.notes))
    for note in notes_on_people(plan):
        output.note(note)
    if plan.waived:
        count = output.count_of(len(plan.waived), "problem")
        output.note(f"{count} overridden for this broadcast. The override is saved with the broadcast.")
    if plan.blocking:
        print_findings(plan.blocking)
    elif plan.request.kind is BroadcastKind.CORRECTION:  # no command checks it once more
        print_findings(plan.warnings)
    elif plan.warnings:
        check = f"newsletter check {quote(plan.composed.issue.name)}"
        output.note(f"{output.count_of(len(plan.warnings), 'warning')}: `{check}` lists them.")
