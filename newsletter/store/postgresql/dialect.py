"""What PostgreSQL writes in its own way.

Texts are compared in the collation "C", byte by byte, as SQLite does: the columns are declared so, and what is computed
says so. Results are then the same on both engines, whichever language the database was made for.
"""

# A JSON number, as SQLite's json_type() finds it. An exponent of three digits, or more than 200 characters, may lie
# beyond what a double holds, where PostgreSQL fails: such a value is text.
_NUMBER = r"^[ \t\n\r]*-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,2})?[ \t\n\r]*$"
_LONGEST_NUMBER = 200


class PostgresDialect:
    """The pieces of SQL that are PostgreSQL's own."""

    def looks_numeric(self, expression: str) -> str:
        """SQL that is true where a text expression is written as a plain number."""
        return f"({expression} ~ '{_NUMBER}' AND length({expression}) <= {_LONGEST_NUMBER})"

    def attribute(self, name: str) -> str:
        """SQL for an attribute of the subscriber `s`, as text; NULL where there is none."""
        return f'((s.attributes::jsonb ->> {name}) COLLATE "C")'
