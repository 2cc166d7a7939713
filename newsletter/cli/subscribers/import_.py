"""`newsletter subscribers import`: add and update subscribers from a file."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from newsletter.cli import bars, output
from newsletter.cli.options import DryRun
from newsletter.cli.workspace import opened_database
from newsletter.lists.csv_import import ListShape
from newsletter.lists.export_formats import letters_of
from newsletter.model.imports import ImportReport
from newsletter.workflows.subscribers.import_ import ImportRequest, import_list, mapping_of

_SHOWN_ROWS = 20
_SHOWN_COLUMNS = 30
_BYTES_A_STEP = 1000
_MAP = "Import a column under another name, or skip it with `COLUMN=`. Repeatable."
_TAG = "A tag to add to everyone in the file. Repeatable."
_BASIS = "The reason you may email people whose consent is not in the file. It is saved with each of them."
_ENCODING = "The encoding of the file, for example cp1252. Default: detected automatically."
_REPORT = "A CSV file in which to save the result for each row. Replaces an earlier report."


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file whose first line contains column names.")],
    columns: Annotated[list[str], typer.Option("--map", metavar='"COLUMN=NAME"', help=_MAP)] = [],  # noqa: B006 - typer copies it
    tags: Annotated[list[str], typer.Option("--tag", metavar="TAG", help=_TAG)] = [],  # noqa: B006
    basis: Annotated[str, typer.Option(metavar="TEXT", help=_BASIS)] = "",
    encoding: Annotated[str, typer.Option(metavar="NAME", help=_ENCODING)] = "",
    is_dry_run: DryRun = False,
    report_file: Annotated[Path | None, typer.Option("--report", metavar="FILE", help=_REPORT)] = None,
) -> None:
    """Add and update subscribers from a CSV file, and report the result for each row.

    Reads your own CSV files, and files exported from Brevo, Buttondown, Ghost, Kit, listmonk, Mailchimp, SendGrid or
    Substack. People who unsubscribed can be emailed again only if the file shows that they have consented since then.

    Empty cells leave existing values unchanged; new tags are added to the existing ones. If an error stops the import,
    nothing is imported. It is safe to repeat an import.

    Exits with status 1 if a row was rejected.
    """
    request = ImportRequest(
        path=file,
        mapping=mapping_of(tuple(columns)),
        tags=tuple(tags),
        basis=basis,
        encoding=encoding,
        report=report_file,
        is_dry_run=is_dry_run,
    )
    report, shapes = _import(request)
    _print_report(file, report)
    if report_file is not None:
        output.note(f"The result for each row is in {report_file}.")
    has_statuses = any(column.status for shape in shapes for column in shape.header.columns)
    _print_next_step(request, report, has_statuses=has_statuses)
    if report.rejected:
        raise typer.Exit(1)


def _import(request: ImportRequest) -> tuple[ImportReport, Sequence[ListShape]]:
    """Import the list with a progress bar. Return the report about its rows, and the shape of the file."""
    file, shapes, read = request.path, list[ListShape](), 0
    size = file.stat().st_size // _BYTES_A_STEP if file.is_file() else None
    with opened_database() as (_, database), bars.progress("Reading", size, unit="KB") as advance:

        def on_shape(shape: ListShape) -> None:
            shapes.append(shape)
            _print_shape(file, shape)

        def on_progress(bytes_read: int) -> None:
            nonlocal read
            advance(bytes_read // _BYTES_A_STEP - read)
            read = bytes_read // _BYTES_A_STEP

        report = import_list(database, request, now=datetime.now(UTC), on_shape=on_shape, on_progress=on_progress)
    return report, shapes


def _print_shape(file: Path, shape: ListShape) -> None:
    """Print the format of the file, the renamed columns, and the columns that are skipped."""
    header = shape.header
    whose = f"an export from {header.tool}" if header.tool else "a list"
    output.note(f"{file}: {whose} with {output.count_of(header.width, 'column')}")
    attributes, left_out, renamed = [], [], []
    for column in header.columns:
        name = column.name or f"column {column.place + 1}, which has no name"
        if column.is_left_out:
            left_out.append(name)
        elif column.attribute and not column.status and letters_of(name) == letters_of(column.attribute):
            attributes.append(column.attribute)
        elif column.use != column.name:  # otherwise both sides of the arrow would be the same
            renamed.append(f"{name} → {column.use}")
    for line in _first(renamed):
        output.note(f"  {line}")
    if attributes:
        output.note(f"  attributes: {', '.join(_first(attributes))}")
    if left_out:
        output.note(f"  skipped: {', '.join(_first(left_out))}")
    if encoding := shape.encoding.assumed:
        advice = "If that looks wrong, set the encoding with --encoding."
        output.note(f"  The file is not UTF-8; it was read as {encoding}. {advice}")


def _first(names: Sequence[str]) -> list[str]:
    """Return the names that fit on a screen, and a line that counts the others."""
    more = len(names) - _SHOWN_COLUMNS
    return [*names[:_SHOWN_COLUMNS], *([f"… and {more:,} more"] if more > 0 else [])]


def _print_report(file: Path, report: ImportReport) -> None:
    facts = {"rows": report.rows, "added": report.added, "updated": report.updated}
    facts |= {"unchanged": report.unchanged, "rejected": report.rejected}
    further = {
        "imported, needs checking": report.doubtful,
        "imported, but blocked": report.suppressed,
        "imported, resubscribed": report.revived,
        "imported, without consent": report.without_consent,
    }
    facts |= {name: count for name, count in further.items() if count}
    output.print_facts((name, f"{count:,}") for name, count in facts.items())
    rejected = [(row.line, row.email, row.reason) for row in report.rejected_rows]
    _print_rows(file, "Rejected", "rejected row", rejected, report.rejected)
    doubtful = [(row.line, row.email, row.doubt) for row in report.doubtful_rows]
    _print_rows(file, "Imported, needs checking", "row to check", doubtful, report.doubtful)
    if report.suppressed:
        are = "is" if report.suppressed == 1 else "are"
        output.note(f"{report.suppressed:,} of them {are} blocked: on the list, but not emailed.")
    if report.revived:
        output.note(
            f"{report.revived:,} of them had unsubscribed and can be emailed again: their rows contain newer consent."
        )
    if report.without_consent:
        output.note(f"{report.without_consent:,} of them will not be emailed, because no consent is on record.")


def _print_rows(file: Path, title: str, noun: str, rows: list[tuple[int, str, str]], count: int) -> None:
    """Print the first rows, each with its line number."""
    if not count:
        return
    output.note(f"{title}:")
    for line, email, what in rows[:_SHOWN_ROWS]:
        output.note(f"  {file}:{line}: {f'{email}: ' if email else ''}{what}")
    if count > _SHOWN_ROWS:
        output.note(f"  … and {output.count_of(count - _SHOWN_ROWS, f'more {noun}')}; --report FILE saves all of them")


def _print_next_step(request: ImportRequest, report: ImportReport, *, has_statuses: bool) -> None:
    command = _command(request)
    with_basis = f'{command} --basis "…"'
    if request.is_dry_run:
        output.note("Dry run: nothing was changed.")
        output.print_next(command, "to import the file")
        if report.without_consent:
            output.print_next(with_basis, "to import it, if you have a reason to email people without consent")
    elif report.without_consent:
        output.print_next(with_basis, "if you have a reason to email them, for example “members of the society”")
    elif report.rejected == report.rows and has_statuses:
        pass  # these people unsubscribed, so there is nothing to correct
    elif report.rejected:
        output.print_next(command, "once you have corrected the rejected rows; imported rows do not change")
    else:
        output.print_next("newsletter segments", "to see who you can send to")
    if report.rejected and has_statuses:
        output.print_next("newsletter suppressions add EMAIL", "for people who unsubscribed, if they are on your list")


def _command(request: ImportRequest) -> str:
    """Return the import command as a person would type it again."""
    words = ["newsletter", "subscribers", "import", str(request.path)]
    for column, name in request.mapping.items():
        words += ["--map", f"{column}={name}"]
    for tag in request.tags:
        words += ["--tag", tag]
    words += ["--basis", request.basis] if request.basis else []
    words += ["--encoding", request.encoding] if request.encoding else []
    words += ["--report", str(request.report)] if request.report else []
    return " ".join(map(quote, words))
