"""`newsletter suppressions remove`: allow an address again, or delete the records of erased people."""

from datetime import UTC, datetime
from shlex import quote
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import DryRun, Yes
from newsletter.cli.workspace import opened_database
from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.language.clock import show_day
from newsletter.store.database import Database
from newsletter.store.forgotten import clear_forgotten, count_digests
from newsletter.store.subscribers import find_subscriber
from newsletter.system.environment import forget_key
from newsletter.workflows.suppressions.suppress import lift, require_lift

_UNCHANGED = "Nothing was changed."
_TOPIC = "Lift only the block on this topic. Default: the block on all email."
_ERASED = "Delete the records of erased people. Use this if NEWSLETTER_KEY is lost."


def remove(
    email: Annotated[
        str | None, typer.Argument(metavar="EMAIL", help="The address of the person who asked to be emailed again.")
    ] = None,
    topic: Annotated[str, typer.Option(metavar="TOPIC", help=_TOPIC)] = "",
    because: Annotated[
        str, typer.Option(metavar="REASON", help="The reason, for example 'asked by phone'. It is saved.")
    ] = "",
    erased: Annotated[bool, typer.Option("--erased", help=_ERASED)] = False,
    forgotten: Annotated[bool, typer.Option("--forgotten", hidden=True)] = False,  # its earlier name
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Allow an address to be emailed again, at the person's request.

    You are asked to confirm. Give the reason with --because; it is saved.
    """
    erased = erased or forgotten
    if erased == (email is not None):
        raise InputError('give either an address with the reason, EMAIL --because "…", or --erased')
    if email is not None and not because.strip() and not dry_run:
        raise InputError('the reason is missing; add --because "…", which is saved')
    with opened_database() as (config, database):
        if email is None:
            _give_up_erased(database, dry_run=dry_run, yes=yes)
        else:
            _lift(config, database, email, topic=topic, because=because, dry_run=dry_run, yes=yes)


def _lift(
    config: Config, database: Database, email: str, *, topic: str, because: str, dry_run: bool, yes: bool
) -> None:
    """Print the suppression, ask for confirmation, lift it, and print what still blocks the address."""
    found = require_lift(database, email, topic=topic, topics=config.settings.topics)
    output.print_facts(
        [
            ("address", found.email),
            ("blocked from", f"email about {found.topic}" if found.topic else "all email"),
            ("since", f"{show_day(found.created_at)}, {found.reason}"),
            ("detail", found.detail),
            ("because", because.strip()),
        ]
    )
    if dry_run:
        output.note(_UNCHANGED)
        return
    email_kind = f"email about {found.topic}" if found.topic else "email"
    question = f"Allow {email_kind} to {found.email} again, from the next broadcast on?"
    output.require_yes(question, yes=yes, otherwise=_UNCHANGED)
    left = lift(database, found, because=because, key=forget_key(), now=datetime.now(UTC))
    output.say(f"{found.email} can be emailed{f' about {found.topic}' if found.topic else ''} again.")
    if left:
        names = ", ".join(each.topic or f"all email ({each.reason})" for each in left)
        output.note(f"Still blocked: {names}.")
        return
    subscriber = find_subscriber(database, found.email)
    if subscriber is None or not subscriber.record.may_be_mailed:
        output.note("They still get no email, because they are not on the list, or no consent is on record.")
        output.print_next(
            f'newsletter subscribers add {quote(found.email)} --consent-source "…"', "to record their consent"
        )
    if config.settings.provider.table_in_use.keeps_suppressions:
        output.print_next("newsletter suppressions sync", "to remove the address from the provider's lists too")


def _give_up_erased(database: Database, *, dry_run: bool, yes: bool) -> None:
    """Print how many people were erased, ask for confirmation, and delete their fingerprints."""
    count = count_digests(database)
    if not count:
        output.say("No one was erased, so there are no records to delete.")
        return
    people = "person was" if count == 1 else "people were"
    output.say(f"{count:,} {people} erased. A fingerprint of each address keeps these people from being added again.")
    output.say("Without the fingerprints, an import can add them back without warning. This cannot be undone.")
    if dry_run:
        output.note(_UNCHANGED)
        return
    output.require_yes("Delete all fingerprints?", yes=yes, otherwise=_UNCHANGED)
    output.say(f"{output.count_of(clear_forgotten(database), 'fingerprint')} deleted.")
