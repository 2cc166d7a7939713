"""`newsletter backup`: a safe copy of all data."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.bars import shares
from newsletter.cli.workspace import opened_database
from newsletter.workflows.backup import backup_workspace


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to make; it must not exist yet.")],
) -> None:
    """Save a copy of all data, even while a broadcast is being sent."""
    with opened_database() as (_, database), shares("Copying") as on_progress:
        backup_workspace(database, file, now=datetime.now(UTC), on_progress=on_progress)
    output.say(f"{file}: {file.stat().st_size / 1e6:,.1f} MB. It holds addresses: keep it where only you can read it.")
    output.print_next(f"newsletter restore {file}", "brings these data back")
