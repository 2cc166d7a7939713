"""What a provider reports back about messages that it took."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class EventType(StrEnum):
    """What happened to a message; the field's words."""

    PROCESSED = "processed"
    DROPPED = "dropped"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"  # refused for good by the receiving server
    BLOCKED = "blocked"  # refused for now, or because of the sender
    OPENED = "opened"
    CLICKED = "clicked"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One report about one delivery; providers repeat themselves, so the id tells reports apart."""

    id: str  # the provider's
    at: datetime
    type: EventType
    broadcast: int
    nonce: str  # of the broadcast, as the mail carried it: numbers alone repeat from one database to another
    chunk: int
    attempt: int
    subscriber: int
    detail: str  # the provider's words, or the link that was clicked


class Evidence(NamedTuple):
    """What proves that a provider took the request of one attempt of a chunk."""

    chunk: int
    attempt: int
    words: str  # for people
