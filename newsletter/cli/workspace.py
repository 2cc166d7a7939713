"""`init` and `new`, and the workspace that every other command works in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import output

if TYPE_CHECKING:
    from newsletter.config import Config
    from newsletter.store.database import Database


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The folder to make; this one by default.")] = Path(),
) -> None:
    """Make a workspace: settings, a first issue, a list to try it on."""
    from datetime import UTC, datetime

    from newsletter.workflows.compose.new import init_workspace

    for path in init_workspace(folder, datetime.now(UTC).date()):
        output.say(str(path))
    output.note(
        "It builds as it is. Then write your own words into the .md files, and your names into newsletter.toml."
    )
    output.show_next(
        f"cd {folder} && newsletter build" if folder != Path() else "newsletter build", "to see a first mail"
    )


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new issue's name, such as 2026-03.")],
    source: Annotated[
        str | None, typer.Option("--from", metavar="ISSUE", help="The issue to copy; the newest where none is named.")
    ] = None,
    issue_date: Annotated[
        str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="The date of the new issue.")
    ] = None,
) -> None:
    """Make a new issue from the last one, to be edited from there."""
    from datetime import UTC, date, datetime

    from newsletter.errors import InputError
    from newsletter.workflows.compose.new import new_issue

    try:
        chosen = date.fromisoformat(issue_date) if issue_date else None
    except ValueError as err:
        raise InputError(f"{issue_date!r} is not a date; write it as 2026-03-19") from err
    config = current_config()
    folder = new_issue(config, name, source=source, issue_date=chosen, today=datetime.now(UTC).date())
    output.say(config.shown(folder))
    output.show_next(f"newsletter preview {folder.name}", "to see it while you replace the old issue's words and dates")


def current_config() -> "Config":
    """The configuration of the workspace in which the command runs."""
    from newsletter.config import find_workspace, load_config

    return load_config(find_workspace(Path.cwd()))


@contextmanager
def opened_database() -> "Iterator[tuple[Config, Database]]":
    """The configuration of the workspace, and its database while the block lasts."""
    from newsletter.store.opening import open_database

    config = current_config()
    with open_database(config.database, on_copy=_say_copied) as database:
        yield config, database


def _say_copied(copy: str) -> None:
    output.note(f"The database was brought to this version of newsletter; a copy from before is {copy}.")
