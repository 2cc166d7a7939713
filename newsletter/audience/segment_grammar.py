"""How a segment's expression is written: its grammar, and the words that mean something in it.

What stands before a parenthesis, and what is compared, may be any name here: a misspelt one is then a name that is not
known, which more can be said about than that it does not fit.
"""

from functools import cache

from lark import Lark, Token, Tree

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
DOUBLE: /"[^"\x00\r\n]*"/
SINGLE: /'[^'\x00\r\n]*'/
NUMBER: /-?[0-9]+(\.[0-9]+)?/
DATE.2: /[0-9]{4}-[0-9]{2}-[0-9]{2}\b/
TODAY.2: /today\b/i
YESTERDAY.2: /yesterday\b/i
UNIT: /(day|week|month|year)s?\b/i
_AGO: /ago\b/i
%ignore /\s+/
"""

# The words that mean something where a field stands, so that no attribute can be named so.
KEYWORDS = frozenset({"or", "and", "not", "in", "everyone"})


def parse_tree(expression: str) -> Tree[Token]:
    """The expression's tree; raises lark's UnexpectedInput where it is not written as the grammar says."""
    return _parser().parse(expression)


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr")
