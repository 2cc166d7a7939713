"""The February issue in a real browser: narrow and wide, by day and by night."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import running_browser
from tests.render.conftest import Mail
from tests.render.in_browser import (
    CONTRASTS,
    CUT_ALTS,
    LOW_LINKS,
    SCROLL_WIDTH,
    SIZES,
    Opened,
    Scheme,
    double_text,
    open_mail,
    without_pictures,
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
    assert [(text, size) for text, size in opened.at(width, "light").evaluate(SIZES) if size < 13] == []


@pytest.mark.parametrize("width", [320, 640])
def test_links_that_stand_alone_suit_a_thumb(opened: Opened, width: int) -> None:
    assert opened.at(width, "light").evaluate(LOW_LINKS) == []


@pytest.mark.parametrize(("scheme", "logo"), [("light", "by-day"), ("dark", "by-night")])
def test_one_logo_shows_and_it_suits_the_ground(opened: Opened, scheme: Scheme, logo: str) -> None:
    shown = opened.at(640, scheme).locator("img[alt='Center for Mindful Self-Compassion']:visible")
    assert shown.count() == 1
    assert shown.get_attribute("class") == f"quiet {logo}"


def test_on_a_phone_the_date_stands_above_the_title(opened: Opened) -> None:
    page = opened.at(360, "light")
    tile = page.locator(".phone").first.bounding_box()
    title = page.get_by_role("heading", name="Self\u2011Forgiveness: Steps to Healing Shame").bounding_box()
    assert page.locator(".tile:visible").count() == 0
    assert tile is not None
    assert title is not None
    assert tile["y"] + tile["height"] <= title["y"]
    assert tile["x"] == title["x"]


def test_on_a_desktop_the_date_stands_beside_the_title(opened: Opened) -> None:
    page = opened.at(640, "light")
    tile = page.locator(".tile").first.bounding_box()
    title = page.get_by_role("heading", name="Self\u2011Forgiveness: Steps to Healing Shame").bounding_box()
    assert tile is not None
    assert title is not None
    assert tile["x"] + tile["width"] < title["x"]


@pytest.mark.parametrize(("width", "rows"), [(360, 3), (640, 1)])
def test_the_cards_with_tips_stack_on_a_phone(opened: Opened, width: int, rows: int) -> None:
    tops = [card.bounding_box() for card in opened.at(width, "light").locator(".tip").all()]
    assert len({round(box["y"]) for box in tops if box}) == rows


def test_text_of_twice_the_size_does_not_scroll_sideways(browser: Browser, opened: Opened) -> None:
    with browser.new_context(viewport={"width": 360, "height": 800}) as context:
        page = context.new_page()
        opened.show(page)
        double_text(page)
        assert page.evaluate(SCROLL_WIDTH) == 360


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [320, 640])
def test_without_pictures_their_alt_texts_are_whole_and_in_the_themes_type(
    browser: Browser, opened: Opened, width: int, scheme: Scheme
) -> None:
    with browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme) as context:
        page = context.new_page()
        opened.show(page)
        without_pictures(page)
        assert page.evaluate("[...document.images].every(image => image.naturalWidth === 0)")
        assert page.evaluate(CUT_ALTS) == []
        assert page.evaluate(SCROLL_WIDTH) == width
        color = "rgb(94, 88, 80)" if scheme == "light" else "rgb(185, 175, 164)"
        shown = [image for image in page.locator("img[alt]:visible").all() if image.get_attribute("alt")]
        assert len(shown) == 3
        for image in shown:
            assert image.evaluate("e => getComputedStyle(e).color") == color
            assert image.evaluate("e => getComputedStyle(e).fontSize") == "14px"
            underlined = "e => getComputedStyle(e.closest('a') || e).textDecorationLine"
            assert image.evaluate(underlined) == "none"


def test_each_section_has_one_solid_button_and_its_label_is_on_one_line(opened: Opened) -> None:
    page = opened.at(640, "light")
    assert page.locator("td.button").count() == 3  # the events, the community, the donation
    outlined = page.locator("td.accent > a")
    assert outlined.count() == 4
    heights = {
        round(button.bounding_box()["height"]) for button in [*page.locator("td.button > a").all(), *outlined.all()]
    }
    assert heights <= {46, 48}


def test_a_date_is_said_once_on_a_phone_and_a_screen_reader_hears_all_of_it(opened: Opened) -> None:
    page = opened.at(360, "light")
    said = page.locator("span.said").first
    assert said.inner_text().replace("\N{NO-BREAK SPACE}", " ").strip() == "Wednesday, February 25, 2026"
    assert said.bounding_box()["height"] == 0
    assert page.locator(".phone").first.inner_text().replace("\N{NO-BREAK SPACE}", " ") == "Wed, Feb 25 Happening Soon!"
    assert page.locator(".phone").first.get_attribute("aria-hidden") == "true"
    tops = {round(part.bounding_box()["y"]) for part in page.locator(".phone").first.locator("> span").all()}
    assert len(tops) == 1


def test_a_tile_is_low_and_its_numbers_have_room(opened: Opened) -> None:
    page = opened.at(640, "light")
    for tile in page.locator(".tile").all():
        assert tile.bounding_box()["height"] <= 110
        for part in tile.locator("span").all():
            assert part.evaluate("e => e.scrollWidth <= e.clientWidth")


def test_an_item_without_a_date_takes_the_whole_width(opened: Opened) -> None:
    title = opened.at(640, "light").get_by_role("heading", name="Live Online Mindful Self\u2011Compassion (LOMSC)")
    assert title.bounding_box()["x"] == 52


def test_the_badge_comes_after_the_title_when_the_mail_is_read_out(opened: Opened) -> None:
    page = opened.at(640, "light")
    order = page.evaluate("""() => [...document.querySelectorAll('h3, p.said')].map(e => e.tagName).join('')""")
    assert order.startswith("H3P")


def test_a_row_of_a_list_has_its_date_on_one_line_beside_the_title(opened: Opened) -> None:
    page = opened.at(640, "light")
    for date in page.locator(".row-date").all():
        box = date.bounding_box()
        title = date.locator("xpath=following-sibling::span[1]").bounding_box()
        assert (box["width"], box["height"]) == (156, 26)
        assert title["x"] == box["x"] + 156
        assert title["y"] <= box["y"] + 1


def test_by_night_a_hairline_surrounds_the_page(opened: Opened) -> None:
    page = opened.at(640, "dark")
    for selector, sides in (("div.top", "Top Left Right"), ("div.inside", "Left Right"), ("div.foot", "Top")):
        for side in sides.split():
            edge = page.locator(selector).first.evaluate(
                f"e => [getComputedStyle(e).border{side}Width, getComputedStyle(e).border{side}Color]"
            )
            assert edge == ["1px", "rgb(90, 80, 73)"]
