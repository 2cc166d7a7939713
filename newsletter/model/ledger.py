"""What the ledger is asked and what it answers, besides the broadcast itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from newsletter.model.broadcast import ChunkState, DeliveryStatus, Envelope, Waiver
from newsletter.model.segment import Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeRequest:
    """What a new broadcast is made from, besides its rendered variants."""

    issue: str
    segment: Segment  # who gets it
    only: tuple[Segment, ...]  # the segments that decide which variant a subscriber gets
    provider: str
    content_hash: str
    envelope: Envelope
    waivers: tuple[Waiver, ...] = ()


class ClaimedDelivery(NamedTuple):
    """One delivery of a claimed chunk; a plain tuple, because a thousand are made for every chunk."""

    subscriber: int
    email: str
    first_name: str
    last_name: str
    token: str  # the unguessable part of the unsubscribe link
    values: tuple[str, ...]  # of the fields that were asked for, in their order; empty text where there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedChunk:
    """A chunk that is inflight by now, durably, and everything needed to make its messages."""

    broadcast: int
    number: int
    attempt: int  # from 1
    variant_key: str
    deliveries: tuple[ClaimedDelivery, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkSummary:
    """How many chunks and deliveries of a broadcast share a state and a reason."""

    state: ChunkState
    reason: str
    chunks: int
    deliveries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledCount:
    """How many deliveries of a broadcast were excluded, or found invalid, for one reason."""

    status: DeliveryStatus
    reason: str
    deliveries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantCount:
    """How many deliveries there are of one variant."""

    segments: frozenset[str]  # the `only:` segments whose sections it shows
    deliveries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezePreview:
    """Who would get a broadcast if it were frozen now; excluded + recipients = members."""

    members: int  # of the segment
    excluded: tuple[SettledCount, ...]
    variants: tuple[VariantCount, ...]  # those that somebody gets

    @property
    def recipients(self) -> int:
        """How many would get a message."""
        return sum(variant.deliveries for variant in self.variants)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledDelivery:
    """One delivery that was excluded or found invalid: who, and why."""

    email: str  # empty where the person has left the list since
    status: DeliveryStatus
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownDelivery:
    """One delivery that may or may not have been taken by the provider."""

    email: str  # empty where the person has left the list since
    chunk: int
    since: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDelivery:
    """What became of one broadcast for one subscriber."""

    broadcast: int
    issue: str
    status: str  # a ChunkState, or how the delivery was settled by itself
    at: datetime
    reason: str
