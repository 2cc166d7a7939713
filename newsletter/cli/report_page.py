"""A report as lines of text, in eighty columns."""

from collections.abc import Iterable, Iterator
from textwrap import wrap

from newsletter.cli.output import aligned, display_width, shortened, styled
from newsletter.workflows.report.tables import Chart, FigureTable, Line, Measure
from newsletter.workflows.report.words import Told, say_measure, say_shortly

_BAR = 20  # columns
_LABEL, _NARROWEST_LABEL = 36, 8
_MOST_LINES = 12  # of a table; the page and the files have all
_FULL, _REACH, _POINT = "█", "─", "●"


def page_of(report: Told, *, width: int) -> Iterator[str]:
    """Yield the lines of a report: the answer first, then what needs a decision, then the tables."""
    for sentence in report.story:
        yield from wrap(sentence, width)
    yield from (styled(line, "dim") for line in wrap(f"{report.title}: {report.heading}", width))
    for warning in report.warnings:
        yield ""
        yield from (styled(line, "yellow") for line in wrap(f"! {warning}", width, subsequent_indent="  "))
    for table in report.tables:
        yield ""
        yield styled(table.title, "bold")
        yield from _table(table, width)
    for note in report.notes:
        yield ""
        yield from (styled(line, "dim") for line in wrap(note, width))


def _table(table: FigureTable, width: int) -> Iterator[str]:
    measures = [measure.name for measure in table.lines[0].measures]
    if len(measures) == 1:
        yield from _single(table, width)
    else:
        figures = [measures, *([say_shortly(each) for each in line.measures] for line in table.lines)]
        taken = sum(2 + max(map(display_width, column)) for column in zip(*figures, strict=True))
        room = max(_NARROWEST_LABEL, min(_LABEL, width - 2 - taken))
        rows = [[shortened(line.label, room), *cells] for line, cells in zip(table.lines, figures[1:], strict=True)]
        heads, *lines = aligned([[table.head, *measures], *rows], right=frozenset(range(1, len(measures) + 1)))
        yield styled(f"  {heads}", "dim")
        yield from (f"  {line}" for line in lines)
    for note in wrap(table.note, width - 2):
        yield styled(f"  {note}", "dim")


def _single(table: FigureTable, width: int) -> Iterator[str]:
    """Yield a table with one figure per line: with a bar if it is drawn, or else with the note of each line."""
    room = min(_LABEL, max(display_width(line.label) for line in table.lines))
    most = max((each.interval.high for line in table.lines for each in line.measures if each.interval), default=1.0)
    rows = []
    shown = table.lines[:_MOST_LINES]
    for line in shown:
        measure = line.measures[0]
        bar = bar_of(measure, most) if table.chart is Chart.BARS else ""
        rows.append([shortened(line.label, room), say_measure(measure), bar])
    for line, row in zip(shown, aligned(rows, right=frozenset({1})), strict=True):
        yield f"  {row}"
        yield from (styled(f"    {note}", "dim") for note in _notes(line, width))


def _notes(line: Line, width: int) -> Iterable[str]:
    return wrap(line.note, width - 4, max_lines=2, placeholder=" …", break_on_hyphens=False) if line.note else ()


def bar_of(measure: Measure, most: float) -> str:
    """Return a rate as a bar on a scale up to `most`, with its interval as a line: `████──●──`."""
    if measure.interval is None or measure.rate is None or not most:
        return ""
    low, at, high = (
        round(_BAR * value / most) for value in (measure.interval.low, measure.rate, measure.interval.high)
    )
    cells = [_FULL if place < low else _REACH if place < high else " " for place in range(_BAR)]
    cells[min(at, _BAR - 1)] = _POINT
    return "".join(cells).rstrip()
