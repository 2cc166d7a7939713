"""`newsletter fetch`: take items from feeds and calendars into an issue."""

from collections.abc import Iterator
from datetime import UTC, datetime
from difflib import unified_diff
from shlex import quote
from urllib.parse import urlsplit

import typer

from newsletter.cli import bars, output
from newsletter.cli.options import DryRun, NewestIssue, Yes
from newsletter.cli.workspace import current_config
from newsletter.language.counts import count_of
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.compose.fetch import FetchedItem, FetchedSection, ItemFate, plan_fetch, write_fetch

_SHOWN_AS = {"+": "green", "-": "red"}
# What only the program reads again.
_BOOKKEEPING = ("---", "id: ", "from: ", "published: ", "digest: ")


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
        for line in _changed_lines(item):
            output.say(f"    {output.styled(line, _SHOWN_AS.get(line[0], 'dim'))}", hang=6)
    others = [
        line for item in section.of(ItemFate.SAME, ItemFate.EDITED, ItemFate.GONE) for line in _about(item, section)
    ]
    for line in ["", *others] if others and section.of(ItemFate.NEW, ItemFate.CHANGED) else others:
        output.say(f"  {line}" if line else "", hang=4)
    for note in section.notes:
        output.say(f"  {output.styled('note', 'yellow')}  {note}", hang=4)
    output.say()


def _about(item: FetchedItem, section: FetchedSection) -> Iterator[str]:
    """Yield what is said about an item that stays as it is."""
    if item.fate is ItemFate.EDITED:
        more = "; to get the other one, delete the file and fetch again" if item.differs else ""
        feed = "It differs from the one there" if item.differs else "It was edited here"
        yield f"{output.styled('kept', 'yellow')}  {item.shown}  {feed}, and stays as it is{more}"
    elif item.fate is ItemFate.GONE:
        where = "the calendar's next events" if section.source.calendar else f"the first {section.source.most} entries"
        host = urlsplit(section.source.address).hostname
        gone = f"no longer among {where} of {host}"
        yield f"{output.styled('kept', 'yellow')}  {item.shown}  {gone}; delete it if it is old"
    else:
        yield output.styled(f"the same  {item.shown}", "dim")


def _changed_lines(item: FetchedItem) -> Iterator[str]:
    """Yield the lines of a file that would change, each after its sign, without those that only the program reads."""
    before, after = (
        [line for line in lines if not line.startswith(_BOOKKEEPING)] for lines in (item.lines_before, item.lines_after)
    )
    for line in list(unified_diff(before, after, lineterm="", n=1))[2:]:
        if line[1:].strip() and not line.startswith("@@"):
            yield f"{line[0]} {line[1:]}"
