"""`newsletter suppressions add`: what it would do, the question that a file may raise, and what it did."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import bars, output
from newsletter.cli.options import REASONS, DryRun, Yes
from newsletter.cli.workspace import opened_database
from newsletter.errors import InputError
from newsletter.lists.suppression_list import SuppressionTerms
from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.store.database import Database
from newsletter.store.suppressions import SuppressionPreview, add_suppressions, preview_suppressions
from newsletter.system.environment import forget_key
from newsletter.workflows.suppressions.suppress import listed_suppressions, named_suppressions

_MANY = 100  # people of a file that are suppressed without a question, where none of them gets mail
Listed = Callable[[bars.Progress], Iterator[Suppression]]  # reads the file, and tells of each row
_UNCHANGED = "Nothing was changed: this was a dry run."


def add(
    emails: Annotated[list[str], typer.Argument(metavar="EMAIL", help="Addresses that must not be mailed.")] = [],  # noqa: B006 - Typer copies it
    file: Annotated[Path | None, typer.Option(metavar="FILE", help="One address a line, or a CSV file.")] = None,
    topic: Annotated[str, typer.Option(metavar="TOPIC", help="The one topic that they left; else all mail.")] = "",
    reason: Annotated[SuppressionReason | None, typer.Option(metavar="REASON", help=f"Why: {REASONS}.")] = None,
    because: Annotated[str, typer.Option(metavar="WORDS", help="What is to be kept about it.")] = "",
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Block addresses from all mail, or from one topic, whatever is imported later.

    The reason is `unsubscribed` where neither you nor the file says it. Of a file all is taken or, where a line is
    wrong, nothing. Where it says how people stand, only who left, bounced or complained is taken. You are asked where a
    file holds many, or people who get mail now. Who is suppressed already stays so for the first reason, unless it is
    now done by hand (--reason manual), which no new consent lifts.
    """
    if bool(emails) == (file is not None):
        raise InputError("name addresses, or a file with --file FILE")
    now, key = datetime.now(UTC), forget_key()
    terms = SuppressionTerms(reason=reason, topic=topic, detail=because.strip())
    with opened_database() as (config, database):
        topics = config.settings.topics
        if file is None:
            named = named_suppressions(emails, terms, topics=topics, now=now)
            _add_named(database, emails, named, key=key, dry_run=dry_run)
            return

        def listed(on_row: bars.Progress) -> Iterator[Suppression]:
            return listed_suppressions(file, terms, topics=topics, now=now, on_row=on_row)

        by_hand = terms.reason == SuppressionReason.MANUAL
        _add_listed(database, listed, key=key, by_hand=by_hand, dry_run=dry_run, yes=yes)


def _add_named(
    database: Database, emails: Sequence[str], named: Sequence[Suppression], *, key: bytes | None, dry_run: bool
) -> None:
    """Suppress addresses that a person typed, without a question."""
    if dry_run:
        _print_preview(preview_suppressions(database, named, key=key))
        output.note(_UNCHANGED)
        return
    added, topic = add_suppressions(database, named, key=key), named[0].topic
    by_hand = named[0].reason == SuppressionReason.MANUAL
    if len(emails) > 1:
        _print_added(added, count=len(emails), by_hand=by_hand)
        return
    mail = f"mailed about {topic} again" if topic else "mailed again"
    before = f"{emails[0]} was suppressed already{', by hand from now on' if by_hand else ''}"
    output.say(f"{emails[0]} is never {mail}" if added else before)
    output.print_next(f"newsletter subscribers show {emails[0]}", "to see what is known of them")


def _add_listed(
    database: Database, listed: Listed, *, key: bytes | None, by_hand: bool, dry_run: bool, yes: bool
) -> None:
    """Suppress the addresses of a file; ask first where they are many, or get mail now."""
    rows = 0
    with bars.progress("Reading", None, unit="rows") as advance:

        def on_row(count: int) -> None:
            nonlocal rows
            rows += count
            advance(count)

        preview = preview_suppressions(database, listed(on_row), key=key)
    is_much = preview.new > _MANY or preview.mailed > 0
    if dry_run or is_much:
        _print_preview(preview)
    if rows > preview.named:
        output.note(f"{rows - preview.named:,} of {rows:,} rows are of people who did not leave: left out.")
    if dry_run:
        output.note(_UNCHANGED)
        return
    question = f"Suppress {output.count_of(preview.new, 'address')} ({preview.mailed:,} of them mailed now)?"
    output.require_yes(question, yes=yes or not is_much, otherwise="Nothing was changed.")
    with bars.progress("Adding", rows, unit="rows") as advance:
        added = add_suppressions(database, listed(advance), key=key)
    _print_added(added, count=preview.named, by_hand=by_hand)


def _print_preview(preview: SuppressionPreview) -> None:
    facts = [("addresses", preview.named), ("would be new", preview.new), ("of them mailed now", preview.mailed)]
    output.print_facts([(name, f"{count:,}") for name, count in facts])


def _print_added(added: int, *, count: int, by_hand: bool) -> None:
    """Print how many were new, of `count` that were named."""
    output.say(f"{output.count_of(added, 'suppression')} added" if added else "Nobody new.")
    if added < count:
        were = "was" if count - added == 1 else "were"
        now = "; they are so by hand from now on" if by_hand else ""
        output.note(f"{count - added:,} of {count:,} {were} suppressed already, or named twice{now}.")
    output.print_next("newsletter suppressions list", "to see who is not mailed")
