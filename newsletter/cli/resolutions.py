"""What is known of uncertain mail, and the question what to do with it."""

from collections.abc import Sequence
from datetime import datetime

from newsletter.cli import output
from newsletter.language.clock import show_utc_from
from newsletter.model.ledger import Resolution, UnknownChunk
from newsletter.workflows.send.resolve import Reconciliation

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


def show_reconciliation(found: Reconciliation, chosen: Sequence[UnknownChunk], *, now: datetime) -> None:
    """Prints what evidence settled, and the chunks that are to be decided about."""
    broadcast = found.broadcast
    output.say(f"Broadcast {broadcast.id}: {broadcast.issue} to {broadcast.segment} through {broadcast.provider}")
    for proof in found.proven:
        taken = output.styled("accepted", "green")
        output.say(f"  {_chunk(proof.chunk)} {taken}: {proof.evidence}")
    for text in found.notes:
        output.note(text)
    if not found.left:
        output.say("  Nothing is unknown." if not found.proven else "  Nothing is unknown any more.")
        return
    for chunk in chosen[:_SHOWN]:
        _show_chunk(chunk, broadcast_id=broadcast.id, now=now)
    if len(chosen) > _SHOWN:
        rest = sum(chunk.deliveries for chunk in chosen[_SHOWN:])
        output.say(f"  … and {output.count_of(len(chosen) - _SHOWN, 'chunk')} more, {rest:,} people")
    if chosen:
        output.note(
            "There is no evidence of what became of them. That proves nothing: reports come late or get lost, and logs "
            "forget."
        )


def ask_for_resolution(chunks: Sequence[UnknownChunk]) -> Resolution | None:
    """Asks what to do; None where they are to be left as they are, or nobody is there to be asked."""
    output.note(f"{_people(chunks)} may or may not have been sent this issue. Were they?")
    said = output.choose("Which?", {word: meaning for word, (_, meaning) in _ANSWERS.items()}, otherwise="leave")
    return _ANSWERS[said][0]


def confirm_resolution(chunks: Sequence[UnknownChunk], resolution: Resolution) -> bool:
    """Asks whether to do what was asked for, with its risk."""
    act = "Count as accepted" if resolution is Resolution.ASSUME_SENT else "Make ready to be sent again"
    output.note(f"The risk: {_RISK[resolution]}.")
    return output.confirm(f"{act}: {_people(chunks)}?")


def _show_chunk(chunk: UnknownChunk, *, broadcast_id: int, now: datetime) -> None:
    unknown = output.styled("unknown", "yellow")
    output.say(f"  {_chunk(chunk)} {unknown} since {show_utc_from(chunk.since, now)}")
    output.say(f"    {chunk.reason}")
    named = ", ".join(email or "somebody who left the list" for email in chunk.sample)
    more = chunk.deliveries - len(chunk.sample)
    output.say(f"    {named}{f' and {more:,} more' if more > 0 else ''}")
    if chunk.hold_until is not None and chunk.hold_until > now:
        output.say(
            f"    held by the provider until {show_utc_from(chunk.hold_until, now)}, if it was taken: "
            f"`newsletter cancel {broadcast_id}` can still take it back"
        )


def _chunk(chunk: UnknownChunk) -> str:
    return f"chunk {chunk.number}, {output.count_of(chunk.deliveries, 'delivery')}:"


def _people(chunks: Sequence[UnknownChunk]) -> str:
    count = sum(chunk.deliveries for chunk in chunks)
    return f"{count:,} {'person' if count == 1 else 'people'}"
