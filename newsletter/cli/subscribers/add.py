"""`newsletter subscribers add`."""

from datetime import UTC, datetime
from shlex import quote
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import Email
from newsletter.cli.workspace import opened_database
from newsletter.model.imports import ImportReport
from newsletter.system.environment import forget_key
from newsletter.workflows.subscribers.person import NewPerson, add_person


def add(  # noqa: PLR0913, PLR0917 - each is a column of a list
    email: Email,
    consent_source: Annotated[
        str, typer.Option(metavar="TEXT", help="Where the person gave consent, for example 'May workshop'.")
    ],
    consented_at: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="When the person gave consent, for example 2026-01-31. Default: now."),
    ] = None,
    consent_wording: Annotated[
        str, typer.Option(metavar="TEXT", help="The wording that the person agreed to, or its version.")
    ] = "",
    first_name: Annotated[str, typer.Option("--first-name", metavar="NAME", help="First name.")] = "",
    last_name: Annotated[str, typer.Option("--last-name", metavar="NAME", help="Last name.")] = "",
    language: Annotated[
        str, typer.Option("--language", metavar="CODE", help="Language, for example en or pt-BR.")
    ] = "",
    timezone: Annotated[
        str, typer.Option("--timezone", metavar="ZONE", help="Time zone, for example Europe/Paris.")
    ] = "",
    tag: Annotated[list[str], typer.Option("--tag", metavar="TAG", help="A tag to add. Repeatable.")] = [],  # noqa: B006
) -> None:
    """Add one subscriber and record their consent.

    Updates an existing subscriber, following the same rules as an import. People who unsubscribed, bounced or were
    erased can be emailed again only if they have consented since then.
    """
    person = NewPerson(
        email=email,
        first_name=first_name,
        last_name=last_name,
        language=language,
        timezone=timezone,
        tags=tuple(tag),
        consent_source=consent_source,
        consented_at=consented_at,
        consent_wording=consent_wording,
    )
    with opened_database() as (_, database):
        report = add_person(database, person, key=forget_key(), now=datetime.now(UTC))
    _print_report(email, report)


def _print_report(email: str, report: ImportReport) -> None:
    """Print what was recorded, and whether the address is still blocked."""
    if report.revived:
        output.say(f"{email} had unsubscribed and has consented again. They will be emailed from now on.")
    elif report.added:
        output.say(f"{email} was added to the list.")
    else:
        output.say(f"{email} was already on the list{' and was updated' if report.updated else '. Nothing changed'}.")
    for row in report.doubtful_rows:
        output.note(f"Please check: {row.doubt}.")
    if report.suppressed:
        output.note(
            "The address is still blocked: this consent is not newer than the block, or someone blocked the address "
            "by hand."
        )
    output.print_next(f"newsletter subscribers show {quote(email)}", "to see everything about them")
