"""Turns what a file contains into a record, an item or a section.

Files that have not changed give the same objects as before. So whatever depends only on such an object can be cached by
its identity, and a rebuild after an edit repeats little work.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace
from pydantic import ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails

from newsletter.content.keys import LINE_READERS
from newsletter.content.source import Document, Reading, WrittenKeys
from newsletter.errors import FaultError, Location
from newsletter.model.issue import Item, Section
from newsletter.model.issue_fields import EventFields, SectionFields, without_form
from newsletter.model.prose import Prose
from newsletter.model.typography import in_quotes
from newsletter.model.values import Fields
from newsletter.settings.mistakes import mistakes_of

_FieldsT = TypeVar("_FieldsT", bound=Fields)


def record_of(
    document: Document, model: type[_FieldsT], reading: Reading, require_picture: Callable[[str], None] = lambda _: None
) -> _FieldsT | None:
    """Return the settings of a document as a record. If they are wrong, note the mistakes and return None.

    `require_picture` is called with the name of each image, and raises FaultError if the image cannot be used.
    """
    known, pictures = known_record(document.keys, model)
    with suppress(FaultError):
        for name in pictures:
            require_picture(name)
        if isinstance(known, model):
            return known
    try:
        return model.model_validate(document.data, context={**LINE_READERS, "require_picture": require_picture})
    except ValidationError as err:

        def line_of(location: Location) -> int | None:
            return document.source.at(*location).line

        told = {mistake.line for mistake in reading.mistakes if mistake.path == document.path}
        found: list[ErrorDetails] = [
            {**details, "loc": without_form(details["loc"])} for details in err.errors(include_url=False)
        ]
        errors = [
            _of_a_writer(details, document.lines)
            for details in found
            if document.lines.get(tuple(details["loc"])) not in told  # do not report a line twice
        ]
        left = ValidationError.from_exception_data(err.title, errors)
        reading.note(mistakes_of(left, model=model, path=document.path, line_of=line_of))
        return None


@lru_cache(maxsize=1024)
def known_record(keys: WrittenKeys, model: type[Fields]) -> tuple[Fields | None, tuple[str, ...]]:
    """Return settings as a record, or None if they are wrong, and the names of the images in them."""
    pictures: list[str] = []
    try:
        record = model.model_validate(keys.data, context={**LINE_READERS, "require_picture": pictures.append})
    except ValidationError:
        return None, ()
    return record, tuple(pictures)


def _of_a_writer(details: ErrorDetails, lines: Mapping[Location, int]) -> InitErrorDetails:
    """Return pydantic's error. If a colon or brackets turned text into something else, return one that explains this.

    `lines` has the line of each key and item.
    """
    kind, context, value = details["type"], details.get("ctx", {}), details["input"]
    if kind == "string_type" and isinstance(value, dict) and len(value) == 1:
        ((key, rest),) = value.items()
        if rest is None or isinstance(rest, str):
            text = f"{key}: {rest or ''}".rstrip()
            fault = FaultError(f"the colon after “{key}” makes it a key", f"put the text in quotes: {in_quotes(text)}")
            kind, context = "value_error", {"error": fault}
    elif kind == "string_type" and isinstance(value, list):
        location = tuple(details["loc"])
        fault = FaultError("there is a list instead of text", "write one text after the colon")
        # Items on the line of their key are in brackets.
        if lines.get(location) == lines.get((*location, 0)) and all(isinstance(each, str) for each in value):
            text = in_quotes(f"[{', '.join(value)}]")
            fault = FaultError("the brackets make a list of the text", f"put the text in quotes: {text}")
        kind, context = "value_error", {"error": fault}
    return InitErrorDetails(type=kind, loc=details["loc"], input=value, ctx=context)


class Read(Struct, Generic[_FieldsT], frozen=True, eq=False):
    """A document, and what it was read as. Two are equal if their document is the same, as the rest follows from it."""

    document: Document
    fields: _FieldsT
    prose: Prose

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Read) and self.document is other.document

    def __hash__(self) -> int:
        return hash(self.document)


@lru_cache(maxsize=512)
def without_type(document: Document) -> Document:
    """Return the document of a section without the key that names its type."""
    return replace(document, keys=_without_type(document.keys))


@lru_cache(maxsize=512)
def _without_type(keys: WrittenKeys) -> WrittenKeys:
    return WrittenKeys({key: value for key, value in keys.data.items() if key != "type"}, keys.lines)


@lru_cache(maxsize=1024)
def item_of(name: str, uid: str, zone: ZoneInfo, read: Read[EventFields]) -> Item:
    """Return an item. If its file has not changed, it is the same object as before."""
    source, digest = read.document.source, read.document.digest
    return Item(name=name, uid=uid, fields=read.fields, prose=read.prose, source=source, digest=digest, zone=zone)


@lru_cache(maxsize=512)
def section_of(
    name: str, type_name: str, only: str | None, read: Read[SectionFields], items: tuple[Item, ...], language: str = ""
) -> Section:
    """Return a section. If its files have not changed, it is the same object as before."""
    return Section(
        name=name,
        type=type_name,
        only=only,
        fields=read.fields,
        prose=read.prose,
        items=items,
        source=read.document.source,
        fingerprint="-".join([read.document.digest, *(item.digest for item in items)]),
        language=language,
    )
