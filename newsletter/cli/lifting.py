"""`suppressions remove`: what ends, the question, and what comes after."""

from typing import TYPE_CHECKING

import typer

from newsletter.cli import output

if TYPE_CHECKING:
    from newsletter.config import Config
    from newsletter.store.database import Database


def lift(
    config: "Config", database: "Database", email: str, *, topic: str, because: str, dry_run: bool, yes: bool
) -> None:
    """Says what ends, asks, ends it, and says what still keeps them from being mailed."""
    from datetime import UTC, datetime

    from newsletter.language.clock import show_day
    from newsletter.workflows.suppressions import suppress as suppressions

    found = suppressions.find_lift(database, email, topic=topic, topics=config.settings.topics)
    facts = [
        ("address", found.email),
        ("not mailed", f"about {found.topic}" if found.topic else "at all"),
        ("since", f"{show_day(found.created_at)}, {found.reason}"),
        *([("detail", found.detail)] if found.detail else []),
        *([("because", because.strip())] if because.strip() else []),
    ]
    output.show_facts(facts)
    if dry_run:
        output.note("Nothing was changed.")
        return
    mail = f"mail about {found.topic}" if found.topic else "mail"
    if not yes and not output.confirm(f"Let {found.email} get {mail} again, from the next broadcast on?"):
        output.note("Nothing was changed.")
        raise typer.Exit(1)
    left = suppressions.lift(database, found, because=because, now=datetime.now(UTC))
    output.say(f"{found.email} may be mailed{f' about {found.topic}' if found.topic else ''} again")
    if left:
        names = ", ".join(each.topic or f"all mail ({each.reason})" for each in left)
        output.note(f"Still suppressed: {names}.")
        return
    if not _may_be_mailed(database, found.email):
        output.note("Nothing is sent to them yet: they are not on the list with a consent.")
        output.show_next(f'newsletter subscribers add {found.email} --consent-source "…"', "to record theirs")
    if config.settings.provider.table_in_use.keeps_suppressions:
        output.show_next("newsletter suppressions sync", "to take them off your provider's lists as well")


def _may_be_mailed(database: "Database", email: str) -> bool:
    from newsletter.store.subscribers import find_subscriber

    subscriber = find_subscriber(database, email)
    return subscriber is not None and subscriber.record.may_be_mailed


def give_up_forgotten(database: "Database", *, dry_run: bool, yes: bool) -> None:
    """Says how many were forgotten, asks, and deletes the digests by which they are known."""
    from newsletter.store.forgotten import clear_forgotten, count_forgotten

    count = count_forgotten(database)
    if not count:
        output.say("Nobody was forgotten; there is nothing to give up.")
        return
    people = "person was" if count == 1 else "people were"
    output.say(f"{count:,} {people} forgotten. A digest of each address keeps them from being mailed.")
    output.say("Without it an import may bring them back, and nobody would notice. It cannot be undone.")
    if dry_run:
        output.note("Nothing was changed.")
        return
    if not yes and not output.confirm("Give up knowing who they are?"):
        output.note("Nothing was changed.")
        raise typer.Exit(1)
    output.say(f"{output.count_of(clear_forgotten(database), 'digest')} deleted")
