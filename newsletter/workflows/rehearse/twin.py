"""A twin of a provider: it accepts what the provider would, takes as long, and fails as it does, but sends nothing.

What an answer means for the recipients is decided by the provider's own code. The twin only decides which answer comes,
and when.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count
from pathlib import Path
from statistics import median
from threading import Thread, current_thread

from msgspec import Struct, field

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.model.broadcast import Outcome, OutgoingChunk, Recipient, Verdict
from newsletter.model.ledger import ClaimedChunk
from newsletter.providers.base import UNRECORDED, ProviderFacts, Replies, Scheduler
from newsletter.providers.outbox import Outbox
from newsletter.providers.sendgrid.client import ApiAnswer
from newsletter.providers.sendgrid.mail import LARGEST_REQUEST_BYTES, compile_request
from newsletter.providers.sendgrid.outcomes import outcome_of, too_large
from newsletter.providers.sendgrid.provider import SendGrid, SendGridScheduler
from newsletter.providers.smtp import SmtpRelay
from newsletter.providers.smtp_dialogue import Answer, ReplyMeaning, meaning_of
from newsletter.providers.smtp_fates import ChunkFates
from newsletter.providers.smtp_standing import RelayStanding
from newsletter.refusals import Phase, cause_of
from newsletter.store.ledger.tempo import PastClaim
from newsletter.store.reply_log import ReplyLog
from newsletter.workflows.rehearse.virtual_time import VirtualTime

_ACCEPTED = Outcome(verdict=Verdict.ACCEPTED)
_USUAL_SECONDS = {"outbox": 0.001, "smtp": 0.1, "sendgrid": 1.0}  # where nothing has been measured
_SPREAD = (0.5, 0.75, 1.0, 1.25, 1.5)
_FEWEST_MEASURED = 8
_LONGEST_TO_USUAL = 10.0  # what took longer than this many times the usual was a pause, not an answer
_LARGE_PART = 0.75  # of the largest request; if the first is smaller, the others are not measured


class Trouble(StrEnum):
    """What can go wrong at the provider."""

    UNREACHABLE = "unreachable"
    KEY_REVOKED = "key revoked"
    ANSWERS_LOST = "answers lost"  # what is sent may have arrived, but no one knows


class ProviderFault(Struct, frozen=True, kw_only=True):
    """A trouble, and how long it lasts."""

    trouble: Trouble
    begins: datetime
    ends: datetime | None = None  # None: until a person does something

    def holds(self, moment: datetime) -> bool:
        """Return whether it lasts at this time."""
        return self.begins <= moment and (self.ends is None or moment < self.ends)


class Tempo(Struct, frozen=True, kw_only=True):
    """How long the provider takes for one email, or for one request if a batch is one request."""

    seconds: tuple[float, ...]  # each as likely as the others
    unit: str  # `email` or `request`
    broadcasts: tuple[int, ...] = ()  # in which it was measured; empty if it is assumed

    @property
    def usual(self) -> float:
        """The mean."""
        return sum(self.seconds) / len(self.seconds)


def tempo_of(twin: "Twin", claims: Sequence[PastClaim], *, stated_seconds: float | None = None) -> Tempo:
    """Return how fast the provider was in past broadcasts, or what is assumed if too little was measured.

    While n batches are sent at the same time, the time from one claim to the n-th claim after it is the time that one
    batch takes, together with our own work on it.
    """
    unit, lanes = ("email", twin.concurrency) if twin.notes_replies else ("request", twin.concurrency)
    if stated_seconds is not None:
        return Tempo(seconds=(stated_seconds,), unit=unit)
    found = [
        (later.claimed_at - each.claimed_at).total_seconds() / (each.size if unit == "email" else 1)
        for each, later in zip(claims, claims[lanes:], strict=False)
        if each.broadcast == later.broadcast
    ]
    usual = median(found) if found else 0.0
    measured = [seconds for seconds in found if seconds <= usual * _LONGEST_TO_USUAL]
    if len(measured) < _FEWEST_MEASURED or usual <= 0.0:
        return Tempo(seconds=tuple(_USUAL_SECONDS[twin.name] * each for each in _SPREAD), unit=unit)
    numbers = tuple(sorted({each.broadcast for each in claims}))
    return Tempo(seconds=tuple(sorted(measured)), unit=unit, broadcasts=numbers)


class Handed(Struct, frozen=True, kw_only=True):
    """A batch that the twin accepted."""

    began: datetime
    at: datetime  # when the last of it was accepted
    hold_until: datetime | None
    people: Sequence[int]  # the ids of the subscribers
    is_one_by_one: bool  # whether each email is sent by itself

    @property
    def reaches_at(self) -> datetime:
        """When it reaches the mailboxes."""
        return max(self.at, self.hold_until or self.at)


class Twin:
    """The twin of the provider in use. It has the provider's name, limits and answers."""

    message_log = None
    suppression_lists = None

    def __init__(self, config: Config, time: VirtualTime, *, seed: int = 0, fault: ProviderFault | None = None) -> None:
        settings = config.settings.provider
        if settings.use not in _MODELS:
            known = ", ".join(_MODELS)
            raise InputError(f"a broadcast through {settings.use} cannot be rehearsed; these providers can: {known}")
        self._model = _MODELS[settings.use]()
        self.name = settings.use
        self.chunk_size = self._model.original.chunk_size
        self.notes_replies = self._model.original.notes_replies
        self.concurrency = int(getattr(settings.table_in_use, "concurrency", 1))
        self.scheduler: Scheduler | None = _TwinScheduler() if settings.use == "sendgrid" else None
        self.tempo = Tempo(seconds=(_USUAL_SECONDS[self.name],), unit="email")
        self.fault = fault
        self.is_noting = fault is not None  # whether each reply is noted, for what a dead process leaves
        self.handed: list[Handed] = []
        self.requests = 0
        self.at_half: Callable[[], None] | None = None  # called once, in the middle of a batch
        self._half = self._begun = 0  # numbers of people
        self._time = time
        self._seed = seed
        self.accepted = 0
        self._under_way: dict[Thread, _UnderWay] = {}

    def describe(self) -> str:
        """Return what it is."""
        return f"a twin of {self.name}, which sends nothing"

    def examine(self, *, is_online: bool) -> ProviderFacts:
        """Return nothing."""
        return ProviderFacts(items=())

    def call_at_half(self, people: int, call: Callable[[], None]) -> None:
        """Call a function once, in the middle of the batch with which half of these people have been begun."""
        self._half, self.at_half = people // 2, call

    def under_way(self, broadcast: int) -> tuple[ClaimedChunk, ...]:
        """Return the batches of a broadcast that are being sent, without their deliveries."""
        return tuple(
            ClaimedChunk(broadcast=broadcast, number=chunk.number, attempt=chunk.attempt, variant_key="", deliveries=())
            for chunk in (each.chunk for each in self._under_way.values())
        )

    def open_logs(self) -> tuple[Path, ...]:
        """Return the reply logs of the batches that are being sent."""
        logs = (each.replies for each in self._under_way.values())
        return tuple(log.path for log in logs if isinstance(log, ReplyLog))

    @contextmanager
    def session(self) -> Iterator["Twin"]:
        """Open a session for one thread, in which it works in turns with the others."""
        with self._time.turns(self.concurrency):
            yield self

    def submit(self, chunk: OutgoingChunk, replies: Replies = UNRECORDED) -> Outcome:
        """Take as long as the provider would, and return its outcome."""
        size, time = len(chunk.recipients), self._time
        each = self._seconds(chunk)
        total = each * (size if self.notes_replies else 1)
        self.requests += size if self.notes_replies else 1
        if self._model.is_too_large(chunk):
            return too_large(size)
        self._begun += size
        under_way = self._under_way[current_thread()] = _UnderWay(chunk, replies, time(), each, self._model)
        fault, ends = self.fault, time() + timedelta(seconds=total)
        accepted = size
        if fault is not None and fault.holds(time()):
            accepted = 0
            time.sleep(each)
        elif fault is not None and time() < fault.begins < ends and self._is_noticed(fault):
            time.sleep((fault.begins - time()).total_seconds())
            accepted = under_way.answered(time()) if self.notes_replies else 0
        elif self.at_half is not None and self._begun >= self._half:
            call, self.at_half = self.at_half, None
            time.sleep(total / 2)
            for other in self._under_way.values():
                other.note_until(time())
            call()
            time.sleep(total / 2)
        else:
            time.sleep(total)
        del self._under_way[current_thread()]
        if self.is_noting:
            under_way.note(accepted)
        self._accept(chunk, accepted, began=under_way.began)
        if accepted == size or fault is None:
            return _ACCEPTED
        return self._model.failed(chunk, accepted, fault.trouble, at=time())

    def _is_noticed(self, fault: ProviderFault) -> bool:
        """Return whether a fault changes the answer to a batch that has begun. A request is still answered."""
        return self.notes_replies or fault.trouble is Trouble.ANSWERS_LOST

    def _accept(self, chunk: OutgoingChunk, accepted: int, *, began: datetime) -> None:
        self.accepted += accepted
        if accepted:
            people = [recipient.delivery for recipient in chunk.recipients[:accepted]]
            self.handed.append(
                Handed(
                    began=began,
                    at=self._time(),
                    hold_until=chunk.hold_until,
                    people=people,
                    is_one_by_one=self.notes_replies,
                )
            )

    def _seconds(self, chunk: OutgoingChunk) -> float:
        """Draw how long one email or one request takes. The draw depends only on the seed and the batch."""
        draw = random.Random(f"{self._seed} {chunk.number} {chunk.attempt}")  # noqa: S311 - a simulation
        return draw.choice(self.tempo.seconds)


