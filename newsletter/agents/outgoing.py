"""What an agent gets. Every text passes through `cleared` before it leaves, and so does the HTML that a picture shows.

The list is never asked whether an address is on it. The answer to that question would itself tell who is on the list:
an agent could write an address into an issue, and see whether it disappears.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from newsletter.model.address import person_of

REMOVED = "[address removed]"
_MOST_CHARACTERS = 1_000_000  # of one answer

_LONGEST_LOCAL = 300  # characters; no local part is as long (RFC 5321, section 4.5.3.1)

# An @ in any of its spellings: in links, in HTML, in quoted-printable and in JSON, and signs that are taken for it.
_AT = re.compile(
    r"[@\uff20\ufe6b]|"
    r"(?P<encoded>%(?:25)*40|&#0*64(?![0-9]);?|&#x0*40(?![0-9a-f]);?|&commat;|=40|\\u0040)",
    re.IGNORECASE,
)
_BACKWARDS = re.compile(r"""(?:"[^"\r\n]*"|[^\s<>()\[\],;:"@\uff20\ufe6b]+)""")  # a local part, read from its end
_DOMAIN = re.compile(r"(?:\[[^\]\s]{1,80}\]|[^\W_][^\s<>()\[\],;:\"'/?&=#{}|\\`!]{0,254})")
_DOTTED = re.compile(r"\.(?:[^\W\d_]{2}|xn--)|\[")  # what tells `=40example.org` from `width=40px`
_JOINTS = re.compile(r"[/?&=#'{}|`!*]")  # signs that a local part may contain, but that more often stand before one
# `}@media` in a style sheet, where the rule before it ends with no space (CSS Syntax Level 3, section 2.2)
_RULES = frozenset({"media", "import", "font-face", "supports", "keyframes", "charset", "namespace", "page", "layer"})


class DrawnPicture(Struct, frozen=True, kw_only=True):
    """A picture in an answer."""

    content: bytes
    content_type: str


class ToolAnswer(Struct, frozen=True, kw_only=True):
    """The answer to one call. In an error, the text says what is wrong and what to do."""

    text: str
    pictures: tuple[DrawnPicture, ...] = ()
    is_error: bool = False


def cleared(text: str, *, own: frozenset[str], root: Path) -> str:
    """Return a text without addresses, except those in `own`, and without the paths of this computer.

    `own` are the addresses in the issue's own files, as `addresses_in` returns them.
    """
    text = text.replace(f"{root}/", "").replace(str(root), "the newsletter's folder")
    text = text.replace(str(Path.home()), "~") if len(Path.home().parts) > 1 else text
    text = "".join(_without_addresses(text, own))
    if len(text) > _MOST_CHARACTERS:
        text = f"{text[:_MOST_CHARACTERS]}\n[The rest of {len(text):,} characters was left out.]"
    return text.encode("utf-8", "replace").decode()


def addresses_in(texts: Iterable[str]) -> frozenset[str]:
    """Return the addresses in these texts, in a form that all spellings of one address share."""
    return frozenset(form for text in texts for found in _found_in(text) for form in found.forms)


class _FoundAddress(NamedTuple):
    """Something in a text that looks like an address, and where it begins and ends."""

    begins: int
    ends: int
    local: str
    domain: str

    @property
    def forms(self) -> frozenset[str]:
        """The address as it was found, and the part of it that would be one in a link or an attribute."""
        last = _JOINTS.split(self.local)[-1]
        return frozenset(person_of(f"{local}@{self.domain.rstrip('.-')}") for local in {self.local, last or self.local})


def _without_addresses(text: str, own: frozenset[str]) -> Iterator[str]:
    last = 0
    for found in _found_in(text):
        if not found.forms & own:
            yield text[last : found.begins]
            yield REMOVED
            last = found.ends
    yield text[last:]


def _found_in(text: str) -> Iterator[_FoundAddress]:
    """Yield what looks like an address. Each @ is looked at once, and not far from it, so this takes linear time."""
    last = 0
    for at in _AT.finditer(text):
        before = text[max(last, at.start() - _LONGEST_LOCAL) : at.start()][::-1] if at.start() >= last else ""
        local, domain = _BACKWARDS.match(before), _DOMAIN.match(text, at.end())
        if not local or not domain or (before[0] in "}/" and domain[0].lower() in _RULES):
            continue
        if at["encoded"] is None or _DOTTED.search(domain[0]):
            last = domain.end()
            yield _FoundAddress(at.start() - local.end(), last, local[0][::-1], domain[0])
