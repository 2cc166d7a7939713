"""What subscribers' values may look like, before anybody's are known: a usual one and the longest.

Assumed for the longest: 64 letters of two bytes each, or the field's default where that is longer; an unsubscribe link
160 characters longer than the service's address.
"""

from collections.abc import Iterable
from urllib.parse import quote

from newsletter.model.slots import ChunkColumns, Escape, Link, Slot
from newsletter.settings.workspace import Settings

LONGEST_LETTERS = 64
_LONGEST = "ä" * LONGEST_LETTERS
_USUAL = "Alexandra"
_UNSUBSCRIBE_PATH_LENGTH = 160


def usual_values(slots: Iterable[Slot]) -> tuple[str, ...]:
    """Return each slot's default, or a name of nine letters."""
    return tuple(_of_nobody(slot, link=_USUAL) or _USUAL for slot in slots)


def longest_values(slots: Iterable[Slot], settings: Settings) -> tuple[str, ...]:
    """Return the longest value that is plausible in each slot, written as its place asks."""
    link = f"{settings.service.url}/{'x' * _UNSUBSCRIBE_PATH_LENGTH}"
    return tuple(_longest_value(slot, link) for slot in slots)


def _longest_value(slot: Slot, link: str) -> str:
    value = _of_nobody(slot, link=link)
    if slot.source.escape is Escape.LINK:
        return value
    longest = max(_LONGEST, value, key=lambda text: len(text.encode()))
    return quote(longest, safe="") if slot.escape is Escape.URL else longest


def _of_nobody(slot: Slot, *, link: str) -> str:
    """The value of somebody of whom nothing is known: the default, or the link."""
    fields, links = dict.fromkeys(slot.source.fields, ("",)), dict.fromkeys(Link, (link,))
    return slot.source.column(ChunkColumns(fields=fields, links=links))[0]
