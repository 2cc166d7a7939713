"""`subscribers export`: the list, taken out again, or all that is known of one person."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import output

if TYPE_CHECKING:
    from newsletter.store.database import Database


def export(
    person: Annotated[
        str | None, typer.Argument(metavar="PERSON", help="An address: all that is known of that person, as JSON.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="The file to write; the screen where none is named.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file where it exists.")] = False,
) -> None:
    """Write everybody on the list as CSV, in the form that `import` reads, or one person's data as JSON.

    A file can be read by its owner alone, and appears whole or not at all.
    """
    from newsletter.cli.workspace import opened_database
    from newsletter.errors import InputError

    if person is not None and "@" not in person:
        raise InputError(
            f"{person!r} is not an address; `newsletter subscribers export --to {person}` writes everybody into a file"
        )
    with opened_database() as (_, database):
        if person is not None:
            _export_person(database, person, to, force=force)
        else:
            _export_everybody(database, to, force=force)


def _export_person(database: "Database", email: str, to: Path | None, *, force: bool) -> None:
    from datetime import UTC, datetime

    from newsletter.system.secret_key import forget_key
    from newsletter.workflows.subscribers.export import export_person, write_person

    text = export_person(database, email, key=forget_key(), now=datetime.now(UTC))
    if to is None or str(to) == "-":
        output.result_stream().write(text)
        return
    write_person(text, to, overwrite=force)
    output.note(f"All that is known of {email} written to {to}")


def _export_everybody(database: "Database", to: Path | None, *, force: bool) -> None:
    from newsletter.store.person import count_subscribers
    from newsletter.workflows.subscribers.export import export_to_file, export_to_stream

    if to is None or str(to) == "-":
        export_to_stream(database, output.result_stream())
        return
    with output.progress("Writing", count_subscribers(database), unit="subscribers") as advance:
        count = export_to_file(database, to, overwrite=force, on_progress=advance)
    output.note(f"{output.count_of(count, 'subscriber')} written to {to}")
