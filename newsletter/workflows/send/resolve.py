"""Settle deliveries that may or may not have been sent, by evidence or by a person's decision."""

from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec import Struct

from newsletter.config import CONFIG_FILE
from newsletter.errors import InputError, ProviderError
from newsletter.model.address import masked
from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.model.ledger import Resolution, UnknownChunk
from newsletter.providers.base import Provider
from newsletter.store.database import Database
from newsletter.store.events import evidence_of
from newsletter.store.ledger.broadcasts import require_broadcast
from newsletter.store.ledger.resolve import prove_taken, resolve_chunk, unknown_chunks
from newsletter.workflows.send.recover import recover

_OVER = frozenset({BroadcastState.STOPPED, BroadcastState.CANCELLING, BroadcastState.CANCELLED})
ASSUMED = "assumed to be sent"  # the reason begins with this if a person, not evidence, settled a delivery as accepted
_DECISION = {Resolution.ASSUME_SENT: ASSUMED, Resolution.RESEND: "to be sent again"}
_NO_REASON = "no reason given"
_SAMPLE = 3  # the number of addresses per chunk that are shown, and looked up in the provider's log


class Proof(Struct, frozen=True, kw_only=True):
    """A chunk that now counts as accepted, with the evidence that the provider accepted it."""

    chunk: UnknownChunk
    evidence: str


class Reconciliation(Struct, frozen=True, kw_only=True):
    """The chunks settled by evidence, and the chunks still open. A lack of evidence proves nothing."""

    broadcast: Broadcast
    proven: tuple[Proof, ...]
    left: tuple[UnknownChunk, ...]
    notes: tuple[str, ...]  # which evidence could not be searched for, and why

    @property
    def is_over(self) -> bool:
        """Whether this broadcast sends nothing more, so that only a later broadcast can resend."""
        return self.broadcast.state in _OVER


def reconcile(
    database: Database, broadcast_id: int, provider: Provider | None, *, now: datetime, notes: Sequence[str] = ()
) -> Reconciliation:
    """Look for evidence that unknown chunks were accepted, and record what it proves.

    First, requests of a dead process become unknown. The evidence comes from the received events and, for the
    rest, from the provider's message log. `provider` is None if it could not be opened; `notes` then say why.
    Raise InputError if there is no such broadcast.
    """
    broadcast = require_broadcast(database, broadcast_id)
    recover(database, broadcast_id, now=now)
    unknown = unknown_chunks(database, broadcast_id, sample=_SAMPLE)
    told = {(chunk, attempt): words for chunk, attempt, words in evidence_of(database, broadcast_id)}
    found = [(chunk, told.get((chunk.number, chunk.attempt))) for chunk in unknown]
    proven = _keep(database, broadcast_id, found, now=now)
    said = list(notes)
    settled = {proof.chunk.number for proof in proven}
    if provider is not None and (left := [chunk for chunk in unknown if chunk.number not in settled]):
        found, note = _ask_provider(broadcast, provider, left)
        proven += _keep(database, broadcast_id, found, now=now)
        said += filter(None, [note])
    return Reconciliation(
        broadcast=broadcast,
        proven=tuple(proven),
        left=unknown_chunks(database, broadcast_id, sample=_SAMPLE),
        notes=tuple(said),
    )


def choose_chunks(reconciliation: Reconciliation, numbers: Collection[int]) -> tuple[UnknownChunk, ...]:
    """Return the open chunks with these numbers, or all open chunks if no number is given.

    Raise InputError if a chunk is given that is not unknown.
    """
    unknown = {chunk.number: chunk for chunk in reconciliation.left}
    settled = {proof.chunk.number for proof in reconciliation.proven}
    strange = sorted(set(numbers) - unknown.keys() - settled)
    if strange:
        known = ", ".join(map(str, unknown))
        remedy = f"write one of {known}" if known else "no batch is unconfirmed, so leave out this number"
        raise InputError(f"batch {strange[0]} is not unconfirmed; {remedy}")
    return tuple(chunk for number, chunk in unknown.items() if not numbers or number in numbers)


def resolve_chunks(
    database: Database,
    broadcast_id: int,
    chunks: Collection[UnknownChunk],
    resolution: Resolution,
    *,
    because: str,
    now: datetime,
) -> int:
    """Settle the chunks as a person decided. Return the number of deliveries settled.

    If the broadcast is over, deliveries to resend are canceled instead. A later broadcast can reach these people.
    Chunks that were proven accepted or sent again in the meantime are not changed.
    """
    detail = decision_of(resolution, because)
    return sum(
        chunk.deliveries
        for chunk in chunks
        if resolve_chunk(database, broadcast_id, chunk.number, chunk.attempt, resolution, detail=detail, now=now)
    )


def decision_of(resolution: Resolution, because: str) -> str:
    """Return a person's decision and their reason as the ledger stores them."""
    return f"{_DECISION[resolution]}: {masked(' '.join(because.split())) or _NO_REASON}"


def _ask_provider(
    broadcast: Broadcast, provider: Provider, chunks: Sequence[UnknownChunk]
) -> tuple[list[tuple[UnknownChunk, str | None]], str]:
    """Look up chunks in the provider's log. Return the evidence found, and a note if a lookup failed."""
    name, log = broadcast.provider, provider.message_log
    if provider.name != name:
        why = f"because {CONFIG_FILE} now uses {provider.name}"
        return [], f'{name} was not contacted, {why}; set use = "{name}" under [provider] in that file'
    if log is None:
        return [], f"{name} keeps no message log to search."
    found: list[tuple[UnknownChunk, str | None]] = []
    for chunk in chunks:
        try:
            found.append((chunk, log.find(broadcast.mailing_id, chunk)))
        except ProviderError as err:
            return found, f"{name} could not be contacted: {err}"
    return found, ""


def _keep(
    database: Database, broadcast_id: int, found: Sequence[tuple[UnknownChunk, str | None]], *, now: datetime
) -> list[Proof]:
    """Record the evidence. Return the chunks that it settled."""
    return [
        Proof(chunk=chunk, evidence=evidence)
        for chunk, evidence in found
        if evidence and prove_taken(database, broadcast_id, chunk.number, chunk.attempt, evidence=evidence, now=now)
    ]
