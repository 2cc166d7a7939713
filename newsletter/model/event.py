"""What comes back about messages that were accepted: reports of a provider, bounces, opens, clicks and complaints."""

from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple

from msgspec import Struct

DIGEST_BYTES = 16


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
    """One report about one delivery. Its key is the second and the digest: reports with the same key are one event.

    A provider's own id is no key. Providers send a report again, and may give it a new id
    (https://github.com/sendgrid/sendgrid-nodejs/issues/1435).
    """

    at: datetime  # counted in whole seconds
    type: EventType
    broadcast: int  # 0 if it is about a person, but about no broadcast that is known
    nonce: str  # of the broadcast, from the email; several databases can have the same broadcast number
    chunk: int = 0  # 0 if it is not known
    attempt: int = 0
    subscriber: int = 0  # 0 if it is about no one in particular
    detail: str = ""  # the message of the server or the provider
    url: str = ""  # the link that was clicked
    url_offset: int = -1  # which of the links with this address it was; -1 if it is not known
    cause: str = ""  # why a server refused the email, by its name in `refusals.toml`
    verdict: str = ""  # how it was recognized as a machine's; empty if a person did it, as far as is known

    @property
    def digest(self) -> bytes:
        """Return what, besides the second, tells this event apart from others."""
        parts = (
            f"{self.type._value_}\0{self.broadcast}\0{self.chunk}\0{self.attempt}\0{self.subscriber}\0"
            f"{self.url}\0{self.url_offset}\0{self.detail}"
        )
        return blake2b(parts.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()


class BroadcastKey(NamedTuple):
    """A broadcast as its emails name it. The nonce tells the broadcasts of several databases apart."""

    broadcast: int
    nonce: str


NO_BROADCAST = BroadcastKey(0, "")


class CountedEvent(NamedTuple):
    """What is counted of an open or click that is not saved for a person."""

    mailed: BroadcastKey
    type: EventType
    verdict: str = ""
    url: str = ""
    version: str = ""  # of the issue, if its versions are counted apart


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
