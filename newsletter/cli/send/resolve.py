"""`newsletter resolve`: the evidence about unconfirmed emails, and the decision about the rest."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import BroadcastNumber, Yes
from newsletter.cli.send.status import NOBODY_NOW
from newsletter.cli.workspace import opened_database
from newsletter.config import Config
from newsletter.errors import InputError, ProviderError
from newsletter.language.clock import show_zoned_from
from newsletter.model.ledger import Resolution, UnknownChunk
from newsletter.providers.base import Provider
from newsletter.providers.registry import open_provider
from newsletter.store.database import Database
from newsletter.workflows.send.account import identity, sending_again, title_of
from newsletter.workflows.send.resolve import Reconciliation, choose_chunks, reconcile, resolve_chunks
from newsletter.workflows.send.resolve_files import message_ids_of, read_files, resolve_named
from newsletter.workflows.send.status import line_of

_SHOWN = 20
_SENT = "Count the emails in this file as sent. Each line is an address or a Message-ID."
_NOT_SENT = "Let `newsletter resume` send the emails in this file again. Each line is an address or a Message-ID."
_RISK = {
    Resolution.ASSUME_SENT: "anyone the emails did not reach will not get this issue",
    Resolution.RESEND: "anyone the emails did reach will get this issue twice",
}
_ANSWERS = {
    "sent": (Resolution.ASSUME_SENT, f"count them as sent: {_RISK[Resolution.ASSUME_SENT]}"),
    "resend": (Resolution.RESEND, f"send them again with `resume`: {_RISK[Resolution.RESEND]}"),
    "leave": (None, "decide later: more evidence may arrive"),
}


def resolve(
    broadcast: BroadcastNumber,
    assume_sent: Annotated[bool, typer.Option("--assume-sent", help="Count these emails as sent.")] = False,
    resend: Annotated[bool, typer.Option("--resend", help="Let `newsletter resume` send these emails again.")] = False,
    chunk: Annotated[
        list[int], typer.Option(metavar="N", help="Decide only about the batch with this number. Repeatable.")
    ] = [],  # noqa: B006
    sent: Annotated[Path | None, typer.Option(metavar="FILE", help=_SENT)] = None,
    not_sent: Annotated[Path | None, typer.Option(metavar="FILE", help=_NOT_SENT)] = None,
    because: Annotated[str, typer.Option(metavar="REASON", help="The reason for your decision. It is saved.")] = "",
    yes: Yes = False,
) -> None:
    """Decide what to do about emails that may or may not have been sent.

    Looks for evidence first, in the reported events and in the provider's log, and then asks you to decide. This
    command sends nothing.

    Exits with status 1 if any emails are still unconfirmed.
    """
    if assume_sent and resend:
        raise InputError("--assume-sent and --resend are opposites; give only one of them, or neither to be asked")
    has_files = sent is not None or not_sent is not None
    if has_files and (assume_sent or resend or chunk):
        raise InputError(
            "--sent and --not-sent decide only about the emails in their files; leave out the options that decide "
            "about whole batches, and decide about the other emails in a second step"
        )
    with opened_database() as (config, database):
        provider, notes = _opened_provider(config)
        found = reconcile(database, broadcast, provider, now=datetime.now(UTC), notes=notes)
        chosen = choose_chunks(found, chunk)
        _print_reconciliation(found, chosen, zone=config.settings.newsletter.timezone, now=datetime.now(UTC))
        if not chosen:
            _end(database, found)
            return
        if has_files:
            _resolve_named(database, found, sent, not_sent, because=because, yes=yes)
            return
        decision = _decide(chosen, assume_sent=assume_sent, resend=resend, yes=yes)
        if decision is None:
            output.note("These emails are still unconfirmed. They are not resent automatically.")
            raise typer.Exit(1)
        _resolve(database, found, chosen, decision, because)


def _opened_provider(config: Config) -> tuple[Provider | None, list[str]]:
    """Return the provider and no notes, or None and the reason why it cannot be opened."""
    try:
        return open_provider(config, os.environ), []
    except ProviderError as err:
        return None, [f"The provider's log was not read: {err}"]


def _print_reconciliation(found: Reconciliation, chosen: Sequence[UnknownChunk], *, zone: str, now: datetime) -> None:
    """Print what the evidence settled, and the chunks that still need a decision."""
    broadcast = found.broadcast
    output.say(title_of(broadcast))
    for proof in found.proven:
        taken = output.styled("accepted", "green")
        output.say(f"  {_chunk(proof.chunk)} {taken}: {proof.evidence}")
    for text in found.notes:
        output.note(text)
    if not found.left:
        output.say("  No emails are unconfirmed." if not found.proven else "  No emails are unconfirmed anymore.")
        return
    for chunk in chosen[:_SHOWN]:
        _print_chunk(chunk, broadcast_id=broadcast.id, zone=zone, now=now)
    if len(chosen) > _SHOWN:
        rest = sum(chunk.deliveries for chunk in chosen[_SHOWN:])
        more = len(chosen) - _SHOWN
        output.say(f"  … and {more:,} more {'batch' if more == 1 else 'batches'}, {output.people_of(rest)}")
    if chosen:
        output.note(
            "There is no evidence that these emails were sent. That does not prove that they were not: reports can be "
            "late or get lost, and logs are not kept forever."
        )
        output.note(
            "The log of your mail server, or your provider's list of sent emails, says which of these addresses it "
            f"accepted. Emails sent by SMTP have the Message-ID {message_ids_of(broadcast)}. Save the addresses or "
            f"Message-IDs to a file, one per line, and run `newsletter resolve {broadcast.id} --sent FILE`, or "
            "`--not-sent FILE` for emails that were not accepted."
        )


def _print_chunk(chunk: UnknownChunk, *, broadcast_id: int, zone: str, now: datetime) -> None:
    unknown = output.styled("unknown", "yellow")
    output.say(f"  {_chunk(chunk)} {unknown} since {show_zoned_from(chunk.since, zone, now)}")
    output.say(f"    {chunk.reason}")
    named = ", ".join(email or NOBODY_NOW for email in chunk.sample)
    more = chunk.deliveries - len(chunk.sample)
    output.say(f"    {named}{f' and {more:,} more' if more > 0 else ''}")
    if chunk.hold_until is not None and chunk.hold_until > now:
        until = show_zoned_from(chunk.hold_until, zone, now)
        output.say(
            f"    if the provider accepted them, it is holding them until {until}: "
            f"`newsletter cancel {broadcast_id}` can still recall them"
        )


def _chunk(chunk: UnknownChunk) -> str:
    return f"batch {chunk.number}, {output.count_of(chunk.deliveries, 'email')}:"


def _decide(chunks: Sequence[UnknownChunk], *, assume_sent: bool, resend: bool, yes: bool) -> Resolution | None:
    """Return the person's decision, or None if they leave it open."""
    people = output.people_of(sum(chunk.deliveries for chunk in chunks))
    if not (assume_sent or resend):
        output.note(f"{people} may or may not have been sent this issue. Were they?")
        said = output.choose("Which?", {word: meaning for word, (_, meaning) in _ANSWERS.items()}, otherwise="leave")
        return _ANSWERS[said][0]
    asked = Resolution.ASSUME_SENT if assume_sent else Resolution.RESEND
    if yes:
        return asked
    act = "Count as sent" if asked is Resolution.ASSUME_SENT else "Allow to be sent again"
    output.note(f"The risk: {_RISK[asked]}.")
    return asked if output.confirm(f"{act}: {people}?") else None


