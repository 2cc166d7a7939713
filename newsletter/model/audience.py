"""Subscribers, suppressions and what an import did with each row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

# The columns that the product knows by name; any further column of a CSV file is an attribute.
SUBSCRIBER_COLUMNS = (
    "email",
    "first_name",
    "last_name",
    "language",
    "timezone",
    "tags",
    "consented_at",
    "consent_source",
)


def normal_tag(tag: str) -> str:
    """A tag as the list keeps it and as segments name it: in lower case, without spaces around it."""
    return tag.strip().lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberRecord:
    """What a row of a list says about one person; an empty string means that it says nothing."""

    email: str
    first_name: str = ""
    last_name: str = ""
    language: str = ""
    timezone: str = ""
    tags: tuple[str, ...] = ()  # sorted, without doubles
    consented_at: datetime | None = None
    consent_source: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


class ImportRow(NamedTuple):
    """A valid row of a list, as in SubscriberRecord; a plain tuple, because a list may have a million."""

    line: int  # on which the row starts; no two rows of an import share it
    email: str  # an address that was checked, its domain in lower case
    first_name: str = ""
    last_name: str = ""
    language: str = ""
    timezone: str = ""
    tags: tuple[str, ...] = ()
    consented_at: datetime | None = None
    consent_source: str = ""
    attributes: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """One person on the list, as the database keeps them."""

    id: int
    record: SubscriberRecord
    token: str  # the unguessable part of this person's unsubscribe link
    created_at: datetime
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row that was not taken: the line of the file on which it starts, and what is wrong with it."""

    line: int
    email: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """Every row accounted for: added + updated + unchanged + rejected = rows."""

    added: int
    updated: int
    unchanged: int
    rejected: tuple[RejectedRow, ...]
    suppressed: int  # rows taken whose address is suppressed: kept on record, never mailed

    @property
    def rows(self) -> int:
        """How many rows the file held."""
        return self.added + self.updated + self.unchanged + len(self.rejected)


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentCount:
    """How many subscribers a segment has, and how many of them must not be mailed."""

    members: int
    suppressed: int

    @property
    def mailable(self) -> int:
        """How many may be mailed."""
        return self.members - self.suppressed
