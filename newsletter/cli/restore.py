"""`newsletter restore`: bring back all data from a backup."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.bars import shares
from newsletter.cli.options import Yes
from newsletter.cli.workspace import opened_database
from newsletter.language.clock import show_utc
from newsletter.system.environment import forget_key
from newsletter.workflows.backup import RestoredWorkspace, holds_data, restore_workspace


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `newsletter backup` made.")],
    yes: Yes = False,
) -> None:
    """Replace all data with a backup, without mailing anyone twice."""
    with opened_database() as (config, database):
        question = f"Replace the list and the record of broadcasts with {file}? Issues and settings stay as they are."
        if not holds_data(database):
            output.note(
                "The database is empty, so nothing tells what was sent after the backup, or who has left since."
            )
            question = f"Restore {file} all the same?"
        output.require_yes(question, yes=yes, otherwise="Nothing was changed.")
        with shares("Restoring") as on_progress:
            done = restore_workspace(
                database, file, root=config.root, key=forget_key(), now=datetime.now(UTC), on_progress=on_progress
            )
    _show(done)


def _show(done: RestoredWorkspace) -> None:
    restored = done.restored
    when = show_utc(restored.made_at)
    output.say(f"The data of {when} are back.")
    if done.aside:
        output.say(f"The data that they replaced are in {done.aside}.")
    for each in restored.open:
        output.say(f"  broadcast {each.id} ({each.issue}) is paused; {each.people:,} people may have been mailed since")
    if restored.carried:
        numbers = ", ".join(map(str, restored.carried))
        output.say(f"Carried over: broadcasts that began since ({numbers}), and who has left since.")
    if not restored.replaced:
        output.note(
            f"The database was empty, so what happened after {when} is not known here. Before you send an issue, look "
            "at your provider whether it was sent since: those who got it could get it again. Run "
            "`newsletter suppressions sync` to learn who has left since."
        )
    for each in restored.open:
        if each.people:
            output.print_next(f"newsletter resolve {each.id}", "looks for evidence of who was mailed, and asks")
