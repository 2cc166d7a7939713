"""The February issue in a real browser: narrow and wide, by day and by night."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import running_browser
from tests.render.conftest import Mail
from tests.render.in_browser import (
    CONTRASTS,
    LOW_LINKS,
    SCROLL_WIDTH,
    SIZES,
    Opened,
    Scheme,
    open_mail,
)

SCHEMES: tuple[Scheme, ...] = ("light", "dark")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this module."""
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def opened(browser: Browser, february: Mail, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """The issue, on the disk."""
    return open_mail(browser, february, tmp_path_factory.mktemp("february"))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [320, 360, 480, 599, 600, 640])
def test_nothing_scrolls_sideways(opened: Opened, width: int, scheme: Scheme) -> None:
    assert opened.at(width, scheme).evaluate(SCROLL_WIDTH) == width


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [360, 640])
def test_all_text_stands_out_from_its_ground(opened: Opened, width: int, scheme: Scheme) -> None:
    found = opened.at(width, scheme).evaluate(CONTRASTS)
    assert len(found) > 150
    assert [(text, ratio) for text, ratio in found if ratio < 4.5] == []


@pytest.mark.parametrize("width", [360, 640])
def test_all_text_is_large_enough(opened: Opened, width: int) -> None:
    assert [(text, size) for text, size in opened.at(width, "light").evaluate(SIZES) if size < 14] == []


@pytest.mark.parametrize("width", [320, 640])
def test_links_that_stand_alone_suit_a_thumb(opened: Opened, width: int) -> None:
    assert opened.at(width, "light").evaluate(LOW_LINKS) == []


@pytest.mark.parametrize(("scheme", "logo"), [("light", "by-day"), ("dark", "by-night")])
def test_one_logo_shows_and_it_suits_the_ground(opened: Opened, scheme: Scheme, logo: str) -> None:
    shown = opened.at(640, scheme).locator("img[alt='Center for Mindful Self-Compassion']:visible")
    assert shown.count() == 1
    assert shown.get_attribute("class") == logo


def test_on_a_phone_the_date_stands_above_the_title(opened: Opened) -> None:
    page = opened.at(360, "light")
    tile = page.locator(".tile").first.bounding_box()
    title = page.get_by_role("heading", name="Self-Forgiveness: Steps to Healing Shame").bounding_box()
    assert tile is not None
    assert title is not None
    assert tile["y"] + tile["height"] <= title["y"]
    assert tile["x"] == title["x"]


def test_on_a_desktop_the_date_stands_beside_the_title(opened: Opened) -> None:
    page = opened.at(640, "light")
    tile = page.locator(".tile").first.bounding_box()
    title = page.get_by_role("heading", name="Self-Forgiveness: Steps to Healing Shame").bounding_box()
    assert tile is not None
    assert title is not None
    assert tile["x"] + tile["width"] < title["x"]


@pytest.mark.parametrize(("width", "rows"), [(360, 3), (640, 1)])
def test_the_cards_with_tips_stack_on_a_phone(opened: Opened, width: int, rows: int) -> None:
    tops = [card.bounding_box() for card in opened.at(width, "light").locator(".tip").all()]
    assert len({round(box["y"]) for box in tops if box}) == rows
