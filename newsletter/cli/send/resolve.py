"""`newsletter resolve`: what is known of uncertain mail, and the question what to do with it."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import BroadcastNumber, Yes
from newsletter.cli.send.status import NOBODY_NOW, identity, sending_again, title_of
from newsletter.cli.workspace import opened_database
from newsletter.config import Config
from newsletter.errors import InputError, ProviderError
from newsletter.language.clock import show_utc_from
from newsletter.model.ledger import Resolution, UnknownChunk
from newsletter.providers.base import Provider
from newsletter.providers.registry import open_provider
from newsletter.store.database import Database
from newsletter.workflows.send.resolve import Reconciliation, choose_chunks, reconcile, resolve_chunks
from newsletter.workflows.send.status import line_of

_SHOWN = 20
_RISK = {
    Resolution.ASSUME_SENT: "whoever it did not reach will not get this issue",
    Resolution.RESEND: "whoever it did reach will get this issue twice",
}
_ANSWERS = {
    "sent": (Resolution.ASSUME_SENT, f"count them as accepted: {_RISK[Resolution.ASSUME_SENT]}"),
    "resend": (Resolution.RESEND, f"make them ready to be sent again: {_RISK[Resolution.RESEND]}"),
    "leave": (None, "change nothing: evidence may still come in"),
}


def resolve(
    broadcast: BroadcastNumber,
    assume_sent: Annotated[bool, typer.Option("--assume-sent", help="Count them as accepted.")] = False,
    resend: Annotated[bool, typer.Option("--resend", help="Make them ready to be sent again by `resume`.")] = False,
    chunk: Annotated[list[int], typer.Option(metavar="N", help="Only this chunk; may be given again.")] = [],  # noqa: B006
    because: Annotated[str, typer.Option(metavar="WHY", help="Why; kept in the ledger.")] = "",
    yes: Yes = False,
) -> None:
    """Find out what became of email that may or may not have been sent.

    Evidence is looked for among the events that came in, and in the provider's log. Nothing is sent by this command.
    Ends with 1 while something stays unknown.
    """
    if assume_sent and resend:
        raise InputError("--assume-sent and --resend are opposites; give one of them, or neither to be asked")
    with opened_database() as (config, database):
        provider, notes = _opened_provider(config)
        found = reconcile(database, broadcast, provider, now=datetime.now(UTC), notes=notes)
        chosen = choose_chunks(found, chunk)
        _print_reconciliation(found, chosen, now=datetime.now(UTC))
        if not chosen:
            _end(database, found)
            return
        decision = _decide(chosen, assume_sent=assume_sent, resend=resend, yes=yes)
        if decision is None:
            output.note("They stay unknown. Nothing of them is sent again by itself.")
            raise typer.Exit(1)
        _resolve(database, found, chosen, decision, because)


def _opened_provider(config: Config) -> tuple[Provider | None, list[str]]:
    """Return the provider where it can be opened; without it there is still the evidence of events."""
    try:
        return open_provider(config, os.environ), []
    except ProviderError as err:
        return None, [f"The provider's log was not read: {err}"]


def _print_reconciliation(found: Reconciliation, chosen: Sequence[UnknownChunk], *, now: datetime) -> None:
    """Print what evidence settled, and the chunks that are to be decided about."""
    broadcast = found.broadcast
    output.say(title_of(broadcast))
    for proof in found.proven:
        taken = output.styled("accepted", "green")
        output.say(f"  {_chunk(proof.chunk)} {taken}: {proof.evidence}")
    for text in found.notes:
        output.note(text)
    if not found.left:
        output.say("  Nothing is unknown." if not found.proven else "  Nothing is unknown any more.")
        return
    for chunk in chosen[:_SHOWN]:
        _print_chunk(chunk, broadcast_id=broadcast.id, now=now)
    if len(chosen) > _SHOWN:
        rest = sum(chunk.deliveries for chunk in chosen[_SHOWN:])
        output.say(f"  … and {output.count_of(len(chosen) - _SHOWN, 'chunk')} more, {rest:,} people")
    if chosen:
        output.note(
            "There is no evidence of what became of them. That proves nothing: reports come late or get lost, and logs "
            "forget."
        )


def _print_chunk(chunk: UnknownChunk, *, broadcast_id: int, now: datetime) -> None:
    unknown = output.styled("unknown", "yellow")
    output.say(f"  {_chunk(chunk)} {unknown} since {show_utc_from(chunk.since, now)}")
    output.say(f"    {chunk.reason}")
    named = ", ".join(email or NOBODY_NOW for email in chunk.sample)
    more = chunk.deliveries - len(chunk.sample)
    output.say(f"    {named}{f' and {more:,} more' if more > 0 else ''}")
    if chunk.hold_until is not None and chunk.hold_until > now:
        output.say(
            f"    held by the provider until {show_utc_from(chunk.hold_until, now)}, if it was taken: "
            f"`newsletter cancel {broadcast_id}` can still take it back"
        )


def _chunk(chunk: UnknownChunk) -> str:
    return f"chunk {chunk.number}, {output.count_of(chunk.deliveries, 'delivery')}:"


def _decide(chunks: Sequence[UnknownChunk], *, assume_sent: bool, resend: bool, yes: bool) -> Resolution | None:
    """Return what the person wants, or None where they leave it open."""
    people = output.people_of(sum(chunk.deliveries for chunk in chunks))
    if not (assume_sent or resend):
        output.note(f"{people} may or may not have been sent this issue. Were they?")
        said = output.choose("Which?", {word: meaning for word, (_, meaning) in _ANSWERS.items()}, otherwise="leave")
        return _ANSWERS[said][0]
    asked = Resolution.ASSUME_SENT if assume_sent else Resolution.RESEND
    if yes:
        return asked
    act = "Count as accepted" if asked is Resolution.ASSUME_SENT else "Make ready to be sent again"
    output.note(f"The risk: {_RISK[asked]}.")
    return asked if output.confirm(f"{act}: {people}?") else None


def _resolve(
    database: Database, found: Reconciliation, chunks: Sequence[UnknownChunk], resolution: Resolution, because: str
) -> None:
    number = found.broadcast.id
    count = resolve_chunks(database, number, chunks, resolution, because=because, now=datetime.now(UTC))
    settled = output.count_of(count, "delivery")
    if resolution is Resolution.ASSUME_SENT:
        output.say(f"  {settled} counted as accepted")
        _end(database, found)
    elif found.is_over:
        output.say(f"  {settled} cancelled: nothing of this broadcast leaves any more")
        _end(database, found, (sending_again(found.broadcast), "reaches those who did not get it"))
    else:
        output.say(f"  {settled} made ready to be sent again")
        _end(database, found, (f"newsletter resume {number}", "sends them"))


def _end(database: Database, found: Reconciliation, step: tuple[str, str] | None = None) -> None:
    """Say how the broadcast stands and what is next, and end with 1 while something of it is unknown."""
    tally = line_of(database, found.broadcast.id).tally
    output.say(f"  {identity(tally)}")
    if step is not None:
        output.print_next(*step)
    if tally.unknown:
        output.print_next(f"newsletter resolve {found.broadcast.id}", f"about the {tally.unknown:,} that are left")
        raise typer.Exit(1)
