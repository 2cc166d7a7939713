"""`newsletter restore`: replace all data with a backup."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.bars import shares
from newsletter.cli.options import Yes
from newsletter.cli.workspace import opened_database
from newsletter.config import Config
from newsletter.language.clock import show_zoned
from newsletter.system.environment import forget_key
from newsletter.workflows.backup import RestoredWorkspace, holds_data, restore_workspace


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file that `newsletter backup` saved.")],
    yes: Yes = False,
) -> None:
    """Replace all data with a backup. Emails that were already sent are not sent again.

    Your current data is saved to a file first. Broadcasts and unsubscribes since the backup are kept. You are
    asked to confirm before anything changes.
    """
    with opened_database() as (config, database):
        question = (
            f"Replace your list and the record of your broadcasts with those in {file}? Issues and settings are kept."
        )
        if not holds_data(database):
            output.note(
                "The database is empty, so there is no record of what was sent or who unsubscribed after the backup."
            )
            question = f"Restore {file} anyway?"
        output.require_yes(question, yes=yes, otherwise="Nothing was changed.")
        with shares("Restoring") as on_progress:
            done = restore_workspace(
                database, file, root=config.root, key=forget_key(), now=datetime.now(UTC), on_progress=on_progress
            )
    _show(config, done)


def _show(config: Config, done: RestoredWorkspace) -> None:
    restored = done.restored
    when = show_zoned(restored.made_at, config.settings.newsletter.timezone)
    output.say(f"Your data was restored to its state as of {when}.")
    if done.aside:
        output.say(f"The replaced data is saved in {config.shown(done.aside)}.")
    for each in restored.open:
        people = output.people_of(each.people)
        output.say(f"  broadcast {each.id} ({each.issue}) is paused; {people} may have been emailed since the backup")
    if restored.carried:
        numbers = ", ".join(map(str, restored.carried))
        output.say(f"Kept from the replaced data: later broadcasts ({numbers}) and later unsubscribes.")
    if not restored.replaced:
        output.note(
            f"The database was empty, so there is no record of what happened after {when}. Before you send an issue, "
            "check with your provider whether it was already sent: people could receive it a second time. Run "
            "`newsletter suppressions sync` to find out who has unsubscribed since then."
        )
    if not any(each.people for each in restored.open):
        output.print_next("newsletter status", "to see your broadcasts")
    for each in restored.open:
        if each.people:
            output.print_next(f"newsletter resolve {each.id}", "to find out who was emailed, then decide")
