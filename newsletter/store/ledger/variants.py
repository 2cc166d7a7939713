"""Save and load the frozen content of a broadcast.

A variant is stored as JSON, compressed with zlib. Its images are stored separately, because variants share them.
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple, NotRequired, TypedDict

import orjson

from newsletter.model.ledger import VariantCount
from newsletter.model.readership import MAILBOX, ONLY, SHOWN, Readership
from newsletter.model.rendered import Picture, RenderedVariant
from newsletter.model.slot_sources import source_from, source_of
from newsletter.model.slots import Escape, MergeField, Slot, Template
from newsletter.store.database import Connection, Database
from newsletter.store.queries import change, query_all

TemplateData = tuple[tuple[str, ...], tuple[int, ...]]  # the parts, and the indexes of the slots between them


class VariantData(TypedDict):
    """A variant as the ledger stores it."""

    readership: NotRequired[tuple[tuple[str, str], ...]]
    language: str
    subject: TemplateData
    preheader: TemplateData
    html: TemplateData
    text: TemplateData
    slots: list[tuple[list[str | None], str] | tuple[str, str | None, str]]
    pictures: list[str]
    # An earlier version, which had two fixed axes, stored these two keys instead of `readership`.
    segments: NotRequired[list[str]]
    mailbox: NotRequired[str | None]


class VariantRow(NamedTuple):
    """The content of a variant."""

    number: int
    content: bytes


class SizedVariant(NamedTuple):
    """The content of a variant, and the number of its deliveries."""

    content: bytes
    size: int


_ADD_VARIANT = change("variants", "add_variant")
_ADD_PICTURE = change("variants", "add_picture")
_VARIANTS = query_all("variants", "variants", VariantRow)
_VARIANT_SIZES = query_all("variants", "variant_sizes", SizedVariant)
_PICTURES = query_all("variants", "pictures", Picture)


def save_variant(connection: Connection, *, broadcast_id: int, number: int, variant: RenderedVariant) -> None:
    """Save a variant and its images, except those already saved with another variant of the broadcast."""
    content = zlib.compress(orjson.dumps(_as_data(variant)))
    _ADD_VARIANT(connection, broadcast=broadcast_id, number=number, content=content)
    for picture in variant.pictures:
        _ADD_PICTURE(
            connection,
            broadcast=broadcast_id,
            name=picture.name,
            content_type=picture.content_type,
            width=picture.width,
            height=picture.height,
            content=picture.content,
        )


def load_variants(database: Database, broadcast_id: int) -> dict[str, RenderedVariant]:
    """Return the variants exactly as they were frozen, by the keys that claimed chunks use."""
    with database.read() as connection:
        variants = _VARIANTS(connection, broadcast=broadcast_id)
        pictures = {picture.name: picture for picture in _PICTURES(connection, broadcast=broadcast_id)}
    return {str(row.number): _variant(_data(row.content), pictures) for row in variants}


def variant_numbers(connection: Connection, broadcast_id: int) -> dict[Readership, int]:
    """Return the number of each saved variant by its readership."""
    rows = _VARIANTS(connection, broadcast=broadcast_id)
    return {_readership(_data(row.content)): row.number for row in rows}


def variant_counts(database: Database, broadcast_id: int) -> tuple[VariantCount, ...]:
    """Return the number of deliveries of each frozen variant."""
    return tuple(
        VariantCount(readership=_readership(_data(row.content)), deliveries=row.size)
        for row in _VARIANT_SIZES.ask(database, broadcast=broadcast_id)
    )


def _data(content: bytes) -> VariantData:
    data: VariantData = orjson.loads(zlib.decompress(content))
    return data


def _variant(data: VariantData, pictures: Mapping[str, Picture]) -> RenderedVariant:
    return RenderedVariant(
        readership=_readership(data),
        language=data["language"],
        subject=_template(*data["subject"]),
        preheader=_template(*data["preheader"]),
        html=_template(*data["html"]),
        text=_template(*data["text"]),
        slots=tuple(map(_slot, data["slots"])),
        pictures=tuple(pictures[name] for name in data["pictures"]),
    )


def _as_data(variant: RenderedVariant) -> VariantData:
    return {
        "readership": variant.readership.values,
        "language": variant.language,
        "subject": (variant.subject.parts, variant.subject.slots),
        "preheader": (variant.preheader.parts, variant.preheader.slots),
        "html": (variant.html.parts, variant.html.slots),
        "text": (variant.text.parts, variant.text.slots),
        "slots": [(slot.source.data, slot.escape.value) for slot in variant.slots],
        "pictures": [picture.name for picture in variant.pictures],
    }


def _readership(data: VariantData) -> Readership:
    if "readership" in data:
        return Readership(tuple((axis, value) for axis, value in data["readership"]))
    segments = [(f"{ONLY}{segment}", SHOWN) for segment in data["segments"]]
    mailbox = data.get("mailbox")
    return Readership((*segments, *([(MAILBOX, mailbox)] if mailbox else [])))


def _slot(data: tuple[list[str | None], str] | tuple[str, str | None, str]) -> Slot:
    if len(data) == 3:  # an earlier version stored the field's name, its default and the escape
        name, default, escape = data
        return Slot(source_of(MergeField(name, default)), Escape(escape))
    source, escape = data
    return Slot(source_from(source), Escape(escape))


def _template(parts: Sequence[str], slots: Sequence[int]) -> Template:
    return Template(parts=tuple(parts), slots=tuple(slots))
