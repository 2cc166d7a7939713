"""The addresses of tracked links and of the picture that shows opens: `ID-BROADCAST-LINK-CODE`.

They contain no target. Where a link leads was saved when the broadcast was created, so no one can make an address that
leads elsewhere. In totals, the id is 0 and the code is made with the nonce of the broadcast, so the address is the same
for all readers. Otherwise, it is made with the person's token.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

from msgspec import Struct

from newsletter.model.personal_links import CODE_BYTES, Purpose, code_of, is_code_of

_ADDRESS = re.compile(r"(0|[1-9][0-9]{0,17})-([1-9][0-9]{0,17})-(0|[1-9][0-9]{0,3})-([0-9A-Za-z_-]{22})")
PICTURE = 0  # the number of the picture that shows opens
# In totals, where links are the same for all readers, each version of an issue has its own numbers, so that its opens
# and clicks can be counted. The pictures of the other versions have the highest numbers.
PICTURES = {"": PICTURE, "A": PICTURE, "B": 9997, "C": 9998, "D": 9999}
MOST_NUMBERS = 9000  # of the links in one broadcast
MOST_LINKS = 100  # in one email: SendGrid limits the size of one person's values


class LinkTarget(NamedTuple):
    """Where a tracked link leads, and the version of the issue that it is in, if its clicks are counted by version."""

    address: str
    version: str = ""


class TrackedAddress(Struct, frozen=True):
    """The parts of a tracked address."""

    subscriber: int  # 0 for everyone
    broadcast: int
    number: int  # of the link in the broadcast
    code: str

    def is_made_with(self, key: str) -> bool:
        """Return whether the code was made with this token of a person, or this nonce of a broadcast."""
        purpose = _purpose_of(self.number)
        return is_code_of(self.code, key, purpose, _about(self.subscriber, self.broadcast, self.number))


def is_picture(number: int) -> bool:
    """Return whether a number stands for the picture that shows opens, in any version."""
    return number == PICTURE or number > MOST_NUMBERS


def read_tracked_address(text: str) -> TrackedAddress | None:
    """Return the parts of an address, or None if the text is not one. It may be any text from outside."""
    found = _ADDRESS.fullmatch(text) if text.isascii() else None
    return TrackedAddress(int(found[1]), int(found[2]), int(found[3]), found[4]) if found else None


def code_for_all(broadcast: int, nonce: str, number: int) -> str:
    """Return the address that all readers share."""
    about = _about(0, broadcast, number)
    return f"{about}-{code_of(nonce, _purpose_of(number), about)}"


def codes_for_each(people: Iterable[tuple[int, str]], broadcast: int, number: int) -> Sequence[str]:
    """Return the address for each person, who is given by id and token."""
    # The same as `code_of`, without a call for each of a million codes: an email may have dozens of them.
    person, ending = _purpose_of(number).encode(), f"-{broadcast}-{number}"
    abouts = [(f"{subscriber}{ending}", token) for subscriber, token in people]
    return [
        f"{about}-{_text(blake2b(about.encode(), key=token.encode(), person=person, digest_size=CODE_BYTES).digest())}"
        for about, token in abouts
    ]


def _text(digest: bytes) -> str:
    return urlsafe_b64encode(digest)[:-2].decode()  # 16 bytes always end with two signs of padding


def _about(subscriber: int, broadcast: int, number: int) -> str:
    return f"{subscriber}-{broadcast}-{number}"


def _purpose_of(number: int) -> Purpose:
    return Purpose.OPEN if is_picture(number) else Purpose.CLICK
