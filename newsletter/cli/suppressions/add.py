"""`newsletter suppressions add`: the preview, the confirmation for large files, and the result."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from newsletter.cli import bars, output
from newsletter.cli.options import REASONS, DryRun, Yes
from newsletter.cli.send.held import held_for, print_held
from newsletter.cli.unclear_columns import ask_about_columns
from newsletter.cli.workspace import opened_database
from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.lists.leavers import UnclearColumnsError
from newsletter.lists.suppression_rows import SuppressionTerms
from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.store.database import Database
from newsletter.store.subscribers import find_subscriber
from newsletter.store.suppressions import (
    SuppressionPreview,
    add_suppressions,
    preview_suppressions,
    suppressions_of,
)
from newsletter.system.environment import forget_key
from newsletter.workflows.subscribers.import_ import mapping_of
from newsletter.workflows.suppressions.suppress import listed_suppressions, named_suppressions

_MANY = 100  # a file that blocks more addresses than this needs confirmation
# Reads the file, and reports each row to the progress bar. The second argument is called for each skipped row.
Listed = Callable[[bars.Progress, Callable[[tuple[str, ...]], None]], Iterator[Suppression]]
_SHOWN_NAME = 60
_MAP = "Use a column that says who unsubscribed (`COLUMN=unsubscribed`), or leave it out (`COLUMN=`). Repeatable."


def add(
    emails: Annotated[list[str], typer.Argument(metavar="EMAIL", help="The addresses to block.")] = [],  # noqa: B006 - Typer copies it
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file with one address per line, or a CSV file.")
    ] = None,
    topic: Annotated[
        str, typer.Option(metavar="TOPIC", help="Block only email about this topic. Default: all email.")
    ] = "",
    reason: Annotated[
        SuppressionReason | None,
        typer.Option(
            metavar="REASON",
            help=f"The reason for the block: {REASONS}. Default: the reason in the file, or unsubscribed.",
        ),
    ] = None,
    because: Annotated[str, typer.Option(metavar="REASON", help="A note to save with each address.")] = "",
    columns: Annotated[list[str], typer.Option("--map", metavar='"COLUMN=NAME"', help=_MAP)] = [],  # noqa: B006
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Stop emailing these addresses, entirely or about one topic.

    Later imports do not bring them back. A file with a mistake is rejected as a whole. If the file has a status column,
    only addresses with the status unsubscribed, bounced or complained are used. If a column may say who unsubscribed,
    you are asked whether it does.

    You are asked to confirm if the file is large or contains people who currently get email. An address keeps its first
    reason, unless you add it with `--reason manual` or `--reason invalid`. New consent lifts neither of these.
    """
    if bool(emails) == (file is not None):
        raise InputError(
            "give the addresses to block in only one way; write them as arguments or use --file FILE, but not both"
        )
    now, key = datetime.now(UTC), forget_key()
    terms = SuppressionTerms(reason=reason, topic=topic, detail=because.strip())
    with opened_database() as (config, database):
        topics = config.settings.topics
        if file is None:
            named = named_suppressions(emails, terms, topics=topics, now=now)
            _add_named(config, database, emails, named, key=key, dry_run=dry_run)
            return

        mapping = mapping_of(tuple(columns))

        def listed(on_row: bars.Progress, on_skipped: Callable[[tuple[str, ...]], None]) -> Iterator[Suppression]:
            return listed_suppressions(
                file, terms, topics=topics, mapping=mapping, now=now, on_row=on_row, on_skipped=on_skipped
            )

        by_hand, is_done = terms.reason == SuppressionReason.MANUAL, False
        while not is_done:
            try:
                _add_listed(config, database, listed, key=key, by_hand=by_hand, dry_run=dry_run, yes=yes)
                is_done = True
            except UnclearColumnsError as err:
                mapping |= _answers_about(err)


def _answers_about(error: UnclearColumnsError) -> dict[str, str]:
    return ask_about_columns(
        error, use="Use it: only people who left are blocked.", stop="Block no one.", stopped="Nothing was changed."
    )