class _UnderWay(Struct):
    """A batch that is being sent, of which some emails have been answered."""

    chunk: OutgoingChunk
    replies: Replies
    began: datetime
    seconds_each: float
    model: "_Model"
    _noted: int = 0

    @property
    def recipients(self) -> Sequence[Recipient]:
        """The recipients of the batch."""
        return self.chunk.recipients

    def answered(self, moment: datetime) -> int:
        """Return the number of emails that have been answered by this time."""
        return min(int((moment - self.began).total_seconds() / self.seconds_each), len(self.recipients))

    def note_until(self, moment: datetime) -> None:
        """Note the replies so far, and that the next email has begun."""
        self.note(self.answered(moment))
        if self._noted < len(self.recipients):
            self.replies.may_begin(self.recipients[self._noted].delivery)

    def note(self, until: int) -> None:
        """Note the replies to the first so many emails."""
        for recipient in self.recipients[self._noted : until]:
            self.replies.may_begin(recipient.delivery)
            self.replies.note(recipient.delivery, self.model.accepted_mark, "")
        self._noted = max(self._noted, until)


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


class _Model(Struct):
    """How a provider answers. This is the outbox, which fails only with this machine."""

    original: type[Outbox | SmtpRelay | SendGrid] = Outbox
    accepted_mark: str = "saved"

    def is_too_large(self, _chunk: OutgoingChunk) -> bool:
        return False

    def failed(self, _chunk: OutgoingChunk, _accepted: int, _trouble: Trouble, *, at: datetime) -> Outcome:
        return _ACCEPTED


