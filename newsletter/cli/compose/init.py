"""`newsletter init`."""

from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.workflows.compose.new import init_workspace


def init(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="The folder to create. Default: the current folder.", show_default=False),
    ] = Path(),
) -> None:
    """Create a newsletter folder with settings, a first issue and a sample list."""
    for path in init_workspace(folder, datetime.now(UTC).date()):
        output.say(str(path))
    enter = f"cd {quote(str(folder))} && " if folder != Path() else ""
    output.print_next(f"{enter}newsletter setup", "to answer a few questions and send yourself a test email")
    output.print_next(f"{enter}newsletter preview", "to see the first issue, and replace its texts with your own")
