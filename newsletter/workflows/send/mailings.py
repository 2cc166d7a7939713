"""Turn the claimed chunks of a broadcast into the form that a provider accepts."""

from collections.abc import Mapping

from newsletter.language.local_times import Clock, LocalTextsBy
from newsletter.model.broadcast import Broadcast, Mailing, OutgoingChunk
from newsletter.model.ledger import ClaimedChunk
from newsletter.model.rendered import RenderedVariant
from newsletter.render.merge import Personalizer


class Mailings:
    """The mailings of a broadcast, one per variant and batch id. Each is made when it is first needed."""

    def __init__(self, broadcast: Broadcast, variants: Mapping[str, RenderedVariant], clock: Clock) -> None:
        """Take the clock for local times. Each is written once for all variants in a language."""
        self._local_texts = LocalTextsBy(clock)
        self.fields = Personalizer.fields_of(slot for variant in variants.values() for slot in variant.slots)
        self._broadcast = broadcast
        self._variants = variants
        self._made: dict[tuple[str, str], tuple[Mailing, Personalizer]] = {}

    def outgoing(self, chunk: ClaimedChunk) -> OutgoingChunk:
        """Return a claimed chunk in the form that a provider accepts."""
        key = (chunk.variant_key, chunk.batch_id)
        if key not in self._made:  # two workers may do this at the same time; the result is the same
            self._made[key] = self._make(*key)
        mailing, personalizer = self._made[key]
        return OutgoingChunk(
            mailing=mailing,
            number=chunk.number,
            attempt=chunk.attempt,
            recipients=personalizer.recipients(chunk.deliveries),
            hold_until=chunk.hold_until,
            tries=chunk.tries,
            are_others_accepted=chunk.are_others_accepted,
        )

    def _make(self, variant_key: str, batch_id: str) -> tuple[Mailing, Personalizer]:
        variant, broadcast = self._variants[variant_key], self._broadcast
        mailing = Mailing(
            broadcast=broadcast.mailing_id,
            category=f"{broadcast.issue}-b{broadcast.id}",
            envelope=broadcast.envelope,
            variant_key=variant_key,
            variant=variant,
            nonce=broadcast.nonce,
            batch_id=batch_id,
            is_automatic=broadcast.kind.is_letter,
        )
        personalizer = Personalizer(
            variant.slots,
            self.fields,
            broadcast.envelope,
            made_at=broadcast.created_at,
            broadcast=broadcast.id,
            nonce=broadcast.nonce,
            local_texts=self._local_texts,
        )
        return mailing, personalizer
