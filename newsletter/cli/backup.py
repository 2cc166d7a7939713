"""`newsletter backup`: save a copy of all data."""

from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.bars import shares
from newsletter.cli.workspace import opened_database
from newsletter.workflows.backup import backup_workspace


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to create. It must not exist yet.")],
) -> None:
    """Save a copy of all data, even while a broadcast is being sent.

    The backup contains your list and the record of your broadcasts. It does not contain your issues or settings.
    These are ordinary files, so copy them yourself.
    """
    with opened_database() as (_, database), shares("Copying") as on_progress:
        backup_workspace(database, file, now=datetime.now(UTC), on_progress=on_progress)
    size = f"{file.stat().st_size / 1e6:,.1f} MB"
    output.say(f"Saved to {file} ({size}). The backup contains addresses, so keep it where only you can read it.")
    output.print_next(f"newsletter restore {quote(str(file))}", "to restore this data")
