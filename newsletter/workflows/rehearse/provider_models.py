"""How each provider answers when something goes wrong. What an answer means is decided by the provider's own code."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field

from newsletter.model.broadcast import Outcome, OutgoingChunk, Verdict
from newsletter.providers.outbox import Outbox
from newsletter.providers.sendgrid.client import ApiAnswer
from newsletter.providers.sendgrid.mail import LARGEST_REQUEST_BYTES, compile_request
from newsletter.providers.sendgrid.outcomes import outcome_of
from newsletter.providers.sendgrid.provider import SendGrid
from newsletter.providers.smtp import SmtpRelay
from newsletter.providers.smtp_dialogue import Answer, ReplyMeaning, meaning_of
from newsletter.providers.smtp_fates import ChunkFates
from newsletter.providers.smtp_standing import RelayStanding
from newsletter.refusals import Phase, cause_of

ACCEPTED = Outcome(verdict=Verdict.ACCEPTED)
_LARGE_PART = 0.75  # of the largest request; if the first is smaller, the others are not measured


class Trouble(StrEnum):
    """What can go wrong at the provider."""

    UNREACHABLE = "unreachable"
    KEY_REVOKED = "key revoked"
    ANSWERS_LOST = "answers lost"  # what is sent may have arrived, but no one knows


class ProviderFault(Struct, frozen=True, kw_only=True):
    """A trouble, and how long it lasts."""

    trouble: Trouble
    ends: datetime | None = None  # None: until a person does something

    def holds(self, moment: datetime) -> bool:
        """Return whether it lasts at this time."""
        return self.ends is None or moment < self.ends


class ProviderModel(Struct):
    """How a provider answers. This is the outbox, which fails only with this machine."""

    original: type[Outbox | SmtpRelay | SendGrid] = Outbox
    accepted_mark: str = "saved"

    def is_too_large(self, _chunk: OutgoingChunk) -> bool:
        return False

    def failed(self, _chunk: OutgoingChunk, _trouble: Trouble, *, at: datetime) -> Outcome:
        return ACCEPTED


class _SmtpModel(ProviderModel):
    """An SMTP relay, which answers each email."""

    original: type[Outbox | SmtpRelay | SendGrid] = SmtpRelay
    accepted_mark: str = ReplyMeaning.ACCEPTED.value
    standing: RelayStanding = field(default_factory=RelayStanding)

    def failed(self, chunk: OutgoingChunk, trouble: Trouble, *, at: datetime) -> Outcome:
        fates = ChunkFates(
            chunk.recipients, self.standing, tries=chunk.tries, are_others_accepted=chunk.are_others_accepted
        )
        for recipient in chunk.recipients:
            fates.begin()
            fates.note(recipient, _SMTP_ANSWERS[trouble])
            if fates.is_hopeless:
                break
        return fates.outcome()


class _SendGridModel(ProviderModel):
    """SendGrid, which answers each request."""

    original: type[Outbox | SmtpRelay | SendGrid] = SendGrid
    accepted_mark: str = ""
    _measured: dict[str, bool] = field(default_factory=dict)  # by variant: whether its requests are nearly too large

    def is_too_large(self, chunk: OutgoingChunk) -> bool:
        key = chunk.mailing.variant_key
        if self._measured.get(key, True):
            size = len(compile_request(chunk.mailing, sandbox=False).request(chunk).body)
            self._measured[key] = size > LARGEST_REQUEST_BYTES * _LARGE_PART
            return size > LARGEST_REQUEST_BYTES
        return False

    def failed(self, chunk: OutgoingChunk, trouble: Trouble, *, at: datetime) -> Outcome:
        if trouble is Trouble.KEY_REVOKED:
            answer = ApiAnswer(status=401, body=_REVOKED, received_at=at)
        else:
            cause = TimeoutError("the connection was lost")
            answer = ApiAnswer(received_at=at, cause=cause, was_handed_over=trouble is Trouble.ANSWERS_LOST)
        return outcome_of(answer, chunk.recipients, sandbox=False, secrets=())


_REVOKED = b'{"errors": [{"message": "The provided authorization grant is invalid, expired, or revoked"}]}'


def _refusal(phase: Phase, code: int, words: str) -> Answer:
    return Answer(meaning_of(phase, code, words), f"{code} {words}", phase, cause_of(code, words, phase=phase))


_SMTP_ANSWERS = {
    Trouble.UNREACHABLE: Answer(ReplyMeaning.LOST, "the connection was refused"),
    Trouble.KEY_REVOKED: _refusal(Phase.OPENING, 535, "5.7.8 authentication credentials invalid"),
    Trouble.ANSWERS_LOST: Answer(ReplyMeaning.UNCERTAIN, "the connection was closed", Phase.CONTENT),
}
MODELS: dict[str, type[ProviderModel]] = {"outbox": ProviderModel, "smtp": _SmtpModel, "sendgrid": _SendGridModel}
