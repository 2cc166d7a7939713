"""Turns the SQL of `sql/`, which both engines take, into what psycopg sends.

Parameters are written `:name` there and `%(name)s` here; a comment of the form `/*+ … */` is for PostgreSQL alone, and
is opened.
"""

import re
from functools import lru_cache

_HINT = re.compile(r"/\*\+(.*?)\*/", re.DOTALL)

# What a colon or a name may stand in without being a parameter comes before the parameters.
_PIECE = re.compile(
    r"""
    '(?:[^']|'')*'          # text
    | "(?:[^"]|"")*"        # a name in quotes
    | --[^\n]*              # a comment
    | /\*.*?\*/             # a longer one
    | ::                    # a cast
    | :(?P<name>[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)


def opened(sql: str) -> str:
    """SQL with what is meant for PostgreSQL alone."""
    return _HINT.sub(r"\1", sql)


@lru_cache(maxsize=1024)
def translate(sql: str) -> str:
    """SQL for psycopg; `%` is doubled, since psycopg's own parameters begin with it."""
    return _PIECE.sub(_translated, opened(sql).replace("%", "%%"))


def _translated(piece: re.Match[str]) -> str:
    name = piece["name"]
    return f"%({name})s" if name else piece[0]
