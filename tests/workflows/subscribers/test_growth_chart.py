"""Growth as an SVG file."""

from datetime import date
from pathlib import Path

import pytest
from lxml import etree

from newsletter.errors import InputError
from newsletter.model.stats import Growth, MonthlyGrowth
from newsletter.settings.workspace import Brand
from newsletter.workflows.subscribers.growth_chart import growth_svg, write_growth_chart

SVG = "{http://www.w3.org/2000/svg}"
GROWTH = Growth(
    months=(
        MonthlyGrowth(month=date(2025, 12, 1), joined=30, left={"unsubscribed": 6, "bounced": 2}),
        MonthlyGrowth(month=date(2026, 1, 1), joined=0, left={"unsubscribed": 5}),
        MonthlyGrowth(month=date(2026, 2, 1), joined=10, returned=2),
    ),
    after=1234,
)


def drawn(growth: Growth, *, name: str = "Small Letter", brand: Brand | None = None) -> etree._Element:
    return etree.fromstring(growth_svg(growth, name=name, brand=brand or Brand()).encode())


def bars(svg: etree._Element, color: str) -> list[tuple[float, float]]:
    """Top and height of the bars of a color; the legend's squares are square."""
    rects = [rect for rect in svg.iter(f"{SVG}rect") if rect.get("fill") == color]
    return [(float(r.get("y", "")), float(r.get("height", ""))) for r in rects if r.get("height") != "14"]


def test_the_picture_says_in_words_what_it_shows() -> None:
    svg = drawn(GROWTH)

    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == "title desc"
    assert svg.findtext(f"{SVG}title") == "Small Letter: from 1,205 to 1,234 people"
    assert "December 2025: 30 joined, 8 left; January 2026: 0 joined, 5 left;" in svg.findtext(f"{SVG}desc", "")


def test_both_sides_of_the_line_have_one_scale() -> None:
    brand = Brand()
    svg = drawn(GROWTH, brand=brand)
    (_, joined), *_ = bars(svg, brand.light.accent)
    (line, left), *_ = bars(svg, brand.light.quiet)

    assert joined / left == pytest.approx(30 / 8, rel=0.01)
    assert all(top + height == pytest.approx(line, abs=0.2) for top, height in bars(svg, brand.light.accent))


def test_texts_stay_inside_and_names_are_escaped() -> None:
    svg = drawn(GROWTH, name="News <& letters>")
    texts = list(svg.iter(f"{SVG}text"))

    assert "News <& letters>" in [text.text for text in texts]
    assert all(0 < float(text.get("x", "")) < 1200 and 0 < float(text.get("y", "")) < 675 for text in texts)


@pytest.mark.parametrize("months", [1, 12, 24, 240])
def test_any_number_of_months_is_drawn_within_the_picture(months: int) -> None:
    growth = Growth(
        months=tuple(
            MonthlyGrowth(month=date(2006 + number // 12, number % 12 + 1, 1), joined=number)
            for number in range(months)
        ),
        after=5,
    )
    svg = drawn(growth)

    assert len(bars(svg, Brand().light.accent)) == months
    assert all(0 <= top <= 540 and top + height <= 541 for top, height in bars(svg, Brand().light.accent))
    assert len(list(svg.iter(f"{SVG}text"))) < 4 * 16 + 24


def test_months_without_anybody_are_an_empty_line() -> None:
    assert drawn(Growth(months=(MonthlyGrowth(month=date(2026, 2, 1)),), after=0)) is not None


def test_a_chart_is_not_written_over_unless_asked(tmp_path: Path) -> None:
    path = tmp_path / "growth.svg"
    write_growth_chart(path, GROWTH, name="One", brand=Brand(), overwrite=False)

    with pytest.raises(InputError, match="already exists"):
        write_growth_chart(path, GROWTH, name="Two", brand=Brand(), overwrite=False)
    write_growth_chart(path, GROWTH, name="Three", brand=Brand(), overwrite=True)

    assert ">Three<" in path.read_text(encoding="utf-8")


def test_a_chart_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"write --chart .*growth\.svg"):
        write_growth_chart(tmp_path / "growth.png", GROWTH, name="One", brand=Brand(), overwrite=False)
    with pytest.raises(InputError, match="there is no folder "):
        write_growth_chart(tmp_path / "no" / "growth.svg", GROWTH, name="One", brand=Brand(), overwrite=False)
