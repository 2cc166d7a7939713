"""The email for one reader, with a mark at each merge value that is unknown, so that a preview can show it."""

from collections.abc import Callable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Self

from msgspec import Struct

from newsletter.config import Config
from newsletter.model.readership import Reader
from newsletter.model.rendered import RenderedVariant
from newsletter.model.slots import Slot, Template
from newsletter.workflows.compose.sample import recipient_of


class MergeDoubt(StrEnum):
    """Why a merge value is marked."""

    DEFAULT = "default"  # the list has no value, so the default text is shown
    MISSING = "missing"  # the list has no value and there is no default, so nothing is shown


class Piece(Struct, frozen=True):
    """A part of the email: a text that is the same for all readers, or a merge value, escaped for its place."""

    text: str
    field: str = ""  # the merge field, if its value is unknown
    doubt: MergeDoubt | None = None


class MarkedText(Struct, frozen=True):
    """A subject, a preheader, HTML or plain text in pieces."""

    pieces: tuple[Piece, ...]

    def __str__(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    @classmethod
    def of(cls, template: Template, values: tuple[str, ...], slots: tuple[Slot, ...], reader: Reader) -> Self:
        """Return a template filled with the values, which are in the order of the slots."""
        return cls(tuple(_pieces(template, values, slots, reader)))

    def marked(self, mark: Callable[[Piece], str]) -> str:
        """Return the text with each doubtful piece replaced by what `mark` returns for it."""
        return "".join(mark(piece) if piece.doubt else piece.text for piece in self.pieces)


class MarkedMail(Struct, frozen=True, kw_only=True):
    """One email as its reader would receive it, with its merge values in pieces of their own."""

    subject: MarkedText
    preheader: MarkedText
    html: MarkedText
    text: MarkedText


def marked_mail(config: Config, variant: RenderedVariant, reader: Reader, *, made_at: datetime) -> MarkedMail:
    """Return the email that a reader receives from a broadcast created at this time, in pieces."""
    values, slots = recipient_of(config, variant, reader, made_at=made_at).values, variant.slots
    return MarkedMail(
        subject=MarkedText.of(variant.subject, values, slots, reader),
        preheader=MarkedText.of(variant.preheader, values, slots, reader),
        html=MarkedText.of(variant.html, values, slots, reader),
        text=MarkedText.of(variant.text, values, slots, reader),
    )


def _pieces(template: Template, values: tuple[str, ...], slots: tuple[Slot, ...], reader: Reader) -> Iterator[Piece]:
    yield Piece(template.parts[0])
    for index, part in zip(template.slots, template.parts[1:], strict=True):
        source = slots[index].source  # without a time zone there is no local time, and nothing is missing
        fields = () if source.is_shared else source.fields
        unknown = next((name for name in fields if not reader.fields.get(name)), "")
        doubt = (MergeDoubt.DEFAULT if values[index] else MergeDoubt.MISSING) if unknown else None
        yield Piece(values[index], unknown, doubt)
        yield Piece(part)
