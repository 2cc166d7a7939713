"""`suppressions`: who is not mailed, at all or about a topic."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import output, syncing

if TYPE_CHECKING:
    from datetime import datetime

    from newsletter.audience.suppression_list import SuppressionTerms
    from newsletter.config import Config
    from newsletter.model.audience import Suppression, SuppressionReason
    from newsletter.store.database import Database

_SHOWN = 20
_LONGEST_DETAIL = 60


class Reason(StrEnum):
    """The reasons as options take them, here so that `--help` loads nothing else."""

    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    INVALID = "invalid"
    MANUAL = "manual"


class Form(StrEnum):
    """What an export may be written as."""

    CSV = "csv"
    JSON = "json"


suppressions = typer.Typer(help="Who is never mailed: those who left, and addresses that failed.", no_args_is_help=True)

OnlyTopic = Annotated[
    str | None, typer.Option("--topic", metavar="TOPIC", help='Only who left this topic; "" for all mail.')
]
OnlyReason = Annotated[Reason | None, typer.Option("--reason", help="Only those of this reason.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@suppressions.command("list")
def list_suppressed(
    topic: OnlyTopic = None,
    reason: OnlyReason = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = _SHOWN,
    as_json: Annotated[bool, typer.Option("--json", help="All of them, for a script.")] = False,
) -> None:
    """Show who is not mailed, since when, and why: at all, or about a topic that they left."""
    from itertools import islice

    from newsletter.audience.suppression_export import suppression_data
    from newsletter.cli.workspace import opened_database
    from newsletter.store.suppressions import count_suppressions
    from newsletter.workflows.suppressions import suppressed

    only = _reason(reason)
    with opened_database() as (config, database):
        found = suppressed(database, topic=topic, reason=only, topics=config.settings.topics)
        if as_json:
            output.show_json_items(map(suppression_data, found))
            return
        shown = tuple(islice(found, limit))
        counts = count_suppressions(database, topic=topic, reason=only)
    if not shown:
        output.say("Nobody is suppressed." if topic is None and reason is None else "Nobody is suppressed for that.")
        return
    columns: Mapping[str, Callable[[Suppression], str]] = {
        "address": lambda each: each.email,
        "topic": lambda each: each.topic,
        "reason": lambda each: each.reason.value,
        "since": lambda each: f"{each.created_at:%Y-%m-%d}",
        "detail": lambda each: _shortened(each.detail),
    }
    output.show_columns(columns, shown)
    total = counts.total()
    by_reason = ", ".join(f"{number:,} {each}" for each, number in counts.most_common())
    if len(shown) < total:
        output.note(f"The first {len(shown):,} of {total:,}: {by_reason}. --limit shows more, `export` writes all.")
    else:
        output.note(f"{total:,} in all: {by_reason}.")


@suppressions.command()
def add(
    emails: Annotated[list[str], typer.Argument(metavar="EMAIL", help="Addresses that must not be mailed.")] = [],  # noqa: B006 - Typer copies it
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An address a line, or a CSV file with a column email.")
    ] = None,
    topic: Annotated[
        str, typer.Option(metavar="TOPIC", help="The one topic that they left; all mail where none is named.")
    ] = "",
    reason: Annotated[
        Reason | None, typer.Option(help="Why; unsubscribed where neither this nor the file says it.")
    ] = None,
    because: Annotated[str, typer.Option(metavar="WORDS", help="What is to be kept about it.")] = "",
) -> None:
    """Never mail addresses again, or not about a topic, whatever is imported later.

    Of a file all is taken or, where a line is wrong, nothing. Who is suppressed already stays so for the first reason.
    """
    from datetime import UTC, datetime

    from newsletter.audience.suppression_list import SuppressionTerms
    from newsletter.cli.workspace import opened_database
    from newsletter.errors import InputError
    from newsletter.workflows.secret_key import forget_key
    from newsletter.workflows.suppressions import suppress

    if bool(emails) == (file is not None):
        raise InputError("name addresses, or a file with --file FILE")
    now, terms = datetime.now(UTC), SuppressionTerms(reason=_reason(reason), topic=topic, detail=because.strip())
    with opened_database() as (config, database):
        if file is not None:
            count, added = _add_file(config, database, file, terms, now=now)
        else:
            count = len(emails)
            added = suppress(database, emails, terms, topics=config.settings.topics, key=forget_key(), now=now)
    mail = f"mailed about {topic} again" if topic else "mailed again"
    if count == 1 and emails:
        output.say(f"{emails[0]} is never {mail}" if added else f"{emails[0]} was suppressed already")
        return
    are = "is" if added == 1 else "are"
    output.say(f"{output.count_of(added, 'address')} {are} never {mail}" if added else "Nobody new.")
    if added < count:
        output.note(f"{count - added:,} of {count:,} were suppressed already, or are named twice.")


@suppressions.command()
def remove(
    email: Annotated[
        str | None, typer.Argument(metavar="[EMAIL]", help="The address of somebody who asked to come back.")
    ] = None,
    topic: Annotated[str, typer.Option(metavar="TOPIC", help="Only from this topic, which they had left.")] = "",
    because: Annotated[str, typer.Option(metavar="REASON", help="Why; it is kept.")] = "",
    forgotten: Annotated[
        bool, typer.Option("--forgotten", help="Where NEWSLETTER_KEY is lost: give up knowing who was forgotten.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    yes: Yes = False,
) -> None:
    """Let somebody be mailed again who asked for it. Says what ends, asks, and keeps the reason that you give."""
    from newsletter.cli.workspace import opened_database
    from newsletter.errors import InputError

    if forgotten == (email is not None):
        raise InputError("name the address of somebody who asked to come back")
    if email is not None and not because.strip():
        raise InputError('say why with --because "…"; it is kept with the suppression that ends')
    with opened_database() as (config, database):
        if email is None:
            _clear_forgotten(database, dry_run=dry_run, yes=yes)
        else:
            _lift(config, database, email, topic=topic, because=because, dry_run=dry_run, yes=yes)


@suppressions.command()
def export(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The file to write; the screen where none is named.")
    ] = None,
    form: Annotated[
        Form | None, typer.Option("--format", help="csv, or json as the file's name ends; csv where it says nothing.")
    ] = None,
    topic: OnlyTopic = None,
    reason: OnlyReason = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file where it exists.")] = False,
) -> None:
    """Write who is not mailed as CSV, in the form that `add --file` reads, or as JSON.

    A file can be read by its owner alone, and appears whole or not at all.
    """
    from newsletter.cli.workspace import opened_database
    from newsletter.workflows.suppressions import WRITERS, export_to_file, suppressed

    written_as = (form or (Form.JSON if file and file.suffix.lower() == ".json" else Form.CSV)).value
    with opened_database() as (config, database):
        found = suppressed(database, topic=topic, reason=_reason(reason), topics=config.settings.topics)
        if file is None or str(file) == "-":
            WRITERS[written_as](found, output.result_stream())
            return
        count = export_to_file(found, file, form=written_as, overwrite=force)
    output.note(f"{output.count_of(count, 'suppression')} written to {file}, which you alone can read.")


suppressions.command("sync")(syncing.sync)


def _add_file(
    config: "Config", database: "Database", file: Path, terms: "SuppressionTerms", *, now: "datetime"
) -> tuple[int, int]:
    """How many rows the file has, and how many of them are new."""
    from newsletter.workflows.secret_key import forget_key
    from newsletter.workflows.suppressions import suppress_listed

    count = 0
    with output.progress("Reading", None, unit="addresses") as advance:

        def on_row(rows: int) -> None:
            nonlocal count
            count += rows
            advance(rows)

        added = suppress_listed(
            database, file, terms, topics=config.settings.topics, key=forget_key(), now=now, on_row=on_row
        )
    return count, added


def _lift(
    config: "Config", database: "Database", email: str, *, topic: str, because: str, dry_run: bool, yes: bool
) -> None:
    from datetime import UTC, datetime

    from newsletter.workflows.suppressions import find_lift, lift

    found = find_lift(database, email, topic=topic, topics=config.settings.topics)
    facts = [
        ("address", found.email),
        ("not mailed", f"about {found.topic}" if found.topic else "at all"),
        ("since", f"{found.created_at:%Y-%m-%d}, {found.reason}"),
        *([("detail", found.detail)] if found.detail else []),
        ("because", because.strip()),
    ]
    output.show_facts(facts)
    if dry_run:
        output.note("Nothing was changed.")
        return
    mail = f"mail about {found.topic}" if found.topic else "mail"
    if not yes and not output.confirm(f"Let {found.email} get {mail} again, from the next broadcast on?"):
        output.note("Nothing was changed.")
        raise typer.Exit(1)
    left = lift(database, found, because=because, now=datetime.now(UTC))
    output.say(f"{found.email} may be mailed{f' about {found.topic}' if found.topic else ''} again")
    if left:
        names = ", ".join(each.topic or f"all mail ({each.reason})" for each in left)
        output.note(f"Still suppressed: {names}.")
    elif config.settings.provider.use == "sendgrid":
        output.show_next("newsletter suppressions sync", "to take them off your provider's lists as well")


def _clear_forgotten(database: "Database", *, dry_run: bool, yes: bool) -> None:
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


def _reason(reason: Reason | None) -> "SuppressionReason | None":
    from newsletter.model.audience import SuppressionReason

    return SuppressionReason(reason.value) if reason else None


def _shortened(detail: str) -> str:
    return detail if len(detail) <= _LONGEST_DETAIL else f"{detail[:_LONGEST_DETAIL].rstrip()}…"
