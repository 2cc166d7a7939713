"""Addresses of the newsletter's own mailbox that name one delivery, so that what arrives there tells whose it was.

Such an address is `b.SUBSCRIBER.BROADCAST.CODE` in place of the `*` of a pattern such as `*@bounces.example.org`. Both
numbers are in base 36. The code is a keyed digest of them: only who has the person's stored token can make it, so no
one can have another person's address blocked. All is in lowercase, because some forwarders change the case (SRS).
"""

import re
from base64 import b32encode
from collections.abc import Iterator
from enum import StrEnum
from hashlib import blake2b
from hmac import compare_digest
from typing import NamedTuple

from newsletter.model.personal_links import Purpose

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_CODE_BYTES = 10
_LARGEST = 2**63 - 1  # the largest number in a database
_SRS = re.compile(
    r"srs0[=+-][^=]*=[^=]*=(?P<domain>[^=]*)=(?P<local>.*)|srs1[=+-][^=]*=[^=]*==[^=]*=[^=]*=[^=]*=(?P<inner>.*)"
)
_BATV = re.compile(r"(?:prvs|msprvs1|btv1)=+[^=]*=+(?P<local>.*)")
_NAMED = re.compile(
    r"(?:^|[+=_-])(?P<purpose>[bu])\.(?P<subscriber>[0-9a-z]{1,13})\.(?P<broadcast>[0-9a-z]{1,13})\.(?P<code>[a-z2-7]{16})(?![0-9a-z.])"
)
LONGEST_NAME = len("b.") + 13 + len(".") + 13 + len(".") + 16
USUAL_NAME = len("b.") + 5 + len(".") + 3 + len(".") + 16  # for 60 million people and 46,000 broadcasts


class ReturnPurpose(StrEnum):
    """What email to such an address means."""

    BOUNCE = "b"  # our email came from it, so servers report to it
    LEAVE = "u"  # an email to it asks to unsubscribe the person


_PERSONS = {
    ReturnPurpose.BOUNCE: Purpose.BOUNCE.encode(),
    ReturnPurpose.LEAVE: Purpose.LEAVE_BY_EMAIL.encode(),
}


class NamedDelivery(NamedTuple):
    """The delivery that an address names. It is not verified: see `is_genuine`."""

    purpose: ReturnPurpose
    subscriber: int
    broadcast: int
    code: str


def return_path(pattern: str, purpose: ReturnPurpose, subscriber: int, broadcast: int, token: str) -> str:
    """Return the address for one delivery. A pattern without `*` is an address that names no one."""
    before, star, after = pattern.partition("*")
    if not star:
        return pattern
    code = _code(purpose, subscriber, broadcast, token)
    return f"{before}{purpose}.{_base36(subscriber)}.{_base36(broadcast)}.{code}{after}"


def named_in(address: str) -> NamedDelivery | None:
    """Return the delivery that an address names, or None. What forwarders add (BATV, SRS) is removed first."""
    local = address.lower().rpartition("@")[0] or address.lower()
    for _ in range(5):  # one forwarder after the other
        inner = next(_unwrapped(local), None)
        if inner is None:
            break
        local = inner
    match = _NAMED.search(local)
    if match is None:
        return None
    subscriber, broadcast = int(match["subscriber"], 36), int(match["broadcast"], 36)
    if max(subscriber, broadcast) > _LARGEST:
        return None
    return NamedDelivery(ReturnPurpose(match["purpose"]), subscriber, broadcast, match["code"])


def is_genuine(purpose: ReturnPurpose, subscriber: int, broadcast: int, code: str, *, token: str) -> bool:
    """Return whether the code in an address was made with the person's token. Takes the same time for every code."""
    return compare_digest(code.encode(), _code(purpose, subscriber, broadcast, token).encode())


def _code(purpose: ReturnPurpose, subscriber: int, broadcast: int, token: str) -> str:
    data, key = f"{subscriber}.{broadcast}".encode(), token.encode()[: blake2b.MAX_KEY_SIZE]
    digest = blake2b(data, key=key, person=_PERSONS[purpose], digest_size=_CODE_BYTES).digest()
    return b32encode(digest).decode("ascii").lower()


def _base36(number: int) -> str:
    digits = ""
    while number or not digits:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits


def _unwrapped(local: str) -> Iterator[str]:
    """Yield the local part inside one that a forwarder made."""
    if match := _BATV.fullmatch(local):
        yield match["local"]
    elif match := _SRS.fullmatch(local):
        yield match["local"] or match["inner"] or ""
