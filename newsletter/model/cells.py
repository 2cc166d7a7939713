"""Cells of a CSV file that a spreadsheet program would take for a formula, made harmless so that it can be undone.

A cell whose text begins with `=`, `+`, `-`, `@`, a tab or a carriage return may be run as a formula when the file is
opened (OWASP, "CSV Injection"). An apostrophe before it makes it text. Cells that already begin with apostrophes and
such a character get one more, so that `unguarded(guarded(cell)) == cell` for every cell.
"""

import re

_APOSTROPHE = "'"
_FIRST_OF_RISKY = frozenset("=+-@\t\r'")  # most cells are told by their first character, at a tenth of the cost
_RISKY = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def guarded(cell: str) -> str:
    """The cell as it is safe to write to a file that a spreadsheet program may open."""
    return f"'{cell}" if cell[:1] in _FIRST_OF_RISKY and _RISKY.match(cell) else cell


def unguarded(cell: str) -> str:
    """The cell that `guarded` was given; one from elsewhere stays, but for an apostrophe that guards it."""
    return cell[1:] if cell.startswith(_APOSTROPHE) and _GUARDED.match(cell) else cell
