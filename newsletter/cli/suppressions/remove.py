"""`newsletter suppressions remove`: what ends, the question, and what comes after."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import DryRun, Yes
from newsletter.cli.workspace import opened_database
from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.language.clock import show_day
from newsletter.store.database import Database
from newsletter.store.forgotten import clear_forgotten, count_forgotten
from newsletter.store.subscribers import find_subscriber
from newsletter.workflows.suppressions.suppress import lift, require_lift

_UNCHANGED = "Nothing was changed."


def remove(
    email: Annotated[str | None, typer.Argument(metavar="EMAIL", help="Who asked to come back.")] = None,
    topic: Annotated[str, typer.Option(metavar="TOPIC", help="Only from this topic, which they had left.")] = "",
    because: Annotated[str, typer.Option(metavar="REASON", help="Why; it is kept.")] = "",
    forgotten: Annotated[bool, typer.Option("--forgotten", help="Without a key: delete all digests.")] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Let a person be mailed again who asked for it.

    Says what ends, asks, and keeps the reason that you give.
    """
    if forgotten == (email is not None):
        raise InputError('name the address of somebody who asked to come back, and why: EMAIL --because "…"')
    if email is not None and not because.strip() and not dry_run:
        raise InputError('say why with --because "…"; it is kept with the suppression that ends')
    with opened_database() as (config, database):
        if email is None:
            _give_up_forgotten(database, dry_run=dry_run, yes=yes)
        else:
            _lift(config, database, email, topic=topic, because=because, dry_run=dry_run, yes=yes)


def _lift(
    config: Config, database: Database, email: str, *, topic: str, because: str, dry_run: bool, yes: bool
) -> None:
    """Say what ends, ask, end it, and say what still keeps them from being mailed."""
    found = require_lift(database, email, topic=topic, topics=config.settings.topics)
    output.print_facts(
        [
            ("address", found.email),
            ("not mailed", f"about {found.topic}" if found.topic else "at all"),
            ("since", f"{show_day(found.created_at)}, {found.reason}"),
            ("detail", found.detail),
            ("because", because.strip()),
        ]
    )
    if dry_run:
        output.note(_UNCHANGED)
        return
    mail = f"mail about {found.topic}" if found.topic else "mail"
    question = f"Let {found.email} get {mail} again, from the next broadcast on?"
    output.require_yes(question, yes=yes, otherwise=_UNCHANGED)
    left = lift(database, found, because=because, now=datetime.now(UTC))
    output.say(f"{found.email} may be mailed{f' about {found.topic}' if found.topic else ''} again")
    if left:
        names = ", ".join(each.topic or f"all mail ({each.reason})" for each in left)
        output.note(f"Still suppressed: {names}.")
        return
    subscriber = find_subscriber(database, found.email)
    if subscriber is None or not subscriber.record.may_be_mailed:
        output.note("Nothing is sent to them yet: they are not on the list with a consent.")
        output.print_next(f'newsletter subscribers add {found.email} --consent-source "…"', "to record theirs")
    if config.settings.provider.table_in_use.keeps_suppressions:
        output.print_next("newsletter suppressions sync", "to take them off your provider's lists as well")


def _give_up_forgotten(database: Database, *, dry_run: bool, yes: bool) -> None:
    """Say how many were forgotten, ask, and delete the digests by which they are known."""
    count = count_forgotten(database)
    if not count:
        output.say("Nobody was forgotten; there is nothing to give up.")
        return
    people = "person was" if count == 1 else "people were"
    output.say(f"{count:,} {people} forgotten. A digest of each address keeps them from being mailed.")
    output.say("Without it an import may bring them back, and nobody would notice. It cannot be undone.")
    if dry_run:
        output.note(_UNCHANGED)
        return
    output.require_yes("Give up knowing who they are?", yes=yes, otherwise=_UNCHANGED)
    output.say(f"{output.count_of(clear_forgotten(database), 'digest')} deleted")
