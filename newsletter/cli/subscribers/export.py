"""`newsletter subscribers export`: the list as CSV, or everything about one person as JSON."""

from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from newsletter.cli import bars, output
from newsletter.cli.options import Force
from newsletter.cli.workspace import opened_database
from newsletter.errors import InputError
from newsletter.lists.exports import WrittenPeople
from newsletter.store.database import Database
from newsletter.store.subscribers import count_subscribers
from newsletter.system.environment import forget_key
from newsletter.workflows.subscribers.export import export_person, export_to_file, export_to_stream, write_person


def export(
    person: Annotated[
        str | None, typer.Argument(metavar="EMAIL", help="Export only the person with this address, as JSON.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The file to write. Default: print to the screen.")
    ] = None,
    force: Force = False,
) -> None:
    """Export the list as CSV, or everything about one person as JSON.

    The columns `status`, `left_at` and `left_topics` say who is not emailed, and why. `newsletter subscribers import`
    can read the CSV file, and does not bring these people back.

    Only you can open the file, and it is written completely or not at all.
    """
    if person is not None and "@" not in person:
        raise InputError(
            f"{person!r} is not an address; to write a file, use `newsletter subscribers export --to {quote(person)}`"
        )
    with opened_database() as (_, database):
        if person is not None:
            _export_person(database, person, to, force=force)
        else:
            _export_everybody(database, to, force=force)


def _export_person(database: Database, email: str, to: Path | None, *, force: bool) -> None:
    text = export_person(database, email, key=forget_key(), now=datetime.now(UTC))
    if to is None or str(to) == "-":
        output.result_stream().write(text)
        return
    write_person(text, to, overwrite=force)
    output.note(f"All data about {email} was saved to {to}, which only you can read.")


def _export_everybody(database: Database, to: Path | None, *, force: bool) -> None:
    if to is None or str(to) == "-":
        _print_not_mailed(export_to_stream(database, output.result_stream()))
        return
    with bars.progress("Writing", count_subscribers(database), unit="subscribers") as advance:
        written = export_to_file(database, to, overwrite=force, on_progress=advance)
    output.note(f"Saved {output.count_of(written.people, 'subscriber')} to {to}, which only you can read.")
    _print_not_mailed(written)


def _print_not_mailed(written: WrittenPeople) -> None:
    """Print how many of the people in the file are not emailed, if there are any."""
    if written.not_mailed:
        are = "is" if written.not_mailed == 1 else "are"
        output.note(
            f"{written.not_mailed:,} of {output.count_of(written.people, 'subscriber')} {are} not emailed; the columns "
            "status and left_at say why."
        )
