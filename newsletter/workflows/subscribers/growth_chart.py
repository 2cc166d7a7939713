"""The growth chart for a slide or a report, in the brand's colors.

Bars above the line show the people who joined, and bars below it the people who left.
"""

from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from newsletter.errors import InputError
from newsletter.language.counts import people_of
from newsletter.model.stats import Growth
from newsletter.settings.workspace import Brand
from newsletter.system.files import write_shared

_WIDTH, _HEIGHT = 1200, 675  # the size of a slide, 16:9
_LEFT, _RIGHT = 64, _WIDTH - 64
_TOP, _BOTTOM = 232, 540  # the area for the bars; there is room for numbers above and below it
_MONTHS_AT, _NET_AT, _YEARS_AT = 588, 614, 640
_MOST_LABELS = 15  # up to this many months, each bar has room for its number
_CORNER = 3


def require_chart_path(path: Path, *, overwrite: bool) -> None:
    """Raise InputError if the name does not end in `.svg`, or if the file exists and `overwrite` is False."""
    if path.suffix.lower() != ".svg":
        raise InputError(f"--chart {path}: the chart is an SVG file; write --chart {path.with_suffix('.svg')}")
    if path.exists() and not overwrite:
        raise InputError(f"{path} already exists; write another name after --chart, or add --force to replace the file")


def write_growth_chart(path: Path, growth: Growth, *, name: str, brand: Brand, overwrite: bool) -> None:
    """Draw the chart and write it to an SVG file. `name` is the name of the newsletter.

    Raise InputError as `require_chart_path` does, or if the file cannot be written.
    """
    require_chart_path(path, overwrite=overwrite)
    write_shared(path, growth_svg(growth, name=name, brand=brand).encode())


def growth_svg(growth: Growth, *, name: str, brand: Brand) -> str:
    """Return the chart as self-contained SVG, without style sheets, scripts or embedded fonts."""
    colors = brand.light
    heading, body = quoteattr(brand.heading_font), quoteattr(brand.body_font)
    change = f"From {growth.before:,} to {people_of(growth.after)}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" role="img" aria-labelledby="title desc" lang="en">',
        f'<title id="title">{escape(f"{name}: {change[0].lower()}{change[1:]}")}</title>',
        f'<desc id="desc">{escape(_in_words(growth))}</desc>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="{colors.outside}"/>',
        f"<g font-family={body} fill={quoteattr(colors.quiet)}>",
        f'<text x="{_LEFT}" y="76" font-size="20">{escape(name)}</text>',
        f'<text x="{_LEFT}" y="128" font-size="44" font-family={heading} fill="{colors.ink}">{change}</text>',
        f'<text x="{_LEFT}" y="168" font-size="20">{escape(_summary(growth))}</text>',
        *_legend(brand),
        *_bars(growth, brand),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _summary(growth: Growth) -> str:
    first, last = growth.months[0].month, growth.months[-1].month
    gained, left = growth.joined + growth.returned, sum(growth.left.values())
    return f"{first:%B %Y} – {last:%B %Y}: {gained:,} joined, {left:,} left"


def _in_words(growth: Growth) -> str:
    """Return all numbers as text, for people who cannot see the chart."""
    months = [f"{each.month:%B %Y}: {each.gained:,} joined, {each.all_left:,} left" for each in growth.months]
    return f"A bar chart of people who joined and people who left, month by month. {'; '.join(months)}."


def _legend(brand: Brand) -> Iterator[str]:
    for start, color, word in ((_RIGHT - 176, brand.light.accent, "joined"), (_RIGHT - 64, brand.light.quiet, "left")):
        yield f'<rect x="{start}" y="154" width="14" height="14" rx="{_CORNER}" fill="{color}"/>'
        yield f'<text x="{start + 22}" y="167" font-size="18" fill="{brand.light.ink}">{word}</text>'


def _bars(growth: Growth, brand: Brand) -> Iterator[str]:
    """Yield two bars per month on one scale, the line between them, and the numbers for which there is room."""
    most_gained = max(month.gained for month in growth.months)
    most_left = max(month.all_left for month in growth.months)
    scale = (_BOTTOM - _TOP) / max(1, most_gained + most_left)  # pixels per person
    line = _TOP + most_gained * scale
    slot = (_RIGHT - _LEFT) / len(growth.months)
    width = min(64.0, slot * 0.64)
    has_figures = len(growth.months) <= _MOST_LABELS
    for number, month in enumerate(growth.months):
        middle = _LEFT + slot * (number + 0.5)
        top, bottom = line - month.gained * scale, line + month.all_left * scale
        yield _bar(middle, top, width, month.gained * scale, brand.light.accent)
        yield _bar(middle, line, width, month.all_left * scale, brand.light.quiet)
        if month.gained and (has_figures or month.gained == most_gained):
            yield _text(middle, top - 8, f"{month.gained:,}")
        if month.all_left and (has_figures or month.all_left == most_left):
            yield _text(middle, bottom + 20, f"{month.all_left:,}")
    yield f'<rect x="{_LEFT}" y="{line - 1:.1f}" width="{_RIGHT - _LEFT}" height="2" fill="{brand.light.ink}"/>'
    yield from _month_names(growth, slot)
    if has_figures:
        yield from _nets(growth, slot, brand)


def _bar(middle: float, top: float, width: float, height: float, color: str) -> str:
    return (
        f'<rect x="{middle - width / 2:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'rx="{min(_CORNER, height / 2, width / 4):.1f}" fill="{color}"/>'
    )


def _nets(growth: Growth, slot: float, brand: Brand) -> Iterator[str]:
    yield f'<text x="{_LEFT - 6}" y="{_NET_AT}" font-size="16" text-anchor="end" fill="{brand.light.ink}">net</text>'
    for number, month in enumerate(growth.months):
        net = f"{month.net:+,}".replace("-", "−") if month.net else "0"
        yield _text(_LEFT + slot * (number + 0.5), _NET_AT, net, color=brand.light.ink)


def _month_names(growth: Growth, slot: float) -> Iterator[str]:
    """Yield the names of the months if there is room for them, and each year at its first month."""
    count = len(growth.months)
    letters = 3 if count <= _MOST_LABELS else 1
    is_roomy = count <= 2 * _MOST_LABELS
    named_years = count // (12 * _MOST_LABELS) + 1  # if there are many years, name only every nth
    for number, each in enumerate(growth.months):
        middle = _LEFT + slot * (number + 0.5)
        if is_roomy:
            yield _text(middle, _MONTHS_AT, f"{each.month:%b}"[:letters])
        begins = each.month.month == 1 and each.month.year % named_years == 0
        if begins or (is_roomy and number == 0):
            yield _text(middle, _YEARS_AT if letters == 3 else _NET_AT, f"{each.month.year}")


def _text(x: float, y: float, text: str, *, color: str = "") -> str:
    fill = f' fill="{color}"' if color else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="16" text-anchor="middle"{fill}>{escape(text)}</text>'
