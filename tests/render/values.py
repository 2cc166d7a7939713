"""Fills slots as the broadcast does."""

from collections.abc import Mapping, Sequence

from newsletter.model.broadcast import Envelope
from newsletter.model.ledger import ClaimedDelivery
from newsletter.model.slots import Slot
from newsletter.render.merge import Personalizer
from tests.store.builders import NOW

TOKEN = "0a1b2c"


def slot_values(
    slots: Sequence[Slot], values: Mapping[str, str], *, service_url: str = "https://news.example.org"
) -> tuple[str, ...]:
    """The values of the person with the id 1, escaped for each slot."""
    envelope = Envelope(
        from_name="", from_email="news@example.org", reply_to="", list_name="", list_id="", service_url=service_url
    )
    fields = Personalizer.fields_of(slots)
    claimed = ClaimedDelivery(1, "ana@example.org", "", "", TOKEN, tuple(values.get(name, "") for name in fields))
    (recipient,) = Personalizer(slots, fields, envelope, made_at=NOW).recipients([claimed])
    return recipient.values
