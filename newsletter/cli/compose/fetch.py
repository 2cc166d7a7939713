"""`newsletter fetch`: take items from feeds and calendars into an issue."""

from datetime import UTC, datetime
from shlex import quote

import typer

from newsletter.cli import bars, output
from newsletter.cli.options import DryRun, NewestIssue, Yes
from newsletter.cli.workspace import current_config
from newsletter.language.counts import count_of
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.compose.fetch import FetchedSection, ItemFate, plan_fetch, write_fetch

_SHOWN_AS = {"+": "green", "-": "red"}


def fetch(issue: NewestIssue = None, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Take items from feeds and calendars into an issue, after showing you what changes.

    A section says in its `index.md` which feed or calendar it takes its items from. Each item becomes a file, which you
    can edit. A file that you edited is never overwritten. Items that are no longer in the feed stay. Images are saved
    in the issue. Exits with status 1 if a feed or calendar cannot be fetched.
    """
    config = current_config()
    folder = require_issue(config, issue)
    with bars.progress("Fetching", None, unit="sections") as advance:
        plan = plan_fetch(config, folder, now=datetime.now(UTC), on_done=lambda _: advance(1))
    for section in plan.sections:
        _print_section(section)
    failures = [section.failure for section in plan.sections if section.failure]
    if not plan.items:
        output.note("There is nothing new to write." if not failures else "Nothing was written.")
    elif dry_run:
        output.note_dry_run()
    else:
        files = count_of(len(plan.items), "item")
        images = f" and {count_of(len(plan.pictures), 'image')}" if plan.pictures else ""
        question = f"Write {files}{images} to {config.shown(folder)}/?"
        output.require_yes(question, yes=yes, otherwise="Nothing was written.")
        write_fetch(plan)
        for item in plan.items:
            output.say(f"{'changed' if item.before is not None else 'created'}  {item.shown}")
        output.print_next(f"newsletter check {quote(folder.name)}", "to check the issue with these items")
    if failures:
        raise typer.Exit(1)


def _print_section(section: FetchedSection) -> None:
    output.say(f"{output.styled(section.name, 'bold')}  {section.source.address}")
    if section.failure:
        output.say(f"  {output.styled('not fetched', 'red')}  {section.failure}", hang=4)
    if section.is_unchanged:
        output.say("  unchanged since the last time")
    for item in section.of(ItemFate.NEW, ItemFate.CHANGED):
        output.say()
        output.say(f"  {output.styled(item.fate, 'green' if item.fate is ItemFate.NEW else 'yellow')}  {item.shown}")
        for line in item.changed_lines():
            output.say(f"    {output.styled(f'{line[0]} {line[1:]}', _SHOWN_AS[line[0]])}", hang=6)
    if section.of(ItemFate.NEW, ItemFate.CHANGED):
        output.say()
    if same := section.of(ItemFate.SAME):
        output.say(f"  {output.styled('the same', 'dim')}  {count_of(len(same), 'item')}")
    for item in section.of(ItemFate.EDITED, ItemFate.GONE):
        output.say(f"  {output.styled('stays', 'yellow')}  {item.shown}: {section.said_of(item)}", hang=4)
    for note in section.notes:
        output.say(f"  {output.styled('note', 'yellow')}  {note}", hang=4)
    output.say()
