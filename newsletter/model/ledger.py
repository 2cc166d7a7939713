"""What the ledger is asked and what it answers, besides the broadcast itself."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct, field

from newsletter.model.axes import Axis
from newsletter.model.broadcast import ChunkState, DeliveryStatus, Envelope, Schedule, Waiver
from newsletter.model.readership import Readership
from newsletter.model.segment import Condition, Segment

NO_CONSENT = "no consent on record"  # why somebody is excluded whom nothing on record allows to mail


class FreezeRequest(Struct, frozen=True, kw_only=True):
    """What a new broadcast is made from, besides its rendered variants."""

    issue: str
    segment: Segment  # who gets it
    axes: tuple[Axis, ...]  # they decide which variant a subscriber gets
    provider: str
    content_hash: str
    envelope: Envelope
    waivers: tuple[Waiver, ...] = ()
    schedule: Schedule | None = None  # None: as soon as it can
    topics: tuple[str, ...] = ()  # whoever left all of them is excluded; none: nobody is for that
    only: Mapping[str, Condition] = field(default_factory=dict)  # what the axes mean by the name of a segment


class ClaimedDelivery(NamedTuple):
    """One delivery of a claimed chunk; a plain tuple, because a thousand are made for every chunk."""

    subscriber: int
    email: str
    first_name: str
    last_name: str
    token: str  # the unguessable part of the unsubscribe link
    values: tuple[str, ...]  # of the fields that were asked for, in their order; empty text where there is none


class ClaimedChunk(Struct, frozen=True, kw_only=True):
    """A chunk that is inflight by now, durably, and everything needed to make its messages."""

    broadcast: int
    number: int
    attempt: int  # from 1
    variant_key: str
    deliveries: tuple[ClaimedDelivery, ...]
    due_at: datetime | None = None  # when it is to reach people; None: as soon as it can
    hold_until: datetime | None = None  # as it was claimed: the provider is to keep the mail until then
    batch_id: str = ""  # of the broadcast, as the claim found it


class NotYet(Struct, frozen=True, kw_only=True):
    """Why no chunk may be claimed now, though some are ready."""

    until: datetime  # when it is worth asking again
    reason: str  # for people


class Entry(StrEnum):
    """What the journal of a broadcast knows to have happened."""

    FROZEN = "frozen"
    WAIVED = "waived"  # a check or a requirement was overridden, with the reason
    STARTED = "started"  # its time came, or somebody went on with it
    PAUSED = "paused"
    RESUMED = "resumed"
    STOPPED = "stopped"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    RESOLVED = "resolved"  # evidence or a person said what became of unknown deliveries
    DONE = "done"


class JournalEntry(Struct, frozen=True, kw_only=True):
    """One thing that happened to a broadcast."""

    at: datetime
    entry: Entry
    detail: str  # the reason, the numbers, who


class ZoneProgress(Struct, frozen=True, kw_only=True):
    """How the deliveries of one time zone stand."""

    zone: str
    due_at: datetime | None  # None: as soon as it can, for the moment had passed
    deliveries: int
    waiting: int  # not handed over yet
    cancelled: int

    @property
    def handed_over(self) -> int:
        """How many a provider was given, whatever it made of them."""
        return self.deliveries - self.waiting - self.cancelled


class AuditedDelivery(Struct, frozen=True, kw_only=True):
    """One delivery with everything that is known of it."""

    subscriber: int
    email: str  # empty where the person has left the list since
    status: str  # a ChunkState, or how the delivery was settled by itself
    reason: str
    at: datetime  # when that became known
    chunk: int | None  # None where it was settled by itself
    attempt: int  # how often its chunk was handed over
    message_id: str  # the provider's id of the request
    due_at: datetime | None
    zone: str


class AuditedRequest(Struct, frozen=True, kw_only=True):
    """One chunk that holds somebody, as what was, or is to be, asked of the provider in one go."""

    number: int
    state: ChunkState
    deliveries: int
    attempt: int  # how often it was handed over
    at: datetime  # when it came to this state
    reason: str
    message_id: str  # the provider's id of it
    due_at: datetime | None
    zone: str
    hold_until: datetime | None  # the provider was asked to keep the mail until then


class RequestGroup(Struct, frozen=True, kw_only=True):
    """How many chunks that hold somebody are in a state, and when they came to it."""

    state: ChunkState
    requests: int
    deliveries: int
    first_at: datetime
    last_at: datetime


class HeldMail(Struct, frozen=True, kw_only=True):
    """How many deliveries the provider took ahead of their time, to keep them until a moment."""

    until: datetime
    deliveries: int


class Resolution(StrEnum):
    """What a person decides about deliveries of which nobody knows whether they were taken."""

    ASSUME_SENT = "assume sent"
    RESEND = "resend"


class UnknownChunk(Struct, frozen=True, kw_only=True):
    """A chunk that may or may not have been taken, and what is needed to look for evidence."""

    number: int
    attempt: int
    deliveries: int
    since: datetime
    reason: str
    hold_until: datetime | None
    sample: tuple[str, ...]  # a few of its addresses


class Approval(Struct, frozen=True, kw_only=True):
    """Somebody's yes to exactly one content of an issue."""

    issue: str
    content_hash: str
    by: str
    at: datetime
    voided: str = ""  # why it does not hold any more, whatever the content; empty where it does


class ChunkSummary(Struct, frozen=True, kw_only=True):
    """How many chunks and deliveries of a broadcast share a state and a reason."""

    state: ChunkState
    reason: str
    chunks: int
    deliveries: int


class SettledCount(Struct, frozen=True, kw_only=True):
    """How many deliveries of a broadcast were excluded, or found invalid, for one reason."""

    status: DeliveryStatus
    reason: str
    deliveries: int


class VariantCount(Struct, frozen=True, kw_only=True):
    """How many deliveries there are of one variant."""

    readership: Readership
    deliveries: int


class ZoneCount(Struct, frozen=True, kw_only=True):
    """How many deliveries there are of one time zone, and when they are due."""

    zone: str  # an IANA name
    due_at: datetime  # as its clock shows the time; where that has passed, the mail goes as soon as it can
    deliveries: int


class FreezePreview(Struct, frozen=True, kw_only=True):
    """Who would get a broadcast if it were frozen now; excluded + recipients = members."""

    members: int  # of the segment
    excluded: tuple[SettledCount, ...]
    variants: tuple[VariantCount, ...]  # those that somebody gets
    zones: tuple[ZoneCount, ...] = ()  # in the order of their moments; empty without local time
    zoneless: int = 0  # in local time: those without a zone that is known, who go by the schedule's clock

    @property
    def recipients(self) -> int:
        """How many would get a message."""
        return sum(variant.deliveries for variant in self.variants)


class UnknownDelivery(Struct, frozen=True, kw_only=True):
    """One delivery that may or may not have been taken by the provider."""

    email: str  # empty where the person has left the list since
    chunk: int
    since: datetime
    reason: str


class PastDelivery(Struct, frozen=True, kw_only=True):
    """What became of one broadcast for one subscriber."""

    broadcast: int
    issue: str
    status: str  # a ChunkState, or how the delivery was settled by itself
    at: datetime
    reason: str
