"""The personal links of a subscriber, and the codes that prove that we made them.

The link for unsubscribing in emails contains the person's stored token. Every other link contains a code: a keyed
digest of what the link is about, made with that token. A code opens only the purpose that it was made for. If the
person gets a new token, all codes end with the old one.
"""

import re
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from hmac import compare_digest

from msgspec import Struct

_LINK = re.compile(r"([1-9][0-9]{0,17})-([0-9A-Za-z_.-]{16,128})")  # the secret is a token, a code or a stamp
_STAMP = re.compile(r"([0-9]{10})\.([0-9A-Za-z_-]{22})")
CODE_BYTES = 16
PROBE_HEADER, CLIENT_HEADER = (
    "Newsletter-Probe",
    "Newsletter-Client",
)  # of a probe by `newsletter doctor`, and its answer
_CLOCKS_DIFFER_BY = timedelta(seconds=5)


class Purpose(StrEnum):
    """What a code is for. The name is part of the digest, and may have at most 16 bytes (RFC 7693, section 2.5)."""

    PAGE = "nl/page"  # the form of a page that we showed
    PREFERENCES = "nl/prefs"
    ASKED = "nl/asked"  # a link that someone asked for, with a key of its own
    CONFIRM = "nl/confirm"
    CLICK = "nl/click"
    OPEN = "nl/open"
    TRACKING = "nl/tracking"  # the page that ends tracking
    BOUNCE = "nl/bounce"
    LEAVE = "nl/leave"  # the page for unsubscribing, from a page that must not contain the token itself
    LEAVE_BY_EMAIL = "nl/mailto"
    REVIEW = "nl/review"  # the page on which a reviewer answers; the id in the link is the reviewer's
    PROBE = "nl/probe"  # `newsletter doctor` asks the service how it sees its clients


class PersonalLink(Struct, frozen=True):
    """The part of a personal link that says whose it is: the subscriber's id and a secret."""

    subscriber: int
    secret: str


def read_link(text: str) -> PersonalLink | None:
    """Return the parts of `ID-SECRET`, or None if the text is not of this form. It may be any text from outside."""
    found = _LINK.fullmatch(text) if text.isascii() else None
    return PersonalLink(int(found[1]), found[2]) if found else None


def is_same(secret: str, other: str) -> bool:
    """Return whether two secrets are the same, in a time that does not show where they differ."""
    return compare_digest(secret.encode(errors="surrogateescape"), other.encode(errors="surrogateescape"))


def code_of(token: str, purpose: Purpose, about: str) -> str:
    """Return the code for a purpose: 22 characters that need no escaping in a URL.

    `token` is the person's stored token. `about` is everything that the code vouches for.
    """
    digest = blake2b(about.encode(), key=token.encode(), person=purpose.encode(), digest_size=CODE_BYTES).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_code_of(code: str, token: str, purpose: Purpose, about: str) -> bool:
    """Return whether a code from outside was made for this person, purpose and matter."""
    return is_same(code, code_of(token, purpose, about))


def stamp_of(token: str, purpose: Purpose, about: str, *, now: datetime) -> str:
    """Return a code that also says when it was made: `SECONDS.CODE`."""
    seconds = f"{int(now.timestamp()):010}"
    return f"{seconds}.{code_of(token, purpose, f'{seconds} {about}')}"


def age_of(stamp: str, token: str, purpose: Purpose, about: str, *, now: datetime) -> timedelta | None:
    """Return how long ago a stamp was made, or None if it is not one of ours or is from the future."""
    found = _STAMP.fullmatch(stamp) if stamp.isascii() else None
    if found is None or not is_code_of(found[2], token, purpose, f"{found[1]} {about}"):
        return None
    age = now - datetime.fromtimestamp(int(found[1]), UTC)
    return max(age, timedelta(0)) if age >= -_CLOCKS_DIFFER_BY else None


def masked(address: str) -> str:
    """Return an address of which only its reader recognizes the rest: `a…@e….org`. It does not show its length."""
    local, _, domain = address.rpartition("@")
    name, _, ending = domain.rpartition(".")
    return f"{local[:1]}…@{name[:1]}…{'.' if name else ''}{ending}"
