"""Every section type and every key in a real browser: on small phones, by night, and from right to left."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page

from tests.browser import running_browser
from tests.kitchen_sink import EVERYTHING, ISSUES, RIGHT_TO_LEFT, WORKSPACE
from tests.render.conftest import render_workspace
from tests.render.in_browser import (
    CONTRASTS,
    LOW_LINKS,
    SCROLL_WIDTH,
    SIZES,
    Opened,
    Scheme,
    double_text,
    open_mail,
)

WIDE, NARROW = 640, 320
BOTH = pytest.mark.parametrize("name", [EVERYTHING, RIGHT_TO_LEFT])


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Opened]]:
    """All issues on the disk, and one browser for all tests of this module."""
    with running_browser() as browser:
        yield {name: _opened(browser, name, tmp_path_factory.mktemp(name)) for name in ISSUES}


def _opened(browser: Browser, name: str, folder: Path) -> Opened:
    return open_mail(browser, render_workspace(WORKSPACE, name, first_name="Ana"), folder)


@pytest.mark.parametrize("name", ISSUES)
def test_nothing_scrolls_sideways_on_the_smallest_phone(mails: dict[str, Opened], name: str) -> None:
    assert mails[name].at(NARROW, "light").evaluate(SCROLL_WIDTH) == NARROW


@pytest.mark.parametrize("name", ISSUES)
def test_text_of_twice_the_size_does_not_scroll_sideways(mails: dict[str, Opened], name: str) -> None:
    page = mails[name].at(360, "light")
    double_text(page)
    width = page.evaluate(SCROLL_WIDTH)
    page.reload()
    assert width == 360


@BOTH
def test_no_word_of_a_table_is_broken_and_none_makes_the_page_wider(mails: dict[str, Opened], name: str) -> None:
    for width in (WIDE, NARROW):
        page = mails[name].at(width, "light")
        for cell in page.locator("table.data td, table.data th").all():
            assert cell.evaluate("e => getComputedStyle(e).wordBreak") in {"normal", "keep-all"}
        assert page.evaluate(SCROLL_WIDTH) == width


@BOTH
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read_and_touched(mails: dict[str, Opened], name: str, scheme: Scheme) -> None:
    page = mails[name].at(360, scheme)
    found = page.evaluate(CONTRASTS)
    assert len(found) > 150
    assert [(text, ratio) for text, ratio in found if ratio < 4.5] == []
    assert [(text, size) for text, size in page.evaluate(SIZES) if size < 13] == []
    assert page.evaluate(LOW_LINKS) == []


@BOTH
def test_outlook_on_the_web_shows_the_same_night(mails: dict[str, Opened], name: str) -> None:
    """It marks what it has turned itself, and has no media query."""
    expected = mails[name].at(WIDE, "dark").evaluate(CONTRASTS)
    page = mails[name].at(WIDE, "light")
    page.evaluate("document.body.setAttribute('data-ogsc', ''); document.body.setAttribute('data-ogsb', '')")
    found = page.evaluate(CONTRASTS)
    page.reload()
    assert found == expected


def test_a_drawing_without_a_ground_gets_one_by_night(mails: dict[str, Opened]) -> None:
    drawing = mails[EVERYTHING].at(WIDE, "dark").get_by_alt_text("Five rings over a line")
    assert drawing.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"


@BOTH
def test_everything_begins_at_the_side_that_the_language_begins_at(mails: dict[str, Opened], name: str) -> None:
    page = mails[name].at(WIDE, "light")
    assert_beside(page.locator(".tile").first, page.locator("h3:right-of(.tile), h3:left-of(.tile)").first, name)
    button = page.locator("div:has(> table td.button):has(> a)").first
    assert_beside(button.locator("> table"), button.locator("> a").first, name)
    assert_beside(page.locator(".row-date").first, page.locator(".row-date + span").first, name)
    assert_beside(page.locator("img[width='72']"), page.locator("td:has(> img[width='72']) + td"), name)
    side = "right" if name == RIGHT_TO_LEFT else "left"
    quote = page.locator("blockquote:not([dir])").first
    assert quote.evaluate(f"e => parseFloat(getComputedStyle(e).border{side.title()}Width)") > 0
    assert {round(edge) for edge in edges(page, "h2", side)} == {52 if side == "left" else WIDE - 52}


@pytest.mark.parametrize(("name", "side"), [(EVERYTHING, "right"), (RIGHT_TO_LEFT, "left")])
def test_what_runs_the_other_way_begins_at_the_other_side(mails: dict[str, Opened], name: str, side: str) -> None:
    page = mails[name].at(WIDE, "light")
    for block in page.locator(".prose p[dir], .prose h4[dir], .prose h5[dir]").all():
        assert block.evaluate("e => getComputedStyle(e).textAlign") == side
    quote = page.locator("blockquote[dir]").first
    assert quote.evaluate(f"e => parseFloat(getComputedStyle(e).border{side.title()}Width)") > 0


def assert_beside(first: Locator, second: Locator, name: str) -> None:
    """The first stands before the second, in the direction of the issue."""
    one, two = box(first), box(second)
    if name == RIGHT_TO_LEFT:
        one, two = two, one
    assert one["x"] + one["width"] <= two["x"] + 1


def box(locator: Locator) -> dict[str, Any]:
    found = locator.bounding_box()
    assert found is not None
    return dict(found)


def edges(page: Page, selector: str, side: str) -> list[float]:
    """Where the elements begin."""
    return [
        bounds["x"] if side == "left" else bounds["x"] + bounds["width"]
        for bounds in map(box, page.locator(selector).all())
    ]
