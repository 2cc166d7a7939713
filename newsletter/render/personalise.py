"""Subscribers' values, escaped for each slot of a variant: what is done once for every single message.

A chunk is worked on column by column, since a step for a thousand values costs a fraction of a thousand steps.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import repeat
from typing import cast

from newsletter.model.broadcast import Envelope, Recipient
from newsletter.model.ledger import ClaimedDelivery
from newsletter.model.merge import RESERVED_FIELDS, UNSUBSCRIBE_FIELD, Slot
from newsletter.render.merge import ESCAPES

_Column = Sequence[str]
_Writer = Callable[[Sequence[_Column], _Column], _Column]  # columns of values, and of links → what stands in a slot
# A third of what calling the class takes: a named tuple's own constructor is written in Python.
_recipient = cast("Callable[[tuple[object, ...]], Recipient]", partial(tuple.__new__, Recipient))


class Personaliser:
    """Makes the recipients of one variant from claimed deliveries, whose values stand in the order of `fields`."""

    def __init__(self, slots: Sequence[Slot], fields: Sequence[str], envelope: Envelope) -> None:
        self._writers = tuple(_writer(slot, fields) for slot in slots)
        self._envelope = envelope

    @staticmethod
    def fields_of(slots: Iterable[Slot]) -> tuple[str, ...]:
        """The columns and attributes that the slots need, sorted."""
        return tuple(sorted({slot.field.name for slot in slots} - RESERVED_FIELDS))

    def recipients(self, deliveries: Sequence[ClaimedDelivery]) -> tuple[Recipient, ...]:
        """One recipient a delivery."""
        if not deliveries:
            return ()
        subscribers, emails, first_names, last_names, tokens, values = zip(*deliveries, strict=True)
        names = [
            f"{first} {last}" if first and last else first or last
            for first, last in zip(first_names, last_names, strict=True)
        ]
        urls = list(map(self._envelope.unsubscribe_url, subscribers, tokens))
        columns = tuple(zip(*values, strict=True))
        written = [write(columns, urls) for write in self._writers]
        slot_values = zip(*written, strict=True) if written else repeat((), len(deliveries))
        return tuple(map(_recipient, zip(subscribers, emails, names, urls, slot_values, strict=True)))


def _writer(slot: Slot, fields: Sequence[str]) -> _Writer:
    if slot.field.name == UNSUBSCRIBE_FIELD:
        return lambda _, urls: urls
    escape = ESCAPES[slot.escape]
    index, default = fields.index(slot.field.name), escape(slot.field.default or "")

    def write(columns: Sequence[_Column], _: _Column) -> _Column:
        # Letters and digits of ASCII need no escape anywhere, and most values are one plain word.
        return [
            value if value.isalnum() and value.isascii() else escape(value) if value else default
            for value in columns[index]
        ]

    return write
