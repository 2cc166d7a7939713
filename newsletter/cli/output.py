"""The only place that prints: results on stdout; errors, questions and progress on stderr."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from shutil import get_terminal_size
from typing import TextIO, TypeVar

from newsletter.errors import InputError

Progress = Callable[[int], None]  # hears how many more are done

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
    """A line of the result, at once: whoever reads it through a pipe must not wait for the end.

    What goes on in a further line stands `hang` columns to the right of where the text begins.
    """
    print(fitted(text, sys.stdout, indent=len(text) - len(text.lstrip(" ")) + hang), flush=True)


def result_stream() -> TextIO:
    """Where a result that is too long for lines goes, piece by piece."""
    return sys.stdout


def note(text: str) -> None:
    """A line beside the result: what happens, what comes next."""
    print(fitted(text, sys.stderr, indent=len(text) - len(text.lstrip(" "))), file=sys.stderr)


def show_error(message: str) -> None:
    """Why the command cannot go on: a mistake a line; a line that begins with a space belongs to the one above it."""
    label = styled("error:", "red", stream=sys.stderr)
    for line in message.splitlines() or [""]:
        text = line if line.startswith(" ") else f"{label} {line}"
        print(fitted(text, sys.stderr, indent=len("error: ")), file=sys.stderr)


def show_next(command: str, why: str) -> None:
    """The next step, as the person would type it."""
    text = f"{styled('next:', 'bold', stream=sys.stderr)} {command}   {styled(why, 'dim', stream=sys.stderr)}"
    print(fitted(text, sys.stderr, indent=len("next: ")), file=sys.stderr)


def show_json(value: object) -> None:
    """The result for a script."""
    print(_json(value, indent=2))


def show_lines(lines: Iterable[str]) -> None:
    """Lines of a result that may be endless, as they come."""
    for line in lines:
        print(harmless(line))


def show_json_items(items: Iterable[object]) -> None:
    """A list for a script that may be endless, an item a line."""
    print("[", end="")
    for number, item in enumerate(items):
        print("," if number else "", _json(item), sep="\n" if number else "", end="")
    print("\n]")


def _json(value: object, *, indent: int | None = None) -> str:
    """JSON that can be read by people too; what a terminal would obey is escaped, which means the same in JSON."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _COMMANDS.sub(lambda command: f"\\u{ord(command[0]):04x}", text)


def show_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Names and values in two columns."""
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        head = styled(name.ljust(width), "dim")
        for line in value.splitlines() or [""]:
            print(fitted(f"  {head}  {line}", sys.stdout, indent=width + 4), flush=True)
            head = " " * width


def show_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows under heads; numbers, and gaps among them, stand to the right.

    Where a terminal is too narrow, the last column goes on in further lines.
    """
    cells = [heads, *rows]
    widths = [max(display_width(row[index]) for row in cells) for index in range(len(heads))]
    numeric = [all(_is_number_or_gap(row[index]) for row in rows) for index in range(len(heads))]
    offset = sum(widths[:-1]) + 2 * (len(widths) - 1)
    for number, row in enumerate(cells):
        padded = [
            " " * (width - display_width(cell)) + cell if right else cell + " " * (width - display_width(cell))
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ]
        line = "  ".join(padded).rstrip()
        print(fitted(styled(line, "dim") if number == 0 else line, sys.stdout, indent=offset), flush=True)


def _is_number_or_gap(cell: str) -> bool:
    return not cell or cell.replace(",", "").isdigit()


def show_columns(columns: Mapping[str, Callable[[Item], str]], items: Sequence[Item]) -> None:
    """A row an item; a column, under its head, only where some item fills it."""
    cells = {head: [cell(item) for item in items] for head, cell in columns.items()}
    filled = {head: column for head, column in cells.items() if any(column)}
    show_table(list(filled), list(zip(*filled.values(), strict=True)))


def styled(text: str, style: str, *, stream: object = None) -> str:
    """The text in a style, where the stream is a terminal that wants styles (https://no-color.org)."""
    target = stream or sys.stdout
    wants = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    if not wants or not getattr(target, "isatty", lambda: False)():
        return text
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def count_of(number: int, noun: str) -> str:
    """`1 subscriber`, `2 subscribers`, `2 entries`, `2 addresses`."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def harmless(text: str) -> str:
    """The text with a mark in the place of whatever a terminal would obey."""
    return text if text.isascii() and text.isprintable() else _COMMANDS.sub("\N{REPLACEMENT CHARACTER}", text)


def fitted(text: str, stream: TextIO, *, indent: int) -> str:
    """The text as `harmless` has it, broken between words where a terminal would break it within one.

    What goes on in a further line stands under `indent` columns.
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
    """How many columns a terminal gives to the text."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def confirm(question: str) -> bool:
    """Asks a person; no is the answer to silence.

    Raises InputError where nobody can answer.
    """
    if not sys.stdin.isatty():
        raise InputError("nobody is there to be asked; add --yes to go on without the question")
    print(f"{harmless(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().casefold() in {"y", "yes"}


def choose(question: str, answers: Mapping[str, str], *, otherwise: str) -> str:
    """Asks a person for one of the answers, by its first letter; `otherwise` where they, or nobody, say anything else.

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


@contextmanager
def progress(title: str, total: int | None, *, unit: str) -> Iterator[Progress]:
    """A bar on a terminal; elsewhere a line now and then, so that a log shows that it goes on."""
    if sys.stderr.isatty():
        with _bar(title, total, unit) as advance:
            yield advance
        return
    with _lines(title, total, unit) as advance:
        yield advance


@contextmanager
def steps(title: str, names: Sequence[str]) -> Iterator[Callable[[str], None]]:
    """A bar on a terminal that says what is going on, of things that go on at once; hears the name of each that ended.

    Nothing is left of it, and elsewhere nothing is shown.
    """
    if not names or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    going = list(names)
    columns = (TextColumn(title), BarColumn(bar_width=20), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(_going_on(going), total=len(going))

        def end(name: str) -> None:
            going.remove(name)
            bar.update(task, advance=1, description=_going_on(going))

        yield end


def _going_on(names: Sequence[str]) -> str:
    if not names:
        return ""
    return names[0] if len(names) == 1 else f"{names[0]}, and {len(names) - 1} more"


@contextmanager
def _bar(title: str, total: int | None, unit: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total)
        try:
            yield lambda more: bar.advance(task, more)
        except BaseException:
            bar.remove_task(task)  # what comes next says what went wrong
            raise
        if total is None:
            bar.update(task, total=bar.tasks[0].completed)


@contextmanager
def _lines(title: str, total: int | None, unit: str) -> Iterator[Progress]:
    from time import monotonic

    done, last = 0, monotonic()

    def advance(more: int) -> None:
        nonlocal done, last
        done += more
        if monotonic() - last >= 5:
            last = monotonic()
            note(f"{title}: {done:,}{f' of {total:,}' if total else ''} {unit}")

    yield advance
