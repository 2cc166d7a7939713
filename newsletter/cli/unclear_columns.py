"""Ask about the columns of a file that may say who unsubscribed."""

import typer

from newsletter.cli import output
from newsletter.lists.leavers import UnclearColumn, UnclearColumnsError
from newsletter.lists.list_columns import LEFT

_SHOWN_CELL = 40


def ask_about_columns(error: UnclearColumnsError, *, use: str, stop: str, stopped: str) -> dict[str, str]:
    """Return the answers as a mapping of columns to LEFT, or to an empty text if a column is left out.

    `use` and `stop` say what these answers do. If the answer is to stop, print `stopped` and end the command. Raise the
    error if no one can be asked, or if one of the columns has no name, so that no answer can name it.
    """
    if not output.can_ask() or not all(column.name for column in error.columns):
        raise error
    answers = {"yes": use, "no": "Leave the column out.", "stop": stop}
    return {column.name: _target_of(column, answers, stopped) for column in error.columns}


def _target_of(column: UnclearColumn, answers: dict[str, str], stopped: str) -> str:
    cell = repr(output.shortened(column.cell, _SHOWN_CELL)) if column.cell else "empty"
    output.note(f"Line {column.line}: {column.name} is {cell}. Does this column say who unsubscribed?")
    said = output.choose("Your answer?", answers, otherwise="stop")
    if said == "stop":
        output.note(stopped)
        raise typer.Exit(2)
    return LEFT if said == "yes" else ""
