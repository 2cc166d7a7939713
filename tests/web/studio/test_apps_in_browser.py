"""The contact sheet in a real browser: its pictures, the keyboard, and nothing that axe finds wrong."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, expect

from tests.web.studio.conftest import ServedStudio

_DRAWN = "Promise.all([...document.images].map((each) => each.decode().then(() => each.naturalWidth)))"


def test_every_app_is_drawn_and_one_is_enlarged_with_the_keyboard_alone(browser: Browser, served: ServedStudio) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(90_000)
    page.goto(f"{served.url}2026-02/apps", wait_until="commit")
    expect(page.locator(".sheet img")).to_have_count(24)
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong_at_any_width(browser: Browser, served: ServedStudio, scheme: str) -> None:
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    page.set_default_timeout(90_000)
    for path in ("apps", "apps?scheme=dark", "apps/outlook-windows/dark", "apps/apple-mail-ios/light"):
        page.goto(f"{served.url}2026-02/{path}")
        for width in (1440, 768, 360):
            page.set_viewport_size({"width": width, "height": 900})
            found = Axe().run(page).response["violations"]
            assert [(each["id"], [node["target"] for node in each["nodes"]]) for each in found] == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
