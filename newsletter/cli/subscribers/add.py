"""`newsletter subscribers add`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import Email
from newsletter.cli.workspace import opened_database
from newsletter.system.environment import forget_key
from newsletter.workflows.subscribers.person import NewPerson, add_person


def add(  # noqa: PLR0913, PLR0917 - what a list says of a person
    email: Email,
    consent_source: Annotated[str, typer.Option(metavar="TEXT", help="Where they said yes: 'at the May workshop'.")],
    consented_at: Annotated[str | None, typer.Option(metavar="DATE", help="When: 2026-01-31; now by default.")] = None,
    consent_wording: Annotated[str, typer.Option(metavar="VERSION", help="The version of what they agreed to.")] = "",
    first_name: Annotated[str, typer.Option("--first-name", metavar="NAME")] = "",
    last_name: Annotated[str, typer.Option("--last-name", metavar="NAME")] = "",
    language: Annotated[str, typer.Option("--language", metavar="CODE", help="Such as en or pt-BR.")] = "",
    timezone: Annotated[str, typer.Option("--timezone", metavar="ZONE", help="Such as Europe/Paris.")] = "",
    tag: Annotated[list[str], typer.Option("--tag", metavar="TAG", help="May be given again.")] = [],  # noqa: B006
) -> None:
    """Add one person, with the record of their consent.

    Who is on the list already is updated by the rules of an import. Somebody who left, bounced or was forgotten comes
    back only where the consent is newer than that.
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
    if report.revived:
        output.say(f"{email} had left and said yes again: they are mailed from now on")
    elif report.added:
        output.say(f"{email} is on the list")
    else:
        output.say(f"{email} was on the list already{' and is changed' if report.updated else '; nothing is new'}")
    for row in report.doubtful_rows:
        output.note(f"Look at it: {row.doubt}.")
    if report.suppressed:
        output.note("They stay suppressed: this consent is not newer than that, or they were put there by hand.")
    output.print_next(f"newsletter subscribers show {email}", "to see what is known of them")
