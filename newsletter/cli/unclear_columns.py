"""Ask about the columns of a file that may say who unsubscribed."""

import typer

from newsletter.cli import output
from newsletter.lists.leavers import UnclearColumn, UnclearColumnsError
from newsletter.lists.list_columns import LEFT

_SHOWN_CELL = 40


def ask_about_columns(error: UnclearColumnsError, *, use: str, stop: str, stopped: str) -> dict[str, str]:
    """Return the answers as a mapping of columns to LEFT, to a column of ours, or to an empty text to leave one out.

    `use` and `stop` say what these answers do. If the answer is to stop, print `stopped` and end the command. Raise the
    error if no one can be asked, or if one of the columns has no name, so that no answer can name it.
    """
    if not output.can_ask() or not all(column.name for column in error.columns):
        raise error
    return {column.name: _target_of(column, use, stop, stopped) for column in error.columns}


def _target_of(column: UnclearColumn, use: str, stop: str, stopped: str) -> str:
    no = "Import the column as it is." if column.field else "Leave the column out."
    answers = {"yes": use, "no": no, "stop": stop}
    cell = repr(output.shortened(column.cell, _SHOWN_CELL)) if column.cell else "empty"
    output.note(f"Line {column.line}: {column.name} is {cell}. Does this column say who unsubscribed?")
    said = output.choose("Your answer?", answers, otherwise="stop")
    if said == "stop":
        output.note(stopped)
        raise typer.Exit(2)
    return LEFT if said == "yes" else column.field
