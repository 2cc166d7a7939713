"""What is said of a wrong expression: what is wrong, what to write instead, and a caret under the place."""

import difflib
import re
from collections.abc import Iterable
from unicodedata import east_asian_width

from lark import UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from msgspec import Struct

_WIDEST = 72  # characters of the expression that are shown around the place
_MOST_NAMED = 8  # names that are listed where none is alike

_REMEDY_FOR_FOUND = (
    (re.compile("="), "write ="),
    (re.compile("&"), "write and"),
    (re.compile(r"\|"), "write or"),
    (re.compile(r"!(?!\s*=)"), "write not"),
    (re.compile("[“”„‘’«»]"), 'use straight quotes: "es"'),
    (re.compile("[\"'][^\"']*$"), "close the quote"),
    (re.compile("[-/.][0-9]"), "write a day as 2025-06-01"),
)
_REMEDY_FOR_EXPECTED = (
    ({"DOUBLE", "SINGLE", "RPAR"}, 'an issue, a tag or a topic stands in quotes, for example opened("2026-01")'),
    ({"DOUBLE", "SINGLE"}, 'a value stands in quotes, for example language = "es"; a day is written 2025-06-01'),
    ({"OPERATOR"}, "after a field comes = != < <= > >=, in (…) or not in (…)"),
    ({"NAME"}, 'write a condition, for example language = "es", tagged("teacher") or everyone'),
    ({"UNIT"}, "join two conditions with and, or; a span of time is written 90 days ago"),
    ({"_AGO"}, "write ago: 90 days ago"),
    ({"COMMA", "RPAR"}, "put a comma between values, and a parenthesis after the last"),
    ({"RPAR", "_AND"}, "close the parenthesis, or join another condition with and, or"),
    ({"RPAR"}, "close the parenthesis"),
    ({"_AND"}, "join two conditions with and, or"),
    ({"LPAR"}, "open a parenthesis here"),
)
_REMEDY_OTHERWISE = "take it away, or join two conditions with and, or"


class Fault(Struct, frozen=True, kw_only=True):
    """One thing wrong in an expression, and the character, counted from 0, at which it stands."""

    position: int
    what: str
    remedy: str


def syntax_fault(expression: str, error: UnexpectedInput) -> Fault:
    """What the parser stumbled over."""
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        what = "the expression ends too early" if expression.strip() else "the expression is empty"
        return Fault(position=len(expression.rstrip()), what=what, remedy=_remedy("", error))
    position = error.pos_in_stream or 0
    return Fault(position=position, what="this does not fit here", remedy=_remedy(expression[position:], error))


def hint(word: str, known: Iterable[str], *, otherwise: str) -> str:
    """`did you mean X?` where a known word is alike, else some of the known ones; `otherwise` where there is none."""
    names = sorted(known)
    if close := difflib.get_close_matches(word, names, n=1):
        return f"did you mean {close[0]}?"
    if not names:
        return otherwise
    more = len(names) - _MOST_NAMED
    return f"the known ones are {', '.join(names[:_MOST_NAMED])}{f' and {more:,} more' if more > 0 else ''}"


def drawn(expression: str, position: int) -> str:
    """The expression, or what of it stands around the place, and a caret under the place; two lines, indented."""
    shown = "".join(character if character.isprintable() else " " for character in expression)
    first = max(0, min(position - _WIDEST // 2, len(shown) - _WIDEST))
    last = first + _WIDEST
    before, after = "…" if first else "", "…" if last < len(shown) else ""
    blank = "".join("  " if east_asian_width(character) in "WF" else " " for character in shown[first:position])
    return f"  {before}{shown[first:last]}{after}\n  {' ' * len(before)}{blank}^"


def _remedy(rest: str, error: UnexpectedInput) -> str:
    """What to write instead: by what stands at the place, else by what may stand there."""
    for pattern, remedy in _REMEDY_FOR_FOUND:
        if pattern.match(rest):
            return remedy
    expected = _expected(error)
    if not rest:
        expected -= {"UNIT"}  # the number may well be one
    return next((remedy for terminals, remedy in _REMEDY_FOR_EXPECTED if terminals <= expected), _REMEDY_OTHERWISE)


def _expected(error: UnexpectedInput) -> frozenset[str]:
    """The terminals that may stand at the place."""
    if isinstance(error, UnexpectedToken):
        return frozenset(error.accepts or error.expected)
    return frozenset(error.allowed or ()) if isinstance(error, UnexpectedCharacters) else frozenset()
