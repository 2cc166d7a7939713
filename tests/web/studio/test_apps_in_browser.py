"""The contact sheet in a real browser: its pictures, the keyboard, and nothing that axe finds wrong."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.web.axe import WIDTHS, violations
from tests.web.studio.conftest import ServedStudio

_DRAWN = "Promise.all([...document.images].map((each) => each.decode().then(() => each.naturalWidth)))"


def test_every_app_is_drawn_and_one_is_enlarged_with_the_keyboard_alone(browser: Browser, served: ServedStudio) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(90_000)
    page.goto(f"{served.url}2026-02/apps", wait_until="commit")
    expect(page.locator(".contact-sheet img")).to_have_count(24)
    assert set(page.evaluate(_DRAWN)) == {208, 390, 700}
    page.get_by_role("link", name="Gmail in a browser").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Gmail in a browser")).to_be_visible()
    expect(page.get_by_role("heading", name="What is lost")).to_be_visible()
    assert page.evaluate(_DRAWN) == [700]
    page.get_by_role("link", name="all email apps").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Dark", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("No dark picture").first).to_be_visible()
    page.get_by_role("link", name="Outlook.com and new Outlook").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Only the app is dark").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/apps/outlook-com/app-dark\?scheme=dark$"))
    assert page.evaluate(_DRAWN) == [700]


@pytest.mark.parametrize("path", ["apps", "apps?scheme=dark", "apps/outlook-windows/dark", "apps/apple-mail-ios/light"])
def test_axe_finds_nothing_wrong_in_any_colors_and_at_any_width(
    browser: Browser, served: ServedStudio, path: str
) -> None:
    page = browser.new_page()
    page.set_default_timeout(90_000)
    page.goto(f"{served.url}2026-02/{path}")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[-1]
