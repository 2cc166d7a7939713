"""Keeps the content of a broadcast as it was frozen."""

import zlib
from collections.abc import Mapping
from typing import Any

import orjson

from newsletter.model.ledger import VariantCount
from newsletter.model.readership import MAILBOX, ONLY, SHOWN, Readership
from newsletter.model.rendered import Picture, RenderedVariant
from newsletter.model.slots import Escape, MergeField, Slot, Template, source_from, source_of
from newsletter.store.database import Connection, Database
from newsletter.store.queries import load_queries

_SQL = load_queries("variants")


def save_variant(connection: Connection, *, broadcast_id: int, number: int, variant: RenderedVariant) -> None:
    """Keeps a variant, and those of its pictures that no other variant of the broadcast brought."""
    content = zlib.compress(orjson.dumps(_as_data(variant)))
    _SQL.add_variant(connection, broadcast=broadcast_id, number=number, content=content)
    for picture in variant.pictures:
        _SQL.add_picture(
            connection,
            broadcast=broadcast_id,
            name=picture.name,
            content_type=picture.content_type,
            width=picture.width,
            height=picture.height,
            content=picture.content,
        )


def load_variants(database: Database, broadcast_id: int) -> dict[str, RenderedVariant]:
    """The variants exactly as they were frozen, under the keys that claimed chunks name."""
    with database.read() as connection:
        contents = dict(_SQL.variants(connection, broadcast=broadcast_id))
        pictures = {
            name: Picture(name=name, content_type=content_type, content=content, width=width, height=height)
            for name, content_type, content, width, height in _SQL.pictures(connection, broadcast=broadcast_id)
        }
    return {str(number): _variant(content, pictures) for number, content in contents.items()}


def variant_counts(database: Database, broadcast_id: int) -> tuple[VariantCount, ...]:
    """How many deliveries there are of each variant that was frozen."""
    with database.read() as connection:
        sizes = list(_SQL.variant_sizes(connection, broadcast=broadcast_id))
    return tuple(
        VariantCount(readership=_readership(orjson.loads(zlib.decompress(content))), deliveries=size)
        for content, size in sizes
    )


def _variant(content: bytes, pictures: Mapping[str, Picture]) -> RenderedVariant:
    data = orjson.loads(zlib.decompress(content))
    return RenderedVariant(
        readership=_readership(data),
        language=data["language"],
        subject=_template(data["subject"]),
        preheader=_template(data["preheader"]),
        html=_template(data["html"]),
        text=_template(data["text"]),
        slots=tuple(_slot(*each) for each in data["slots"]),
        pictures=tuple(pictures[name] for name in data["pictures"]),
    )


def _as_data(variant: RenderedVariant) -> dict[str, object]:
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


def _readership(data: Mapping[str, Any]) -> Readership:
    if "readership" in data:
        return Readership(tuple((axis, value) for axis, value in data["readership"]))
    # Frozen by a version that knew two axes by name.
    segments = [(f"{ONLY}{segment}", SHOWN) for segment in data["segments"]]
    mailbox = data.get("mailbox")
    return Readership((*segments, *([(MAILBOX, mailbox)] if mailbox else [])))


def _slot(*data: Any) -> Slot:
    if len(data) == 3:  # frozen by a version that kept a field's name and default
        name, default, escape = data
        return Slot(source_of(MergeField(name, default)), Escape(escape))
    source, escape = data
    return Slot(source_from(source), Escape(escape))


def _template(data: list[Any]) -> Template:
    parts, slots = data
    return Template(parts=tuple(parts), slots=tuple(slots))