def _add_named(
    config: Config,
    database: Database,
    emails: Sequence[str],
    named: Sequence[Suppression],
    *,
    key: bytes | None,
    dry_run: bool,
) -> None:
    """Suppress addresses that a person typed, without asking for confirmation."""
    preview = preview_suppressions(database, named, key=key)
    if dry_run:
        _print_preview(preview)
        _print_forgotten(preview)
        output.note_dry_run()
        return
    if preview.forgotten:
        _print_forgotten(preview)
        if preview.forgotten == len(named):
            return
    before = _reason_of(database, named[0])
    added, topic, moment = add_suppressions(database, named, key=key), named[0].topic, datetime.now(UTC)
    found = (find_subscriber(database, suppression.email) for suppression in named)
    held = held_for(config, database, only=[person.id for person in found if person], now=moment)
    if len(emails) > 1:
        _print_added(added, count=preview.named, by_hand=named[0].reason is SuppressionReason.MANUAL)
        print_held(config, held, now=moment)
        return
    now = _reason_of(database, named[0])
    about = f" about {topic}" if topic else ""
    nothing = f"No more email{about} is sent to this address{', apart from the following' if held else ''}."
    blocked = f"{emails[0]} is blocked. {nothing}"
    known = f"{emails[0]} was already blocked{f', now with the reason {now}' if now != before else ''}."
    output.say(blocked if added else known)
    print_held(config, held, now=moment)
    output.print_next(f"newsletter subscribers show {quote(emails[0])}", "to see everything about them")


def _add_listed(
    config: Config,
    database: Database,
    listed: Listed,
    *,
    key: bytes | None,
    by_hand: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Suppress the addresses in a file. Ask first if there are many of them, or if some get email now."""
    rows, skipped = 0, Counter[tuple[str, ...]]()
    with bars.progress("Reading", None, unit="rows") as advance:

        def on_row(count: int) -> None:
            nonlocal rows
            rows += count
            advance(count)

        preview = preview_suppressions(database, listed(on_row, lambda names: skipped.update([names])), key=key)
    is_much = preview.new > _MANY or preview.mailed > 0
    if dry_run or is_much:
        _print_preview(preview)
    _print_skipped(skipped, rows)
    _print_forgotten(preview)
    if dry_run:
        output.note_dry_run()
        return
    question = f"Block {output.count_of(preview.new, 'address')} ({preview.mailed:,} currently emailed)?"
    output.require_yes(question, yes=yes or not is_much, otherwise="Nothing was changed.")
    with bars.progress("Adding", rows, unit="rows") as advance:
        added = add_suppressions(database, listed(advance, lambda _: None), key=key)
    _print_added(added, count=preview.named, by_hand=by_hand)
    now = datetime.now(UTC)
    print_held(config, held_for(config, database, now=now), now=now)


def _print_preview(preview: SuppressionPreview) -> None:
    facts = [("addresses", preview.named), ("not blocked yet", preview.new), ("get email now", preview.mailed)]
    output.print_facts([(name, f"{count:,}") for name, count in facts])


def _print_skipped(skipped: Counter[tuple[str, ...]], rows: int) -> None:
    """Print how many of the rows were skipped, and why, by the topics in them that do not exist here."""
    if stayed := skipped.pop((), 0):
        output.note(f"Skipped {stayed:,} of {rows:,} rows: these people did not unsubscribe.")
    if skipped:
        names = dict.fromkeys(output.shortened(name, _SHOWN_NAME) for names in skipped for name in names)
        output.note(
            f"Skipped {', '.join(names)} in {skipped.total():,} of {rows:,} rows: no topic in newsletter.toml has that "
            "name or title. If one is meant, define it under [topics]. If your whole newsletter is meant, rename the "
            "column to Unsubscribed. Then add the file again."
        )


def _reason_of(database: Database, suppression: Suppression) -> str:
    """Return the stored reason of the suppression of this address and topic. Return an empty string for none."""
    stored = suppressions_of(database, suppression.email)
    return next((each.reason for each in stored if each.topic == suppression.topic), "")


def _print_forgotten(preview: SuppressionPreview) -> None:
    """Print how many of the people were erased, if any were."""
    if preview.forgotten:
        addresses = output.count_of(preview.forgotten, "address")
        output.note(
            f"Skipped {addresses} of erased people: they get no email, and their addresses are not saved again."
        )


def _print_added(added: int, *, count: int, by_hand: bool) -> None:
    """Print how many of the `count` addresses were newly blocked."""
    output.say(f"{output.count_of(added, 'new address')} blocked." if added else "No new addresses were blocked.")
    if added < count:
        were = "was" if count - added == 1 else "were"
        now = "; their reason is now manual" if by_hand else ""
        output.note(f"{count - added:,} of {count:,} {were} already blocked, or appeared twice{now}.")
    output.print_next("newsletter suppressions list", "to see all blocked addresses")
