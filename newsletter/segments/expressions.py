"""The parser for the boolean expression of a segment. Examples:

    language = "es" and tagged("teacher")
    country in ("US", "CA") and not received("2026-01")
    opened("2026-01") or clicked("2026-01")
    joined >= 2025-06-01 and last_opened < 90 days ago
    everyone

Keywords and field names may be in upper or lower case. A value is compared in the form in which the list stores the
field. A quote inside a value is written twice. Days begin and end in the newsletter's time zone.
"""

from functools import cache

from lark import Lark, Token, Tree, UnexpectedInput

from newsletter.errors import Mistake, MistakesError
from newsletter.model.finding import Place
from newsletter.model.segment import AD_HOC, All, And, Condition, KnownNames, Not, Or, Segment, in_one_line
from newsletter.segments.faults import Fault, drawn, syntax_fault
from newsletter.segments.literals import Calendar
from newsletter.segments.meaning import Meaning

_GRAMMAR = r"""
?start: either
?either: both (_OR both)*
?both: inverted (_AND inverted)*
?inverted: _NOT inverted -> negation
    | "(" either ")"
    | _EVERYONE -> everyone
    | NAME "(" [value] ")" -> call
    | NAME OPERATOR value -> compare
    | NAME _IN list -> one_of
    | NAME _NOT _IN list -> none_of
list: "(" value ("," value)* ","? ")"
value: DOUBLE | SINGLE | NUMBER | DATE | TODAY | YESTERDAY | NUMBER UNIT _AGO

_OR.2: /or\b/i
_AND.2: /and\b/i
_NOT.2: /not\b/i
_IN.2: /in\b/i
_EVERYONE.2: /everyone\b/i
NAME: /[a-z_][a-z0-9_]*/i
OPERATOR: "!=" | "<=" | ">=" | "=" | "<" | ">"
DOUBLE: /"(?:[^"\x00\r\n]|"")*"/
SINGLE: /'(?:[^'\x00\r\n]|'')*'/
NUMBER: /-?[0-9]+(\.[0-9]+)?/
DATE.2: /[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?\b/i
TODAY.2: /today\b/i
YESTERDAY.2: /yesterday\b/i
UNIT: /(day|week|month|year)s?\b/i
_AGO: /ago\b/i
%ignore /\s+/
"""


_LONGEST = 1000  # characters
_DEEPEST = 15  # nested conditions; SQLite's parser fails at a little more than 20
_TAG_INSTEAD = "give those subscribers a tag instead"


def parse_segment(name: str, expression: str, known: KnownNames, calendar: Calendar, *, place: Place) -> Segment:
    """Return the segment that an expression defines. `place` is where the expression was written.

    Raise MistakesError if the expression is invalid or names something unknown. The message marks each mistake.
    """
    expression = in_one_line(expression)
    condition, faults = _read(expression, known, calendar)
    if faults:
        raise MistakesError(_mistake(name, expression, fault, place) for fault in faults)
    return Segment(name=name, expression=expression, condition=condition)


def _read(expression: str, known: KnownNames, calendar: Calendar) -> tuple[Condition, list[Fault]]:
    """Return the condition that an expression means, and everything that is wrong with it."""
    meaning = Meaning(known, calendar)
    if len(expression) > _LONGEST:
        what = f"the expression is longer than {_LONGEST:,} characters"
        return All(), [Fault(position=_LONGEST, what=what, remedy=_TAG_INSTEAD)]
    try:
        condition = meaning.transform(parse_tree(expression))
    except UnexpectedInput as err:
        return All(), [syntax_fault(expression, err)]
    faults = sorted(meaning.faults, key=lambda fault: fault.position)
    if not faults and _depth(condition) > _DEEPEST:
        what = f"the conditions are nested more than {_DEEPEST} levels deep"
        faults.append(Fault(position=0, what=what, remedy=_TAG_INSTEAD))
    return condition, faults


def _mistake(name: str, expression: str, fault: Fault, place: Place) -> Mistake:
    shown = f"\n{drawn(expression, fault.position)}" if expression.strip() else ""
    return Mistake(
        path=place.path,
        line=place.line,
        what=fault.what if name == AD_HOC else f"segment {name}: {fault.what}",
        remedy=f"{fault.remedy}{shown}",
    )


def _depth(condition: Condition) -> int:
    match condition:
        case And(parts) | Or(parts):
            return 1 + max(_depth(part) for part in parts)
        case Not(part):
            return 1 + _depth(part)
        case _:
            return 1


def parse_tree(expression: str) -> Tree[Token]:
    """Return the parse tree of an expression. Raise lark's UnexpectedInput if it does not follow the grammar."""
    return _parser().parse(expression)


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr")
