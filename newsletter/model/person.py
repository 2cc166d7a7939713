"""Everything that is known about one person."""

from datetime import datetime

from msgspec import Struct

from newsletter.model.audience import PastSuppression, Subscriber, Suppression
from newsletter.model.event import EventType
from newsletter.model.imports import PastConsent, PastImport
from newsletter.model.ledger import PastDelivery
from newsletter.model.preferences import LinkRequest, TrackingChoice


class PastEvent(Struct, frozen=True, kw_only=True):
    """A provider's report about one delivery to a person."""

    at: datetime
    type: EventType
    broadcast: int
    issue: str
    detail: str  # the message of the server that refused the email, or the clicked link


class PastSoftBounce(Struct, frozen=True, kw_only=True):
    """A time at which a person's mailbox could not accept email."""

    at: datetime
    detail: str


class LeavingRemark(Struct, frozen=True, kw_only=True):
    """Why a person left, as they answered on the page."""

    at: datetime
    reason: str  # one of those that the page lists, or empty
    remark: str  # in their own words, or empty


class KnownPerson(Struct, frozen=True, kw_only=True):
    """Everything that is known about one person. In each list, the newest entry comes first."""

    email: str  # as written on the list, otherwise as the user typed it
    subscriber: Subscriber | None  # None if they are not on the list
    past_consents: tuple[PastConsent, ...]
    suppressions: tuple[Suppression, ...]  # for all email, and for single topics
    past_suppressions: tuple[PastSuppression, ...]
    deliveries: tuple[PastDelivery, ...]
    events: tuple[PastEvent, ...]
    soft_bounces: tuple[PastSoftBounce, ...]
    leaving_remarks: tuple[LeavingRemark, ...]
    tracking_choices: tuple[TrackingChoice, ...]
    link_requests: tuple[LinkRequest, ...]
    imports: tuple[PastImport, ...]  # the imports that added the person or last changed their record

    @property
    def suppression(self) -> Suppression | None:
        """Return the suppression for all email, or None if there is none."""
        return next((each for each in self.suppressions if not each.topic), None)

    @property
    def left_topics(self) -> tuple[Suppression, ...]:
        """Return the suppressions for single topics."""
        return tuple(each for each in self.suppressions if each.topic)

    @property
    def is_anything_known(self) -> bool:
        """Whether the database contains the person's address anywhere."""
        return bool(self.subscriber or self.suppressions or self.past_suppressions or self.soft_bounces)
