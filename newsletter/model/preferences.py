"""What people ask for and decide on the pages with their preferences."""

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

PREFERENCES_VALID_FOR = timedelta(days=365)  # the link in each email
FORMER_TOKEN_VALID_FOR = timedelta(days=60)  # for leaving only, after a change of address (CASL, section 11)
LONGEST_PAUSE = timedelta(days=366)


class LinkRequestKind(StrEnum):
    """What a link that someone asked for opens."""

    PREFERENCES = "preferences"  # their preferences, because the link that they have is too old
    DATA = "data"  # everything that is known about them, which they can also delete there
    OLD_ADDRESS = "old address"  # the owner of the address on the list confirms that another is to replace it
    NEW_ADDRESS = "new address"  # the owner of the new address confirms that it is to be used

    @property
    def valid_for(self) -> timedelta:
        """Return how long the link works."""
        return timedelta(days=1) if self is LinkRequestKind.DATA else timedelta(days=7)

    @property
    def is_about_address(self) -> bool:
        """Whether it belongs to a change of address."""
        return self in {LinkRequestKind.OLD_ADDRESS, LinkRequestKind.NEW_ADDRESS}


class LinkRequest(Struct, frozen=True, kw_only=True):
    """A link that someone asked for, as stored. The two links of a change of address have the same time."""

    id: int
    subscriber: int
    kind: LinkRequestKind
    email: str  # the address to which it is sent
    token: str  # the key of the link
    asked_at: datetime
    mailed_at: datetime | None
    broadcast: int | None
    recipient: int | None  # the id by which the ledger knows the owner of the address
    confirmed_at: datetime | None

    def is_valid(self, now: datetime) -> bool:
        """Return whether the link still works."""
        return timedelta(0) <= now - self.asked_at <= self.kind.valid_for


class TrackingChoice(Struct, frozen=True, kw_only=True):
    """That someone agreed to tracking, or withdrew."""

    at: datetime
    agrees: bool
    wording: str  # the version of the words that they saw, and their language
