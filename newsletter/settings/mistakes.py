"""Turns pydantic's errors about a user's file into mistakes with a line and a remedy."""

import difflib
from collections.abc import Callable, Sequence

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from newsletter.errors import FieldError, Fix, Location, Mistake, parts_of
from newsletter.model.typography import shortened

_MOST_TOLD = 50  # mistakes for one record
_LONGEST = 1_000  # characters of what is wrong, and of what to do
_GROUP = "must be a group of lines, not a single value"
# Our wording for the errors that a director can cause. Any other error keeps pydantic's sentence.
_EXPECTED = {
    "string_type": "must be text",
    **dict.fromkeys(("bool_type", "bool_parsing"), "must be true or false"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "must be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "must be a number"),
    **dict.fromkeys(("list_type", "tuple_type"), "must be a list"),
    "dict_type": _GROUP,
    "too_short": "is empty",
    **dict.fromkeys(("greater_than_equal", "greater_than"), "the number is too small"),
    **dict.fromkeys(("less_than_equal", "less_than"), "the number is too large"),
}
_REMEDY = {
    **dict.fromkeys(("bool_type", "bool_parsing"), "write true or false, without quotes"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "write only digits, for example 20"),
    **dict.fromkeys(("float_type", "float_parsing"), "write a number without quotes, for example 20 or 0.5"),
    "greater_than_equal": "write {ge:g} or more",
    "greater_than": "write a number greater than {gt:g}",
    "less_than_equal": "write {le:g} or less",
    "less_than": "write a number less than {lt:g}",
}
# These differ between the two kinds of files.
_REMEDY_IN_YAML = {
    **dict.fromkeys(("list_type", "tuple_type"), "write one item per line below it, each after a dash: `- item`"),
    "dict_type": "write lines such as `name: value` below it",
    "too_short": "write at least one item below it, after a dash: `- item`",
}
_REMEDY_IN_TOML = {
    **dict.fromkeys(("list_type", "tuple_type"), 'write the items in brackets: ["first", "second"]'),
    "dict_type": 'write lines such as name = "value" below it',
    "too_short": 'write at least one item in the brackets, for example ["first"]',
}


def mistakes_of(
    error: ValidationError, *, model: type[BaseModel], path: str, line_of: Callable[[Location], int | None]
) -> tuple[Mistake, ...]:
    """Return one mistake per pydantic error. `line_of` returns the line of a key."""
    found = error.errors(include_url=False)
    # A list may be too short only because its items are invalid. The items' own errors say what to do.
    parents = {details["loc"][:-1] for details in found}
    told = [details for details in found if details["type"] != "too_short" or details["loc"] not in parents]
    told = told[:_MOST_TOLD]
    is_toml = path.endswith(".toml")
    words = [(line_of(_location(details)), *_words(details, model, is_toml=is_toml)) for details in told]
    return tuple(
        Mistake(
            path=path,
            line=line,
            what=shortened(what, longest=_LONGEST),
            remedy=shortened(remedy, longest=_LONGEST),
            fix=fix,
        )
        for line, what, remedy, fix in words
    )


def suggestion(word: str, known: Sequence[str], *, otherwise: str = "") -> str:
    """Return `did you mean X?` if a known word is close, else `otherwise`, which by default lists the known words."""
    close = _closest(word, known)
    return f"did you mean {close}?" if close else otherwise or f"choose from {', '.join(sorted(known))}"


def _closest(word: str, known: Sequence[str]) -> str | None:
    return next(iter(difflib.get_close_matches(word, known, n=1)), None)


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


def _words(details: ErrorDetails, model: type[BaseModel], *, is_toml: bool) -> tuple[str, str, Fix | None]:
    """Return what is wrong, what to do, and the exact edit if there is one."""
    fix = None
    location, kind, value = details["loc"], details["type"], details["input"]
    key = " › ".join(f"item {part + 1}" if isinstance(part, int) else part for part in location) or "the file"
    expected = _EXPECTED.get(kind, within_sentence(details["msg"]))
    remedies = _REMEDY | (_REMEDY_IN_TOML if is_toml else _REMEDY_IN_YAML)
    what, remedy = f"{key}: {expected}", remedies.get(kind, "correct the value").format(**details.get("ctx", {}))
    match kind:
        case "missing":
            what, remedy = f"{key} is missing", _line_to_add(location, model, is_toml=is_toml)
        case "extra_forbidden":
            known = _known_keys(model, location[:-1])
            otherwise = f"delete the line, or use one of {', '.join(sorted(known))}"
            what, remedy = f"unknown key {key!r}", suggestion(str(location[-1]), known, otherwise=otherwise)
            if (close := _closest(str(location[-1]), known)) and not is_toml:
                fix = Fix(old=f"{location[-1]}:", new=f"{close}:")
        case "value_error":
            fault, remedy = parts_of(details["ctx"]["error"], otherwise=remedy)
            fix = getattr(details["ctx"]["error"], "fix", None)
            what = f"{key}: {fault}" if location else fault
        case "literal_error" | "enum":
            what, remedy = f"{key}: {value!r} is not valid", f"write {details['ctx']['expected']}"
        case _ if value is None:  # a key without a value after its colon
            what, remedy = f"{key} is empty", "write a value, or delete the line"
        case "string_type" if not isinstance(value, dict | list):
            remedy = f'put it in quotes: "{value}"'
        case "model_type" | "model_attributes_type":
            sign = " =" if is_toml else ":"
            lines = ", ".join(f"`{name}{sign} …`" for name in _known_keys(model, location))
            below = f"[{'.'.join(map(str, location))}]" if is_toml else "it"
            what, remedy = f"{key}: {_GROUP}", f"choose from these lines, and write them below {below}: {lines}"
    return what, remedy, fix


def _line_to_add(location: Location, model: type[BaseModel], *, is_toml: bool) -> str:
    """Return how to add a missing key, with the name of the table or of the key that it belongs to."""
    *above, name = location
    if is_toml and not above:
        lines = ", ".join(f"`{key} = …`" for key in _known_keys(model, location, only_required=True))
        return f"add the table [{name}], and below it the lines {lines}"
    if is_toml:
        return f"add the line `{name} = …` under [{'.'.join(map(str, above))}]"
    parent = " › ".join(f"item {part + 1}" if isinstance(part, int) else part for part in above)
    return f"add the line `{name}: …`{f' to {parent}' if parent else ''}"


def _known_keys(model: type[BaseModel], location: Location, *, only_required: bool = False) -> list[str]:
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
    fields = found.model_fields.items()
    return [info.alias or name for name, info in fields if info.is_required() or not only_required]


def _record_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        if (record := _record_in(inner)) is not None:
            return record
    return None
