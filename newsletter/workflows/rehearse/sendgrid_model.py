"""How SendGrid answers in a rehearsal. Its library is loaded with this module."""

from datetime import datetime
from itertools import count

from msgspec import field

from newsletter.model.broadcast import Outcome, OutgoingChunk
from newsletter.providers.base import Scheduler
from newsletter.providers.sendgrid.client import ApiAnswer
from newsletter.providers.sendgrid.mail import LARGEST_REQUEST_BYTES, compile_request
from newsletter.providers.sendgrid.outcomes import outcome_of, too_large
from newsletter.providers.sendgrid.provider import SendGrid, SendGridScheduler
from newsletter.workflows.rehearse.provider_models import ProviderModel, Trouble

_LARGE_PART = 0.75  # of the largest request; if the first is smaller, the others are not measured
_REVOKED = b'{"errors": [{"message": "The provided authorization grant is invalid, expired, or revoked"}]}'


class _TwinScheduler(SendGridScheduler):
    """SendGrid's limits for held email, without SendGrid."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def open_batch(self) -> str:
        """Return a new id."""
        return f"rehearsal-{next(self._numbers)}"

    def cancel_batch(self, batch_id: str) -> None:
        """Do nothing. The batch is then canceled."""

    def clear_batch(self, batch_id: str) -> None:
        """Do nothing."""


class SendGridModel(ProviderModel):
    """SendGrid, which answers each request."""

    chunk_size: int = SendGrid.chunk_size
    notes_replies: bool = SendGrid.notes_replies
    accepted_mark: str = ""
    scheduler: Scheduler | None = field(default_factory=_TwinScheduler)
    _measured: dict[str, bool] = field(default_factory=dict)  # by variant: whether its requests are nearly too large

    def refused_size(self, chunk: OutgoingChunk) -> Outcome | None:
        """Return the outcome if a request is too large, otherwise None."""
        key = chunk.mailing.variant_key
        if not self._measured.get(key, True):
            return None
        size = len(compile_request(chunk.mailing, sandbox=False).request(chunk).body)
        self._measured[key] = size > LARGEST_REQUEST_BYTES * _LARGE_PART
        return too_large(len(chunk.recipients)) if size > LARGEST_REQUEST_BYTES else None

    def failed(self, chunk: OutgoingChunk, trouble: Trouble, *, at: datetime) -> Outcome:
        """Return the outcome of a request that fails."""
        if trouble is Trouble.KEY_REVOKED:
            answer = ApiAnswer(status=401, body=_REVOKED, received_at=at)
        else:
            cause = TimeoutError("the connection was lost")
            answer = ApiAnswer(received_at=at, cause=cause, was_handed_over=trouble is Trouble.ANSWERS_LOST)
        return outcome_of(answer, chunk.recipients, sandbox=False, secrets=())
