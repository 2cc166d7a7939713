"""`newsletter subscribers import`: a list, brought in."""

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
_MAP = "What to take a column for; nothing after = leaves it out. Once for each column."
_REPORT = "Write what became of every row, as CSV; an earlier report is replaced."


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file with a line of column names.")],
    columns: Annotated[list[str], typer.Option("--map", metavar='"COLUMN=NAME"', help=_MAP)] = [],  # noqa: B006 - typer copies it
    tags: Annotated[
        list[str], typer.Option("--tag", metavar="TAG", help="A tag for everybody in the file; may be repeated.")
    ] = [],  # noqa: B006
    basis: Annotated[str, typer.Option(metavar="TEXT", help="Why those without consent may be mailed; kept.")] = "",
    encoding: Annotated[str, typer.Option(metavar="NAME", help="The file's encoding, such as cp1252.")] = "",
    is_dry_run: DryRun = False,
    report_file: Annotated[Path | None, typer.Option("--report", metavar="FILE", help=_REPORT)] = None,
) -> None:
    """Add and update subscribers from a CSV file. Every row is accounted for.

    Nobody who left is brought back. Takes lists of one's own and the exports of Brevo, Buttondown, Ghost, Kit,
    listmonk, Mailchimp, SendGrid and Substack. Empty cells change nothing, tags are added. All or nothing; it can be
    repeated. Ends with 1 where a row was rejected.
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
        output.note(f"What became of every row stands in {report_file}.")
    tells_who_left = any(column.status for shape in shapes for column in shape.header.columns)
    _print_next_step(request, report, tells_who_left=tells_who_left)
    if report.rejected:
        raise typer.Exit(1)


def _import(request: ImportRequest) -> tuple[ImportReport, Sequence[ListShape]]:
    """Bring the list in with a progress bar; return what became of its rows, and the shape of the file."""
    file, shapes, read = request.path, list[ListShape](), 0
    size = file.stat().st_size // _BYTES_A_STEP if file.is_file() else None
    with opened_database() as (_, database), bars.progress("Reading", size, unit="kB") as advance:

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
    """Print whose format it is, what each renamed column is taken for, and which columns are left out."""
    header = shape.header
    whose = f"an export of {header.tool}" if header.tool else "a list"
    output.note(f"{file}: {whose} with {output.count_of(header.width, 'column')}")
    attributes, left_out, renamed = [], [], []
    for column in header.columns:
        name = column.name or f"column {column.place + 1}, which has no name"
        if column.use == "left out":
            left_out.append(name)
        elif column.use == f"attribute {column.attribute}" and letters_of(name) == letters_of(column.attribute):
            attributes.append(column.attribute)
        elif column.use != column.name:
            renamed.append(f"{name} → {column.use}")
    for line in _first(renamed):
        output.note(f"  {line}")
    if attributes:
        output.note(f"  attributes: {', '.join(_first(attributes))}")
    if left_out:
        output.note(f"  left out: {', '.join(_first(left_out))}")
    if encoding := shape.encoding.assumed:
        advice = "If that looks wrong, name its encoding with --encoding."
        output.note(f"  The file is not UTF-8; it was read as {encoding}. {advice}")


def _first(names: Sequence[str]) -> list[str]:
    """Return as many as a screen holds, and how many more there are."""
    more = len(names) - _SHOWN_COLUMNS
    return [*names[:_SHOWN_COLUMNS], *([f"… and {more:,} more"] if more > 0 else [])]


def _print_report(file: Path, report: ImportReport) -> None:
    facts = {"rows": report.rows, "added": report.added, "updated": report.updated}
    facts |= {"unchanged": report.unchanged, "rejected": report.rejected}
    further = {
        "taken, but doubtful": report.doubtful,
        "taken, but suppressed": report.suppressed,
        "taken, and came back": report.revived,
        "taken, without consent": report.without_consent,
    }
    facts |= {name: count for name, count in further.items() if count}
    output.print_facts((name, f"{count:,}") for name, count in facts.items())
    rejected = [(row.line, row.email, row.reason) for row in report.rejected_rows]
    _print_rows(file, "Rejected", "rejected row", rejected, report.rejected)
    doubtful = [(row.line, row.email, row.doubt) for row in report.doubtful_rows]
    _print_rows(file, "Taken, but look at them", "doubtful row", doubtful, report.doubtful)
    if report.suppressed:
        are = "is" if report.suppressed == 1 else "are"
        output.note(f"{report.suppressed:,} of them {are} suppressed: kept on record, and not mailed.")
    if report.revived:
        output.note(f"{report.revived:,} who had left came back, by a newer consent in their rows.")
    if report.without_consent:
        why = "because nothing on record says that they agreed"
        output.note(f"{report.without_consent:,} of them will not be mailed, {why}.")


def _print_rows(file: Path, title: str, noun: str, rows: list[tuple[int, str, str]], count: int) -> None:
    """Print the first of some rows, each with its line."""
    if not count:
        return
    output.note(f"{title}:")
    for line, email, what in rows[:_SHOWN_ROWS]:
        output.note(f"  {file}:{line}: {f'{email}: ' if email else ''}{what}")
    if count > _SHOWN_ROWS:
        output.note(f"  … and {output.count_of(count - _SHOWN_ROWS, f'more {noun}')}; --report FILE writes all of them")


def _print_next_step(request: ImportRequest, report: ImportReport, *, tells_who_left: bool) -> None:
    command = _command(request)
    with_basis = f'{command} --basis "…"'
    if request.is_dry_run:
        output.note("Nothing was changed: this was a dry run.")
        output.print_next(command, "to carry it out")
        if report.without_consent:
            output.print_next(with_basis, "to carry it out, if you know why you may mail those without consent")
    elif report.without_consent:
        output.print_next(with_basis, "if you know why you may mail them, such as: members of the society")
    elif report.rejected == report.rows and tells_who_left:
        pass  # they left; there is nothing to correct
    elif report.rejected:
        output.print_next(command, "once rows are corrected; rows that were taken stay as they are")
    else:
        output.print_next("newsletter segments", "to see whom you can send to")
    if report.rejected and tells_who_left:
        output.print_next("newsletter suppressions add ADDRESS", "for those who left, where they are on your list")


def _command(request: ImportRequest) -> str:
    """Return the import as a person would type it again."""
    words = ["newsletter", "subscribers", "import", str(request.path)]
    for column, name in request.mapping.items():
        words += ["--map", f"{column}={name}"]
    for tag in request.tags:
        words += ["--tag", tag]
    words += ["--basis", request.basis] if request.basis else []
    words += ["--encoding", request.encoding] if request.encoding else []
    words += ["--report", str(request.report)] if request.report else []
    return " ".join(map(quote, words))
