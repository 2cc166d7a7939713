"""A sign-up: someone asked to join with the form, and perhaps confirmed it from their mailbox."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

VALID_FOR = timedelta(days=7)  # how long the link that confirms a sign-up works
# How many emails the form may cause to one address, in each span of time.
MOST_PER_ADDRESS: Mapping[timedelta, int] = {timedelta(minutes=15): 1, timedelta(days=1): 3, timedelta(days=30): 5}
LONGEST_NAME = 100
ASKED_AGAIN = "asked-again"  # the tag of people who were asked for a consent; exports contain it


class SignupState(StrEnum):
    """The state of a sign-up."""

    ASKED = "asked"  # nothing has been decided yet
    MAILED = "mailed"  # the person is asked by email to confirm it
    KNOWN = "known"  # an email says to the person that they are on the list already
    CONFIRMED = "confirmed"


class SignupRefusal(StrEnum):
    """The reason why a sign-up was not followed up. The page looks the same for all of them."""

    BOT = "filled in by a program"
    CLIENT = "too many from one network"
    DISPOSABLE = "a disposable address"
    NO_KEY = "NEWSLETTER_KEY is missing"  # the address might be that of someone who was erased
    ADDRESS = "too many for one address"
    BLOCKED = "the address is blocked"
    ERASED = "the person was erased"
    LATE = "too old"  # it waited so long that its email would surprise the person


class FormWording(Struct, frozen=True, kw_only=True):
    """The words that someone agreed to, as one version of a form showed them."""

    version: str
    language: str
    words: str


class SignupRequest(Struct, frozen=True, kw_only=True):
    """What someone filled in."""

    email: str
    first_name: str
    language: str
    topics: tuple[str, ...]  # empty for all
    wants_tracking: bool
    source: str
    wording: FormWording


class Signup(Struct, frozen=True, kw_only=True):
    """A sign-up, as stored."""

    id: int
    person: str
    email: str
    first_name: str
    language: str
    topics: tuple[str, ...]
    wants_tracking: bool
    source: str
    wording: str
    token: str
    asked_at: datetime
    state: SignupState
    mailed_at: datetime | None
    broadcast: int | None
    subscriber: int | None
    confirmed_at: datetime | None
    is_asked_again: bool = False  # whether we asked someone on the list for a consent, and they had asked for nothing

    def is_valid(self, now: datetime) -> bool:
        """Return whether the link that confirms it still works. Someone who was asked can still answer much later."""
        return self.mailed_at is not None and (self.is_asked_again or now - self.mailed_at <= VALID_FOR)
