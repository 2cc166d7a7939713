"""`subscribers import`: a list, brought in."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import output

if TYPE_CHECKING:
    from newsletter.audience.csv_import import ListShape
    from newsletter.model.imports import ImportReport

SHOWN_ROWS = 20
_SHOWN_COLUMNS = 30
_BYTES_A_STEP = 1000


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file with a line of column names.")],
    columns: Annotated[
        list[str],
        typer.Option(
            "--map", metavar='"COLUMN=NAME"', help="What to take a column for; nothing after = leaves it out."
        ),
    ] = [],  # noqa: B006 - typer copies it
    tags: Annotated[list[str], typer.Option("--tag", metavar="TAG", help="A tag for everybody in the file.")] = [],  # noqa: B006
    basis: Annotated[
        str, typer.Option(metavar="TEXT", help="Why those may be mailed of whom the file holds no consent; recorded.")
    ] = "",
    encoding: Annotated[
        str, typer.Option(metavar="NAME", help="The file's encoding, such as cp1252; found out where none is named.")
    ] = "",
    is_dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would become of each row; change nothing.")
    ] = False,
    report_file: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Write what became of every row, as CSV.")
    ] = None,
) -> None:
    """Add and update subscribers from a CSV file. Every row is accounted for; nobody who left is brought back.

    Takes lists of one's own and the exports of Brevo, Buttondown, Ghost, Kit, listmonk, Mailchimp, SendGrid and
    Substack. Empty cells change nothing, tags are added. All or nothing; it can be repeated. Ends with 1 where a row
    was rejected.
    """
    from datetime import UTC, datetime

    from newsletter.cli.workspace import opened_database
    from newsletter.workflows.import_list import ImportRequest, import_list, mapping_of

    request = ImportRequest(
        path=file,
        mapping=mapping_of(tuple(columns)),
        tags=tuple(tags),
        basis=basis,
        encoding=encoding,
        report=report_file,
        is_dry_run=is_dry_run,
    )
    size = file.stat().st_size // _BYTES_A_STEP if file.is_file() else None
    with opened_database() as (_, database), output.progress("Reading", size, unit="kB") as advance:
        read = 0

        def on_progress(bytes_read: int) -> None:
            nonlocal read
            advance(bytes_read // _BYTES_A_STEP - read)
            read = bytes_read // _BYTES_A_STEP

        report = import_list(
            database,
            request,
            now=datetime.now(UTC),
            on_shape=lambda shape: _show_shape(file, shape),
            on_progress=on_progress,
        )
    _show_report(file, report)
    if report_file is not None:
        output.note(f"What became of every row stands in {report_file}.")
    _show_next_step(file, report, is_dry_run=is_dry_run)
    if report.rejected:
        raise typer.Exit(1)


def _show_shape(file: Path, shape: "ListShape") -> None:
    """Whose format it is, and what each column is taken for that is not taken under its own name."""
    header = shape.header
    output.note(f"{file}: {f'an export of {header.tool}' if header.tool else 'a list'} with {header.width} columns")
    renamed = [column for column in header.columns if column.use not in {column.name, f"attribute {column.name}"}]
    for column in renamed[:_SHOWN_COLUMNS]:
        output.note(f"  {column.name or f'column {column.place + 1}, which has no name'} → {column.use}")
    if len(renamed) > _SHOWN_COLUMNS:
        output.note(f"  … and {len(renamed) - _SHOWN_COLUMNS} more")
    attributes = [column.name for column in header.columns if column.use == f"attribute {column.name}"]
    if attributes:
        output.note(f"  attributes: {', '.join(attributes[:_SHOWN_COLUMNS])}")
    if shape.encoding.assumed:
        output.note(
            f"  The file is not UTF-8; it was read as {shape.encoding.assumed}. If that looks wrong, name its encoding "
            "with --encoding."
        )


def _show_report(file: Path, report: "ImportReport") -> None:
    facts = [
        ("rows", report.rows),
        ("added", report.added),
        ("updated", report.updated),
        ("unchanged", report.unchanged),
        ("rejected", report.rejected),
    ]
    further = [
        ("doubtful", report.doubtful),
        ("suppressed", report.suppressed),
        ("came back", report.revived),
        ("without consent", report.without_consent),
    ]
    output.show_facts([(name, f"{count:,}") for name, count in (*facts, *(fact for fact in further if fact[1]))])
    rejected = [(row.line, row.email, row.reason) for row in report.rejected_rows]
    _show_rows(file, "Rejected", "rejected row", rejected, report.rejected)
    doubtful = [(row.line, row.email, row.doubt) for row in report.doubtful_rows]
    _show_rows(file, "Taken, but look at them", "doubtful row", doubtful, report.doubtful)
    if report.suppressed:
        output.note(f"{report.suppressed:,} of them are suppressed: they stay on record and are not mailed.")
    if report.revived:
        output.note(f"{report.revived:,} who had left came back: their rows hold a newer consent.")
    if report.without_consent:
        output.note(
            f"{output.count_of(report.without_consent, 'subscriber')} on the list will not be mailed, because nothing "
            "on record says that they agreed."
        )


def _show_rows(file: Path, title: str, noun: str, rows: list[tuple[int, str, str]], count: int) -> None:
    """The first of some rows, each with its line."""
    if not count:
        return
    output.note(f"{title}:")
    for line, email, what in rows[:SHOWN_ROWS]:
        output.note(f"  {file}:{line}: {email or 'no address'}: {what}")
    if count > SHOWN_ROWS:
        output.note(f"  … and {output.count_of(count - SHOWN_ROWS, f'more {noun}')}; --report FILE writes all of them")


def _show_next_step(file: Path, report: "ImportReport", *, is_dry_run: bool) -> None:
    command = f"newsletter subscribers import {quote(str(file))}"
    if is_dry_run:
        output.note("Nothing was changed: this was a dry run.")
        output.show_next(command, "with the same options, to carry it out")
    elif report.without_consent:
        output.show_next(f'{command} --basis "…"', "if you know why you may mail them, such as: members of the society")
    elif report.rejected:
        output.show_next(command, "once those rows are corrected; rows that were taken stay as they are")
    else:
        output.show_next("newsletter segments", "to see whom you can send to")
