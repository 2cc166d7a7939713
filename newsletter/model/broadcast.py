"""A broadcast: its states, its chunks, the requests to a provider, and their outcomes.

Chunk states: `ready → inflight → accepted | rejected | unknown`. `inflight` is committed durably before a socket opens.
A chunk found `inflight` after a crash becomes `unknown`, never `ready`, and an `unknown` chunk is never resent
automatically. A chunk that will certainly reach no one, because it was not sent or was recalled in time, may become
`cancelled`. Recipients whom the provider refused for now are set aside: their chunk is `deferred`, and becomes `ready`
again later, or ends as `rejected`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct, field

from newsletter.model.personal_links import Purpose, code_of, stamp_of
from newsletter.model.rendered import RenderedVariant


class Schedule(Struct, frozen=True, kw_only=True):
    """A date and a time of day, and the time zone in which they apply."""

    wall_time: datetime  # without a zone
    zone: str  # an IANA name; with local time, it applies only to subscribers without a known zone
    is_local_time: bool = False  # each subscriber gets it at this time in their own zone

    def moment_in(self, zone: str) -> datetime:
        """Return the time in UTC at which the clocks of a zone show this time. For an unknown zone, use the schedule's.

        If the zone skips this time in spring, the result is as if the clocks had not changed: 2:30 becomes 3:30. If the
        time occurs twice in autumn, the fold of `wall_time` says which one counts (PEP 495).
        """
        own = ZoneInfo(self.clock_of(zone))
        # In a skipped hour, a fold would lead to an earlier time. The later one is as if the clocks had not changed.
        return max(self.wall_time.replace(tzinfo=own, fold=fold).astimezone(UTC) for fold in {0, self.wall_time.fold})

    def clock_of(self, zone: str) -> str:
        """Return the zone itself if it is known, otherwise the schedule's zone."""
        try:
            return ZoneInfo(zone).key
        except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: `Europe` is a folder of zones
            return self.zone


class BroadcastState(StrEnum):
    """The state of a broadcast."""

    SCHEDULED = "scheduled"  # frozen; nothing has been sent, and `run-due` starts it when it is due
    RUNNING = "running"  # frozen; chunks are being sent, or were being sent when the process ended
    PAUSED = "paused"  # a person must look at the reason; `resume` continues the broadcast
    STOPPED = "stopped"  # the provider refused the message itself; nothing more is sent
    CANCELLING = "cancelling"  # nothing more is sent; email that the provider holds is being recalled
    CANCELLED = "cancelled"  # ended by a person
    DONE = "done"  # no chunk is ready or inflight
    WATCHING = "watching"  # the first wave was sent; the rest waits for what comes back about it


class BroadcastKind(StrEnum):
    """What kind of email about an issue a broadcast is. No one gets the same kind of an issue twice."""

    ISSUE = "issue"  # the issue itself
    FOLLOW_UP = "follow-up"  # a second email, for example to those who did not open the first
    CORRECTION = "correction"  # what was wrong in the issue
    WELCOME = "welcome"  # to people who have just joined
    CONFIRMATION = "confirmation"  # asks people to confirm that they want to join
    RE_PERMISSION = "re-permission"  # asks people on the list for a consent that is not on record
    LINK = "requested link"  # a link that someone asked for on the page with their preferences

    @property
    def is_answer(self) -> bool:
        """Whether it answers what someone has just done. Such email waits for no sending hours."""
        return self in {BroadcastKind.WELCOME, BroadcastKind.CONFIRMATION, BroadcastKind.LINK}

    @property
    def is_letter(self) -> bool:
        """Whether it is a letter to one person about what they did, from which there is nothing to unsubscribe."""
        return self in {BroadcastKind.CONFIRMATION, BroadcastKind.LINK}


