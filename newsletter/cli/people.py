"""`subscribers show`, `add` and `forget`: one person."""

from typing import Annotated

import typer

from newsletter.cli import output


def show(email: Annotated[str, typer.Argument(metavar="EMAIL", help="The person's address.")]) -> None:
    """Show everything that is known of a person: fields, tags, consent, suppressions, what they were sent."""
    from newsletter.cli.person_page import show_known
    from newsletter.cli.workspace import opened_database
    from newsletter.system.secret_key import forget_key
    from newsletter.workflows.subscribers.person import show_person

    with opened_database() as (_, database):
        person = show_person(database, email, key=forget_key())
    show_known(person)
    output.show_next(f"newsletter subscribers export {person.email}", "has all of it, as JSON")


def add(  # noqa: PLR0913, PLR0917 - what a list says of a person
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="The person's address.")],
    consent_source: Annotated[
        str,
        typer.Option("--consent-source", metavar="TEXT", help="Where they said yes, such as 'at the May workshop'."),
    ],
    consented_at: Annotated[
        str | None, typer.Option("--consented-at", metavar="DATE", help="When, such as 2026-01-31; now by default.")
    ] = None,
    consent_wording: Annotated[
        str, typer.Option("--consent-wording", metavar="VERSION", help="The version of the words they said yes to.")
    ] = "",
    first_name: Annotated[str, typer.Option("--first-name", metavar="NAME")] = "",
    last_name: Annotated[str, typer.Option("--last-name", metavar="NAME")] = "",
    language: Annotated[str, typer.Option("--language", metavar="CODE", help="Such as en or pt-BR.")] = "",
    timezone: Annotated[str, typer.Option("--timezone", metavar="ZONE", help="Such as Europe/Paris.")] = "",
    tag: Annotated[list[str], typer.Option("--tag", metavar="TAG", help="May be given again.")] = [],  # noqa: B006
) -> None:
    """Add one person, with the record of their consent; who is on the list is updated by the rules of an import.

    Somebody who left, bounced or was forgotten comes back only where the consent is newer than that.
    """
    from datetime import UTC, datetime

    from newsletter.cli.workspace import opened_database
    from newsletter.system.secret_key import forget_key
    from newsletter.workflows.subscribers.person import NewPerson, add_person

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
    output.show_next(f"newsletter subscribers show {email}", "to see what is known of them")


def forget(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="The address of somebody who asked for it.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be erased, and what stays.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Erase a person for good, and keep by a keyed digest that they are never mailed again.

    It needs NEWSLETTER_KEY in the environment: a secret of at least 32 characters, the same one each time.
    """
    from datetime import UTC, datetime

    from newsletter.cli.forgetting import show_erasure, show_plan
    from newsletter.cli.workspace import opened_database
    from newsletter.system.secret_key import forget_key
    from newsletter.workflows.subscribers.forget import erase, plan_erasure

    key = forget_key()
    with opened_database() as (config, database):
        planned = plan_erasure(config, database, person, key=key)
        show_plan(planned)
        if dry_run:
            output.note("Nothing was erased.")
            return
        if not yes and not output.confirm(f"Erase {planned.person.email} for good?"):
            output.note("Nothing was erased.")
            raise typer.Exit(1)
        erasure = erase(database, planned, key=key, now=datetime.now(UTC))
    show_erasure(erasure, planned.person.email)
