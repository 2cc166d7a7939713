"""`backup` and `restore`: a safe copy of all data, and the way back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import output

if TYPE_CHECKING:
    from newsletter.workflows.backup import RestoredWorkspace


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to make; it must not exist yet.")],
) -> None:
    """Save a copy of all data, even while a broadcast is being sent."""
    from datetime import UTC, datetime

    from newsletter.cli.workspace import opened_database
    from newsletter.workflows.backup import backup_workspace

    with opened_database() as (_, database), _shares("Copying") as on_progress:
        backup_workspace(database, file, now=datetime.now(UTC), on_progress=on_progress)
    output.say(f"{file}: {file.stat().st_size / 1e6:,.1f} MB. It holds addresses: keep it where only you can read it.")
    output.show_next(f"newsletter restore {file}", "brings these data back")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `newsletter backup` made.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Replace all data by those of a backup; nobody is mailed twice because of it."""
    from datetime import UTC, datetime

    from newsletter.cli.workspace import opened_database
    from newsletter.system.secret_key import forget_key
    from newsletter.workflows.backup import holds_data, restore_workspace

    with opened_database() as (config, database):
        question = f"Replace all data of this workspace by those of {file}?"
        if not holds_data(database):
            output.note(
                "The database holds nothing now: what was sent after the backup, and who has left since, is not known."
            )
            question = f"Restore {file} all the same?"
        if not yes and not output.confirm(question):
            output.note("Nothing was changed.")
            return
        with _shares("Restoring") as on_progress:
            done = restore_workspace(
                database, file, root=config.root, key=forget_key(), now=datetime.now(UTC), on_progress=on_progress
            )
    _show(done)


def _show(done: "RestoredWorkspace") -> None:
    from newsletter.cli import moments

    restored = done.restored
    when = moments.shown(restored.made_at)
    output.say(f"The data are those of {when}.")
    if done.aside:
        output.say(f"What they replaced is in {done.aside}.")
    for each in restored.open:
        output.say(f"  broadcast {each.id} ({each.issue}) is paused; {each.people:,} people may have been mailed since")
    if restored.carried:
        numbers = ", ".join(map(str, restored.carried))
        output.say(f"Carried over: broadcasts that began since ({numbers}), and who has left since.")
    if not restored.replaced:
        output.note(
            f"The database held nothing, so nobody here knows what happened after {when}. Look at your provider for "
            "issues that were sent since, before you send one: whoever got them could get them again. Run "
            "`newsletter suppressions sync` to learn who has left since."
        )
    for each in restored.open:
        if each.people:
            output.show_next(f"newsletter resolve {each.id}", "looks for evidence of who was mailed, and asks")


@contextmanager
def _shares(title: str) -> Iterator[Callable[[float], None]]:
    """Yield what hears which share is done."""
    with output.progress(title, 100, unit="%") as advance:
        shown = 0

        def hear(share: float) -> None:
            nonlocal shown
            advance(int(100 * share) - shown)
            shown = int(100 * share)

        yield hear