class ChunkState(StrEnum):
    """The state of a chunk."""

    READY = "ready"  # none of it has been sent
    INFLIGHT = "inflight"  # about to be sent, or being sent
    ACCEPTED = "accepted"  # the provider accepted it
    REJECTED = "rejected"  # the provider refused it for good; nothing was sent
    UNKNOWN = "unknown"  # may or may not have been accepted; never resent automatically
    CANCELLED = "cancelled"  # certainly reached no one: it was not sent, or was recalled in time
    DEFERRED = "deferred"  # set aside: refused for now, or for a reason that is not clear yet; nothing was sent


class DeliveryStatus(StrEnum):
    """The status of a delivery that has a status of its own. Every other delivery has the state of its chunk."""

    EXCLUDED = "excluded"  # never put into a chunk, or removed before it was sent, with the reason
    INVALID = "invalid"  # the provider refuses this one delivery, with the reason


# The labels that people see for the states of broadcasts, chunks and deliveries, and for journal entries. Any other
# value is shown as stored. JSON and CSV contain the stored values.
_LABELS: Mapping[str, str] = {
    ChunkState.READY: "waiting",
    ChunkState.INFLIGHT: "being sent",
    ChunkState.UNKNOWN: "unconfirmed",
    ChunkState.DEFERRED: "set aside",
    ChunkState.CANCELLED: "canceled",  # British spelling is stored
    BroadcastState.CANCELLING: "canceling",
    "frozen": "created",  # in the journal, where the recipients and the content are frozen
    "waived": "overridden",
}


def label_of(stored: str) -> str:
    """Return the label that people see for a stored state or the kind of a journal entry."""
    return _LABELS.get(stored, str(stored))


class Envelope(Struct, frozen=True, kw_only=True):
    """The sender, and the addresses that every message of a broadcast has."""

    from_name: str
    from_email: str
    reply_to: str
    list_name: str
    list_id: str  # a dotted name without angle brackets (RFC 2919)
    service_url: str  # the address of the unsubscribe service, without a slash at the end
    mailbox: str = ""  # where bounces arrive; a `*` in it stands for the delivery; empty: at the sender's address

    def unsubscribe_url(self, subscriber_id: int, token: str) -> str:
        """Return the link that unsubscribes one person.

        The service must answer GET with a page, and must unsubscribe the person on POST (RFC 8058).
        """
        return f"{self.service_url}/u/{subscriber_id}-{token}"

    @property
    def sent_from(self) -> str:
        """The address from which SMTP sends an email that has no return path of its own."""
        return self.mailbox if self.mailbox and not self.names_deliveries else self.from_email

    @property
    def names_deliveries(self) -> bool:
        """Whether the mailbox has an address for each delivery."""
        return "*" in self.mailbox

    def preferences_url(self, subscriber_id: int, token: str, *, made_at: datetime) -> str:
        """Return the link to one person's preferences. It says on which day it was made, because it expires."""
        day = made_at.replace(hour=0, minute=0, second=0)
        stamp = stamp_of(token, Purpose.PREFERENCES, str(subscriber_id), now=day)
        return f"{self.service_url}/p/{subscriber_id}-{stamp}"

    def tracking_url(self, subscriber_id: int, token: str) -> str:
        """Return the link to the page on which one person ends tracking. It never expires."""
        return f"{self.service_url}/t/{subscriber_id}-{code_of(token, Purpose.TRACKING, str(subscriber_id))}"

    def asked_url(self, recipient_id: int, token: str) -> str:
        """Return a link that someone asked for. `token` is its own, and `recipient_id` the one in the ledger."""
        return f"{self.service_url}/my/{recipient_id}-{code_of(token, Purpose.ASKED, str(recipient_id))}"

    def confirm_url(self, subscriber_id: int, token: str) -> str:
        """Return the link that confirms a sign-up. `subscriber_id` is the id that the person has, or will have."""
        return f"{self.service_url}/join/{subscriber_id}-{code_of(token, Purpose.CONFIRM, str(subscriber_id))}"


