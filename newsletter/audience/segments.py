"""Parses a segment's boolean expression into a condition.

    language = "es" and tagged("teacher")
    country in ("US", "CA") and not tagged("donor")
    everyone

Words and field names may be in any case. Tags are compared in lower case, as the list keeps them.
"""

import re
from collections.abc import Iterable
from functools import cache

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken, v_args

from newsletter.errors import InputError
from newsletter.model.audience import normal_tag
from newsletter.model.mistakes import suggestion
from newsletter.model.segment import All, And, Compare, Condition, Not, OneOf, Operator, Or, Segment, Tagged

_LONGEST = 1000  # characters
_DEEPEST = 15  # conditions within conditions; SQLite's parser gives up a little beyond 20

_GRAMMAR = r"""
?start: either
?either: both (_OR both)*
?both: inverted (_AND inverted)*
?inverted: _NOT inverted -> negation
    | "(" either ")"
    | _EVERYONE -> everyone
    | _TAGGED "(" text ")" -> tagged
    | FIELD OPERATOR text -> compare
    | FIELD _IN list -> one_of
    | FIELD _NOT _IN list -> none_of
list: "(" text ("," text)* ","? ")"
text: DOUBLE | SINGLE | NUMBER

_OR.2: /or\b/i
_AND.2: /and\b/i
_NOT.2: /not\b/i
_IN.2: /in\b/i
_EVERYONE.2: /everyone\b/i
_TAGGED.2: /tagged\b/i
FIELD: /[a-z_][a-z0-9_]*/i
OPERATOR: "!=" | "<=" | ">=" | "=" | "<" | ">"
DOUBLE: /"[^"\r\n]*"/
SINGLE: /'[^'\r\n]*'/
NUMBER: /-?[0-9]+(\.[0-9]+)?/
%ignore /\s+/
"""

# The words that mean something in an expression, so that no attribute can be named so.
KEYWORDS = frozenset({"or", "and", "not", "in", "everyone", "tagged"})

_REMEDY_FOR_FOUND = (
    (re.compile("="), "write a single ="),
    (re.compile("[&|]"), "write and, or"),
    (re.compile("[“”„‘’«»]"), 'use straight quotes: "es"'),
    (re.compile("[\"'][^\"']*$"), "close the quote"),
)
_REMEDY_FOR_EXPECTED = (
    ({"DOUBLE", "SINGLE"}, 'a value stands in quotes, for example language = "es"'),
    ({"OPERATOR"}, "after a field comes = != < <= > >=, in (…) or not in (…)"),
    ({"FIELD"}, 'write a condition, for example language = "es", tagged("teacher") or everyone'),
    ({"COMMA", "RPAR"}, "put a comma between values, and a parenthesis after the last"),
    ({"RPAR", "_AND"}, "close the parenthesis, or join another condition with and, or"),
    ({"RPAR"}, "close the parenthesis"),
    ({"_AND"}, "join two conditions with and, or"),
    ({"LPAR"}, "open a parenthesis here"),
)
_REMEDY_OTHERWISE = "take it away, or join two conditions with and, or"


def parse_segment(name: str, expression: str, known_fields: Iterable[str]) -> Segment:
    """The segment that an expression means; `known_fields` are the columns and attributes of the list.

    Raises InputError, with the place marked, where the expression is not one or names an unknown field.
    """
    if len(expression) > _LONGEST:
        raise InputError(
            f"segment {name}: the expression is longer than {_LONGEST} characters; give those people a tag instead"
        )
    meaning = _Meaning()
    try:
        condition = meaning.transform_text(expression)
    except UnexpectedInput as err:
        raise InputError(_syntax_error(name, expression, err)) from err
    known = sorted(known_fields)
    unknown = [token for token in meaning.fields if token.lower() not in known]
    if unknown:
        raise InputError("\n".join(_unknown_field(name, expression, token, known) for token in unknown))
    if _depth(condition) > _DEEPEST:
        raise InputError(
            f"segment {name}: conditions are nested more than {_DEEPEST} deep; give those people a tag instead"
        )
    return Segment(name=name, expression=expression, condition=condition)


@v_args(inline=True)
class _Meaning(Transformer[Token, Condition]):
    """Turns the parse tree into conditions, from the leaves up, and collects the fields that are named."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[Token] = []

    def transform_text(self, expression: str) -> Condition:
        return self.transform(_parser().parse(expression))

    def either(self, *parts: Condition) -> Condition:
        return Or(parts)

    def both(self, *parts: Condition) -> Condition:
        return And(parts)

    def negation(self, part: Condition) -> Condition:
        return part.part if isinstance(part, Not) else Not(part)

    def everyone(self) -> Condition:
        return All()

    def tagged(self, tag: str) -> Condition:
        return Tagged(normal_tag(tag))

    def compare(self, field: Token, operator: Token, value: str) -> Condition:
        return Compare(self._named(field), Operator(operator), value)

    def one_of(self, field: Token, values: tuple[str, ...]) -> Condition:
        return OneOf(self._named(field), values)

    def none_of(self, field: Token, values: tuple[str, ...]) -> Condition:
        return Not(self.one_of(field, values))

    def list(self, *values: str) -> tuple[str, ...]:
        return values

    def text(self, token: Token) -> str:
        return str(token) if token.type == "NUMBER" else token[1:-1]

    def _named(self, field: Token) -> str:
        self.fields.append(field)
        return field.lower()


def _depth(condition: Condition) -> int:
    match condition:
        case And(parts) | Or(parts):
            return 1 + max(_depth(part) for part in parts)
        case Not(part):
            return 1 + _depth(part)
        case _:
            return 1


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr")


def _syntax_error(name: str, expression: str, error: UnexpectedInput) -> str:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        what = "the expression ends too early" if expression.strip() else "the expression is empty"
        return _marked(name, expression, len(expression.rstrip()), what, _remedy(expression, error))
    position = error.pos_in_stream or 0
    return _marked(name, expression, position, "this does not fit here", _remedy(expression[position:], error))


def _remedy(rest: str, error: UnexpectedInput) -> str:
    """What to write instead: by what stands at the place, else by what may stand there."""
    for pattern, remedy in _REMEDY_FOR_FOUND:
        if pattern.match(rest):
            return remedy
    expected = _expected(error)
    return next((remedy for terminals, remedy in _REMEDY_FOR_EXPECTED if terminals <= expected), _REMEDY_OTHERWISE)


def _expected(error: UnexpectedInput) -> frozenset[str]:
    """The terminals that may stand at the place."""
    if isinstance(error, UnexpectedToken):
        return frozenset(error.accepts or error.expected)
    return frozenset(error.allowed or ()) if isinstance(error, UnexpectedCharacters) else frozenset()


def _unknown_field(name: str, expression: str, token: Token, known: list[str]) -> str:
    remedy = 'write tagged("teacher")' if token.lower() in {"tag", "tags"} else suggestion(token.lower(), known)
    return _marked(name, expression, token.start_pos or 0, f"nobody on the list has a field {token}", remedy)


def _marked(name: str, expression: str, position: int, what: str, remedy: str) -> str:
    """The message with the expression below it, and a caret under the place."""
    line = "".join(character if character.isprintable() else " " for character in expression)
    return f"segment {name}: {what}; {remedy}\n  {line}\n  {' ' * position}^"
