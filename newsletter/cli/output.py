"""The only place that prints: results on stdout; errors, questions and progress on stderr."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from shutil import get_terminal_size
from typing import TextIO, TypeVar

import typer
from msgspec import Struct
from msgspec.structs import asdict

from newsletter.errors import InputError

Item = TypeVar("Item")

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}
_STYLED = re.compile(r"\x1b\[[0-9;]*m")
# What a terminal would obey rather than show: control characters, but for the styles above, and what turns the order of
# letters about. Names on a list, a column's title or a server's words may hold it.
_COMMANDS = re.compile(
    rf"\x1b(?!\[(?:0|{'|'.join(_STYLES.values())})m)"
    r"|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]"
)
_NARROWEST = 20  # columns; below that nothing is broken, since nothing reads well


def say(text: str = "", *, hang: int = 0) -> None:
    """Print a line of the result at once, so that a reader at the other end of a pipe need not wait for the last one.

    Where the line is broken, the rest stands `hang` columns to the right of where the text begins.
    """
    print(fitted(text, sys.stdout, indent=len(text) - len(text.lstrip(" ")) + hang), flush=True)


def result_stream() -> TextIO:
    """Return the stream for a result that is written piece by piece."""
    return sys.stdout


def note(text: str) -> None:
    """Print a line beside the result: what is going on, or what comes next."""
    print(fitted(text, sys.stderr, indent=len(text) - len(text.lstrip(" "))), file=sys.stderr)


def print_error(message: str) -> None:
    """Print why the command cannot go on, a line per mistake; a line that begins with a space goes on with the last."""
    label = styled("error:", "red", stream=sys.stderr)
    for line in message.splitlines() or [""]:
        text = line if line.startswith(" ") else f"{label} {line}"
        print(fitted(text, sys.stderr, indent=len("error: ")), file=sys.stderr)


def print_next(command: str, why: str) -> None:
    """Print the next step as a person would type it."""
    text = f"{styled('next:', 'bold', stream=sys.stderr)} {command}   {styled(why, 'dim', stream=sys.stderr)}"
    print(fitted(text, sys.stderr, indent=len("next: ")), file=sys.stderr)


def print_json(value: object) -> None:
    """Print the result for a script; moments become ISO 8601."""
    print(_json(value, indent=2))


def print_lines(lines: Iterable[str]) -> None:
    """Print lines of a long result as they come."""
    for line in lines:
        print(harmless(line))


def print_json_items(items: Iterable[object]) -> None:
    """Print a long list for a script as it comes, one item per line."""
    print("[", end="")
    for number, item in enumerate(items):
        print("," if number else "", _json(item), sep="\n" if number else "", end="")
    print("\n]")


def _json(value: object, *, indent: int | None = None) -> str:
    """Return JSON that people can read too; what a terminal would obey is escaped, which means the same in JSON."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=_plain)
    return _COMMANDS.sub(lambda command: f"\\u{ord(command[0]):04x}", text)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Struct):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """Print names and values in two columns; a fact without a value is left out."""
    told = [(name, value) for name, value in facts if value]
    width = max(len(name) for name, _ in told)
    for name, value in told:
        head = styled(name.ljust(width), "dim")
        for line in value.splitlines():
            print(fitted(f"  {head}  {line}", sys.stdout, indent=width + 4), flush=True)
            head = " " * width


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under heads; numbers, and gaps among them, stand to the right.

    Where a terminal is too narrow, the last column goes on in further lines.
    """
    columns = list(zip(heads, *rows, strict=True))
    numeric = frozenset(index for index, (_, *cells) in enumerate(columns) if all(map(_is_number_or_gap, cells)))
    offset = sum(2 + max(map(display_width, column)) for column in columns[:-1])
    for number, line in enumerate(aligned([heads, *rows], right=numeric)):
        print(fitted(line if number else styled(line, "dim"), sys.stdout, indent=offset), flush=True)


def aligned(rows: Sequence[Sequence[str]], *, right: frozenset[int]) -> list[str]:
    """Return rows in columns two apart; those of the columns `right` are aligned to the right."""
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
    """Print one row per item; a column is shown only where some item fills it."""
    cells = {head: [cell(item) for item in items] for head, cell in columns.items()}
    filled = {head: column for head, column in cells.items() if any(column)}
    print_table(list(filled), list(zip(*filled.values(), strict=True)))


def styled(text: str, style: str, *, stream: object = None) -> str:
    """Return the text in a style, where the stream is a terminal that wants styles (https://no-color.org)."""
    target = stream or sys.stdout
    wants = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    if not wants or not getattr(target, "isatty", lambda: False)():
        return text
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def count_of(number: int, noun: str) -> str:
    """Return `1 subscriber`, `2 subscribers`, `2 entries` or `2 addresses`."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def people_of(number: int) -> str:
    """Return `1 person` or `2 people`."""
    return f"{number:,} {'person' if number == 1 else 'people'}"


def shortened(text: str, columns: int) -> str:
    """Return the text within so many columns; an ellipsis stands for what is left out, and for what cannot be shown."""
    clean = "".join(character if character.isprintable() else "…" for character in text)
    if display_width(clean) <= columns:
        return clean
    while display_width(clean) > columns - 1:
        clean = clean[:-1]
    return clean.rstrip() + "…"


def harmless(text: str) -> str:
    """Return the text with a mark in the place of whatever a terminal would obey."""
    return text if text.isascii() and text.isprintable() else _COMMANDS.sub("\N{REPLACEMENT CHARACTER}", text)


def fitted(text: str, stream: TextIO, *, indent: int) -> str:
    """Return the harmless text, broken between words where a terminal would break it within one.

    Further lines are indented by `indent` columns.
    """
    text = harmless(text)
    width = get_terminal_size().columns
    if not stream.isatty() or width < _NARROWEST or _shown_width(text) <= width:
        return text
    lines, line = [], ""
    for piece in re.findall(r" *[^ ]+", text):
        if line.strip() and _shown_width(line + piece) > width:
            lines.append(line)
            line = " " * min(indent, width // 2) + piece.lstrip(" ")
        else:
            line += piece
    return "\n".join([*lines, line])


def _shown_width(text: str) -> int:
    return display_width(_STYLED.sub("", text))


def display_width(text: str) -> int:
    """Return how many columns a terminal gives to the text."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # a table of every wide character, which most output does not need

    return cell_len(text)


def require_yes(question: str, *, yes: bool, otherwise: str) -> None:
    """Ask a person, unless they said `--yes`; silence means no.

    Where the answer is no, say what did not happen, in the words of `otherwise`, and end the command with 1. Raise
    InputError where nobody can answer.
    """
    if not yes and not confirm(question):
        note(otherwise)
        raise typer.Exit(1)


def confirm(question: str) -> bool:
    """Ask a person, and return whether they said yes; silence means no.

    Raise InputError where nobody can answer.
    """
    if not sys.stdin.isatty():
        raise InputError("nobody is there to be asked; add --yes to go on without the question")
    print(f"{harmless(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().casefold() in {"y", "yes"}


def choose(question: str, answers: Mapping[str, str], *, otherwise: str) -> str:
    """Ask a person for one of the answers, by its first letter; return `otherwise` for anything else, or for silence.

    `answers` maps each word to what it means.
    """
    width = max(map(len, answers))
    for word, meaning in answers.items():
        note(f"  {styled(word[0], 'bold', stream=sys.stderr)}{word[1:].ljust(width)} {meaning}")
    if not sys.stdin.isatty():
        return otherwise
    letters = "/".join(word[0].upper() if word == otherwise else word[0] for word in answers)
    print(f"{question} [{letters}] ", end="", file=sys.stderr, flush=True)
    said = sys.stdin.readline().strip().casefold()
    return next((word for word in answers if said in {word, word[0]}), otherwise)
