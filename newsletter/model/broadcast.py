"""A broadcast on its way: states, chunks, what a provider is handed and what it answers.

Chunk states: `ready → inflight → accepted | rejected | unknown`. `inflight` is committed durably before a socket
opens. A chunk found `inflight` after a crash becomes `unknown`, never `ready`; what is `unknown` is never resent by
itself. What surely reaches nobody, because it never left or was taken back in time, may become `cancelled`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct, field

from newsletter.model.rendered import RenderedVariant


class Schedule(Struct, frozen=True, kw_only=True):
    """A time on the clock, and whose clock that is."""

    wall_time: datetime  # without a zone
    zone: str  # an IANA name; in local time, the clock of those whose own zone is not known
    is_local_time: bool = False  # everybody by the clock of their own zone

    def moment_in(self, zone: str) -> datetime:
        """The moment at which the clocks of a zone show the time; in the schedule's zone where no such zone is known.

        A time that a zone skips in spring is taken as if it were not skipped: 2:30 becomes 3:30. Of a time that comes
        twice in autumn the first counts (PEP 495).
        """
        return self.wall_time.replace(tzinfo=ZoneInfo(self.clock_of(zone))).astimezone(UTC)

    def clock_of(self, zone: str) -> str:
        """The zone by whose clocks somebody goes: their own, or the schedule's where no such zone is known."""
        try:
            return ZoneInfo(zone).key
        except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: `Europe` is a folder of zones
            return self.zone


class BroadcastState(StrEnum):
    """Where a broadcast stands."""

    SCHEDULED = "scheduled"  # frozen; nothing has left, and `run-due` begins when its time comes
    RUNNING = "running"  # frozen; chunks are handed over, or were when the process ended
    PAUSED = "paused"  # held back for a reason that a person must look at; `resume` goes on
    STOPPED = "stopped"  # the provider refused the message itself; nothing more is submitted
    CANCELLING = "cancelling"  # nothing more leaves; what the provider holds is being taken back
    CANCELLED = "cancelled"  # ended by a person
    DONE = "done"  # no chunk is ready or inflight


class ChunkState(StrEnum):
    """Where a chunk stands."""

    READY = "ready"  # nothing of it has left the machine
    INFLIGHT = "inflight"  # about to be handed over, or being handed over
    ACCEPTED = "accepted"  # the provider took it
    REJECTED = "rejected"  # the provider refused the message for good; nothing was sent
    UNKNOWN = "unknown"  # may or may not have been taken; never resent by itself
    CANCELLED = "cancelled"  # surely not sent: it never left, or the provider gave it back in time


class DeliveryStatus(StrEnum):
    """How one delivery was settled by itself; one that is in a chunk shares the chunk's state instead."""

    EXCLUDED = "excluded"  # never put into a chunk, or taken out before it left, with the reason
    INVALID = "invalid"  # the provider refuses this one delivery, with the reason


class Envelope(Struct, frozen=True, kw_only=True):
    """Who sends, and the addresses that every message of a broadcast carries."""

    from_name: str
    from_email: str
    reply_to: str
    list_name: str
    list_id: str  # a dotted name without angle brackets (RFC 2919)
    service_url: str  # where unsubscribe links lead, without a slash at the end

    def unsubscribe_url(self, subscriber_id: int, token: str) -> str:
        """The link by which one person leaves; it answers GET with a page and POST by unsubscribing (RFC 8058)."""
        return f"{self.service_url}/u/{subscriber_id}-{token}"


class Mailing(Struct, frozen=True, kw_only=True):
    """All that is the same for every message of one variant of one broadcast."""

    broadcast: str  # an opaque, unique id of ASCII letters, digits and dashes: a broadcast's id or a test's
    category: str  # the provider's label for its statistics: one per broadcast
    envelope: Envelope
    variant_key: str  # which variant, unique within the broadcast
    variant: RenderedVariant
    nonce: str  # letters and digits that no value can guess; part of every substitution tag
    subject_prefix: str = ""  # `[TEST] ` for a test copy
    batch_id: str = ""  # under which the provider holds scheduled mail; empty where it holds none


