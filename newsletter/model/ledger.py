"""The records that are written to the ledger or read from it, besides the broadcast itself."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct, field

from newsletter.model.axes import Axis
from newsletter.model.broadcast import (
    BroadcastKind,
    ChunkState,
    DeliveryStatus,
    Envelope,
    Schedule,
    Waiver,
)
from newsletter.model.mailbox import MailboxProvider
from newsletter.model.proof import ProvedChecks
from newsletter.model.readership import Readership, TrackingMode
from newsletter.model.segment import Condition, Segment
from newsletter.model.tracked_address import LinkTarget
from newsletter.model.waves import Waves

NO_CONSENT = "no consent on record"  # the reason for excluding subscribers who have neither consent nor basis
PAUSED = "paused until"  # the reason for excluding subscribers who want no email for now, before the day


class FreezeRequest(Struct, frozen=True, kw_only=True):
    """The data of a new broadcast, besides its rendered variants."""

    issue: str
    segment: Segment  # who gets it
    axes: tuple[Axis, ...]  # these decide which variant a subscriber gets
    provider: str
    content_hash: str
    envelope: Envelope
    waivers: tuple[Waiver, ...] = ()
    schedule: Schedule | None = None  # None: as soon as possible
    topics: tuple[str, ...] = ()  # subscribers who left all of these are excluded; if empty, no one is excluded
    only: Mapping[str, Condition] = field(default_factory=dict)  # the condition behind each segment that the axes name
    good_until: datetime | None = None  # when the first event or deadline in it has passed; None if it has none
    kind: BroadcastKind = BroadcastKind.ISSUE
    grace: timedelta = timedelta()  # nothing is sent before this time has passed
    tracking: TrackingMode = TrackingMode.OFF
    links: Mapping[int, LinkTarget] = field(default_factory=dict)  # its tracked links and pictures, by number
    checks: ProvedChecks | None = None  # what the checks found; None for email without checks, such as confirmations
    waves: Waves | None = None  # None: everyone may leave at once
    last_telling: tuple[str, int] | None = (
        None  # an event, and the last broadcast about it; nothing is frozen after another
    )
    most: int | None = None  # how many people a person agreed to; nothing is frozen if it would be more


class ClaimedDelivery(NamedTuple):
    """One delivery of a claimed chunk. It is a plain tuple, because a thousand are made for every chunk."""

    subscriber: int
    email: str
    first_name: str
    last_name: str
    token: str  # the unguessable part of the unsubscribe link
    values: tuple[str, ...]  # one per requested field, in the same order; an empty string if there is no value


class ClaimedChunk(Struct, frozen=True, kw_only=True):
    """A chunk that is now durably recorded as inflight, with everything needed to make its messages."""

    broadcast: int
    number: int
    attempt: int  # from 1
    variant_key: str
    deliveries: tuple[ClaimedDelivery, ...]
    due_at: datetime | None = None  # when it should reach people; None: as soon as possible
    hold_until: datetime | None = None  # the provider is asked to hold the email until then
    batch_id: str = ""  # the provider's id of the batch in which it holds the email; empty if it holds none
    tries: int = 0  # how often its recipients were tried without success
    are_others_accepted: bool = False  # whether the provider has accepted others since it first refused these


class NotYet(Struct, frozen=True, kw_only=True):
    """The reason why no chunk may be claimed now, although some are ready."""

    until: datetime  # when to try again
    reason: str  # for people to read


class Entry(StrEnum):
    """The kinds of entries in the journal of a broadcast."""

    FROZEN = "frozen"
    WAIVED = "waived"  # a check or a requirement was overridden, with the reason
    STARTED = "started"  # it was due, or someone started it
    PAUSED = "paused"
    RESUMED = "resumed"
    STOPPED = "stopped"
    WATCHING = "watching"  # the first wave was sent, and the rest waits
    RELEASED = "released"  # the rest may be sent, with the reason
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    RECALLED = "recalled"  # email that the provider held was taken back, to send it without people who left
    RESOLVED = "resolved"  # evidence or a person settled unknown deliveries
    DONE = "done"


class JournalEntry(Struct, frozen=True, kw_only=True):
    """One thing that happened to a broadcast."""

    at: datetime
    entry: Entry
    detail: str  # the reason, the numbers or the person


class ZoneProgress(Struct, frozen=True, kw_only=True):
    """The progress of the deliveries in one time zone."""

    zone: str
    due_at: datetime | None  # None: as soon as possible, because the time had passed
    deliveries: int
    waiting: int  # not sent yet
    cancelled: int

    @property
    def handed_over(self) -> int:
        """Return how many deliveries were sent to the provider, whatever the result."""
        return self.deliveries - self.waiting - self.cancelled


class AuditedDelivery(Struct, frozen=True, kw_only=True):
    """One delivery, with everything that is known about it."""

    subscriber: int
    email: str  # empty if the person has since been removed from the list
    status: str  # the state of its chunk, or a DeliveryStatus if it has its own
    reason: str
    at: datetime  # when it reached this status
    chunk: int | None  # None if it has its own status
    attempt: int  # how many times its chunk was sent
    message_id: str  # the provider's id of the request
    due_at: datetime | None
    zone: str


class AuditedRequest(Struct, frozen=True, kw_only=True):
    """One request to the provider: a chunk with at least one delivery."""

    number: int
    state: ChunkState
    deliveries: int
    attempt: int  # how many times it was sent
    at: datetime  # when it reached this state
    reason: str
    message_id: str  # the provider's id of the request
    due_at: datetime | None
    zone: str
    hold_until: datetime | None  # the provider was asked to hold the email until then


class RequestGroup(Struct, frozen=True, kw_only=True):
    """The requests in one state: the numbers of requests and deliveries, and when they reached the state."""

    state: ChunkState
    requests: int
    deliveries: int
    first_at: datetime
    last_at: datetime


class HeldMail(Struct, frozen=True, kw_only=True):
    """The number of deliveries that the provider accepted early and holds until a certain time."""

    until: datetime
    deliveries: int


class BatchState(StrEnum):
    """The state of a batch, in which the provider holds email for one time of a broadcast."""

    OPEN = "open"  # what is in it will be sent at its time
    RECALLING = "recalling"  # the provider is asked to discard it, or was; it is not known whether it does
    RECALLED = "recalled"  # the provider confirmed in time that it sends nothing of it
    DOUBTFUL = "doubtful"  # the provider was asked, but too late to be sure; any of it may be sent
    UNDONE = "undone"  # its time is past, and it no longer uses up the provider's limit


class HeldBatch(Struct, frozen=True, kw_only=True):
    """A batch, in which the provider holds email for one time of a broadcast."""

    id: str  # the provider's
    broadcast: int
    due_at: datetime
    recall_ends_at: datetime  # before this time, its email can be recalled for certain
    state: BatchState
    reason: str  # why it was not recalled although someone in it left; empty if it was not needed
    is_second: bool  # whether the email for this time was already recalled once
    unsettled: int  # the number of chunks whose state does not say yet that the batch was recalled


class Leaver(Struct, frozen=True, kw_only=True):
    """A person who must not be emailed anymore, and whose email the provider holds."""

    subscriber: int
    email: str  # empty if the person has been removed from the list


class LastRun(Struct, frozen=True, kw_only=True):
    """When a command that sends what is due last ran."""

    command: str
    at: datetime


class Resolution(StrEnum):
    """A person's decision about deliveries that may or may not have been accepted."""

    ASSUME_SENT = "assume sent"
    RESEND = "resend"


