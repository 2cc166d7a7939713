"""Find out, or be told, what became of mail that may or may not have been taken."""

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
from newsletter.store.ledger.record import adopt_orphans
from newsletter.store.ledger.resolve import prove_taken, resolve_chunk, unknown_chunks

_OVER = frozenset({BroadcastState.STOPPED, BroadcastState.CANCELLING, BroadcastState.CANCELLED})
ASSUMED = "assumed to be sent"  # how the reason begins of what a person, rather than evidence, took as accepted
_DECISION = {Resolution.ASSUME_SENT: ASSUMED, Resolution.RESEND: "to be sent again"}
_NO_REASON = "whoever decided gave no reason"
_SAMPLE = 3  # addresses of each chunk that are shown, and looked for in the provider's log


class Proof(Struct, frozen=True, kw_only=True):
    """A chunk of which there is evidence that it was taken; it counts as accepted by now."""

    chunk: UnknownChunk
    evidence: str


class Reconciliation(Struct, frozen=True, kw_only=True):
    """What evidence settled, and what it left open; where there is none, that proves nothing."""

    broadcast: Broadcast
    proven: tuple[Proof, ...]
    left: tuple[UnknownChunk, ...]
    notes: tuple[str, ...]  # where nobody could look, and why

    @property
    def is_over(self) -> bool:
        """Whether nothing of the broadcast leaves any more, so that a later one is what sends again."""
        return self.broadcast.state in _OVER


def reconcile(
    database: Database, broadcast_id: int, provider: Provider | None, *, now: datetime, notes: Sequence[str] = ()
) -> Reconciliation:
    """Look for evidence that unknown chunks were taken, and write down what it proves.

    First among the events that came in, then, for what is left, in the provider's log of messages. What a dead process
    was handing over becomes unknown before. `provider` is None where it could not be opened, which `notes` explain.
    Raise InputError where there is no such broadcast.
    """
    broadcast = require_broadcast(database, broadcast_id)
    adopt_orphans(database, broadcast_id, now=now)
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
    """Return the chunks that are left and named, or all that are left where none is named.

    Raise InputError where one is named that is not unknown.
    """
    unknown = {chunk.number: chunk for chunk in reconciliation.left}
    settled = {proof.chunk.number for proof in reconciliation.proven}
    strange = sorted(set(numbers) - unknown.keys() - settled)
    if strange:
        known = ", ".join(map(str, unknown)) or "none"
        raise InputError(f"chunk {strange[0]} is not unknown; those that are: {known}")
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
    """Do with the chunks what a person decided, and return how many deliveries that settled.

    Where the broadcast is over, what is to be resent is cancelled, and a later broadcast reaches those people. What was
    proven to be taken, or handed over again, since the person looked stays as it is.
    """
    detail = f"{_DECISION[resolution]}: {masked(' '.join(because.split())) or _NO_REASON}"
    return sum(
        chunk.deliveries
        for chunk in chunks
        if resolve_chunk(database, broadcast_id, chunk.number, chunk.attempt, resolution, detail=detail, now=now)
    )


def _ask_provider(
    broadcast: Broadcast, provider: Provider, chunks: Sequence[UnknownChunk]
) -> tuple[list[tuple[UnknownChunk, str | None]], str]:
    """Return the evidence in the provider's log for each chunk that could be looked up, and why others could not."""
    name, log = broadcast.provider, provider.message_log
    if provider.name != name:
        return [], f"{name} was not asked: {CONFIG_FILE} now uses {provider.name}; set [provider] use back"
    if log is None:
        return [], f"{name} keeps no log that could be asked."
    found: list[tuple[UnknownChunk, str | None]] = []
    for chunk in chunks:
        try:
            found.append((chunk, log.find(broadcast.mailing_id, chunk)))
        except ProviderError as err:
            return found, f"{name} could not be asked: {err}"
    return found, ""


def _keep(
    database: Database, broadcast_id: int, found: Sequence[tuple[UnknownChunk, str | None]], *, now: datetime
) -> list[Proof]:
    """Write the evidence down, and return the proofs among it."""
    return [
        Proof(chunk=chunk, evidence=evidence)
        for chunk, evidence in found
        if evidence and prove_taken(database, broadcast_id, chunk.number, chunk.attempt, evidence=evidence, now=now)
    ]
