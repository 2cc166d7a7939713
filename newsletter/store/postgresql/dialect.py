"""What PostgreSQL writes in its own way.

Texts are compared in the collation "C", byte by byte, as SQLite does: the columns are declared so, and what is computed
says so. Results are then the same on both engines, whichever language the database was made for.
"""

from newsletter.store.database import LONGEST_NUMBER

# A JSON number, as SQLite's json_type() finds it. An exponent of three digits, or too many digits, may lie beyond what
# a double holds, where PostgreSQL fails: such a value is text.
_NUMBER = r"^[ \t\n\r]*-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,2})?[ \t\n\r]*$"


class PostgresDialect:
    """The pieces of SQL that are PostgreSQL's own."""

    def looks_numeric(self, expression: str) -> str:
        """SQL that is true where a text expression is written as a plain number."""
        return f"({expression} ~ '{_NUMBER}' AND length({expression}) <= {LONGEST_NUMBER})"

    def attribute(self, name: str) -> str:
        """SQL for an attribute of the subscriber `s`, as text; NULL where there is none."""
        return f'((s.attributes::jsonb ->> {name}) COLLATE "C")'

    def is_among(self, column: str, rows: str) -> str:
        """SQL that is true where the id of the subscriber `s` stands in a column of `rows`."""
        # EXISTS is turned into a join, be it negated. NOT IN is not, and takes for ever once memory does not suffice.
        return f"(EXISTS (SELECT 1 FROM {rows} AND {column} = s.id))"  # noqa: S608 - our own names
