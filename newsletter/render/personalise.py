"""Subscribers' values, escaped for each slot of a variant: what is done once for every single message.

A chunk is worked on column by column, since a step for a thousand values costs a fraction of a thousand steps.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import repeat
from typing import cast

from newsletter.model.broadcast import Envelope, Recipient
from newsletter.model.ledger import ClaimedDelivery
from newsletter.model.slots import ChunkColumns, Escape, Link, Slot
from newsletter.render.merge import ESCAPES

# A third of what calling the class takes: a named tuple's own constructor is written in Python.
_recipient = cast("Callable[[tuple[object, ...]], Recipient]", partial(tuple.__new__, Recipient))


class Personaliser:
    """Makes the recipients of one variant from claimed deliveries, whose values stand in the order of `fields`."""

    def __init__(self, slots: Sequence[Slot], fields: Sequence[str], envelope: Envelope) -> None:
        self._slots, self._fields, self._envelope = slots, fields, envelope

    @staticmethod
    def fields_of(slots: Iterable[Slot]) -> tuple[str, ...]:
        """Return the columns and attributes that the slots need, sorted."""
        return tuple(sorted({name for slot in slots for name in slot.source.fields}))

    def recipients(self, deliveries: Sequence[ClaimedDelivery]) -> tuple[Recipient, ...]:
        """Return one recipient per delivery, in the same order."""
        if not deliveries:
            return ()
        subscribers, emails, first_names, last_names, tokens, values = zip(*deliveries, strict=True)
        names = [
            f"{first} {last}" if first and last else first or last
            for first, last in zip(first_names, last_names, strict=True)
        ]
        urls = list(map(self._envelope.unsubscribe_url, subscribers, tokens))
        columns = dict(zip(self._fields, zip(*values, strict=True), strict=False))
        chunk = ChunkColumns(fields=columns, links={Link.UNSUBSCRIBE: urls})
        written = [_written(slot, chunk) for slot in self._slots]
        slot_values = zip(*written, strict=True) if written else repeat((), len(deliveries))
        return tuple(map(_recipient, zip(subscribers, emails, names, urls, slot_values, strict=True)))


def _written(slot: Slot, chunk: ChunkColumns) -> Sequence[str]:
    """The values of a slot, each written as its place asks."""
    values = slot.source.column(chunk)
    if slot.escape is Escape.LINK:
        return values
    escape = ESCAPES[slot.escape]
    # Letters and digits of ASCII need no escape anywhere, and most values are one plain word.
    return [value if value.isalnum() and value.isascii() else escape(value) for value in values]
