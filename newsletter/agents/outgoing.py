"""What an agent is told. Every text passes through `cleared` before it leaves, also the HTML that a picture shows.

The list is never asked whether an address is on it. The answer to that question would itself tell who is on the list:
an agent could write an address into an issue, and see whether it disappears.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from newsletter.model.address import person_of

REMOVED = "[address removed]"
_MOST_CHARACTERS = 1_000_000  # of one answer

# Anything with a sign on both sides of an @, in any of its spellings: in links, in HTML, in quoted-printable, in JSON,
# and as the signs that some programs take for it. No local part is as long as 300 characters (RFC 5321, 4.5.3.1).
_AT = r"(?:[@\uff20\ufe6b]|%(?:25)*40|&#0*64;|&#x0*40;|&commat;|=40|\\u0040)"
_LOCAL = r"""(?:"[^"\r\n]{0,300}"|[^\s<>()\[\],;:"@\uff20\ufe6b]{1,300})"""
_DOMAIN = r"(?:\[[^\]\s]{1,80}\]|[^\s<>()\[\],;:\"'@/?&=#{}|\\`!]{1,255})"
_ADDRESS = re.compile(rf"(?P<local>{_LOCAL}){_AT}(?P<domain>{_DOMAIN})", re.IGNORECASE)
_JOINTS = re.compile(r"[/?&=#'{}|`!*]")  # signs that a local part may contain, but that more often stand before one


class DrawnPicture(Struct, frozen=True, kw_only=True):
    """A picture in an answer."""

    content: bytes
    content_type: str


class Answer(Struct, frozen=True, kw_only=True):
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
    text = _ADDRESS.sub(lambda found: found[0] if _forms(found) & own else REMOVED, text)
    if len(text) > _MOST_CHARACTERS:
        text = f"{text[:_MOST_CHARACTERS]}\n[The rest of {len(text):,} characters was left out.]"
    return text.encode("utf-8", "replace").decode()


def addresses_in(texts: Iterable[str]) -> frozenset[str]:
    """Return the addresses in these texts, in a form that all spellings of one address share."""
    return frozenset(form for text in texts for found in _ADDRESS.finditer(text) for form in _forms(found))


def _forms(found: re.Match[str]) -> frozenset[str]:
    """Return what was found as an address, and also the part of it that a link or an attribute would contain."""
    return frozenset(person_of(f"{local}@{found['domain'].rstrip('.-')}") for local in _locals(found["local"]))


def _locals(local: str) -> Iterator[str]:
    yield local
    if part := _JOINTS.split(local)[-1]:
        yield part
