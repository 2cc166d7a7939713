"""What subscribers' values may look like, before anybody's are known: a usual one and the longest.

Assumed for the longest: 64 letters of two bytes each, or the field's default where that is longer; an unsubscribe link
160 characters longer than the service's address.
"""

from collections.abc import Iterable
from urllib.parse import quote

from newsletter.model.merge import UNSUBSCRIBE_FIELD, Escape, Slot
from newsletter.settings.workspace import Settings

LONGEST_LETTERS = 64
_LONGEST = "ä" * LONGEST_LETTERS
_USUAL = "Alexandra"
_UNSUBSCRIBE_PATH_LENGTH = 160


def usual_values(slots: Iterable[Slot]) -> tuple[str, ...]:
    """Each slot's default, or a name of nine letters."""
    return tuple(slot.field.default or _USUAL for slot in slots)


def longest_values(slots: Iterable[Slot], settings: Settings) -> tuple[str, ...]:
    """The longest value that is plausible in each slot, written as its place asks."""
    return tuple(_longest_value(slot, settings) for slot in slots)


def _longest_value(slot: Slot, settings: Settings) -> str:
    if slot.field.name == UNSUBSCRIBE_FIELD:
        return settings.service.url + "/" + "x" * _UNSUBSCRIBE_PATH_LENGTH
    longest = max(_LONGEST, slot.field.default or "", key=lambda value: len(value.encode()))
    return quote(longest, safe="") if slot.escape is Escape.URL else longest
