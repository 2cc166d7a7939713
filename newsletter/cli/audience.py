"""`subscribers` and `segments`: who is on the list."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import output

SHOWN_REJECTED = 20


class Reason(StrEnum):
    """Why a person suppresses an address by hand."""

    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    MANUAL = "manual"


subscribers = typer.Typer(help="Bring a list in, take it out again, look somebody up.", no_args_is_help=True)
suppressions = typer.Typer(help="Who is never mailed: those who left, and addresses that failed.", no_args_is_help=True)


@subscribers.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file with a line of column names.")],
) -> None:
    """Add and update subscribers from a CSV file. Every row is accounted for; nobody who left is brought back.

    Columns: email, first_name, last_name, language, timezone, tags, consented_at, consent_source; any other becomes an
    attribute. Empty cells change nothing, tags are added. Ends with 1 where a row was rejected.
    """
    from datetime import UTC, datetime

    from newsletter.cli.workspace import opened_database
    from newsletter.workflows.audience import import_subscribers

    with opened_database() as (_, database), output.progress("Reading", None, unit="rows") as advance:
        read = 0

        def on_progress(rows: int) -> None:
            nonlocal read
            advance(rows - read)
            read = rows

        report = import_subscribers(database, file, now=datetime.now(UTC), on_progress=on_progress)
    output.show_facts(
        [
            ("rows", f"{report.rows:,}"),
            ("added", f"{report.added:,}"),
            ("updated", f"{report.updated:,}"),
            ("unchanged", f"{report.unchanged:,}"),
            ("rejected", f"{len(report.rejected):,}"),
        ]
    )
    if report.suppressed:
        output.note(f"{report.suppressed:,} of them are suppressed: they stay on record and are never mailed.")
    for row in report.rejected[:SHOWN_REJECTED]:
        output.note(f"{file}:{row.line}: {row.email or 'no address'}: {row.reason}")
    if len(report.rejected) > SHOWN_REJECTED:
        output.note(f"… and {len(report.rejected) - SHOWN_REJECTED:,} more rejected rows")
    if report.rejected:
        raise typer.Exit(1)


@subscribers.command()
def export(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The file to write; the screen where none is named.")
    ] = None,
) -> None:
    """Write everybody on the list as CSV, in the form that `import` reads."""
    from newsletter.cli.workspace import opened_database
    from newsletter.workflows.audience import export_to_file, export_to_stream

    with opened_database() as (_, database):
        if file is None or str(file) == "-":
            export_to_stream(database, output.result_stream())
            return
        count = export_to_file(database, file)
    output.note(f"{count:,} subscribers written to {file}")


@subscribers.command()
def show(email: Annotated[str, typer.Argument(metavar="EMAIL", help="The person's address.")]) -> None:
    """Show everything that is known of a person: fields, tags, consent, suppression, what they were sent."""
    from newsletter.cli.workspace import opened_database
    from newsletter.workflows.audience import show_person

    with opened_database() as (_, database):
        person = show_person(database, email)
    if person.subscriber is not None:
        record = person.subscriber.record
        known = [
            ("email", record.email),
            ("name", f"{record.first_name} {record.last_name}".strip()),
            ("language", record.language),
            ("timezone", record.timezone),
            ("tags", ", ".join(record.tags)),
            ("consent", f"{record.consented_at:%Y-%m-%d %H:%M} UTC" if record.consented_at else "no record"),
            ("source", record.consent_source),
            *record.attributes.items(),
            ("on the list since", f"{person.subscriber.created_at:%Y-%m-%d}"),
        ]
        output.show_facts([(name, value) for name, value in known if value])
    if person.suppression is not None:
        when = f"{person.suppression.created_at:%Y-%m-%d}"
        output.show_facts([("never mailed", f"{person.suppression.reason} since {when}")])
    if person.deliveries:
        output.say()
        rows = [
            (str(past.broadcast), past.issue, past.status, f"{past.at:%Y-%m-%d %H:%M}", past.reason)
            for past in person.deliveries
        ]
        output.show_table(("broadcast", "issue", "status", "when (UTC)", "reason"), rows)


@suppressions.command("list")
def list_suppressed() -> None:
    """Show every address that is never mailed, since when, and why."""
    from newsletter.cli.workspace import opened_database
    from newsletter.workflows.audience import suppressed

    with opened_database() as (_, database):
        rows = [(found.email, found.reason.value, f"{found.created_at:%Y-%m-%d}") for found in suppressed(database)]
    if rows:
        output.show_table(("address", "reason", "since"), rows)
    else:
        output.say("Nobody is suppressed.")


@suppressions.command()
def add(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="The address of somebody who asked to leave.")],
    reason: Annotated[Reason, typer.Option(help="Why.")] = Reason.UNSUBSCRIBED,
) -> None:
    """Never mail an address again, whatever is imported later."""
    from datetime import UTC, datetime

    from newsletter.cli.workspace import opened_database
    from newsletter.model.audience import SuppressionReason
    from newsletter.workflows.audience import suppress

    with opened_database() as (_, database):
        is_new = suppress(database, email, SuppressionReason(reason.value), now=datetime.now(UTC))
    output.say(f"{email} is never mailed again" if is_new else f"{email} was suppressed already")


@suppressions.command()
def remove(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="The address of somebody who asked to come back.")],
) -> None:
    """Let an address be mailed again, because the person asked for it."""
    from newsletter.cli.workspace import opened_database
    from newsletter.workflows.audience import lift_suppression

    with opened_database() as (_, database):
        lift_suppression(database, email)
    output.say(f"{email} may be mailed again")


def segments() -> None:
    """Show every segment with how many people it has and how many of them may be mailed."""
    from newsletter.cli.workspace import opened_database
    from newsletter.workflows.segments import count_segments

    with opened_database() as (config, database):
        counted = count_segments(config, database)
    rows = [
        (found.segment.name, f"{found.count.members:,}", f"{found.count.mailable:,}", found.segment.expression)
        for found in counted
    ]
    output.show_table(("segment", "people", "mailable", "who"), rows)
