"""A subscriber's values, escaped for each slot of a variant: what is done once for every single message."""

from collections.abc import Callable, Iterable, Sequence

from newsletter.model.broadcast import Envelope, Recipient
from newsletter.model.ledger import ClaimedDelivery
from newsletter.model.merge import RESERVED_FIELDS, UNSUBSCRIBE_FIELD, Slot
from newsletter.render.merge import ESCAPES

_REMEMBERED = 4096  # escaped values kept a slot: first names and languages come again and again


class Personaliser:
    """Makes the recipients of one variant from claimed deliveries."""

    def __init__(self, slots: Sequence[Slot], fields: Sequence[str]) -> None:
        self._writers = [_writer(slot, fields) for slot in slots]

    @staticmethod
    def fields_of(slots: Iterable[Slot]) -> tuple[str, ...]:
        """The columns and attributes that the slots need, sorted."""
        return tuple(sorted({slot.field.name for slot in slots} - RESERVED_FIELDS))

    def recipients(self, deliveries: Iterable[ClaimedDelivery], envelope: Envelope) -> tuple[Recipient, ...]:
        """One recipient a delivery; `values` of a delivery stand in the order of the fields."""
        return tuple([self._recipient(delivery, envelope) for delivery in deliveries])

    def _recipient(self, delivery: ClaimedDelivery, envelope: Envelope) -> Recipient:
        subscriber, email, first_name, last_name, token, values = delivery
        unsubscribe_url = envelope.unsubscribe_url(subscriber, token)
        return Recipient(
            subscriber,
            email,
            f"{first_name} {last_name}".strip(),
            unsubscribe_url,
            tuple([write(values, unsubscribe_url) for write in self._writers]),
        )


def _writer(slot: Slot, fields: Sequence[str]) -> Callable[[Sequence[str], str], str]:
    """A function from a person's values and link to what stands in the slot."""
    escape = ESCAPES[slot.escape]
    if slot.field.name == UNSUBSCRIBE_FIELD:
        return lambda _, unsubscribe_url: escape(unsubscribe_url)
    index = fields.index(slot.field.name)
    default = escape(slot.field.default or "")
    remembered: dict[str, str] = {"": default}

    def write(values: Sequence[str], _: str) -> str:
        value = values[index]
        written = remembered.get(value)
        if written is None:
            written = escape(value)
            if len(remembered) < _REMEMBERED:
                remembered[value] = written
        return written

    return write
