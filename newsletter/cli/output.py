"""The only module that prints. Results go to stdout; errors, questions and progress go to stderr."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from io import TextIOBase
from secrets import token_hex
from shutil import get_terminal_size
from typing import TextIO, TypeVar, cast

import typer
from msgspec import Struct
from msgspec.structs import asdict

from newsletter.errors import InputError
from newsletter.language import counts
from newsletter.system import pipes

Item = TypeVar("Item")

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}
# Ends each style of ours until it is printed. Each process draws its own at random, so no text can contain it.
_OWN = f":{token_hex(8)}m"
_STYLED = re.compile(rf"\x1b\[\d+{_OWN}")
# Characters that a terminal obeys instead of showing: all control characters except our own styles, and characters that
# reverse the order of letters. Content, names on a list, column titles and messages from servers may contain them.
_COMMANDS = re.compile(rf"\x1b(?!\[\d+{_OWN})|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_NARROWEST = 20  # columns; on a narrower terminal, breaking lines would not make them more readable

# The commands write counts in the same way as the rest of the program.
count_of = counts.count_of
people_of = counts.people_of
deliver = pipes.deliver  # for commands that continue after they have printed a result


def say(text: str = "", *, hang: int = 0) -> None:
    """Print a line of the result. A program that reads it from a pipe gets it when the command pauses.

    If the line has to be broken, the lines after the first are indented by `hang` more columns.
    """
    print(fitted(text, sys.stdout, indent=len(text) - len(text.lstrip(" ")) + hang), flush=True)


def result_stream() -> TextIO:
    """Return the stream to which a result is written piece by piece."""
    return cast("TextIO", _HarmlessStream()) if sys.stdout.isatty() else sys.stdout


class _HarmlessStream(TextIOBase):
    """The terminal, without the characters in a result that it would obey. A file or a pipe gets all characters."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Return the encoding of the terminal."""
        return sys.stdout.encoding

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Write the text made harmless, and return its length."""
        sys.stdout.write(harmless(text.replace("\r\n", "\n")))  # lines of CSV end with both
        return len(text)

    def flush(self) -> None:
        """Flush the terminal."""
        sys.stdout.flush()


def note(text: str) -> None:
    """Print a line that is not part of the result, such as progress or advice."""
    deliver()
    _print_aside(fitted(text, sys.stderr, indent=len(text) - len(text.lstrip(" "))))


def _print_aside(text: str) -> None:
    """Print to stderr. If it is a pipe whose reader is gone, the text is lost, but the command has done its work."""
    with suppress(BrokenPipeError):
        print(text, file=sys.stderr)


def note_dry_run() -> None:
    """Print that a dry run changed nothing."""
    note("Dry run: nothing was changed.")


def print_notes(notes: Iterable[str]) -> None:
    """Print what may be wrong although the command did what it was asked."""
    for text in notes:
        note(f"{styled('note:', 'yellow', stream=sys.stderr)} {text}")


def print_error(message: str) -> None:
    """Print why the command stops, one line per mistake. A line that begins with a space continues the one before."""
    with suppress(OSError):  # the error to print may be that nothing can be delivered
        deliver()
    label = styled("error:", "red", stream=sys.stderr)
    for line in message.splitlines() or [""]:
        text = line if line.startswith(" ") else f"{label} {line}"
        _print_aside(fitted(text, sys.stderr, indent=len("error: ")))


def print_next(command: str, why: str) -> None:
    """Print the command to run next, and its purpose."""
    deliver()
    text = f"{styled('next:', 'bold', stream=sys.stderr)} {command}   {styled(why, 'dim', stream=sys.stderr)}"
    _print_aside(fitted(text, sys.stderr, indent=len("next: ")))


def print_json(value: object) -> None:
    """Print the result as JSON. Dates and times are in ISO 8601 format."""
    print(_json(value, indent=2), flush=True)


def print_lines(lines: Iterable[str]) -> None:
    """Print the lines of a long result as they arrive."""
    for line in lines:
        print(harmless(line))


def print_json_items(items: Iterable[object]) -> None:
    """Print a long list as JSON, one item per line, as the items arrive."""
    print("[", end="")
    for number, item in enumerate(items):
        print("," if number else "", _json(item), sep="\n" if number else "", end="")
    print("\n]")


def _json(value: object, *, indent: int | None = None) -> str:
    """Return readable JSON. Characters that a terminal would interpret are escaped, which does not change the data."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=_plain)
    return _COMMANDS.sub(lambda command: f"\\u{ord(command[0]):04x}", text)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Struct):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """Print names and values in two columns. A fact with an empty value is omitted."""
    told = [(name, value) for name, value in facts if value]
    width = max(len(name) for name, _ in told)
    for name, value in told:
        head = styled(name.ljust(width), "dim")
        for line in value.splitlines():
            print(fitted(f"  {head}  {line}", sys.stdout, indent=width + 4), flush=True)
            head = " " * width


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under column headings. Columns of numbers are aligned to the right, even if some cells are empty.

    If the terminal is too narrow, the last column continues on further lines.
    """
    columns = list(zip(heads, *rows, strict=True))
    numeric = frozenset(index for index, (_, *cells) in enumerate(columns) if all(map(_is_number_or_gap, cells)))
    offset = sum(2 + max(map(display_width, column)) for column in columns[:-1])
    for number, line in enumerate(aligned([heads, *rows], right=numeric)):
        print(fitted(line if number else styled(line, "dim"), sys.stdout, indent=offset), flush=True)


def aligned(rows: Sequence[Sequence[str]], *, right: frozenset[int]) -> list[str]:
    """Return one line per row, with two spaces between columns. Columns with an index in `right` are right-aligned."""
    widths = [max(map(display_width, column)) for column in zip(*rows, strict=True)]
    gaps = [[" " * (width - display_width(cell)) for cell, width in zip(row, widths, strict=True)] for row in rows]
    return [
        "  ".join(
            gap + cell if index in right else cell + gap
            for index, (cell, gap) in enumerate(zip(row, row_gaps, strict=True))
        ).rstrip()
        for row, row_gaps in zip(rows, gaps, strict=True)
    ]


def _is_number_or_gap(cell: str) -> bool:
    return not cell or cell.replace(",", "").isdigit()


def print_columns(columns: Mapping[str, Callable[[Item], str]], items: Sequence[Item]) -> None:
    """Print one row per item. A column is shown only if at least one item has a value for it."""
    cells = {head: [cell(item) for item in items] for head, cell in columns.items()}
    filled = {head: column for head, column in cells.items() if any(column)}
    print_table(list(filled), list(zip(*filled.values(), strict=True)))


def styled(text: str, style: str, *, stream: object = None) -> str:
    """Return the text in a style if the stream is a terminal that accepts styles (https://no-color.org).

    The style takes effect when the text is printed. Escape sequences that the text contains never do.
    """
    target = stream or sys.stdout
    wants = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    if not wants or not getattr(target, "isatty", lambda: False)():
        return text
    return f"\x1b[{_STYLES[style]}{_OWN}{text}\x1b[0{_OWN}"


def shortened(text: str, columns: int) -> str:
    """Return the text, cut to this many columns.

    An ellipsis replaces the part that was cut off, and each unprintable character.
    """
    clean = "".join(character if character.isprintable() else "…" for character in text)
    if display_width(clean) <= columns:
        return clean
    while display_width(clean) > columns - 1:
        clean = clean[:-1]
    return clean.rstrip() + "…"


def harmless(text: str) -> str:
    """Return the text with a replacement character for each character that a terminal would interpret.

    Only our own styles keep their escape sequences.
    """
    if text.isascii() and text.isprintable():
        return text
    return _COMMANDS.sub("\N{REPLACEMENT CHARACTER}", text).replace(_OWN, "m")


def fitted(text: str, stream: TextIO, *, indent: int) -> str:
    """Return the text made harmless, and broken between words if the terminal is too narrow for it.

    The lines after the first are indented by `indent` columns.
    """
    width = get_terminal_size().columns
    if not stream.isatty() or width < _NARROWEST or _shown_width(text) <= width:
        return harmless(text)
    lines, line = [], ""
    for piece in re.findall(r" *[^ ]+", text):
        if line.strip() and _shown_width(line + piece) > width:
            lines.append(line)
            line = " " * min(indent, width // 2) + piece.lstrip(" ")
        else:
            line += piece
    return harmless("\n".join([*lines, line]))


def _shown_width(text: str) -> int:
    return display_width(_STYLED.sub("", text))


def display_width(text: str) -> int:
    """Return the width of the text on a terminal, in columns."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # loads a table of all wide characters, which most output does not need

    return cell_len(text)


def can_ask() -> bool:
    """Return whether there is a terminal on which to ask."""
    return sys.stdin.isatty()


def require_yes(question: str, *, yes: bool, otherwise: str) -> None:
    """Ask for confirmation, unless `yes` is set. An empty answer means no.

    If the answer is no, print `otherwise`, which says what did not happen, and exit with status 1. Raise InputError if
    there is no terminal to ask on.
    """
    if not yes and not confirm(question):
        note(otherwise)
        raise typer.Exit(1)


def confirm(question: str) -> bool:
    """Ask a question and return whether the answer was yes. An empty answer means no.

    Raise InputError if there is no terminal to ask on.
    """
    if not can_ask():
        raise InputError(
            "this command asks for confirmation, but is running without a terminal; add --yes to confirm in advance"
        )
    deliver()
    print(f"{harmless(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().casefold() in {"y", "yes"}


def ask(prompt: str) -> str | None:
    """Print a prompt and return what the user types, or None if they end the input (Ctrl-D)."""
    deliver()
    print(harmless(prompt), end="", file=sys.stderr, flush=True)
    typed = sys.stdin.readline()
    return typed.rstrip("\n") if typed else None


def choose(question: str, answers: Mapping[str, str], *, otherwise: str) -> str:
    """Ask the user to choose an answer, by its word or first letter. Return `otherwise` for any other input.

    `answers` maps each word to its explanation.
    """
    width = max(map(len, answers))
    for word, meaning in answers.items():
        line = f"  {styled(word[0], 'bold', stream=sys.stderr)}{word[1:].ljust(width)} {meaning}"
        print(fitted(line, sys.stderr, indent=width + 4), file=sys.stderr, flush=True)
    if not can_ask():
        return otherwise
    letters = "/".join(word[0].upper() if word == otherwise else word[0] for word in answers)
    print(f"{harmless(question)} [{letters}] ", end="", file=sys.stderr, flush=True)
    said = sys.stdin.readline().strip().casefold()
    return next((word for word in answers if said in {word, word[0]}), otherwise)
