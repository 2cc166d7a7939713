"""Makes records of what a user's file says, or tells each mistake with its line."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError

from newsletter.content.source import Document, Reading
from newsletter.model.issue import Source
from newsletter.model.issue_fields import Fields
from newsletter.model.mistakes import mistakes_of

_FieldsT = TypeVar("_FieldsT", bound=Fields)


def record_of(
    document: Document, model: type[_FieldsT], reading: Reading, context: Mapping[str, object] | None = None
) -> _FieldsT | None:
    """The keys of a document as a record; None, with its mistakes noted, where they are wrong."""
    try:
        return model.model_validate(document.data, context=context)
    except ValidationError as err:
        line_of = Source(path=document.path, lines=document.lines).at
        reading.mistakes += mistakes_of(
            err, model=model, path=document.path, line_of=lambda location: line_of(*location).line
        )
        return None
