"""A provider whose every answer a test decides, for what no server can be made to do at the right moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from newsletter.model.broadcast import NextStep, Outcome, OutgoingChunk, Verdict
from newsletter.providers.base import UNRECORDED, MessageLog, ProviderFacts, Replies, Scheduler, SuppressionLists

Step = Callable[[OutgoingChunk], Outcome]

ACCEPTED = Outcome(verdict=Verdict.ACCEPTED)
UNKNOWN = Outcome(verdict=Verdict.UNKNOWN, reason="no answer")


def wait(seconds: float | None = 0.0) -> Outcome:
    """Not handed over; the provider asks to wait."""
    return Outcome(verdict=Verdict.READY, next_step=NextStep.WAIT, reason="slow down", retry_after_seconds=seconds)


@dataclass(slots=True)
class Carrier:
    """Answers the first hand-overs as scripted, and accepts the later ones; `handed` keeps all of them.

    What tells the reviewers that a broadcast needs them is in `notices`, and answered as scripted for it.
    """

    script: list[Outcome | Step] = field(default_factory=list)
    concurrency: int = 1
    name: str = "outbox"  # which a small workspace uses
    chunk_size: int = 10
    notes_replies: bool = False
    scheduler: Scheduler | None = None
    message_log: MessageLog | None = None
    suppression_lists: SuppressionLists | None = None
    handed: list[OutgoingChunk] = field(default_factory=list)
    notices: list[OutgoingChunk] = field(default_factory=list)
    on_notice: list[Outcome] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def describe(self) -> str:
        """What it is."""
        return "a carrier for tests"

    def examine(self, *, is_online: bool) -> ProviderFacts:
        """Nothing: no test has the doctor look at it."""
        return ProviderFacts(items=())

    @contextmanager
    def session(self) -> Iterator["Carrier"]:
        """One for all threads: it has no connection."""
        yield self

    def submit(self, chunk: OutgoingChunk, replies: Replies = UNRECORDED) -> Outcome:
        """What the script says."""
        if chunk.mailing.category == "notice":
            self.notices.append(chunk)
            return self.on_notice.pop(0) if self.on_notice else ACCEPTED
        with self._lock:
            self.handed.append(chunk)
            step = self.script.pop(0) if self.script else ACCEPTED
        return step if isinstance(step, Outcome) else step(chunk)

    @property
    def taken(self) -> list[int]:
        """Everyone whose email was submitted, once for each time."""
        return [recipient.delivery for chunk in self.handed for recipient in chunk.recipients]
