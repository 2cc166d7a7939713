"""`newsletter publish`."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.bars import progress
from newsletter.cli.options import AsJson, DryRun, Yes
from newsletter.cli.workspace import current_config
from newsletter.config import Config
from newsletter.content.loader import issue_names
from newsletter.destinations.destination import Destination, SitePlan
from newsletter.store.database import Database
from newsletter.store.opening import open_database
from newsletter.workflows.publish.publish import (
    Edition,
    destination_of,
    differs,
    make_edition,
    plan_edition,
    plan_facts,
    publish_edition,
    publish_question,
    require_archive,
)

_TO = "Publish to this folder or address instead of the one in newsletter.toml."
_AGAIN = "Write all files, even unchanged ones, for a destination that lost files."
_EMPTY = (
    "An issue appears in the archive when it is sent. To show it earlier, write `visibility: public` in its issue.yaml."
)


def publish(
    to: Annotated[str | None, typer.Option(metavar="DESTINATION", help=_TO)] = None,
    again: Annotated[bool, typer.Option("--again", help=_AGAIN)] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Publish the archive: your issues as web pages, with feeds, a search and the images of your emails.

    Only files that changed are written. You see what would change, and are asked. An issue appears when it is sent,
    unless `visibility` in its issue.yaml, or in newsletter.toml under [archive], says otherwise.

    Exits with status 1 if you do not confirm.
    """
    config = current_config(prints_notes=not as_json)
    archive = require_archive(config)
    with _ledger(config) as database:
        total = len(issue_names(config))
        with progress("Making the pages", total, unit="issue") as advance:
            edition = make_edition(config, database, now=datetime.now(UTC), on_done=lambda _: advance(1))
    destination = destination_of(config, to)
    plan = plan_edition(edition, destination)
    if as_json:
        output.print_json(
            {"added": plan.added, "changed": plan.changed, "removed": plan.removed, "unchanged": len(plan.unchanged)}
        )
    else:
        output.print_facts(plan_facts(edition, plan, to or archive.to or ""))
        output.print_notes((*(() if edition.pages else (_EMPTY,)), *edition.notes))
    if dry_run:
        output.note("Dry run: nothing was published. Run the same command without --dry-run to publish.")
        return
    if not differs(plan) and not again:
        output.note("Nothing has changed since the archive was published.")
    else:
        output.require_yes(publish_question(plan), yes=yes, otherwise="Nothing was published.")
    _publish(config, edition, destination, plan, again=again)
    output.note(f"Published: {archive.url}/")


def _publish(config: Config, edition: Edition, destination: Destination, plan: SitePlan, *, again: bool) -> None:
    writes = len(edition.files) if again else len(plan.added) + len(plan.changed)
    with progress("Publishing", writes + len(plan.removed), unit="file") as advance:
        done = 0

        def on_progress(now_done: int, _total: int) -> None:
            nonlocal done
            advance(now_done - done)
            done = now_done

        publish_edition(config, edition, destination, on_progress, again=again)


@contextmanager
def _ledger(config: Config) -> Iterator[Database | None]:
    """Yield the database, or None if there is none yet, so that no issue was sent."""
    if not config.has_database:
        yield None
        return
    with open_database(config.database, workspace=config.root) as database:
        yield database