class UnknownChunk(Struct, frozen=True, kw_only=True):
    """A chunk that may or may not have been accepted, with the data needed to look for evidence."""

    number: int
    attempt: int
    deliveries: int
    since: datetime
    reason: str
    hold_until: datetime | None
    sample: tuple[str, ...]  # a few of its addresses


class Approval(Struct, frozen=True, kw_only=True):
    """An approval of an issue with exactly this content."""

    issue: str
    content_hash: str
    by: str
    at: datetime
    voided: str = ""  # why it is no longer valid, whatever the content; empty while it is valid


class ChunkSummary(Struct, frozen=True, kw_only=True):
    """The number of a broadcast's chunks and deliveries that have the same state and reason."""

    state: ChunkState
    reason: str
    chunks: int
    deliveries: int


class SettledCount(Struct, frozen=True, kw_only=True):
    """The number of a broadcast's deliveries that are excluded or invalid for one reason."""

    status: DeliveryStatus
    reason: str
    deliveries: int


class VariantCount(Struct, frozen=True, kw_only=True):
    """The number of deliveries of one variant."""

    readership: Readership
    deliveries: int


class ZoneCount(Struct, frozen=True, kw_only=True):
    """The number of deliveries in one time zone, and when they are due."""

    zone: str  # an IANA name
    due_at: datetime  # in the zone's local time; if that is in the past, the email is sent as soon as possible
    deliveries: int


class RepeatedContent(Struct, frozen=True, kw_only=True):
    """An earlier broadcast of the same content under another name, and how many of the recipients may have got it."""

    broadcast: int
    issue: str  # its name then
    people: int


class FreezePreview(Struct, frozen=True, kw_only=True):
    """The people who would get a broadcast if it were frozen now: excluded + recipients = members."""

    members: int  # of the segment
    excluded: tuple[SettledCount, ...]
    variants: tuple[VariantCount, ...]  # only those with recipients
    zones: tuple[ZoneCount, ...] = ()  # earliest first; empty without local time
    zoneless: int = 0  # with local time: the subscribers without a known zone, for whom the schedule's zone applies
    repeats: tuple[RepeatedContent, ...] = ()  # the recipients who may already have this content, by broadcast
    mailboxes: Mapping[MailboxProvider, int] = field(default_factory=dict)  # if it leaves in waves

    @property
    def recipients(self) -> int:
        """Return how many people would get a message."""
        return sum(variant.deliveries for variant in self.variants)


class UnknownDelivery(Struct, frozen=True, kw_only=True):
    """One delivery that the provider may or may not have accepted."""

    email: str  # empty if the person has since been removed from the list
    chunk: int
    since: datetime
    reason: str


class PastDelivery(Struct, frozen=True, kw_only=True):
    """The result of one broadcast for one subscriber."""

    broadcast: int
    issue: str
    status: str  # the state of its chunk, or a DeliveryStatus if it has its own
    at: datetime
    reason: str
