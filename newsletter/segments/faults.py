"""Messages about invalid expressions: what is wrong, what to write instead, and a caret below the mistake."""

import difflib
import re
from collections.abc import Iterable
from unicodedata import east_asian_width

from lark import UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from msgspec import Struct

_WIDEST = 72  # the most characters of an expression that are shown
_LONGEST_FOUND = 30  # the most characters of the part that is not valid
_MOST_NAMED = 8  # the most names that are listed if none is similar

_QUOTE_INSIDE = "write a quote inside the value twice: 'it''s'"
# Patterns of the text before the mistake and at it, and what to write instead. `{0}` is the first of their groups.
_VALUE = r"""(?:"[^"]*"|'[^']*'|-?[\d.]+|\d{4}-\d\d-\d\d)"""
_REMEDY_IN_CONTEXT = (
    (
        re.compile(r"\b([a-z]+)\s*\(\s*([\w.-]*)$", re.I),
        re.compile(r"([\w.-]+)\s*\)"),
        'put the value in quotes: {0}("{1}{2}")',
    ),
    (re.compile(r"\d{4}-\d\d-\d\d\s+$"), re.compile(r"\d{1,2}:\d\d"), "put a date with a time in quotes"),
    (re.compile(r"<\s*$"), re.compile(">"), "write !="),
    (re.compile(r"=\s*$"), re.compile("([<>])"), "write {0}="),
    (
        re.compile(rf"\b(\w+)\s*=\s*({_VALUE})\s+or\s+$", re.I),
        re.compile(rf"({_VALUE}(?:\s+or\s+{_VALUE})*)"),
        "write {0} in ({1}, {2})",
    ),
    (
        re.compile(rf"\b(\w+)\s*!=\s*({_VALUE})\s+(?:or|and)\s+$", re.I),
        re.compile(rf"({_VALUE}(?:\s+(?:or|and)\s+{_VALUE})*)"),
        "write {0} not in ({1}, {2})",
    ),
    (
        re.compile(r"\b(\w+\s+(?:not\s+)?in)\s+$", re.I),
        re.compile(rf"({_VALUE}(?:\s*,\s*{_VALUE})*)"),
        "put the values in parentheses: {0} ({1})",
    ),
)
_BETWEEN_VALUES = re.compile(r"\s+(?:or|and)\s+", re.I)
_REMEDY_FOR_FOUND = (
    (re.compile(r";\s*$"), "delete the semicolon"),
    (re.compile("≠"), "write !="),
    (re.compile("≤"), "write <="),
    (re.compile("≥"), "write >="),
    (re.compile("="), "write a single ="),
    (re.compile("&"), "write `and` instead"),
    (re.compile(r"\|"), "write `or` instead"),
    (re.compile(r"!(?!\s*=)"), "write `not` instead"),
    (re.compile("[“”„‘’«»]"), 'write straight quotes, for example "es"'),
    (re.compile("\"(?:[^\"]|\"\")*$|'(?:[^']|'')*$"), f"close the quote, and {_QUOTE_INSIDE}"),
    (re.compile("[-/.][0-9]"), "write a date as 2025-06-01"),
)
_REMEDY_FOR_EXPECTED = (
    ({"DOUBLE", "SINGLE", "RPAR"}, 'put the issue, tag or topic in quotes, for example opened("2026-01")'),
    ({"DOUBLE", "SINGLE"}, 'put the value in quotes, for example language = "es", or write a date as 2025-06-01'),
    (
        {"OPERATOR"},
        'compare the field with =, !=, <, <=, >, >=, in (…) or not in (…), for example language in ("es", "pt")',
    ),
    ({"NAME"}, 'write a condition, for example language = "es", tagged("teacher") or everyone'),
    ({"UNIT"}, "join two conditions with `and` or `or`, or write a time span as 90 days ago"),
    ({"_AGO"}, 'add "ago", for example "90 days ago"'),
    ({"COMMA", "RPAR"}, "write a comma between values, and ) after the last"),
    ({"RPAR", "_AND"}, "write ) here, or join the next condition with `and` or `or`"),
    ({"RPAR"}, "write ) here"),
    ({"_AND"}, "join two conditions with `and` or `or`"),
    ({"LPAR"}, "write ( here"),
)
_REMEDY_OTHERWISE = "delete it, or join two conditions with `and` or `or`"