class _SmtpModel(_Model):
    """An SMTP relay, which answers each email."""

    original: type[Outbox | SmtpRelay | SendGrid] = SmtpRelay
    accepted_mark: str = ReplyMeaning.ACCEPTED.value
    standing: RelayStanding = field(default_factory=RelayStanding)

    def failed(self, chunk: OutgoingChunk, accepted: int, trouble: Trouble, *, at: datetime) -> Outcome:
        fates = ChunkFates(
            chunk.recipients, self.standing, tries=chunk.tries, are_others_accepted=chunk.are_others_accepted
        )
        for place, recipient in enumerate(chunk.recipients):
            fates.begin()
            fates.note(recipient, _ACCEPTANCE if place < accepted else _SMTP_ANSWERS[trouble])
            if fates.is_hopeless:
                break
        return fates.outcome()


class _SendGridModel(_Model):
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

    def failed(self, chunk: OutgoingChunk, accepted: int, trouble: Trouble, *, at: datetime) -> Outcome:
        if trouble is Trouble.KEY_REVOKED:
            answer = ApiAnswer(status=401, body=_REVOKED, received_at=at)
        else:
            cause = TimeoutError("the connection was lost")
            answer = ApiAnswer(received_at=at, cause=cause, was_handed_over=trouble is Trouble.ANSWERS_LOST)
        return outcome_of(answer, chunk.recipients, sandbox=False, secrets=())


_REVOKED = b'{"errors": [{"message": "The provided authorization grant is invalid, expired, or revoked"}]}'


def _refusal(phase: Phase, code: int, words: str) -> Answer:
    return Answer(meaning_of(phase, code, words), f"{code} {words}", phase, cause_of(code, words, phase=phase))


_ACCEPTANCE = Answer(ReplyMeaning.ACCEPTED, "")
_SMTP_ANSWERS = {
    Trouble.UNREACHABLE: Answer(ReplyMeaning.LOST, "the connection was refused"),
    Trouble.KEY_REVOKED: _refusal(Phase.OPENING, 535, "5.7.8 authentication credentials invalid"),
    Trouble.ANSWERS_LOST: Answer(ReplyMeaning.UNCERTAIN, "the connection was closed", Phase.CONTENT),
}
_MODELS: dict[str, type[_Model]] = {"outbox": _Model, "smtp": _SmtpModel, "sendgrid": _SendGridModel}
