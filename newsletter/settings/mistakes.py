"""Turns pydantic's errors about a user's file into mistakes with a line and a remedy."""

import difflib
from collections.abc import Callable, Sequence

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from newsletter.errors import FieldError, Location, Mistake, parts_of

# Our wording for the errors that a director can cause. Any other error keeps pydantic's sentence.
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
    "dict_type": "must be a table of keys and values",
    "too_short": "is empty",
}
_REMEDY = {
    "list_type": "write one item per line, each after a dash",
    "tuple_type": "write one item per line, each after a dash",
    "dict_type": "write lines such as `key: value` below it",
    "too_short": "write at least one item",
}


def mistakes_of(
    error: ValidationError, *, model: type[BaseModel], path: str, line_of: Callable[[Location], int | None]
) -> tuple[Mistake, ...]:
    """Return one mistake per pydantic error. `line_of` returns the line of a key."""
    found = error.errors(include_url=False)
    # A list may be too short only because its items are invalid. The items' own errors say what to do.
    parents = {details["loc"][:-1] for details in found}
    told = [details for details in found if details["type"] != "too_short" or details["loc"] not in parents]
    words = [(line_of(_location(details)), *_words(details, model)) for details in told]
    return tuple(Mistake(path=path, line=line, what=what, remedy=remedy) for line, what, remedy in words)


def suggestion(word: str, known: Sequence[str], *, otherwise: str = "") -> str:
    """Return `did you mean X?` if a known word is close, else `otherwise`, which by default lists the known words."""
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]}?" if close else otherwise or f"choose from {', '.join(sorted(known))}"


def within_sentence(text: str) -> str:
    """Return a title or a library's sentence in a form that can continue one of ours, for example after a colon.

    The first letter becomes lowercase, unless the text begins with an abbreviation such as DKIM.
    """
    text = text.rstrip(".")
    return text if text[1:2].isupper() else f"{text[:1].lower()}{text[1:]}"


def _location(details: ErrorDetails) -> Location:
    """Return the location of the invalid key. A check that compares several keys names the one to report."""
    location = tuple(details["loc"])
    fault = details["ctx"]["error"] if details["type"] == "value_error" else None
    return (*location, fault.key) if isinstance(fault, FieldError) else location


def _words(details: ErrorDetails, model: type[BaseModel]) -> tuple[str, str]:
    """Return what is wrong, and what to do."""
    location, kind, value = details["loc"], details["type"], details["input"]
    key = " › ".join(f"item {part + 1}" if isinstance(part, int) else part for part in location) or "the file"
    expected = _EXPECTED.get(kind, within_sentence(details["msg"]))
    what, remedy = f"{key}: {expected}", _REMEDY.get(kind, "correct the value")
    match kind:
        case "missing":
            what, remedy = f"{key} is missing", "add it"
        case "extra_forbidden":
            what, remedy = f"unknown key {key}", suggestion(str(location[-1]), _known_keys(model, location[:-1]))
        case "value_error":
            fault, remedy = parts_of(details["ctx"]["error"], otherwise=remedy)
            what = f"{key}: {fault}" if location else fault
        case "literal_error" | "enum":
            what, remedy = f"{key}: {value!r} is not a possible value", f"write {details['ctx']['expected']}"
        case _ if value is None:  # a key without a value after its colon
            what, remedy = f"{key} is empty", "write a value, or delete the line"
        case "string_type" if not isinstance(value, dict | list):
            remedy = f'put it in quotes: "{value}"'
        case "model_type" | "model_attributes_type":
            what = f"{key}: must be a table of keys and values"
            remedy = f"write these keys below it: {', '.join(_known_keys(model, location))}"
    return what, remedy


def _known_keys(model: type[BaseModel], location: Location) -> list[str]:
    """Return the keys of the record at this location, following lists and mappings of records."""
    found: type[BaseModel] | None = model
    for part in location:
        if found is None or isinstance(part, int):
            continue
        for name, info in found.model_fields.items():
            if (info.alias or name) == part:
                found = _record_in(info.annotation)
                break
        else:  # not a field: the record may accept keys of any name
            found = _record_in(found.__annotations__.get("__pydantic_extra__"))
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
