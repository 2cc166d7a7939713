"""`suppressions`: who is not mailed, at all or about a topic."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import lifting, output, suppressing, syncing

if TYPE_CHECKING:
    from newsletter.model.audience import Suppression, SuppressionReason

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
_REASONS = f"{', '.join(list(Reason)[:-1])} or {Reason.MANUAL}"
OnlyReason = Annotated[
    Reason | None, typer.Option("--reason", metavar="REASON", help=f"Only those of this reason: {_REASONS}.")
]
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

    from newsletter.cli.workspace import opened_database
    from newsletter.language.clock import show_day
    from newsletter.lists.exports import suppression_data
    from newsletter.store.suppressions import count_suppressions
    from newsletter.workflows.suppressions.suppress import suppressed

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
    some_left_topics = any(each.topic for each in shown)
    columns: Mapping[str, Callable[[Suppression], str]] = {
        "address": lambda each: each.email,
        "topic": lambda each: each.topic or ("all mail" if some_left_topics else ""),
        "reason": lambda each: each.reason.value,
        "since": lambda each: show_day(each.created_at),
        "detail": lambda each: _shortened(each.detail),
    }
    output.show_columns(columns, shown)
    total = counts.total()
    by_reason = ", ".join(f"{number:,} {each}" for each, number in counts.most_common())
    if len(shown) < total:
        output.note(
            f"{len(shown):,} of {total:,} ({by_reason}). --limit {min(total, 10 * _SHOWN)} shows more, "
            "`newsletter suppressions export` writes all."
        )
    else:
        output.note(f"{total:,} in all: {by_reason}.")


@suppressions.command()
def add(
    emails: Annotated[list[str], typer.Argument(metavar="EMAIL", help="Addresses that must not be mailed.")] = [],  # noqa: B006 - Typer copies it
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="An address a line, or a CSV file with a column email, such as a tool's export."
        ),
    ] = None,
    topic: Annotated[
        str, typer.Option(metavar="TOPIC", help="The one topic that they left; all mail where none is named.")
    ] = "",
    reason: Annotated[
        Reason | None,
        typer.Option(metavar="REASON", help=f"Why: {_REASONS}; unsubscribed where neither this nor the file says it."),
    ] = None,
    because: Annotated[str, typer.Option(metavar="WORDS", help="What is to be kept about it.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many it would be, and how many of them get mail now.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Never mail addresses again, or not about a topic, whatever is imported later.

    Of a file all is taken or, where a line is wrong, nothing. Where it says how people stand, only who left, bounced or
    complained is taken. You are asked where a file holds many, or people who get mail now. Who is suppressed already
    stays so for the first reason, unless it is now done by hand (--reason manual), which no new consent lifts.
    """
    from datetime import UTC, datetime

    from newsletter.cli.workspace import opened_database
    from newsletter.errors import InputError
    from newsletter.lists.suppression_list import SuppressionTerms
    from newsletter.system.secret_key import forget_key
    from newsletter.workflows.suppressions.suppress import named_suppressions

    if bool(emails) == (file is not None):
        raise InputError("name addresses, or a file with --file FILE")
    now, key = datetime.now(UTC), forget_key()
    terms = SuppressionTerms(reason=_reason(reason), topic=topic, detail=because.strip())
    with opened_database() as (config, database):
        if file is None:
            named = named_suppressions(emails, terms, topics=config.settings.topics, now=now)
            suppressing.add_named(database, emails, named, key=key, dry_run=dry_run)
        else:
            suppressing.add_listed(config, database, file, terms, key=key, dry_run=dry_run, yes=yes, now=now)


@suppressions.command()
def remove(
    email: Annotated[
        str | None, typer.Argument(metavar="EMAIL", help="The address of somebody who asked to come back.")
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
        raise InputError('name the address of somebody who asked to come back, and why: ADDRESS --because "…"')
    if email is not None and not because.strip() and not dry_run:
        raise InputError('say why with --because "…"; it is kept with the suppression that ends')
    with opened_database() as (config, database):
        if email is None:
            lifting.give_up_forgotten(database, dry_run=dry_run, yes=yes)
        else:
            lifting.lift(config, database, email, topic=topic, because=because, dry_run=dry_run, yes=yes)


@suppressions.command()
def export(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The file to write; the screen where none is named.")
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
    from newsletter.workflows.suppressions.suppress import WRITERS, export_to_file, suppressed

    written_as = (form or (Form.JSON if file and file.suffix.lower() == ".json" else Form.CSV)).value
    with opened_database() as (config, database):
        found = suppressed(database, topic=topic, reason=_reason(reason), topics=config.settings.topics)
        if file is None or str(file) == "-":
            WRITERS[written_as](found, output.result_stream())
            return
        count = export_to_file(found, file, form=written_as, overwrite=force)
    output.note(f"{output.count_of(count, 'suppression')} written to {file}, which you alone can read.")


suppressions.command("sync")(syncing.sync)


def _reason(reason: Reason | None) -> "SuppressionReason | None":
    from newsletter.model.audience import SuppressionReason

    return SuppressionReason(reason.value) if reason else None


def _shortened(detail: str) -> str:
    return detail if len(detail) <= _LONGEST_DETAIL else f"{detail[:_LONGEST_DETAIL].rstrip()}…"
