"""`newsletter purge`: delete data that is too old."""

from collections.abc import Callable
from datetime import UTC, datetime

from newsletter.cli import output
from newsletter.cli.options import AsJson, DryRun
from newsletter.cli.workspace import opened_database
from newsletter.workflows import purge as workflow
from newsletter.workflows.purge import Purged

_COLUMNS: dict[str, Callable[[Purged], str]] = {
    "data": lambda purged: purged.what,
    "kept for": lambda purged: output.count_of(purged.days, "day"),
    "deleted": lambda purged: f"{purged.deleted:,}",
}


def purge(dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Delete data that is older than your settings allow. The service does this every day.

    How long each kind of data is kept is in newsletter.toml, under [retention].
    """
    with opened_database() as (config, database):
        found = workflow.purge(config, database, now=datetime.now(UTC), is_preview=dry_run)
    if as_json:
        output.print_json([each._asdict() for each in found])
        return
    output.print_columns(_COLUMNS, found)
    if dry_run:
        output.note("Dry run: nothing was deleted.")
