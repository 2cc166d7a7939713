"""`newsletter clients`: which mail programs the readers use, and what each will not show of an issue."""

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

_UNBROKEN = "\N{NO-BREAK SPACE}%"


def clients(
    issue: Annotated[str | None, typer.Argument(metavar="ISSUE", help="An issue, to see what it loses where.")] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Fetch caniemail's newest table first.")] = False,
    source: Annotated[str | None, typer.Option("--from", metavar="URL", help="Where else to fetch it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show which email apps your readers use, and what each one cannot display.

    How many readers use each stands in newsletter.toml, below `[checks.clients]`; docs/clients.md explains it. What
    each can show is known from the tests that caniemail.com publishes. `--refresh` keeps a newer table of them in
    caniemail.json, in the workspace.
    """
    if source and not refresh:
        raise InputError("--from says where to fetch a table; add --refresh")
    config = current_config()
    if refresh:
        _refresh(config, source)
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


def _refresh(config: Config, source: str | None) -> None:
    with bars.progress("Fetching", 1, unit="tables") as advance:
        table, path = refresh_table(config, source or TABLE_URL)
        advance(1)
    if path is None:
        output.note(f"There is none newer than the one at hand, of {table.date}.")
    else:
        output.note(f"{config.shown(path)} holds the table of {table.date}; it is used from now on.")


def _print_readers(readers: Readers) -> None:
    table = readers.table
    by_share = sorted(readers.shares.items(), key=lambda item: -item[1])
    rows = [(f"{share:.3g} %".rjust(6), table.clients[client], client) for client, share in by_share]
    rest = 100 - readers.share(tuple(readers.shares))
    if rest >= 0.5:
        rows.append((f"{rest:.3g} %".rjust(6), "something else", ""))
    output.print_table(("readers", "mail program", "name"), rows)
    output.say()
    others = [client for client in table.clients if client not in readers.shares]
    output.say(output.styled("Known too, without readers here:", "dim"))
    output.print_facts(
        (family, ", ".join(client.partition(".")[2] for client in table.members(family) if client in others))
        for family in table.families
    )
    output.say()
    _print_origin(readers)
    output.print_next("newsletter clients ISSUE", "to see what they will not see of an issue")


def _print_report(report: ClientReport, issue: str) -> None:
    readers = report.readers
    accepted = [loss for loss in report.losses if loss.unseen and loss.accepted]
    in_part = [loss for loss in report.losses if not loss.unseen]
    if report.open:
        output.say(output.styled(f"What readers will not see of {issue}", "bold"))
        for loss in report.open:
            _print_loss(loss, readers)
    else:
        output.say(f"All readers see all that they need of {issue}.")
    if accepted:
        output.say()
        output.say(output.styled("What some do not get, and the mail is whole without", "bold"))
        for loss in accepted:
            output.say(f"  {named(loss)}: {loss.accepted}")
            output.say(f"    {percent(readers.share(loss.unseen))}: {readers.named(loss.unseen)}")
    if in_part:
        output.say()
        output.say(output.styled("What some know in part (--json has caniemail's remarks)", "bold"))
        names = [f"{named(loss)} {percent(readers.share(loss.partly))}".replace(" %", _UNBROKEN) for loss in in_part]
        output.say("  " + ", ".join(names))
    output.say()
    _print_origin(readers)


def _print_loss(loss: Loss, readers: Readers) -> None:
    output.say(f"  {named(loss)}")
    facts = [(f"not for {percent(readers.share(loss.unseen))}", readers.named(loss.unseen))]
    if loss.partly:
        facts.append((f"in part for {percent(readers.share(loss.partly))}", readers.named(loss.partly)))
    facts += [("in", str(place)) for place in loss.places]
    facts += [("instead", remedy(loss)), ("see", loss.feature.url)]
    for head, words in facts:
        output.say(f"    {head}: {words}")


def _print_origin(readers: Readers) -> None:
    table = readers.table
    output.note(
        f"By caniemail.com's tests, as of {table.date}: {len(table.features)} features, {len(table.clients)} mail "
        f"programs. Licence: {table.licence}"
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
        "table": {"source": table.source, "date": table.date, "licence": table.licence},
    }
