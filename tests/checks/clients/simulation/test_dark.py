"""The dark modes: colors that were measured or that a source states, and what holds for all colors."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from coloraide import Color
from playwright.sync_api import Page

from newsletter.checks.clients.simulation.drawing import dark_script
from tests.browser import running_browser

PAGE = "#292929"
# Measured in October 2025 (druso/email_darkmode_simulator): background, text, and the background in Outlook.com and in
# classic Outlook. The texts that were measured with them are picked from blurred letters, so they are not here.
MEASURED = (
    ("#F4F4F4", "#2B2B2B", "#2E2E2E", "#323232"),
    ("#E2E3E3", "#3A3B3C", "#373737", "#434545"),
    ("#C8CACC", "#4A4D50", "#434547", "#5B5D5F"),
    ("#B5B3AF", "#2F3132", "#53514E", "#74716D"),
    ("#8A8D90", "#151617", "#66696C", "#909396"),
    ("#5A5C5E", "#ECEDED", "#5A5C5E", "#B6B8BA"),
    ("#E0E0E0", "#8C8C8C", "#393939", "#474747"),
    ("#FFFFFF", "#0078D4", "#292929", "#262626"),
    ("#F0F0F0", "#D92B2B", "#303030", "#373737"),
    ("#FFFFFF", "#222222", "#292929", "#262626"),
    ("#000000", "#EEEEEE", "#000000", "#F6F6F6"),
    ("#FEFEFE", "#222222", "#2A2A2A", "#272727"),
    ("#010101", "#EEEEEE", "#010101", "#F3F3F3"),
)
# Pairs of Outlook's composer (microsoft/roosterjs, MIT): L' = (100 - L)(100 - B)/100 + B, with B of #333333.
COMPOSER = (
    ("#51a7f9", "#0076c2"), ("#f5d427", "#5d4d00"), ("#ed5c57", "#df504d"), ("#b36ae2", "#ab63da"),
    ("#0c882a", "#3da848"), ("#c82613", "#ff6847"), ("#002451", "#cedbff"), ("#934511", "#ef935c"),
    ("#cccccc", "#535353"), ("#666666", "#a0a0a0"), ("#ffffff", "#333333"), ("#000000", "#ffffff"),
    ("#ffc080", "#77490b"), ("#ff8080", "#bc454a"),
)  # fmt: skip
EVERY = [f"rgb({red}, {green}, {blue})" for red, green, blue in product((0, 51, 128, 204, 255), repeat=3)]


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page that knows the dark modes."""
    with running_browser() as browser:
        page = browser.new_page()
        page.set_content("<!DOCTYPE html><body></body>")
        page.evaluate(dark_script())
        yield page


def changed(page: Page, formula: str, color: str) -> str:
    return str(page.evaluate(f"newsletterDark.write(newsletterDark.{formula}(newsletterDark.read({color!r})))"))


def far(one: str, other: str) -> float:
    return Color(one).delta_e(other, method="76")


def after(page: Page, body: str, change: str) -> list[tuple[str, str]]:
    """The text and the background of each element in a body, once a dark mode has changed it."""
    script = f"""(body) => {{ document.body.innerHTML = body; newsletterDark.{change};
      return [...document.body.querySelectorAll("*")].map((each) => {{
        const style = getComputedStyle(each); return [style.color, style.backgroundColor]; }}); }}"""
    found: list[list[str]] = page.evaluate(script, body)
    return [(text, ground) for text, ground in found]


@pytest.mark.parametrize(("ground", "text", "expected", "_"), MEASURED)
def test_outlook_com_darkens_grounds_as_measured(page: Page, ground: str, text: str, expected: str, _: str) -> None:
    ((_, found),) = after(page, f'<p style="background:{ground};color:{text}">A</p>', f"outlookCom('{PAGE}')")
    assert far(found, expected) <= 1


def test_outlook_com_lightens_the_blue_that_was_measured(page: Page) -> None:
    ((found, _),) = after(page, '<p style="background:#fff;color:#0078D4">A</p>', f"outlookCom('{PAGE}')")
    assert far(found, "#5BA4FF") <= 0.5


def test_outlook_com_makes_every_text_readable_and_a_second_walk_changes_nothing(page: Page) -> None:
    body = "".join(f'<p style="color:{color}">A</p>' for color in EVERY)
    once = after(page, body, f"outlookCom('{PAGE}')")
    assert min(Color(text).contrast(PAGE, method="wcag21") for text, _ in once) >= 4.45  # channels are whole numbers
    twice = after(page, body, f"outlookCom('{PAGE}'); newsletterDark.outlookCom('{PAGE}')")
    readable = [text for text, _ in once if Color(text).contrast(PAGE, method="wcag21") >= 4.5]
    assert len(readable) > len(EVERY) * 0.9
    assert {text for text, _ in twice} >= set(readable)
    assert all(two == one for one, two in zip(once, twice, strict=True) if one[0] in readable)


