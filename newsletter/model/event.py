"""What a provider reports back about messages that it took."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct


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


class Event(Struct, frozen=True, kw_only=True):
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


class SoftBounce(Struct, frozen=True, kw_only=True):
    """A moment at which a mailbox would not take a mail."""

    email: str
    at: datetime
    detail: str = ""  # the server's words


class SoftBouncePolicy(Struct, frozen=True, kw_only=True):
    """After how many soft bounces in a row, over how long at least, an address is not mailed any more."""

    bounces: int  # 0: never
    span: timedelta


class ProviderList(StrEnum):
    """A list of a provider, by what put an address on it."""

    UNSUBSCRIBES = "unsubscribes"  # left all mail of the account
    BOUNCES = "bounces"  # no such mailbox
    INVALID_EMAILS = "invalid_emails"  # no such address or domain
    SPAM_REPORTS = "spam_reports"  # marked a mail as spam
    BLOCKS = "blocks"  # a mailbox that would not take a mail; it is still mailed


class ListedAddress(Struct, frozen=True, kw_only=True):
    """An address on a list of a provider."""

    on: ProviderList
    email: str
    created_at: datetime  # since when
    detail: str = ""  # what was said: a server's words
