"""A twin of a provider: it accepts what the provider would, takes as long, and fails as it does, but sends nothing.

What an answer means for the recipients is decided by the provider's own code. The twin only decides which answer comes,
and when.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Thread, current_thread

from msgspec import Struct

from newsletter.config import Config
from newsletter.model.broadcast import Outcome, OutgoingChunk
from newsletter.model.ledger import ClaimedChunk
from newsletter.providers.base import UNRECORDED, ProviderFacts, Replies
from newsletter.store.reply_log import ReplyLog
from newsletter.workflows.rehearse.provider_models import ACCEPTED, ProviderFault, ProviderModel, model_of
from newsletter.workflows.rehearse.tempo import USUAL_SECONDS, Tempo
from newsletter.workflows.rehearse.virtual_time import VirtualTime

_SLICES = 20  # into which the time of a batch is divided if it depends on the others


class Handed(Struct, frozen=True, kw_only=True):
    """A batch that the twin accepted."""

    began: datetime
    at: datetime  # when the last of it was accepted
    hold_until: datetime | None
    people: Sequence[int]  # the ids of the subscribers

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
        self._model = model_of(settings.use)
        self.name = settings.use
        self.chunk_size = self._model.chunk_size
        self.is_one_by_one = self._model.notes_replies
        self.notes_replies = False  # until `keep_logs`, because logs only matter where a process dies
        self.concurrency = int(getattr(settings.table_in_use, "concurrency", 1))
        self.scheduler = self._model.scheduler
        self.tempo = Tempo(seconds=(USUAL_SECONDS[self.name],), unit="email")
        self.fault = fault
        self._is_noting = False
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

    def keep_logs(self, *, is_noting: bool) -> None:
        """Keep reply logs as the provider does, for what a dead process leaves. Note every reply in them, or none."""
        self.notes_replies, self._is_noting = self.is_one_by_one, is_noting

    def call_at_half(self, people: int, call: Callable[[], None]) -> None:
        """Call a function once, in the middle of the batch with which half of these people have been begun."""
        self.keep_logs(is_noting=False)
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
        total = each * (size if self.is_one_by_one else 1)
        self.requests += size if self.is_one_by_one else 1
        if (refused := self._model.refused_size(chunk)) is not None:
            return refused
        self._begun += size
        under_way = self._under_way[current_thread()] = _UnderWay(chunk, replies, time(), each, self._model)
        fault = self.fault if self.fault is not None and self.fault.holds(time()) else None
        if fault is not None:
            time.sleep(each)
        elif self.at_half is not None and self._begun >= self._half:
            call, self.at_half = self.at_half, None
            self._take(total / 2)
            for other in self._under_way.values():
                other.note_until(time())
            call()
            self._take(total / 2)
        else:
            self._take(total)
        del self._under_way[current_thread()]
        if fault is not None:
            return self._model.failed(chunk, fault.trouble, at=time())
        if self._is_noting:
            under_way.note(size)
        self.accepted += size
        people = [recipient.delivery for recipient in chunk.recipients]
        self.handed.append(Handed(began=under_way.began, at=time(), hold_until=chunk.hold_until, people=people))
        return ACCEPTED

    def _take(self, seconds: float) -> None:
        """Let the time of a batch pass. If the provider is the limit, it is shorter while fewer batches are sent."""
        if not self.tempo.is_shared:
            self._time.sleep(seconds)
            return
        for _ in range(_SLICES):
            self._time.sleep(seconds / _SLICES * len(self._under_way) / self.concurrency)

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
    model: ProviderModel
    _noted: int = 0

    def answered(self, moment: datetime) -> int:
        """Return the number of emails that have been answered by this time."""
        return min(int((moment - self.began).total_seconds() / self.seconds_each), len(self.chunk.recipients))

    def note_until(self, moment: datetime) -> None:
        """Note the replies so far, and that the next email has begun."""
        self.note(self.answered(moment))
        if self._noted < len(self.chunk.recipients):
            self.replies.may_begin(self.chunk.recipients[self._noted].delivery)

    def note(self, until: int) -> None:
        """Note the replies to the first so many emails."""
        for recipient in self.chunk.recipients[self._noted : until]:
            self.replies.may_begin(recipient.delivery)
            self.replies.note(recipient.delivery, self.model.accepted_mark, "")
        self._noted = max(self._noted, until)
