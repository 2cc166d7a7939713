"""A subscriber's values, escaped for each slot of a variant: what is done once for every single message."""

from collections.abc import Callable, Iterable, Sequence

from newsletter.model.broadcast import Envelope, Recipient
from newsletter.model.ledger import ClaimedDelivery
from newsletter.model.merge import RESERVED_FIELDS, UNSUBSCRIBE_FIELD, Slot
from newsletter.render.merge import ESCAPES

_Writer = Callable[[Sequence[str], str], str]  # a person's values and unsubscribe link → what stands in a slot


class Personaliser:
    """Makes the recipients of one variant from claimed deliveries, whose values stand in the order of `fields`."""

    def __init__(self, slots: Sequence[Slot], fields: Sequence[str], envelope: Envelope) -> None:
        self._writers = tuple(_writer(slot, fields) for slot in slots)
        self._envelope = envelope

    @staticmethod
    def fields_of(slots: Iterable[Slot]) -> tuple[str, ...]:
        """The columns and attributes that the slots need, sorted."""
        return tuple(sorted({slot.field.name for slot in slots} - RESERVED_FIELDS))

    def recipients(self, deliveries: Iterable[ClaimedDelivery]) -> tuple[Recipient, ...]:
        """One recipient a delivery."""
        return tuple([self._recipient(delivery) for delivery in deliveries])

    def _recipient(self, delivery: ClaimedDelivery) -> Recipient:
        subscriber, email, first_name, last_name, token, values = delivery
        unsubscribe_url = self._envelope.unsubscribe_url(subscriber, token)
        name = f"{first_name} {last_name}" if first_name and last_name else first_name or last_name
        written = tuple([write(values, unsubscribe_url) for write in self._writers])
        return Recipient(subscriber, email, name, unsubscribe_url, written)


def _writer(slot: Slot, fields: Sequence[str]) -> _Writer:
    if slot.field.name == UNSUBSCRIBE_FIELD:
        return lambda _, unsubscribe_url: unsubscribe_url
    escape = ESCAPES[slot.escape]
    index, default = fields.index(slot.field.name), escape(slot.field.default or "")
    return lambda values, _: escape(values[index]) if values[index] else default
