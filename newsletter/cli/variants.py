"""The variants of an issue, on the screen and for scripts."""

from collections.abc import Sequence

from newsletter.model.ledger import VariantCount


def variant_lines(counts: Sequence[VariantCount]) -> str:
    """How many see what, a line a variant."""
    return "\n".join(f"{count.deliveries:,} see {count.readership.sees or 'the rest alone'}" for count in counts)


def variants_data(counts: Sequence[VariantCount]) -> list[dict[str, object]]:
    """How many get which variant, for a script."""
    return [
        {
            "segments": sorted(count.readership.segments),
            "mailbox": count.readership.mailbox,
            "deliveries": count.deliveries,
        }
        for count in counts
    ]
