"""Subscribers, their consent, and the addresses that must not be emailed."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from unicodedata import normalize

from msgspec import Struct

from newsletter.model.columns import SubscriberRecord

_TAG_BAR = "|"


def normal_text(text: str) -> str:
    """Return a text in the form that the list and the segments use: in NFC, without spaces around it.

    NFC is the form of Unicode in which é is one character. Programs on a Mac often write it as e and an accent.
    """
    return normalize("NFC", text.strip())


def normal_tag(tag: str) -> str:
    """Return a tag in the form that the list and the segments use: a normal text in lowercase."""
    return normal_text(tag.lower())


def tags_text(tags: Iterable[str]) -> str:
    """Return tags as the database stores them: sorted, each between bars, for example `|member|teacher|`.

    If there are no tags, the string is empty. No tag may contain a bar.
    """
    return f"|{_TAG_BAR.join(sorted(set(tags)))}|" if tags else ""


def tags_in(text: str) -> tuple[str, ...]:
    """Return the tags in a string from the database, sorted."""
    return tuple(sorted(text.strip(_TAG_BAR).split(_TAG_BAR))) if text else ()


class Subscriber(Struct, frozen=True, kw_only=True):
    """One person on the list, as stored in the database."""

    id: int
    token: str  # the unguessable part of this person's unsubscribe link
    joined_at: datetime
    updated_at: datetime
    record: SubscriberRecord


class SuppressionReason(StrEnum):
    """The reason why an address must not be emailed."""

    UNSUBSCRIBED = "unsubscribed"  # through the link in an email, or on request
    BOUNCED = "bounced"  # the mailbox does not exist
    COMPLAINED = "complained"  # marked an email as spam
    INVALID = "invalid"  # the provider found that the address does not exist
    IN_DOUBT = "in doubt"  # a list does not make clear whether the person left; someone has to answer that
    MANUAL = "manual"  # added by hand


class Suppression(Struct, frozen=True, kw_only=True):
    """An address that must not be emailed, with the reason and the time at which it was added."""

    email: str
    reason: SuppressionReason
    created_at: datetime
    topic: str = ""  # the topic that the person left; empty if they get no email at all
    detail: str = ""  # more details, such as a server's message or a source
    repeated_at: datetime | None = None  # the latest time at which they may have left, if it is later
    consent_on_record: datetime | None = None  # when they had given the consent that was on record when they left

    @property
    def last(self) -> datetime:
        """Return the latest time at which they may have left."""
        return max(self.created_at, self.repeated_at or self.created_at)


class ExportedPerson(Struct, frozen=True, kw_only=True):
    """A person on the list, with everything that says whether they are emailed."""

    record: SubscriberRecord
    suppressions: tuple[Suppression, ...] = ()

    @property
    def suppression(self) -> Suppression | None:
        """Return the suppression from all email, or None if there is none."""
        return next((each for each in self.suppressions if not each.topic), None)

    @property
    def is_mailed(self) -> bool:
        """Whether they may be emailed."""
        return self.suppression is None and self.record.may_be_mailed

    @property
    def left_at(self) -> datetime | None:
        """Return the latest time at which they left, or None if they did not leave."""
        found = self.suppression
        return found.last if found else None

    @property
    def left_topics(self) -> tuple[str, ...]:
        """Return the topics that they left, sorted."""
        return tuple(sorted(each.topic for each in self.suppressions if each.topic))


class PastSuppression(Struct, frozen=True, kw_only=True):
    """A suppression that was lifted: its reason, its start and end, and why it was lifted."""

    reason: SuppressionReason
    created_at: datetime
    lifted_at: datetime
    because: str
    topic: str = ""


class SegmentCount(Struct, frozen=True, kw_only=True):
    """The number of subscribers in a segment, and how many of them must not be emailed."""

    members: int
    suppressed: int
    without_consent: int = 0  # not counting those who are suppressed
    paused: int = 0  # of those who could be emailed otherwise

    @property
    def mailable(self) -> int:
        """Return how many members may be emailed."""
        return self.members - self.suppressed - self.without_consent - self.paused
