"""Subscribers, their consent, and the addresses that must not be mailed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

# The columns that the product knows by name; any further column of a CSV file is an attribute.
SUBSCRIBER_COLUMNS = (
    "email",
    "first_name",
    "last_name",
    "language",
    "timezone",
    "tags",
    "joined_at",
    "consented_at",
    "consent_source",
    "consent_wording",
    "consent_confirmed_at",
    "consent_basis",
)

_TAG_BAR = "|"


def normal_tag(tag: str) -> str:
    """A tag as the list keeps it and as segments name it: in lower case, without spaces around it."""
    return tag.strip().lower()


def tags_text(tags: Iterable[str]) -> str:
    """Tags as a subscriber's row keeps them, each between bars: `|member|teacher|`, sorted; empty where there is none.

    None of them holds a bar.
    """
    return f"|{_TAG_BAR.join(sorted(set(tags)))}|" if tags else ""


def tags_in(text: str) -> tuple[str, ...]:
    """The tags of a subscriber's row, sorted."""
    return tuple(sorted(text.strip(_TAG_BAR).split(_TAG_BAR))) if text else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberRecord:
    """What a row of a list says about one person; an empty string means that it says nothing."""

    email: str
    first_name: str = ""
    last_name: str = ""
    language: str = ""
    timezone: str = ""
    tags: tuple[str, ...] = ()  # sorted, without doubles
    joined_at: datetime | None = None
    consented_at: datetime | None = None
    consent_source: str = ""  # where they said yes
    consent_wording: str = ""  # the version of the words that they said yes to
    consent_confirmed_at: datetime | None = None  # when they confirmed it from their mailbox
    consent_basis: str = ""  # what an import stated for all of its rows
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def may_be_mailed(self) -> bool:
        """Whether a consent, or a basis that an import stated, is on record."""
        return self.consented_at is not None or bool(self.consent_basis)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """One person on the list, as the database keeps them."""

    id: int
    record: SubscriberRecord
    token: str  # the unguessable part of this person's unsubscribe link
    joined_at: datetime
    updated_at: datetime


class SuppressionReason(StrEnum):
    """Why an address must not be mailed."""

    UNSUBSCRIBED = "unsubscribed"  # left by the link or by asking
    BOUNCED = "bounced"  # the mailbox does not exist
    COMPLAINED = "complained"  # marked a mail as spam
    INVALID = "invalid"  # a provider found that no such address exists
    MANUAL = "manual"  # put on the list by hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """An address that must not be mailed, since when, and why."""

    email: str
    reason: SuppressionReason
    created_at: datetime
    topic: str = ""  # the one topic that they left; empty: they are not mailed at all
    detail: str = ""  # what is known besides: a server's words, where it came from


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSuppression:
    """A suppression that was lifted: what it was, until when, and why it ended."""

    reason: SuppressionReason
    created_at: datetime
    lifted_at: datetime
    because: str
    topic: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentCount:
    """How many subscribers a segment has, and how many of them must not be mailed."""

    members: int
    suppressed: int
    without_consent: int = 0  # of those who are not suppressed

    @property
    def mailable(self) -> int:
        """How many may be mailed."""
        return self.members - self.suppressed - self.without_consent