def _resolve(
    database: Database, found: Reconciliation, chunks: Sequence[UnknownChunk], resolution: Resolution, because: str
) -> None:
    number = found.broadcast.id
    count = resolve_chunks(database, number, chunks, resolution, because=because, now=datetime.now(UTC))
    settled = output.count_of(count, "email")
    if resolution is Resolution.ASSUME_SENT:
        output.say(f"  {settled} counted as sent")
        _end(database, found)
    elif found.is_over:
        output.say(f"  {settled} canceled: this broadcast is over and will send nothing more")
        _end(
            database,
            found,
            (
                sending_again(found.broadcast.issue, found.broadcast.segment),
                "to reach the people who did not get the issue",
            ),
        )
    else:
        output.say(f"  {settled} ready to be sent again")
        _end(database, found, (f"newsletter resume {number}", "to send them"))


def _resolve_named(
    database: Database, found: Reconciliation, sent: Path | None, not_sent: Path | None, *, because: str, yes: bool
) -> None:
    """Settle the emails that files name, after confirmation."""
    number = found.broadcast.id
    named = read_files(database, number, sent=sent, not_sent=not_sent)
    if named.others:
        output.note(f"{output.count_of(named.others, 'line')} about emails that are not unconfirmed: ignored.")
    parts = [f"count {output.count_of(len(named.sent), 'email')} as sent"] if named.sent else []
    if named.not_sent:
        act = "cancel" if found.is_over else "allow to be sent again:"
        parts.append(f"{act} {output.count_of(len(named.not_sent), 'email')}")
        output.note(f"The risk: {_RISK[Resolution.RESEND]}.")
    if parts:
        question = f"{' and '.join(parts)}?"
        output.require_yes(question[0].upper() + question[1:], yes=yes, otherwise="Nothing was changed.")
    counted, freed = resolve_named(database, number, named, because=because, now=datetime.now(UTC))
    output.say(f"  {output.count_of(counted, 'email')} counted as sent")
    if freed and found.is_over:
        output.say(f"  {output.count_of(freed, 'email')} canceled: this broadcast is over and will send nothing more")
    elif freed:
        output.say(f"  {output.count_of(freed, 'email')} ready to be sent again")
    _end(database, found, (f"newsletter resume {number}", "to send them") if freed and not found.is_over else None)


def _end(database: Database, found: Reconciliation, step: tuple[str, str] | None = None) -> None:
    """Print the numbers of the broadcast and the next step. Raise typer.Exit if any emails are still unconfirmed."""
    tally = line_of(database, found.broadcast.id).tally
    output.say(f"  {identity(tally)}")
    if step is not None:
        output.print_next(*step)
    if tally.unknown:
        output.print_next(
            f"newsletter resolve {found.broadcast.id}", f"to decide about the remaining {tally.unknown:,}"
        )
        raise typer.Exit(1)
