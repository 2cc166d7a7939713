"""How each provider answers when something goes wrong. What an answer means is decided by the provider's own code."""

from datetime import datetime
from enum import StrEnum
from pkgutil import resolve_name

from msgspec import Struct, field

from newsletter.errors import InputError
from newsletter.model.broadcast import Outcome, OutgoingChunk, Verdict
from newsletter.providers.base import Scheduler
from newsletter.providers.outbox import Outbox
from newsletter.providers.smtp import SmtpRelay
from newsletter.providers.smtp_dialogue import Answer, ReplyMeaning, meaning_of
from newsletter.providers.smtp_fates import ChunkFates
from newsletter.providers.smtp_standing import RelayStanding
from newsletter.refusals import Phase, cause_of

ACCEPTED = Outcome(verdict=Verdict.ACCEPTED)


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

    chunk_size: int = Outbox.chunk_size
    notes_replies: bool = Outbox.notes_replies
    accepted_mark: str = "saved"
    scheduler: Scheduler | None = None

    def refused_size(self, _chunk: OutgoingChunk) -> Outcome | None:
        """Return the outcome if a batch is too large, otherwise None."""
        return None

    def failed(self, _chunk: OutgoingChunk, _trouble: Trouble, *, at: datetime) -> Outcome:
        return ACCEPTED


class SmtpModel(ProviderModel):
    """An SMTP relay, which answers each email."""

    chunk_size: int = SmtpRelay.chunk_size
    notes_replies: bool = SmtpRelay.notes_replies
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


def _refusal(phase: Phase, code: int, words: str) -> Answer:
    return Answer(meaning_of(phase, code, words), f"{code} {words}", phase, cause_of(code, words, phase=phase))


_SMTP_ANSWERS = {
    Trouble.UNREACHABLE: Answer(ReplyMeaning.LOST, "the connection was refused"),
    Trouble.KEY_REVOKED: _refusal(Phase.OPENING, 535, "5.7.8 authentication credentials invalid"),
    Trouble.ANSWERS_LOST: Answer(ReplyMeaning.UNCERTAIN, "the connection was closed", Phase.CONTENT),
}
# Each is imported only when it is used, because the library of a provider takes a while to load.
MODELS = {
    "outbox": "newsletter.workflows.rehearse.provider_models:ProviderModel",
    "smtp": "newsletter.workflows.rehearse.provider_models:SmtpModel",
    "sendgrid": "newsletter.workflows.rehearse.sendgrid_model:SendGridModel",
}


def model_of(provider: str) -> ProviderModel:
    """Return how a provider answers. Raise InputError if that is not known."""
    if provider not in MODELS:
        known = ", ".join(MODELS)
        raise InputError(f"a broadcast through {provider} cannot be rehearsed; these providers can: {known}")
    found: ProviderModel = resolve_name(MODELS[provider])()
    return found
