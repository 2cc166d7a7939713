"""Everything that is known of one person."""

from datetime import datetime

from msgspec import Struct

from newsletter.model.audience import PastSuppression, Subscriber, Suppression
from newsletter.model.event import EventType
from newsletter.model.imports import PastConsent, PastImport
from newsletter.model.ledger import PastDelivery


class PastEvent(Struct, frozen=True, kw_only=True):
    """What a provider reported about one delivery to a person."""

    at: datetime
    type: EventType
    broadcast: int
    issue: str
    detail: str  # the words of whoever refused the mail, or the link that was clicked


class PastSoftBounce(Struct, frozen=True, kw_only=True):
    """A moment at which somebody's mailbox could not take mail."""

    at: datetime
    detail: str


class KnownPerson(Struct, frozen=True, kw_only=True):
    """Everything that is known of one person; the newest of each kind first."""

    email: str  # as the list has it, else as it was asked for
    subscriber: Subscriber | None  # None where they are not on the list
    past_consents: tuple[PastConsent, ...]
    suppressions: tuple[Suppression, ...]  # from all mail, and from topics
    past_suppressions: tuple[PastSuppression, ...]
    deliveries: tuple[PastDelivery, ...]
    events: tuple[PastEvent, ...]
    soft_bounces: tuple[PastSoftBounce, ...]
    imports: tuple[PastImport, ...]  # those that added them, or changed them last

    @property
    def suppression(self) -> Suppression | None:
        """Why they are not mailed at all; None where they only left topics, or nothing."""
        return next((each for each in self.suppressions if not each.topic), None)

    @property
    def left_topics(self) -> tuple[Suppression, ...]:
        """The topics that they left."""
        return tuple(each for each in self.suppressions if each.topic)

    @property
    def is_anything_known(self) -> bool:
        """Whether the database holds their address anywhere."""
        return bool(self.subscriber or self.suppressions or self.past_suppressions or self.soft_bounces)
