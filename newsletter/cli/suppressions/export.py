"""`newsletter suppressions export`."""

from enum import StrEnum
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import Force, OnlyReason, OnlyTopic, OutputFile
from newsletter.cli.workspace import opened_database
from newsletter.workflows.suppressions.suppress import WRITERS, export_to_file, suppressed


class FileFormat(StrEnum):
    """The formats of an export."""

    CSV = "csv"
    JSON = "json"


_FORMATS = f"The format: {FileFormat.CSV} or {FileFormat.JSON}. Default: json for a .json file, otherwise csv."


def export(
    file: OutputFile = None,
    form: Annotated[FileFormat | None, typer.Option("--format", metavar="FORMAT", help=_FORMATS)] = None,
    topic: OnlyTopic = None,
    reason: OnlyReason = None,
    force: Force = False,
) -> None:
    """Export blocked addresses as CSV or JSON.

    `newsletter suppressions add --file` can read the CSV file. Only you can open the file, and it is written completely
    or not at all.
    """
    written_as = (form or (FileFormat.JSON if file and file.suffix.lower() == ".json" else FileFormat.CSV)).value
    with opened_database() as (config, database):
        found = suppressed(database, topic=topic, reason=reason, topics=config.settings.topics)
        if file is None or str(file) == "-":
            WRITERS[written_as](found, output.result_stream())
            return
        count = export_to_file(found, file, form=written_as, overwrite=force)
    output.note(f"Saved {output.count_of(count, 'blocked address')} to {file}, which only you can read.")
