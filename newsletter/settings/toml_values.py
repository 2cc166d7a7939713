"""Finds what is wrong with one value in a TOML file, and shows how to write it."""

import re
from typing import Final, NamedTuple

from newsletter.model.typography import (
    CURLY_QUOTES,
    STRAIGHT_QUOTES,
    end_of_quotes,
    in_quotes,
    shortened,
    unknown_escape,
)

_NUMBER = re.compile(r"[+-]?(?:0|[1-9][0-9_]*)(?:\.[0-9_]+)?(?:[eE][+-]?[0-9_]+)?|0[xob][0-9A-Fa-f_]+|[+-]?(?:inf|nan)")
_TIME = re.compile(r"\d\d:\d\d(?::\d\d)?(?:\.\d+)?")
_DATE = re.compile(rf"\d{{4}}-\d\d-\d\d(?:[T ]{_TIME.pattern}(?:Z|[+-]\d\d:\d\d)?)?")
_GROUPED_NUMBER = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+")
_TRUTH: Final = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}
_ESCAPES: Final = 'btnfr"\\uU'


class ValueFault(NamedTuple):
    """What is wrong with a value, and what to do."""

    what: str
    remedy: str


def fault_in_value(prefix: str, value: str) -> ValueFault | None:
    """Check a value that is not a list: text in quotes, a number, a date, true or false.

    `prefix` is the text before the value, such as `name = `. Return None if the value is correct.
    """
    key = prefix.partition(" ")[0]
    if value[0] in STRAIGHT_QUOTES:
        return _fault_in_quotes(prefix, value)
    bare = value.partition("#")[0].strip()
    if is_bare_value(bare):
        return None
    remedy = f"write {prefix}{in_quotes(value)}"
    if value[0] in CURLY_QUOTES:
        what = f"the text of {key} is in curly quotes"
        remedy = f"write straight quotes: {prefix}{in_quotes(inside_quotes(value))}"
    elif bare.lower() in _TRUTH:
        what = f"{key} is {bare}"
        remedy = f"write {prefix}{_TRUTH[bare.lower()]}, or put it in quotes if it is text"
    elif _GROUPED_NUMBER.fullmatch(bare):
        what = f"the number in {key} contains a comma"
        remedy = f"write {prefix}{bare.replace(',', '')}"
    elif re.fullmatch(r"0[0-9]+", bare):
        what = f"the number in {key} begins with 0"
        remedy = f'write {prefix}{bare.lstrip("0") or 0}, or "{bare}" as text'
    elif value[-1] in STRAIGHT_QUOTES + CURLY_QUOTES:
        what = f"the text of {key} has no opening quote"
        remedy = f"write {prefix}{in_quotes(value[:-1])}"
    else:
        what = f"the text of {key} is not in quotes"
    return ValueFault(what, remedy)


def _fault_in_quotes(prefix: str, value: str) -> ValueFault | None:
    key, sign = prefix.partition(" ")[0], value[0]
    end = end_of_quotes(value, 1, sign)
    if end is None:
        words = value[1:-1] if value[-1] in CURLY_QUOTES else value[1:]
        what = f"the text of {key} has no closing quote"
        if value[-1] in CURLY_QUOTES:
            what = f"the text of {key} ends with a curly quote"
        return ValueFault(what, f"write {prefix}{in_quotes(words)}")
    rest = value[end:].strip()
    if rest and not rest.startswith("#"):
        whole = value[1:-1] if value[-1] == sign and len(value) > end + 1 else value
        if sign == "'" and value[-1] != sign:
            whole = value[1:]
        what = f"the text of {key} continues after its closing quote"
        return ValueFault(what, f"write {prefix}{in_quotes(whole)}")
    if sign == '"' and (escape := unknown_escape(value[:end], _ESCAPES)):
        what = f"the text of {key} has a backslash in double quotes ({escape})"
        return ValueFault(what, f"write {prefix}{in_quotes(value[1 : end - 1])}")
    return None


def inside_quotes(value: str) -> str:
    """Return text without the quotes around it, or the word `text` if it is empty or a comment."""
    if not value.strip("#") or value.startswith("# "):
        return "text"
    return value.strip(f"{CURLY_QUOTES}{STRAIGHT_QUOTES}")


def as_value(text: str) -> str:
    """Return text as a TOML value: unchanged if it is already a value, otherwise in quotes."""
    is_value = text[:1] in {'"', "'", "[", "{"} or is_bare_value(text)
    return shortened(text) if is_value else in_quotes(text)


def is_bare_value(text: str) -> bool:
    """Return whether text without quotes is a value: a number, a date, true or false."""
    return text in {"true", "false"} or any(kind.fullmatch(text) for kind in (_NUMBER, _DATE, _TIME))
