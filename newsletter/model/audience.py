"""Subscribers, their consent, and the addresses that must not be mailed."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from newsletter.model.columns import SubscriberRecord

_TAG_BAR = "|"


def normal_tag(tag: str) -> str:
    """Return a tag as the list keeps it and as segments name it: in lowercase, without spaces around it."""
    return tag.strip().lower()


def tags_text(tags: Iterable[str]) -> str:
    """Return tags as a row keeps them, each between bars: `|member|teacher|`, sorted; empty where there is none.

    None of them holds a bar.
    """
    return f"|{_TAG_BAR.join(sorted(set(tags)))}|" if tags else ""


def tags_in(text: str) -> tuple[str, ...]:
    """Return the tags of a subscriber's row, sorted."""
    return tuple(sorted(text.strip(_TAG_BAR).split(_TAG_BAR))) if text else ()


class Subscriber(Struct, frozen=True, kw_only=True):
    """One person on the list, as the database keeps them."""

    id: int
    token: str  # the unguessable part of this person's unsubscribe link
    joined_at: datetime
    updated_at: datetime
    record: SubscriberRecord


class SuppressionReason(StrEnum):
    """Why an address must not be mailed."""

    UNSUBSCRIBED = "unsubscribed"  # left by the link or by asking
    BOUNCED = "bounced"  # the mailbox does not exist
    COMPLAINED = "complained"  # marked a mail as spam
    INVALID = "invalid"  # a provider found that no such address exists
    MANUAL = "manual"  # put on the list by hand


class Suppression(Struct, frozen=True, kw_only=True):
    """An address that must not be mailed, since when, and why."""

    email: str
    reason: SuppressionReason
    created_at: datetime
    topic: str = ""  # the one topic that they left; empty: they are not mailed at all
    detail: str = ""  # what is known besides: a server's words, where it came from


class PastSuppression(Struct, frozen=True, kw_only=True):
    """A suppression that was lifted: what it was, until when, and why it ended."""

    reason: SuppressionReason
    created_at: datetime
    lifted_at: datetime
    because: str
    topic: str = ""


class SegmentCount(Struct, frozen=True, kw_only=True):
    """How many subscribers a segment has, and how many of them must not be mailed."""

    members: int
    suppressed: int
    without_consent: int = 0  # of those who are not suppressed

    @property
    def mailable(self) -> int:
        """How many may be mailed."""
        return self.members - self.suppressed - self.without_consent
