"""Progress bars on a terminal, and lines of progress in a file.

Rich is imported only when the first bar is shown, because most runs show none.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from math import ceil
from time import monotonic

from newsletter.cli import output

# Titles may contain names, such as a file's. Rich must not take [red] in them as a style, or braces as a field.
_DESCRIPTION = "{task.description}"
Progress = Callable[[int], None]  # called with the number of items just done


@contextmanager
def progress(title: str, total: int | None, *, unit: str) -> Iterator[Progress]:
    """Show a bar on a terminal. Without a terminal, print a line every few seconds, so that a log shows progress.

    Call the yielded function with the number of items just done. If the total is unknown, the bar does
    not show how much is left.
    """
    output.deliver()
    with (_bar if sys.stderr.isatty() else _lines)(title, total, unit) as advance:
        yield advance


@contextmanager
def countdown(title: str) -> Iterator[Callable[[timedelta], None]]:
    """Show the time left on a terminal. Without a terminal, show nothing. Call the yielded function with that time."""
    output.deliver()
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TextColumn

    with Bar(TextColumn(_DESCRIPTION, markup=False), console=Console(stderr=True), transient=True) as bar:
        title = output.harmless(title)
        task = bar.add_task(title)

        def tick(left: timedelta) -> None:
            minutes, seconds = divmod(ceil(left.total_seconds()), 60)
            bar.update(task, description=f"{title} {minutes}:{seconds:02}")

        yield tick


@contextmanager
def shares(title: str) -> Iterator[Callable[[float], None]]:
    """Show a bar with a percentage. Call the yielded function with the share that is done, from 0 to 1."""
    with progress(title, 100, unit="%") as advance:
        shown = 0

        def hear(share: float) -> None:
            nonlocal shown
            advance(int(100 * share) - shown)
            shown = int(100 * share)

        yield hear


@contextmanager
def steps(title: str, names: Sequence[str]) -> Iterator[Callable[[str], None]]:
    """Show a bar that names the steps still running. Without a terminal, show nothing.

    Call the yielded function with the name of each step that has ended. The bar disappears at the end.
    """
    if not names or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    going = list(names)
    columns = (
        TextColumn(_literal(title), markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn(_DESCRIPTION, markup=False),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(_going_on(going), total=len(going))

        def end(name: str) -> None:
            going.remove(name)
            bar.update(task, advance=1, description=_going_on(going))

        yield end


def _literal(text: str) -> str:
    """Return the text as a format of Rich that shows exactly this text."""
    return output.harmless(text).replace("{", "{{").replace("}", "}}")


def _going_on(names: Sequence[str]) -> str:
    if not names:
        return ""
    return names[0] if len(names) == 1 else f"{names[0]}, and {len(names) - 1} more"


@contextmanager
def _bar(title: str, total: int | None, unit: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    title_column, done = TextColumn(_DESCRIPTION, markup=False), MofNCompleteColumn()
    unit_column = TextColumn(_literal(unit), markup=False)
    columns = (title_column, BarColumn(), done, unit_column, TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(output.harmless(title), total=total)
        try:
            yield lambda more: bar.advance(task, more)
        except BaseException:
            bar.remove_task(task)  # so that the error is not printed below an unfinished bar
            raise
        if total is None:
            bar.update(task, total=bar.tasks[0].completed)


@contextmanager
def _lines(title: str, total: int | None, unit: str) -> Iterator[Progress]:
    done, last = 0, monotonic()

    def advance(more: int) -> None:
        nonlocal done, last
        done += more
        if monotonic() - last >= 5:
            last = monotonic()
            output.note(f"{title}: {done:,}{f' of {total:,}' if total else ''} {unit}")

    yield advance
