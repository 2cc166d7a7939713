"""`newsletter translations import`: take in what a translator returned."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import DryRun, Yes
from newsletter.cli.workspace import current_config
from newsletter.language.counts import count_of
from newsletter.language.words import language_name
from newsletter.workflows.translations.import_ import ImportPlan, SentenceChange, plan_import, write_import

_MOST_SHOWN = 12
_REPLACE = "Also replace translations that were changed here after the file was exported."


def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="The files from the translator: XLIFF or PO.")],
    replace_newer: Annotated[bool, typer.Option("--replace-newer", help=_REPLACE)] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Check files from a translator, show the changes, and write them into the issue.

    Everything is checked before anything is written. A sentence is imported only if it has the merge fields, links,
    dates and prices of its original. Sentences that are not translated yet are skipped.
    """
    config = current_config()
    plans = plan_import(config, files, replaces_newer=replace_newer)
    for plan in plans:
        _print_plan(plan)
    writes = [write for plan in plans for write in plan.writes]
    if not writes:
        is_unmarked = any(plan.unmarked for plan in plans)
        remedy = "Ask the translator to mark finished sentences as translated, and to return the file again."
        output.note(f"Nothing was written. {remedy}" if is_unmarked else "There is nothing new in these files.")
        return
    if dry_run:
        output.note_dry_run()
        return
    output.require_yes(f"Write {count_of(len(writes), 'file')}?", yes=yes, otherwise="Nothing was written.")
    write_import(plans)
    for write in writes:
        output.say(f"{'changed' if write.before is not None else 'created'}  {write.shown}")
    output.print_next(f"newsletter translations {quote(plans[0].folder.name)}", "to see what is missing or stale")


def _print_plan(plan: ImportPlan) -> None:
    """Print what an import changes in one language."""
    taken = [change for change in plan.changes if not change.is_newer_here]
    replaced = sum(bool(change.before) and change.before != change.after for change in taken)
    output.say(output.styled(f"{plan.folder.name} in {language_name(plan.language)}", "bold"))
    output.print_facts(
        [
            ("new", count_of(len(taken) - replaced, "sentence")),
            ("replaced", count_of(replaced, "sentence") if replaced else ""),
            (
                "skipped",
                f"{count_of(plan.unmarked, 'sentence')}, not marked as translated in the file" if plan.unmarked else "",
            ),
            ("the same", count_of(plan.unchanged, "sentence") if plan.unchanged else ""),
            (
                "kept",
                f"{count_of(plan.kept, 'sentence')}, changed here after the export" if plan.kept else "",
            ),
            ("left out", _outdated(plan)),
        ]
    )
    shown = [change for change in plan.changes if change.before and change.before != change.after]
    for change in shown[:_MOST_SHOWN]:
        _print_change(change)
    if len(shown) > _MOST_SHOWN:
        output.say(f"  … and {len(shown) - _MOST_SHOWN:,} more")


def _outdated(plan: ImportPlan) -> str:
    count = len(plan.outdated)
    if not count:
        return ""
    places = ", ".join(dict.fromkeys(f"line {each.line}" for each in plan.outdated[:5]))
    more = ", …" if count > 5 else ""
    return f"{count_of(count, 'sentence')}, exported from another version of the issue ({places}{more})"


def _print_change(change: SentenceChange) -> None:
    verb = "kept" if change.is_newer_here else "replaced"
    output.say(f"  {change.place}  {output.styled(verb, 'yellow' if change.is_newer_here else 'dim')}")
    output.say(f"    {output.styled('here', 'dim')}  {change.before}", hang=10)
    output.say(f"    {output.styled('file', 'dim')}  {change.after}", hang=10)