class Recipient(NamedTuple):
    """One message to make: `values` stand in the order of the variant's slots, each escaped for its slot.

    A plain tuple, because a thousand are made for every chunk.
    """

    delivery: int  # the subscriber's id; unique within the broadcast
    email: str
    name: str  # for the To header; may be empty
    unsubscribe_url: str
    values: tuple[str, ...]


class OutgoingChunk(Struct, frozen=True, kw_only=True):
    """What is handed to a provider in one go."""

    mailing: Mailing
    number: int  # the chunk's number within the broadcast
    attempt: int  # from 1
    recipients: tuple[Recipient, ...]
    hold_until: datetime | None = None  # the provider keeps the mail until then, under the mailing's batch id


class Verdict(StrEnum):
    """What becomes of the deliveries of a chunk that the outcome does not name one by one."""

    ACCEPTED = "accepted"  # taken by the provider
    READY = "ready"  # surely not handed over; may be tried again
    REJECTED = "rejected"  # refused for good
    UNKNOWN = "unknown"  # may have been taken


class NextStep(StrEnum):
    """What the broadcast does after this outcome."""

    GO_ON = "go on"
    WAIT = "wait"  # every worker waits, then goes on
    SPLIT = "split"  # the chunk was too large: halve it
    PAUSE = "pause"  # a person must look: key, credits, permissions, a dead connection
    STOP = "stop"  # the message itself is refused: nothing else is submitted


class Outcome(Struct, frozen=True, kw_only=True):
    """What is known after a chunk was handed over.

    `verdict` holds for every recipient that is not in `invalid`, `unsent` or `uncertain`; these three are disjoint.
    """

    verdict: Verdict
    next_step: NextStep = NextStep.GO_ON
    reason: str = ""  # for people: status, the provider's words, what to do
    message_id: str = ""  # the provider's id of the request
    invalid: Mapping[int, str] = field(default_factory=dict)  # delivery → why the provider refuses it for good
    undeliverable: frozenset[int] = frozenset()  # those of `invalid` whose address surely takes no mail from anybody
    unsent: frozenset[int] = frozenset()  # surely not handed over; they may be tried again
    uncertain: frozenset[int] = frozenset()  # may have been taken
    retry_after_seconds: float | None = None  # how long the provider asks to wait


class Waiver(Struct, frozen=True, kw_only=True):
    """A check that one broadcast overrides, and the reason that was given."""

    rule: str
    because: str


class Broadcast(Struct, frozen=True, kw_only=True):
    """One issue on its way to one segment, as the ledger keeps it."""

    id: int
    issue: str
    segment: str
    provider: str
    state: BroadcastState
    reason: str  # why it is paused or stopped; empty otherwise
    content_hash: str
    nonce: str
    envelope: Envelope
    waivers: tuple[Waiver, ...]
    created_at: datetime
    finished_at: datetime | None
    due_at: datetime | None = None  # when the first of it is to reach people; None: as soon as it can
    is_local_time: bool = False  # each time zone has a moment of its own
    batch_id: str = ""  # under which the provider holds what was handed over ahead of time

    @property
    def mailing_id(self) -> str:
        """Its id as providers get it and report it back: opaque, and never that of another ledger's broadcast."""
        return f"b{self.id}-{self.nonce}"

    @property
    def is_scheduled(self) -> bool:
        """Whether it was frozen for a certain time, and so goes on by itself when that comes."""
        return self.due_at is not None


class Tally(Struct, frozen=True, kw_only=True):
    """How many deliveries stand where; the parts always add up to `frozen`."""

    frozen: int
    waiting: int  # in chunks that are ready
    inflight: int
    accepted: int
    rejected: int
    unknown: int
    invalid: int
    excluded: int
    cancelled: int

    @property
    def adds_up(self) -> bool:
        """Whether every frozen delivery is in exactly one of the parts."""
        settled = self.accepted + self.excluded + self.invalid + self.cancelled + self.unknown + self.rejected
        return settled + self.waiting + self.inflight == self.frozen