class Mailing(Struct, frozen=True, kw_only=True):
    """Everything that is the same for all messages of one variant of one broadcast."""

    broadcast: str  # the unique id of a broadcast or a test: ASCII letters, digits and dashes
    category: str  # the provider's label for its statistics: one per broadcast
    envelope: Envelope
    variant_key: str  # identifies the variant within the broadcast
    variant: RenderedVariant
    nonce: str  # random letters and digits in every substitution tag, so that no value can imitate a tag
    subject_prefix: str = ""  # `[TEST] ` for a test email
    batch_id: str = ""  # the provider's id for email that it holds until its send time; empty if it holds none
    is_automatic: bool = False  # an answer to one person, so it says `Auto-Submitted`, and has nothing to unsubscribe


class Recipient(NamedTuple):
    """One message to make. `values` are in the order of the variant's slots, each escaped for its slot.

    It is a plain tuple, because a thousand are made for every chunk.
    """

    delivery: int  # the subscriber's id; unique within the broadcast
    email: str
    name: str  # for the To header; may be empty
    unsubscribe_url: str
    values: tuple[str, ...]
    return_path: str = ""  # the address from which SMTP sends it, and to which it bounces; empty: that of the mailing
    leave_address: str = ""  # an email to it unsubscribes the recipient; empty if no mailbox is read

    @property
    def list_unsubscribe(self) -> str:
        """The value of List-Unsubscribe (RFC 2369): the link, and the address if there is one."""
        link = f"<{self.unsubscribe_url}>"
        return f"{link}, <mailto:{self.leave_address}?subject=unsubscribe>" if self.leave_address else link


class OutgoingChunk(Struct, frozen=True, kw_only=True):
    """The messages that are sent to a provider in one request."""

    mailing: Mailing
    number: int  # the chunk's number within the broadcast
    attempt: int  # from 1
    recipients: tuple[Recipient, ...]
    hold_until: datetime | None = None  # the provider holds the email until then, under the mailing's batch id
    tries: int = 0  # how often its recipients were tried without success
    are_others_accepted: bool = False  # whether the provider has accepted others since it first refused these


class Verdict(StrEnum):
    """What happened to the deliveries of a chunk that the outcome does not name one by one."""

    ACCEPTED = "accepted"  # accepted by the provider
    READY = "ready"  # certainly not sent; may be tried again
    REJECTED = "rejected"  # refused for good
    UNKNOWN = "unknown"  # may have been accepted


class NextStep(StrEnum):
    """What the broadcast does next after an outcome."""

    GO_ON = "go on"
    WAIT = "wait"  # every worker waits, then continues
    RETIRE = "retire"  # the provider allows fewer connections: this one ends, and the others continue
    SPLIT = "split"  # the chunk was too large: halve it
    PAUSE = "pause"  # a person must look into it: key, credits, permissions, a dead connection
    STOP = "stop"  # the provider refuses the message itself: nothing else is sent


class Ending(StrEnum):
    """What a doubted recipient becomes if the refusal turns out to be about them."""

    REJECTED = "rejected"  # refused by a policy
    INVALID = "invalid"  # the address is refused
    UNDELIVERABLE = "undeliverable"  # the address is refused, because it accepts no email from anyone


class Doubt(Struct, frozen=True, kw_only=True):
    """A refusal for good that may be about the recipient, or about us. Later answers show which."""

    words: str
    ending: Ending
    is_last_word: bool  # whether the provider has accepted nothing since, as far as is known, so it may be about us