class Fault(Struct, frozen=True, kw_only=True):
    """A mistake in an expression. `position` is the index of the character where it begins."""

    position: int
    what: str
    remedy: str


def syntax_fault(expression: str, error: UnexpectedInput) -> Fault:
    """Return the mistake at which the parser stopped."""
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        what = "the expression is incomplete" if expression.strip() else "the expression is empty"
        return Fault(position=len(expression.rstrip()), what=what, remedy=_remedy("", error))
    position = error.pos_in_stream or 0
    rest, before = expression[position:], expression[:position].strip()
    found = rest.split(maxsplit=1)[0][:_LONGEST_FOUND] if rest.strip() else "the end"
    what = f"{found!r} is not valid after {before[-_LONGEST_FOUND:]!r}"
    if not before:
        what = f"an expression cannot begin with {found!r}"
    is_after_quote = expression[:position].endswith(("'", '"')) and rest[:1].isalnum()
    remedy = _in_context(expression[:position], rest) or (_QUOTE_INSIDE if is_after_quote else _remedy(rest, error))
    return Fault(position=position, what=what, remedy=remedy)


def similar(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most similar, in any case, or None if none of them is similar."""
    by_letters = {name.casefold(): name for name in sorted(known, reverse=True)}
    close = difflib.get_close_matches(word.casefold(), by_letters, n=1)
    return by_letters[close[0]] if close else None


def hint(word: str, known: Iterable[str], *, otherwise: str) -> str:
    """Return `did you mean X?` if a known word is similar, else the known words, or `otherwise` if there are none."""
    names = sorted(known)
    if close := similar(word, names):
        return f"did you mean {close}?"
    if not names:
        return otherwise
    more = len(names) - _MOST_NAMED
    return f"choose one of {', '.join(names[:_MOST_NAMED])}{f' and {more:,} more' if more > 0 else ''}"


def drawn(expression: str, position: int) -> str:
    """Return two indented lines: the expression, shortened if needed, and a caret below the position."""
    shown = "".join(character if character.isprintable() else " " for character in expression)
    first = max(0, min(position - _WIDEST // 2, len(shown) - _WIDEST))
    last = first + _WIDEST
    before, after = "…" if first else "", "…" if last < len(shown) else ""
    blank = "".join("  " if east_asian_width(character) in "WF" else " " for character in shown[first:position])
    return f"  {before}{shown[first:last]}{after}\n  {' ' * len(before)}{blank}^"


def _in_context(before: str, rest: str) -> str:
    """Return what to write instead of a mistake that the text on both sides of its place shows, or an empty text."""
    for pattern_before, pattern_rest, remedy in _REMEDY_IN_CONTEXT:
        head, tail = pattern_before.search(before), pattern_rest.match(rest)
        if head and tail:
            parts = [*head.groups(), *(_BETWEEN_VALUES.sub(", ", part) for part in tail.groups())]
            return remedy.format(*parts)
    return ""


def _remedy(rest: str, error: UnexpectedInput) -> str:
    """Return what to write instead, based on the text at the place, or else on what the grammar expects there."""
    for pattern, remedy in _REMEDY_FOR_FOUND:
        if pattern.match(rest):
            return remedy
    expected = _expected(error)
    if not rest:
        expected -= {"UNIT"}  # at the end, the number is probably a plain value
    return next((remedy for terminals, remedy in _REMEDY_FOR_EXPECTED if terminals <= expected), _REMEDY_OTHERWISE)


def _expected(error: UnexpectedInput) -> frozenset[str]:
    """Return the terminals that the grammar allows at the place."""
    if isinstance(error, UnexpectedToken):
        return frozenset(error.accepts or error.expected)
    return frozenset(error.allowed or ()) if isinstance(error, UnexpectedCharacters) else frozenset()
