"""Turns what pydantic found wrong in a user's file into mistakes with a line and a remedy."""

import difflib
from collections.abc import Callable, Sequence

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from newsletter.errors import Mistake

Location = tuple[str | int, ...]

# pydantic's own words, for what a director can write wrongly, in ours. Anything else keeps pydantic's sentence.
_EXPECTED = {
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must hold keys with values",
    "model_type": "must hold keys with values",
    "model_attributes_type": "must hold keys with values",
}
_REMEDY = {
    "string_type": 'put it in quotes, for example "12"',
    "list_type": "write one item a line, each after a dash",
    "tuple_type": "write one item a line, each after a dash",
    "dict_type": "write `key: value` lines below it",
    "model_type": "write `key: value` lines below it",
    "model_attributes_type": "write `key: value` lines below it",
}


def mistakes_of(
    error: ValidationError, *, model: type[BaseModel], path: str, line_of: Callable[[Location], int | None]
) -> tuple[Mistake, ...]:
    """One mistake for each of pydantic's errors; `line_of` gives the line on which a key stands."""
    return tuple(
        _mistake(details, model=model, path=path, line=line_of(tuple(details["loc"])))
        for details in error.errors(include_url=False)
    )


def suggestion(word: str, known: Sequence[str]) -> str:
    """`did you mean X?` where a known word is close, otherwise the list of the known ones."""
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]}?" if close else f"the known ones are {', '.join(sorted(known))}"


def _mistake(details: ErrorDetails, *, model: type[BaseModel], path: str, line: int | None) -> Mistake:
    key = _key(details["loc"])
    kind = details["type"]
    if kind == "extra_forbidden":
        known = _known_keys(model, details["loc"][:-1])
        return Mistake(
            path=path, line=line, what=f"unknown key {key}", remedy=suggestion(str(details["loc"][-1]), known)
        )
    if kind == "missing":
        return Mistake(path=path, line=line, what=f"{key} is missing", remedy="add it")
    if kind == "value_error":
        what, _, remedy = str(details["ctx"]["error"]).partition("; ")
        return Mistake(path=path, line=line, what=f"{key}: {what}", remedy=remedy or "correct it")
    if kind == "literal_error":
        return Mistake(
            path=path,
            line=line,
            what=f"{key}: {details['input']!r} is not possible",
            remedy=f"write {details['ctx']['expected']}",
        )
    expected = _EXPECTED.get(kind, details["msg"][:1].lower() + details["msg"][1:])
    return Mistake(path=path, line=line, what=f"{key}: {expected}", remedy=_REMEDY.get(kind, "correct the value"))


def _key(location: Location) -> str:
    words = [f"item {part + 1}" if isinstance(part, int) else str(part) for part in location]
    return " › ".join(words) or "the file"


def _known_keys(model: type[BaseModel], location: Location) -> list[str]:
    """The keys that the record at this location has, following lists and mappings of records."""
    found: type[BaseModel] | None = model
    for part in location:
        if found is None or isinstance(part, int):
            continue
        for name, info in found.model_fields.items():
            if (info.alias or name) == part:
                found = _record_in(info.annotation)
                break
    if found is None:
        return []
    return [info.alias or name for name, info in found.model_fields.items()]


def _record_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        if (record := _record_in(inner)) is not None:
            return record
    return None
