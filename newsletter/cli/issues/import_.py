"""`newsletter issues import`: take past issues of another tool into the archive."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import bars, output
from newsletter.cli.options import DryRun, Yes
from newsletter.cli.workspace import current_config
from newsletter.language.counts import count_of
from newsletter.model.issue_fields import Visibility
from newsletter.workflows.issues.import_ import PlannedIssue, plan_past_issues, write_past_issues

_MOST_SHOWN = 40
_FILE = "The export: a zip file, a JSON file, or a folder with its files."
_FROM = "The tool: buttondown, ghost, kit, mailchimp or substack. Default: detected from the files."


class ExportingTool(StrEnum):
    """A tool whose past issues can be imported."""

    BUTTONDOWN = "buttondown"
    GHOST = "ghost"
    KIT = "kit"
    MAILCHIMP = "mailchimp"
    SUBSTACK = "substack"


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=_FILE)],
    tool: Annotated[ExportingTool | None, typer.Option("--from", metavar="TOOL", help=_FROM)] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Import past issues from another tool into the archive, after showing you what they lose.

    Reads exports of Buttondown, Ghost, Kit, Mailchimp and Substack. Each issue becomes a folder in `archive/`, which
    `newsletter publish` shows on the web. It is never sent. Existing folders are left alone, so it is safe to repeat
    an import. Images are still loaded from the other tool, unless the export contains them.
    """
    config = current_config()
    with bars.progress("Reading", None, unit="issues") as advance:
        plan = plan_past_issues(config, file, tool.value if tool else "", on_done=lambda: advance(1))
    existing = [each for each in plan.issues if each.exists]
    output.say(output.styled(f"An export from {plan.tool} with {count_of(len(plan.issues), 'issue')}", "bold"))
    if plan.new:
        rows = [(each.day, output.shortened(each.subject, 50), _lost(each)) for each in plan.new[:_MOST_SHOWN]]
        output.print_table(("date", "subject", "what is lost"), rows)
        if len(plan.new) > _MOST_SHOWN:
            output.say(f"… and {len(plan.new) - _MOST_SHOWN:,} more")
    if existing:
        output.note(f"Left alone, because they are in the archive already: {count_of(len(existing), 'issue')}.")
        for each in existing[:_MOST_SHOWN]:
            output.note(f"  archive/{each.name}")
    if plan.left_out:
        output.note(f"Not imported: {count_of(len(plan.left_out), 'entry')}.")
        for mistake in plan.left_out[:_MOST_SHOWN]:
            output.note(f"  {mistake}")
    if not plan.new:
        output.note("There is nothing new in this export.")
        return
    if dry_run:
        output.note_dry_run()
        return
    question = f"Write {count_of(len(plan.new), 'issue')} to archive/?"
    output.require_yes(question, yes=yes, otherwise="Nothing was written.")
    with bars.progress("Writing", len(plan.new), unit="issues") as advance:
        write_past_issues(config, plan, on_done=lambda: advance(1))
    output.say(f"Imported {count_of(len(plan.new), 'issue')} into archive/.")
    output.print_next("newsletter publish", "to show them in your archive on the web")


def _lost(issue: PlannedIssue) -> str:
    """Return what the page of an issue lost, and who does not see it."""
    losses = issue.losses
    counts = {"merge tag": losses.merge_tags, "tracked link": losses.links, "image": losses.pictures}
    parts = [count_of(number, noun) for noun, number in counts.items() if number]
    if issue.visibility is Visibility.NONE:
        parts.append("not public: only some readers could see it")
    if issue.visibility is Visibility.UNLISTED:
        parts.append("not listed: it was only emailed")
    return ", ".join(parts) or "nothing"
