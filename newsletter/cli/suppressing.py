"""`suppressions add`: what it would do, the question that a file may raise, and what it did."""

from typing import TYPE_CHECKING

import typer

from newsletter.cli import output

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from newsletter.config import Config
    from newsletter.lists.suppression_list import SuppressionTerms
    from newsletter.model.audience import Suppression
    from newsletter.store.database import Database
    from newsletter.store.suppressions import SuppressionPreview

_MANY = 100  # people of a file that are suppressed without a question, where none of them gets mail


def add_named(
    database: "Database",
    emails: "Sequence[str]",
    named: "Sequence[Suppression]",
    *,
    key: bytes | None,
    dry_run: bool,
) -> None:
    """Suppresses addresses that somebody typed, without a question."""
    from newsletter.store.suppressions import add_suppressions, preview_suppressions

    if dry_run:
        _show_preview(preview_suppressions(database, named, key=key))
        _say_unchanged()
        return
    added, topic = add_suppressions(database, named, key=key), named[0].topic
    by_hand = named[0].reason == "manual"
    if len(emails) > 1:
        _show_added(added, count=len(emails), by_hand=by_hand)
        return
    mail = f"mailed about {topic} again" if topic else "mailed again"
    before = f"{emails[0]} was suppressed already{', by hand from now on' if by_hand else ''}"
    output.say(f"{emails[0]} is never {mail}" if added else before)
    output.show_next(f"newsletter subscribers show {emails[0]}", "to see what is known of them")


def add_listed(
    config: "Config",
    database: "Database",
    file: "Path",
    terms: "SuppressionTerms",
    *,
    key: bytes | None,
    dry_run: bool,
    yes: bool,
    now: "datetime",
) -> None:
    """Suppresses the addresses of a file; asks first where they are many, or get mail now."""
    from newsletter.store.suppressions import add_suppressions, preview_suppressions
    from newsletter.workflows.suppressions.suppress import listed_suppressions

    topics, rows = config.settings.topics, 0
    with output.progress("Reading", None, unit="rows") as advance:

        def on_row(count: int) -> None:
            nonlocal rows
            rows += count
            advance(count)

        listed = listed_suppressions(file, terms, topics=topics, now=now, on_row=on_row)
        preview = preview_suppressions(database, listed, key=key)
    is_much = preview.new > _MANY or preview.mailed > 0
    if dry_run or is_much:
        _show_preview(preview)
    if rows > preview.named:
        output.note(f"{rows - preview.named:,} of {rows:,} rows are of people who did not leave: left out.")
    if dry_run:
        _say_unchanged()
        return
    question = f"Suppress {output.count_of(preview.new, 'address')} ({preview.mailed:,} of them mailed now)?"
    if is_much and not yes and not output.confirm(question):
        output.note("Nothing was changed.")
        raise typer.Exit(1)
    with output.progress("Adding", rows, unit="rows") as advance:
        listed = listed_suppressions(file, terms, topics=topics, now=now, on_row=advance)
        added = add_suppressions(database, listed, key=key)
    _show_added(added, count=preview.named, by_hand=terms.reason == "manual")


def _show_preview(preview: "SuppressionPreview") -> None:
    facts = [("addresses", preview.named), ("would be new", preview.new), ("of them mailed now", preview.mailed)]
    output.show_facts([(name, f"{count:,}") for name, count in facts])


def _say_unchanged() -> None:
    output.note("Nothing was changed: this was a dry run.")


def _show_added(added: int, *, count: int, by_hand: bool) -> None:
    """How many were new, of `count` that were named."""
    output.say(f"{output.count_of(added, 'suppression')} added" if added else "Nobody new.")
    if added < count:
        were = "was" if count - added == 1 else "were"
        now = "; they are so by hand from now on" if by_hand else ""
        output.note(f"{count - added:,} of {count:,} {were} suppressed already, or named twice{now}.")
    output.show_next("newsletter suppressions list", "to see who is not mailed")
