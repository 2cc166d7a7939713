"""`newsletter subscribers import`: add and update subscribers from a file."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer
from msgspec.structs import replace

from newsletter.cli import bars, output
from newsletter.cli.options import DryRun
from newsletter.cli.send.held import held_for, print_held
from newsletter.cli.unclear_columns import ask_about_columns
from newsletter.cli.workspace import opened_database
from newsletter.language.commands import map_option
from newsletter.language.counts import people_of
from newsletter.lists.csv_import import ListShape
from newsletter.lists.export_formats import letters_of
from newsletter.lists.leavers import UnclearColumnsError
from newsletter.lists.list_columns import ListColumn
from newsletter.model.imports import ImportReport
from newsletter.workflows.subscribers.import_ import ImportRequest, import_list, mapping_of

_SHOWN_ROWS = 20
_SHOWN_COLUMNS = 30
_BYTES_A_STEP = 1000
_MAP = (
    "Import a column under another name, or skip it with `COLUMN=`. If it says who unsubscribed, use "
    "`COLUMN=unsubscribed`. Repeatable."
)
_LEAVERS = (
    "What to do with rows of people who left and are not on your list: reject (skip and list them) or suppress (block "
    "their addresses). People who left and are on your list are always blocked."
)
_MEANT = {
    "first_name": "first name",
    "last_name": "last name",
    "language": "language of the person",
    "tags": "list of tags",
    "joined_at": "date on which they joined",
    "consented_at": "date on which they agreed to get email",
    "consent_source": "place where they agreed to get email",
}
_REPLACE = "Let the cells of this column replace what is recorded; an empty cell clears it. Repeatable."
_TAG = "A tag to add to everyone in the file. Repeatable."
_BASIS = "The reason you may email people whose consent is not in the file. It is saved with each of them."
_ENCODING = "The encoding of the file, for example cp1252. Default: detected automatically."
_REPORT = "A CSV file in which to save the result for each row. Replaces an earlier report."


class Leavers(StrEnum):
    """What to do with rows of people who left and are not on the list."""

    REJECT = "reject"
    SUPPRESS = "suppress"


def import_(  # noqa: PLR0913, PLR0917 - each is an option of its own
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A CSV file whose first line contains column names, or a vCard file.")
    ],
    columns: Annotated[list[str], typer.Option("--map", metavar='"COLUMN=NAME"', help=_MAP)] = [],  # noqa: B006 - typer copies it
    tags: Annotated[list[str], typer.Option("--tag", metavar="TAG", help=_TAG)] = [],  # noqa: B006
    replace_columns: Annotated[list[str], typer.Option("--replace", metavar="COLUMN", help=_REPLACE)] = [],  # noqa: B006
    leavers: Annotated[Leavers, typer.Option(metavar="ACTION", help=_LEAVERS)] = Leavers.REJECT,
    basis: Annotated[str, typer.Option(metavar="TEXT", help=_BASIS)] = "",
    encoding: Annotated[str, typer.Option(metavar="NAME", help=_ENCODING)] = "",
    is_dry_run: DryRun = False,
    report_file: Annotated[Path | None, typer.Option("--report", metavar="FILE", help=_REPORT)] = None,
) -> None:
    """Add and update subscribers from a CSV file, and report the result for each row.

    Reads your own CSV files, files exported from Brevo, Buttondown, Ghost, HubSpot, listmonk, Mailchimp, SendGrid or
    Substack, and contacts exported from Google, Outlook or Apple. People who unsubscribed can be emailed again only if
    the file shows that they have consented since then. If a column may say who unsubscribed, you are asked whether it
    does.

    Empty cells leave existing values unchanged; new tags are added to the existing ones. To correct a column, use
    --replace. If an error stops the import, nothing is imported. It is safe to repeat an import.

    Exits with status 1 if a row was rejected.
    """
    request = ImportRequest(
        path=file,
        mapping=mapping_of(tuple(columns)),
        tags=tuple(tags),
        replaces=tuple(replace_columns),
        suppresses_leavers=leavers is Leavers.SUPPRESS,
        basis=basis,
        encoding=encoding,
        report=report_file,
        is_dry_run=is_dry_run,
    )
    request, report = _import_answered(request)
    _print_report(file, report)
    if not is_dry_run:
        _print_held()
    if report_file is not None:
        output.note(f"The result for each row is in {report_file}.")
    _print_next_step(request, report)
    if report.rejected:
        raise typer.Exit(1)


def _import_answered(request: ImportRequest) -> tuple[ImportRequest, ImportReport]:
    """Import the list. At a terminal, ask about each column that may say who left, and start again with the answers."""
    while True:
        try:
            return request, _import(request)
        except UnclearColumnsError as err:
            answers = ask_about_columns(
                err,
                use="Use it: people who left are blocked or not imported.",
                stop="Import nothing.",
                stopped="Nothing was imported.",
            )
            request = replace(request, mapping={**request.mapping, **answers})


def _import(request: ImportRequest) -> ImportReport:
    """Import the list with a progress bar. Return the report about its rows."""
    file, read = request.path, 0
    size = file.stat().st_size // _BYTES_A_STEP if file.is_file() else None
    with opened_database() as (config, database), bars.progress("Reading", size, unit="KB") as advance:

        def on_shape(shape: ListShape) -> None:
            _print_shape(file, shape)

        def on_progress(bytes_read: int) -> None:
            nonlocal read
            advance(bytes_read // _BYTES_A_STEP - read)
            read = bytes_read // _BYTES_A_STEP

        request = replace(request, topics=config.settings.topics)
        return import_list(database, request, now=datetime.now(UTC), on_shape=on_shape, on_progress=on_progress)


def _print_held() -> None:
    """Print who left according to the list, but is still emailed by the provider."""
    with opened_database() as (config, database):
        now = datetime.now(UTC)
        print_held(config, held_for(config, database, now=now), now=now)


def _print_shape(file: Path, shape: ListShape) -> None:
    """Print the format of the file, the uses of its columns, and what may have to be corrected."""
    header = shape.header
    whose = f"an export from {header.tool}" if header.tool else "a list"
    output.note(f"{file}: {whose} with {output.count_of(header.width, 'column')}")
    _print_uses(header.columns)
    for name, field in ((column.name, column.suggestion) for column in header.columns if column.suggestion):
        output.note(f"  If {name} is the {_MEANT[field]}, add {map_option(name, field)}")
    if encoding := shape.encoding.assumed:
        advice = "If that looks wrong, set the encoding with --encoding."
        output.note(f"  The file is not UTF-8; it was read as {encoding}. {advice}")


def _print_uses(columns: Sequence[ListColumn]) -> None:
    """Print the renamed columns, those that become attributes, and those that are skipped."""
    attributes, left_out, renamed = [], [], []
    for column in columns:
        name = column.name or f"column {column.place + 1}, which has no name"
        if column.is_left_out:
            left_out.append(name)
        elif column.leaving is None and column.attribute and letters_of(name) == letters_of(column.attribute):
            attributes.append(column.attribute)
        elif column.leaving is not None and not column.judges and column.attribute:
            renamed.append(f"{name} → {column.use}, unless it says who unsubscribed")
        elif column.use != column.name:  # otherwise both sides of the arrow would be the same
            renamed.append(f"{name} → {column.use}")
    for line in _first(renamed):
        output.note(f"  {line}")
    if attributes:
        output.note(f"  attributes: {', '.join(_first(attributes))}")
    if left_out:
        output.note(f"  skipped: {', '.join(_first(left_out))}")


def _first(names: Sequence[str]) -> list[str]:
    """Return the names that fit on a screen, and a line that counts the others."""
    more = len(names) - _SHOWN_COLUMNS
    return [*names[:_SHOWN_COLUMNS], *([f"… and {more:,} more"] if more > 0 else [])]


def _print_report(file: Path, report: ImportReport) -> None:
    facts = {"rows": report.rows, "added": report.added, "updated": report.updated, "unchanged": report.unchanged}
    facts |= {"blocked": report.blocked} if report.blocked else {}
    facts |= {"rejected": report.rejected}
    further = {
        "imported, please check": report.doubtful,
        "imported, but blocked": report.suppressed,
        "imported, resubscribed": report.revived,
        "imported, without consent": report.without_consent,
    }
    facts |= {name: count for name, count in further.items() if count}
    output.print_facts((name, f"{count:,}") for name, count in facts.items())
    rejected = [(row.line, row.email, row.reason) for row in report.rejected_rows]
    _print_rows(file, "Rejected", "rejected row", rejected, report.rejected)
    doubtful = [(row.line, row.email, row.doubt) for row in report.doubtful_rows]
    _print_rows(file, "Imported, please check", "row to check", doubtful, report.doubtful)
    if report.suppressed:
        are = "is" if report.suppressed == 1 else "are"
        output.note(f"{report.suppressed:,} of them {are} blocked: on the list, but not emailed.")
    if report.revived:
        output.note(
            f"{report.revived:,} of them had unsubscribed and can be emailed again: their rows contain newer consent."
        )
    if report.in_doubt:
        people = people_of(report.in_doubt)
        output.note(f"In doubt: {people} on your list. No email is sent to them until you say whether they left.")
    if report.left_topics:
        output.note(f"{output.count_of(report.left_topics, 'new block')} for single topics that people left.")
    if report.without_consent:
        imported = people_of(report.added + report.updated + report.unchanged)
        output.note(
            f"{report.without_consent:,} of the {imported.replace(' ', ' imported ', 1)} will get no email, because no "
            "consent is on record."
        )


def _print_rows(file: Path, title: str, noun: str, rows: list[tuple[int, str, str]], count: int) -> None:
    """Print the first rows, each with its line number."""
    if not count:
        return
    output.note(f"{title}:")
    for line, email, what in rows[:_SHOWN_ROWS]:
        output.note(f"  {file}:{line}: {f'{email}: ' if email else ''}{what}")
    if count > _SHOWN_ROWS:
        output.note(f"  … and {output.count_of(count - _SHOWN_ROWS, f'more {noun}')}; --report FILE saves all of them")


def _print_next_step(request: ImportRequest, report: ImportReport) -> None:
    command = _command(request)
    with_basis = f'{command} --basis "…"'
    if request.is_dry_run:
        output.note_dry_run()
        output.print_next(command, "to import the file")
        if report.without_consent:
            output.print_next(with_basis, "to import it, if you have a reason to email people without consent")
    elif report.without_consent:
        output.print_next(with_basis, "if you have a reason to email them, for example “members of the society”")
    elif report.to_correct:
        output.print_next(command, "once you have corrected the rejected rows; imported rows do not change")
    elif report.rejected < report.rows or not report.rows:
        output.print_next("newsletter segments", "to see who you can send to")
    if report.left_rejected:
        command = _command(replace(request, suppresses_leavers=True, is_dry_run=False))
        output.print_next(command, "to also block the people in this file who left, and are not on your list")
    if report.in_doubt and not request.is_dry_run:
        output.print_next("newsletter suppressions list --reason 'in doubt'", "to see who is in doubt, and why")
        output.print_next("newsletter suppressions add EMAIL", "for each person in doubt who left")
        answer = 'newsletter suppressions remove EMAIL --because "…"'
        output.print_next(answer, "for each person in doubt who did not leave")


def _command(request: ImportRequest) -> str:
    """Return the import command as a person would type it again."""
    words = ["newsletter", "subscribers", "import", str(request.path)]
    for column, name in request.mapping.items():
        words += ["--map", f"{column}={name}"]
    for tag in request.tags:
        words += ["--tag", tag]
    for column in request.replaces:
        words += ["--replace", column]
    words += ["--leavers", Leavers.SUPPRESS] if request.suppresses_leavers else []
    words += ["--basis", request.basis] if request.basis else []
    words += ["--encoding", request.encoding] if request.encoding else []
    words += ["--report", str(request.report)] if request.report else []
    return " ".join(map(quote, words))
