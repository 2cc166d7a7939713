"""`newsletter init`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.workflows.compose.new import init_workspace


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make; this one by default.")] = Path(),
) -> None:
    """Make a workspace: settings, a first issue, a list to try it on."""
    for path in init_workspace(folder, datetime.now(UTC).date()):
        output.say(str(path))
    output.note("It builds as it is. Then put your own words into the .md files, and your names into newsletter.toml.")
    command = f"cd {folder} && newsletter build" if folder != Path() else "newsletter build"
    output.print_next(command, "to see a first mail")