class Outcome(Struct, frozen=True, kw_only=True):
    """The result of sending a chunk.

    `verdict` applies to every recipient that is not named in `invalid`, `unsent`, `uncertain`, `deferred`, `blameless`
    or `doubted`. These are disjoint.
    """

    verdict: Verdict
    next_step: NextStep = NextStep.GO_ON
    reason: str = ""  # for people to read: the status, the provider's message, what to do
    message_id: str = ""  # the provider's id of the request
    invalid: Mapping[int, str] = field(default_factory=dict)  # delivery → why the provider refuses it for good
    undeliverable: frozenset[int] = frozenset()  # those of `invalid` whose address accepts no email from anyone
    unsent: frozenset[int] = frozenset()  # certainly not sent, and not refused either; they may be tried again
    uncertain: Mapping[int, str] = field(default_factory=dict)  # delivery → why it may or may not have been accepted
    deferred: Mapping[int, str] = field(default_factory=dict)  # delivery → why the provider refuses it for now
    blameless: Mapping[int, str] = field(default_factory=dict)  # refused for now, for a reason that is not theirs
    doubted: Mapping[int, Doubt] = field(default_factory=dict)  # refused for good; whose fault it is, is not clear yet
    refused_in_a_row: int = 0  # with PAUSE: how many people were refused for good, too many for it to be about them
    retry_after_seconds: float | None = None  # how long to wait; with PAUSE: until it may continue without a person
    may_wait_long: bool = False  # whether the wait is for a limit that is renewed, such as a rate


class Waiver(Struct, frozen=True, kw_only=True):
    """A check that is overridden for one broadcast, and the reason."""

    rule: str
    because: str


def mailing_id_of(number: int, nonce: str) -> str:
    """Return the id of a broadcast that providers get, from its number and its nonce."""
    return f"b{number}-{nonce}"


def name_of(kind: BroadcastKind, issue: str) -> str:
    """Return the name of a broadcast for people: `2026-02`, `2026-02 (follow-up)` or `2026-02-workshop (correction)`.

    In the ledger, the name of a correction ends in a digest of the new facts and the number of the round.
    """
    if kind is BroadcastKind.CORRECTION:
        return f"{issue.rpartition('-')[0] or issue} ({kind})"
    return f"{issue} ({kind})" if kind is BroadcastKind.FOLLOW_UP else issue


class Broadcast(Struct, frozen=True, kw_only=True):
    """One issue sent to one segment, as recorded in the ledger."""

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
    due_at: datetime | None = None  # when the first emails should reach people; None: as soon as possible
    is_local_time: bool = False  # each time zone has its own time
    continues_at: datetime | None = None  # when it continues without a person; None: only if its state says so
    good_until: datetime | None = None  # when the first event in it is over; it is not tried again after that
    kind: BroadcastKind = BroadcastKind.ISSUE
    grace_until: datetime | None = None  # nothing is sent before then, so that a person can still cancel it

    @property
    def title(self) -> str:
        """Return the issue and the segment: `2026-02 to everyone`, or `correction of 2026-02-workshop to everyone`."""
        kind = "" if self.kind is BroadcastKind.ISSUE else f"{self.kind} of "
        return f"{kind}{self.about.removesuffix(f' ({self.kind})')} to {self.segment}"

    @property
    def about(self) -> str:
        """Return what it is about, with its kind if it is a follow-up or a correction."""
        return name_of(self.kind, self.issue)

    @property
    def mailing_id(self) -> str:
        """Return the id that providers get and report back: opaque, and unique across ledgers."""
        return mailing_id_of(self.id, self.nonce)

    @property
    def is_scheduled(self) -> bool:
        """Whether it was frozen for a certain time, at which it starts automatically."""
        return self.due_at is not None


class Tally(Struct, frozen=True, kw_only=True):
    """The number of deliveries in each state. The parts always add up to `frozen`."""

    frozen: int
    waiting: int  # in chunks that are ready
    inflight: int
    accepted: int
    rejected: int
    unknown: int
    invalid: int
    excluded: int
    cancelled: int
    deferred: int = 0  # set aside

    @property
    def adds_up(self) -> bool:
        """Whether every frozen delivery is in exactly one of the parts."""
        settled = self.accepted + self.excluded + self.invalid + self.cancelled + self.unknown + self.rejected
        return settled + self.deferred + self.waiting + self.inflight == self.frozen
