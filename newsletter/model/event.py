"""A provider's reports about messages that it accepted."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct


class EventType(StrEnum):
    """What happened to a message, in the terms that email providers use."""

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


class Event(Struct, frozen=True, kw_only=True):
    """One report about one delivery. Providers may send a report more than once, always with the same id."""

    id: str  # the provider's
    at: datetime
    type: EventType
    broadcast: int
    nonce: str  # of the broadcast, from the email; several databases can have the same broadcast number
    chunk: int
    attempt: int
    subscriber: int
    detail: str  # the provider's message, or the link that was clicked


class Evidence(NamedTuple):
    """Proof that a provider accepted the request of one attempt of a chunk."""

    chunk: int
    attempt: int
    words: str  # the proof, as people read it


class SoftBounce(Struct, frozen=True, kw_only=True):
    """A time at which a mailbox did not accept an email."""

    email: str
    at: datetime
    detail: str = ""  # the server's message


class SoftBouncePolicy(Struct, frozen=True, kw_only=True):
    """The number of consecutive soft bounces, and the time they must span, before an address is suppressed."""

    bounces: int  # 0: never
    span: timedelta


class ProviderList(StrEnum):
    """A list that a provider keeps, named after the reason why addresses are on it."""

    UNSUBSCRIBES = "unsubscribes"  # unsubscribed from all email of the account
    BOUNCES = "bounces"  # no such mailbox
    INVALID_EMAILS = "invalid_emails"  # no such address or domain
    SPAM_REPORTS = "spam_reports"  # marked an email as spam
    BLOCKS = "blocks"  # the mailbox did not accept an email; the address still gets email


class ListedAddress(Struct, frozen=True, kw_only=True):
    """An address on one of a provider's lists."""

    on: ProviderList
    email: str
    created_at: datetime  # when it was added
    detail: str = ""  # a server's message
