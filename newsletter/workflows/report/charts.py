"""Draw tables of a report as SVG: bars with their intervals as whiskers, and lines over time.

The charts have no scripts, load nothing, and take their colors from the page. Each stands above its table, which says
the same in words, so screen readers skip the chart.
"""

import re
import sys
from collections.abc import Callable

import pygal
from lxml import etree
from pygal.style import Style

from newsletter.language.rates import say_axis, say_interval, say_rate
from newsletter.workflows.report.tables import Chart, FigureTable, Line, Measure

# pygal adds a finder of plugins of its own in an outdated form, which Python warns of at every later import.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != pygal.__name__]

MOST_BARS = 12
_WIDTH, _BAR_HEIGHT, _AROUND = 720, 34, 44  # pixels
_TIME_HEIGHT = 280
_LONGEST_LABEL = 30
_SVG = "{http://www.w3.org/2000/svg}"
_OWN_ID = re.compile(r"chart-[0-9a-f-]{36}")


def chart_of(table: FigureTable) -> str:
    """Return the chart of a table as SVG, or an empty string if it has none, or too little to draw."""
    if table.chart is Chart.TIME:
        return _time(table)
    return _bars(table) if table.chart is Chart.BARS else ""


def _bars(table: FigureTable) -> str:
    lines = [line for line in table.lines if _charted(line, table.charted).rate is not None][:MOST_BARS]
    if len(lines) < 2:
        return ""
    lines.reverse()  # the first bar is the lowest
    measures = [_charted(line, table.charted) for line in lines]
    most = max(each.interval.high for each in measures if each.interval)
    settings = _settings(height=_BAR_HEIGHT * len(lines) + _AROUND, colors=["var(--bar)"])
    chart = pygal.HorizontalBar(**settings, range=(0, most * 1.02), print_values=False)
    # Each bar has its name and its range in front of it, so no one has to measure it.
    chart.x_labels = [
        f"{_shortened(line.label)}  {say_interval(each.interval)}"
        for line, each in zip(lines, measures, strict=True)
        if each.interval
    ]
    chart.add(table.charted, [_bar(each) for each in measures])
    return _cleaned(chart.render(), table.key)


def _bar(measure: Measure) -> dict[str, object]:
    low, high = measure.interval or (0.0, 0.0)
    return {"value": measure.rate or 0.0, "ci": {"low": low, "high": high}}


def _time(table: FigureTable) -> str:
    if len(table.lines) < 2:
        return ""
    names = [measure.name for measure in table.lines[0].measures if measure.name != "left"] or ["left"]
    colors = ["var(--accent)", "var(--quiet)"]
    settings = _settings(height=_TIME_HEIGHT, colors=colors)
    chart = pygal.Line(**settings, dots_size=3, print_values=True, margin_right=104)
    chart.x_labels = [_brief(line.label) for line in table.lines]
    for name in names:
        measures = [_charted(line, name) for line in table.lines]
        values = [
            {"value": each.rate, "formatter": _named(name) if number == len(measures) - 1 else _silent}
            for number, each in enumerate(measures)
        ]
        chart.add(name, values)
    return _cleaned(chart.render(), table.key)


def _brief(label: str) -> str:
    """Return a time for which there is room below the chart: `12 h`, or `7 d`."""
    number, _, unit = label.partition(" ")
    return f"{number} {unit[0]}" if unit else label


def _named(name: str) -> Callable[[float], str]:
    return lambda rate: f"{say_rate(rate)} {name}"


def _silent(_: float) -> str:
    return ""


def _charted(line: Line, name: str) -> Measure:
    return next((each for each in line.measures if each.name == name), line.measures[0])


def _settings(*, height: int, colors: list[str]) -> dict[str, object]:
    size, family = 14, "var(--sans)"
    style = Style(
        background="transparent",
        plot_background="transparent",
        foreground="var(--ink)",
        foreground_strong="var(--ink)",
        foreground_subtle="var(--hairline)",
        colors=tuple(colors),
        value_colors=("var(--ink)",) * len(colors),
        ci_colors=("var(--ink)",) * len(colors),
        guide_stroke_color="var(--hairline)",
        major_guide_stroke_color="var(--hairline)",
        opacity="1",
        opacity_hover="1",
        transition="0s",
        stroke_width="2",
        **{f"{what}_font_size": size for what in ("label", "major_label", "value", "value_label", "legend")},
        **{f"{what}_font_family": family for what in ("label", "major_label", "value", "value_label")},
        font_family=family,
    )
    return {
        "style": style,
        "width": _WIDTH,
        "height": height,
        "explicit_size": False,
        "disable_xml_declaration": True,
        "js": (),
        "show_legend": False,
        "margin": 8,
        "spacing": 12,
        "value_formatter": say_axis,
        "y_labels_major_count": 3,
        "max_scale": 5,
        "min_scale": 2,
        "include_x_axis": True,
        "truncate_label": -1,
        "no_data_text": "",
    }


def _shortened(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"


def _cleaned(svg: str, key: str) -> str:
    """Return the SVG without scripts, tooltips and comments, and with an id that is the same each time."""
    root = etree.fromstring(_OWN_ID.sub(f"chart-{re.sub('[^a-z0-9]+', '-', key.lower())}", svg).encode())
    for element in list(root.iter(f"{_SVG}script", f"{_SVG}title", f"{_SVG}desc", etree.Comment)):
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)
    for element in root.iter(f"{_SVG}g"):
        if "tooltip" in (element.get("class") or ""):
            element.clear()
    root.set("aria-hidden", "true")
    root.set("focusable", "false")
    return etree.tostring(root, encoding="unicode")
