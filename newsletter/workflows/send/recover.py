"""Settle what processes left behind that ended while they were sending.

A chunk found inflight becomes unknown, as far as the ledger can tell. The reply log of the process then says which of
its emails were sent, if the process ran on this machine. If another machine was first, the chunk is unknown until this
one comes by.
"""

from datetime import datetime

from msgspec.structs import replace

from newsletter.model.broadcast import ChunkState, NextStep, Outcome, Verdict
from newsletter.model.ledger import ClaimedChunk
from newsletter.model.replies import Reply
from newsletter.providers.registry import outcome_of_replies
from newsletter.store.database import Database
from newsletter.store.ledger.record import ORPHANED, adopt_orphans, record_outcome
from newsletter.store.ledger.requests import find_claim
from newsletter.store.reply_log import LeftLog, left_logs

ENDED = "the program ended while this email was being sent"


def recover(database: Database, broadcast_id: int, *, now: datetime) -> int:
    """Settle the chunks of processes that are no longer alive. Return how many chunks of the broadcast had been open.

    The logs of other broadcasts are settled too, because after its end a broadcast may never be looked at again.
    """
    orphans = adopt_orphans(database, broadcast_id, now=now)
    recover_logs(database, now=now)
    return orphans


def recover_logs(database: Database, *, now: datetime) -> None:
    """Settle chunks from the reply logs that dead processes left on this machine, and remove these logs."""
    for log in left_logs(database.replies, is_alive=database.alive):
        if _is_ours(database, log, now=now):
            log.path.unlink(missing_ok=True)


def outcome_from(provider: str, replies: tuple[Reply, ...]) -> Outcome:
    """Return the outcome of a chunk whose sending was interrupted, from what is known about each message."""
    outcome = outcome_of_replies(provider, replies)
    is_in_doubt = outcome.uncertain or outcome.verdict is Verdict.UNKNOWN
    is_steering = outcome.next_step in {NextStep.PAUSE, NextStep.STOP}  # the reason is then shown for the broadcast
    answered = {reply.delivery for reply in replies if reply.meaning}
    uncertain = {who: words if who in answered else ENDED for who, words in outcome.uncertain.items()}
    reason = ENDED if is_in_doubt and not is_steering else outcome.reason
    return replace(outcome, reason=reason, uncertain=uncertain)


def _is_ours(database: Database, log: LeftLog, *, now: datetime) -> bool:
    """Settle the chunk that a log is about, if it still waits for that. Return False if another database has it."""
    sending = log.sending
    found = find_claim(database, sending.broadcast, sending.chunk)
    if found is None or f"b{sending.broadcast}-{found[0].nonce}" != sending.mailing:
        return False
    claim, subscribers = found
    is_last = (claim.attempt, claim.runner) == (sending.attempt, sending.runner)
    if claim.state is ChunkState.INFLIGHT:
        # Either the process died a moment ago, or another one has claimed the chunk again.
        adopt_orphans(database, sending.broadcast, now=now)
    # A restore from a backup makes chunks unknown for another reason. What happened since is not in the log.
    is_restored = claim.state is ChunkState.UNKNOWN and claim.reason != ORPHANED
    if is_last and not is_restored:
        outcome = outcome_from(sending.provider, tuple(log.reply_about(each) for each in subscribers))
        claimed = ClaimedChunk(
            broadcast=sending.broadcast,
            number=sending.chunk,
            attempt=sending.attempt,
            variant_key="",
            deliveries=(),
        )
        record_outcome(database, claimed, outcome, now=now)
    return True