def test_outlook_com_marks_what_it_changes_with_the_old_color(page: Page) -> None:
    body = '<x-cell bgcolor="#ffffff" style="color: rgb(1, 2, 3); background-color: #ffffff">A</x-cell>'
    after(page, body, f"outlookCom('{PAGE}')")
    marks: dict[str, Any] = page.evaluate("({...document.body.firstChild.dataset})")
    assert marks == {"ogsc": "rgb(1, 2, 3)", "ogsb": "rgb(255, 255, 255)", "ogab": "#ffffff"}


@pytest.mark.parametrize(("light", "dark"), COMPOSER)
def test_the_lightness_of_lab_is_that_of_outlooks_composer(page: Page, light: str, dark: str) -> None:
    found = page.evaluate(
        "color => newsletterDark.write(newsletterDark.withLightness(newsletterDark.read(color),"
        " (lightness) => (100 - lightness) * (1 - 21.247 / 100) + 21.247))",
        light,
    )
    assert far(found, dark) <= 1


@pytest.mark.parametrize(("ground", "_text", "_com", "expected"), MEASURED)
def test_classic_outlook_changes_grounds_as_measured(
    page: Page, ground: str, _text: str, _com: str, expected: str
) -> None:
    assert far(changed(page, "wordColor", ground), expected) <= 1.1  # seven of eight knots are these colors


@pytest.mark.parametrize(("light", "dark"), [("#ffffff", "#333333"), ("#000000", "#ffffff"), ("#c00000", "#F9605F")])
def test_apple_inverts_the_lightness_as_webkit_does(page: Page, light: str, dark: str) -> None:
    assert far(changed(page, "appleColor", light), dark) <= 1


def test_gmail_on_ios_swaps_black_and_white_and_is_about_right_for_purple(page: Page) -> None:
    assert changed(page, "invertedColor", "#000000") == "rgb(255, 255, 255)"
    assert changed(page, "invertedColor", "#ffffff") == "rgb(0, 0, 0)"
    assert far(changed(page, "invertedColor", "#663399"), "#c7a4ef") <= 10


@pytest.mark.parametrize("formula", ["wordColor", "invertedColor", "appleColor"])
def test_gray_stays_gray_alpha_is_kept_and_a_lighter_gray_never_ends_lighter(page: Page, formula: str) -> None:
    shades = [changed(page, formula, f"rgb({gray}, {gray}, {gray})") for gray in range(0, 256, 15)]
    channels = [[int(value) for value in shade[4:-1].split(", ")] for shade in shades]
    assert all(max(each) - min(each) <= 2 for each in channels)
    assert [each[0] for each in channels] == sorted((each[0] for each in channels), reverse=True)
    assert changed(page, formula, "rgba(10, 20, 30, 0.5)").endswith(", 0.5)")


def stripped(page: Page, body: str) -> list[tuple[str, str]]:
    script = """(body) => { document.body.innerHTML = body; newsletterDark.thunderbird();
      const all = [...document.body.querySelectorAll("*")];
      return all.map((each) => [each.style.color, each.style.backgroundColor]); }"""
    found: list[list[str]] = page.evaluate(script, body)
    return [(text, ground) for text, ground in found]


@pytest.mark.parametrize(
    ("style", "left"),
    [
        ("background: #ffffff", ("", "")),
        ("background: #E8DFD4", ("", "")),
        ("color: #9C3353", ("", "")),
        ("color: #5E5850", ("", "")),
        ("color: #ffffff", ("rgb(255, 255, 255)", "")),
        ("background: #9C3353", ("", "rgb(156, 51, 83)")),
        ("background: #9C3353; color: #ffffff", ("rgb(255, 255, 255)", "")),  # a contrast of 3.37, below 3.5
        ("background: #1a237e; color: #ffffff", ("rgb(255, 255, 255)", "rgb(26, 35, 126)")),
        ("background: rgb(255, 255, 255, 0.1); color: #222", ("", "rgba(255, 255, 255, 0.1)")),
    ],
)
def test_thunderbird_strips_light_grounds_and_dark_text(page: Page, style: str, left: tuple[str, str]) -> None:
    assert stripped(page, f'<div style="{style}">A</div>') == [left]


def test_thunderbird_leaves_buttons_alone_and_forgets_attributes(page: Page) -> None:
    assert stripped(page, '<button style="background: #ffffff; color: #000000">A</button>') == [
        ("rgb(0, 0, 0)", "rgb(255, 255, 255)")
    ]
    page.evaluate("document.body.innerHTML = '<table bgcolor=white><td bgcolor=red>A'; newsletterDark.thunderbird()")
    assert page.locator("[bgcolor]").count() == 0
