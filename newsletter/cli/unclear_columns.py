"""Ask about the columns of a file that may say who unsubscribed."""

import typer

from newsletter.cli import output
from newsletter.lists.csv_header import LEFT
from newsletter.lists.leavers import UnclearColumn, UnclearColumnsError

_SHOWN_CELL = 40


def ask_about_columns(error: UnclearColumnsError, *, use: str, stop: str, stopped: str) -> dict[str, str]:
    """Return the answers as a mapping of columns to LEFT, or to an empty text if a column is left out.

    `use` and `stop` say what these answers do. If the answer is to stop, print `stopped` and end the command. Raise the
    error if no one can be asked.
    """
    if not output.can_ask():
        raise error
    answers = {"yes": use, "no": "Leave the column out.", "stop": stop}
    return {column.name: _target_of(column, answers, stopped) for column in error.columns}


def _target_of(column: UnclearColumn, answers: dict[str, str], stopped: str) -> str:
    cell = output.shortened(column.cell, _SHOWN_CELL)
    output.note(f"Line {column.line}: {column.name} is {cell!r}. Does this column say who unsubscribed?")
    said = output.choose("Your answer?", answers, otherwise="stop")
    if said == "stop":
        output.note(stopped)
        raise typer.Exit(2)
    return LEFT if said == "yes" else ""
