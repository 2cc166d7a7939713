"""The February issue in a real browser: narrow and wide, by day and by night."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.render.conftest import Mail

# The contrast of each piece of text with the nearest ground behind it (WCAG 2.2, relative luminance).
CONTRASTS = """() => {
  const parse = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
  const luminance = colour => {
    const [r, g, b] = parse(colour).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      const parts = parse(colour);
      if (parts.length === 3 || parts[3] > 0) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.getClientRects().length) continue;
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(ground(element))];
    found.push([walker.currentNode.textContent.trim().slice(0, 40), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]);
  }
  return found;
}"""
SIZES = """() => [...document.querySelectorAll('body *')]
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) && e.getClientRects().length)
  .map(e => [e.textContent.trim().slice(0, 40), parseFloat(getComputedStyle(e).fontSize)])"""
# Links that stand alone: a thumb needs 44 pixels; links inside sentences are exempt (WCAG 2.2, 2.5.8).
LOW_LINKS = """() => [...document.querySelectorAll('a')]
  .filter(a => ['block', 'inline-block'].includes(getComputedStyle(a).display) && a.getClientRects().length)
  .map(a => [a.textContent.trim().slice(0, 40), a.getBoundingClientRect().height])
  .filter(([, height]) => height < 44)"""
SCHEMES = ("light", "dark")


class Opened:
    """The mail on the disk, and a browser that shows it."""

    def __init__(self, browser: Browser, path: Path) -> None:
        self._browser = browser
        self._path = path

    def at(self, width: int, scheme: str) -> Page:
        """The page in a window of this width; the one before it is closed."""
        for context in self._browser.contexts:
            context.close()
        page = self._browser.new_page(
            viewport=ViewportSize(width=width, height=800), color_scheme="dark" if scheme == "dark" else "light"
        )
        page.goto(self._path.as_uri())
        return page


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A real browser; its profile stays in the test's folder."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        reason = "no Chromium on this machine; install it with `apt-get install chromium`"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    quiet = ["background-networking", "component-update", "sync", "gpu"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", *(f"--disable-{name}" for name in quiet)],
            env={**os.environ, "HOME": str(tmp_path_factory.mktemp("browser"))},
        )
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Browser, february: Mail, tmp_path: Path) -> Opened:
    """Opens the mail, its pictures beside it, at a width and in a colour scheme."""
    html = february.html
    for picture in february.rendered.pictures:
        (tmp_path / picture.name).write_bytes(picture.content)
        html = html.replace(f"cid:{picture.content_id}", picture.name)
    path = tmp_path / "mail.html"
    path.write_text(html, encoding="utf-8")
    return Opened(browser, path)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [320, 360, 480, 599, 600, 640])
def test_nothing_scrolls_sideways(opened: Opened, width: int, scheme: str) -> None:
    assert opened.at(width, scheme).evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [360, 640])
def test_all_text_stands_out_from_its_ground(opened: Opened, width: int, scheme: str) -> None:
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
def test_one_logo_shows_and_it_suits_the_ground(opened: Opened, scheme: str, logo: str) -> None:
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
