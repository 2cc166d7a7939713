"""`newsletter clients`: show which email apps readers use, and which parts of an issue each one cannot display."""

from shlex import quote
from typing import Annotated

import typer

from newsletter.checks.clients.published import TABLE_URL
from newsletter.checks.clients.readers import Readers
from newsletter.checks.clients.report import ClientReport, Loss, named, percent, remedy
from newsletter.cli import bars, output
from newsletter.cli.options import AsJson
from newsletter.cli.workspace import current_config
from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.workflows.compose.clients import known_readers, refresh_table, report_issue
from newsletter.workflows.compose.compose import require_issue


def clients(
    issue: Annotated[
        str | None,
        typer.Argument(metavar="ISSUE", help="The issue to check for features that email apps cannot display."),
    ] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Download the latest support table from caniemail.com first.")
    ] = False,
    source: Annotated[
        str | None, typer.Option("--from", metavar="URL", help="Download the table from this URL instead.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show which email apps your readers use and what each one cannot display.

    Set the share of readers per app in newsletter.toml, under `[checks.clients]`; see docs/clients.md. The data on
    what each app supports comes from caniemail.com's tests. `--refresh` saves the site's latest table as caniemail.json
    in your newsletter folder.
    """
    if source and not refresh:
        raise InputError("--from works only together with --refresh; add --refresh")
    config = current_config()
    if refresh:
        _refresh(config, source, is_all=issue is None and not as_json)
    if issue is not None:
        folder = require_issue(config, issue)
        report = report_issue(config, folder)
        if as_json:
            losses = [_loss_data(loss, report.readers) for loss in report.losses]
            output.print_json({"issue": folder.name, **_readers_data(report.readers), "losses": losses})
        else:
            _print_report(report, folder.name)
    elif as_json:
        output.print_json(_readers_data(known_readers(config)))
    elif not refresh:
        _print_readers(known_readers(config))


def _refresh(config: Config, source: str | None, *, is_all: bool) -> None:
    with bars.progress("Downloading", 1, unit="tables") as advance:
        table, path = refresh_table(config, source or TABLE_URL)
        advance(1)
    if path is None:
        output.note(f"You already have the latest table, dated {table.date}.")
    else:
        output.note(f"Saved the table dated {table.date} to {config.shown(path)}. It is used from now on.")
    if is_all:
        output.print_next("newsletter clients ISSUE", "to see which parts of an issue these apps cannot display")


def _print_readers(readers: Readers) -> None:
    table = readers.table
    by_share = sorted(readers.shares.items(), key=lambda item: -item[1])
    rows = [(f"{share:.3g}%".rjust(5), table.clients[client], client) for client, share in by_share]
    rest = 100 - readers.share(tuple(readers.shares))
    if rest >= 0.5:
        rows.append((f"{rest:.3g}%".rjust(5), "another app", ""))
    output.print_table(("readers", "email app", "name in settings"), rows)
    output.say()
    others = [client for client in table.clients if client not in readers.shares]
    output.say(output.styled("Other known email apps, for which no share of your readers is known:", "dim"))
    output.print_facts(
        (family, ", ".join(client.partition(".")[2] for client in table.members(family) if client in others))
        for family in table.families
    )
    output.say()
    _print_origin(readers)
    output.print_next("newsletter clients ISSUE", "to see which parts of an issue these apps cannot display")


def _print_report(report: ClientReport, issue: str) -> None:
    readers = report.readers
    accepted = [loss for loss in report.losses if loss.unseen and loss.accepted]
    in_part = [loss for loss in report.losses if not loss.unseen]
    if report.open:
        output.say(output.styled(f"Parts of {issue} that some readers cannot see", "bold"))
        for loss in report.open:
            _print_loss(loss, readers)
    else:
        output.say(f"Your readers' email apps can display everything that matters in {issue}.")
    if accepted:
        output.say()
        output.say(output.styled("Not shown to some readers, but harmless", "bold"))
        for loss in accepted:
            output.say(f"  {named(loss)}: {loss.accepted}")
            output.say(f"    {percent(readers.share(loss.unseen))}: {readers.named(loss.unseen)}")
    if in_part:
        output.say()
        output.say(output.styled("Partly supported (--json shows caniemail's notes)", "bold"))
        names = [f"{named(loss)} {percent(readers.share(loss.partly))}" for loss in in_part]
        output.say("  " + ", ".join(names))
    output.say()
    _print_origin(readers)
    output.print_next(f"newsletter preview {quote(issue)}", "to see the issue as your readers will")


def _print_loss(loss: Loss, readers: Readers) -> None:
    output.say(f"  {named(loss)}")
    facts = [(f"not shown to {percent(readers.share(loss.unseen))}", readers.named(loss.unseen))]
    if loss.partly:
        facts.append((f"partly shown to {percent(readers.share(loss.partly))}", readers.named(loss.partly)))
    facts += [("used in", str(place)) for place in loss.places]
    facts += [("what to do", remedy(loss)), ("see", loss.feature.url)]
    for head, words in facts:
        output.say(f"    {head}: {words}")


def _print_origin(readers: Readers) -> None:
    table = readers.table
    output.note(
        f"Source: caniemail.com's tests, as of {table.date}: {len(table.features)} features in "
        f"{len(table.clients)} email apps. License: {table.license}"
    )


def _loss_data(loss: Loss, readers: Readers) -> dict[str, object]:
    return {
        "feature": loss.feature.slug,
        "used_as": named(loss),
        "url": loss.feature.url,
        "tested": loss.feature.tested,
        "unseen_percent": round(readers.share(loss.unseen), 2),
        "unseen_by": list(loss.unseen),
        "partly_percent": round(readers.share(loss.partly), 2),
        "partly_by": {client: list(readers.table.remarks(loss.feature, client)) for client in loss.partly},
        "accepted_because": loss.accepted or None,
        "places": [str(place) for place in loss.places],
    }


def _readers_data(readers: Readers) -> dict[str, object]:
    table = readers.table
    return {
        "readers_percent": {client: round(share, 2) for client, share in readers.shares.items()},
        "known": dict(table.clients),
        "table": {"source": table.source, "date": table.date, "license": table.license},
    }
