"""The studio in a real browser: what the director sees and touches."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from newsletter.config import Config
from newsletter.model.rendered import with_local_pictures
from newsletter.workflows.compose.compose import compose_issue
from newsletter.workflows.compose.sample import sample_mail
from tests.web.studio.conftest import RunningStudio, ServedStudio

COLORS = """['body', 'h1', 'p', 'a'].map(name => {
    const style = getComputedStyle(document.querySelector(name));
    return [style.color, style.backgroundColor];
})"""
SCROLL = "document.getElementById('desktop').contentWindow.scrollY"


@pytest.fixture
def page(browser: Browser, studio: RunningStudio) -> Page:
    """The studio's page on a wide screen."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{studio.url}2026-02/")
    return page


def in_frame(page: Page, frame: str, text: str) -> None:
    expect(page.frame_locator(f"#{frame}").get_by_text(text)).to_be_attached(timeout=20_000)


def test_a_save_shows_in_both_frames_and_keeps_place_and_choices(page: Page, issue_folder: Path) -> None:
    letter = issue_folder / "letter.md"
    letter.write_text(letter.read_text() + "\nAnd a paragraph.\n" * 60)
    in_frame(page, "desktop", "Dear Friends,")
    page.get_by_role("radio", name="Ana").check()
    in_frame(page, "desktop", "Dear Ana,")
    page.evaluate(SCROLL.replace("scrollY", "scrollTo(0, 500)"))
    letter.write_text(letter.read_text().replace("small letter", "quiet letter"))
    in_frame(page, "desktop", "This is a quiet letter")
    in_frame(page, "phone", "This is a quiet letter")
    in_frame(page, "desktop", "Dear Ana,")
    assert page.evaluate(SCROLL) == 500
    assert page.url.endswith("/2026-02/?reader=sample")


def test_errors_are_listed_over_the_last_good_mail_until_they_are_corrected(page: Page, issue_folder: Path) -> None:
    letter = issue_folder / "letter.md"
    text = letter.read_text()
    in_frame(page, "phone", "This is a small letter")
    letter.write_text(text.replace("greeting:", "greting:"))
    edge = page.get_by_role("complementary")
    expect(edge.get_by_role("heading", name="1 error")).to_be_visible(timeout=20_000)
    expect(edge).to_contain_text("issues/2026-02/letter.md:2")
    in_frame(page, "phone", "This is a small letter")
    letter.write_text(text.replace("small letter", "mended letter"))
    in_frame(page, "phone", "This is a mended letter")
    expect(edge).not_to_contain_text("error")


def test_the_switches_work_from_the_keyboard(page: Page) -> None:
    page.get_by_role("radio", name="Both").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Desktop")).to_be_focused()
    expect(page.locator("#phone")).to_be_hidden()
    page.keyboard.press("Tab")
    expect(page.get_by_role("radio", name="Light")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#desktop")).to_have_attribute("src", re.compile("scheme=dark"))
    expect(page).to_have_url(re.compile(r"\?show=desktop&scheme=dark$"))
    expect(page.get_by_role("radio", name="Dark")).to_be_focused()


def test_other_issues_are_a_menu_away(page: Page) -> None:
    page.locator("#issues summary").click()
    page.get_by_role("link", name="2026-01").click()
    in_frame(page, "desktop", "An older letter, of January.")


@pytest.mark.parametrize("width", [320, 900, 1440])
def test_nothing_is_wider_than_the_window(browser: Browser, studio: RunningStudio, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 700})
    for show in ("both", "text"):
        page.goto(f"{studio.url}2026-02/?show={show}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_forced_scheme_looks_as_on_a_device_of_that_scheme(
    browser: Browser, studio: RunningStudio, config: Config, issue_folder: Path, scheme: str
) -> None:
    composed = compose_issue(config, issue_folder)
    mail = sample_mail(config, composed.rendered.fullest)
    device = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    device.route("**", lambda route: route.abort())
    device.set_content(
        with_local_pictures(mail.html, composed.rendered.pictures, "about:"), wait_until="domcontentloaded"
    )
    other = browser.new_page(color_scheme="light" if scheme == "dark" else "dark")
    other.goto(f"{studio.url}2026-02/mail.html?scheme={scheme}")
    assert other.evaluate(COLORS) == device.evaluate(COLORS)


def test_a_page_that_has_lost_its_studio_says_so(page: Page, studio: RunningStudio) -> None:
    expect(page.get_by_role("status")).to_have_text("Updates when you save")
    studio.interrupt()
    expect(page.get_by_role("status")).to_contain_text("The studio has stopped", timeout=20_000)


def test_axe_finds_nothing_wrong_with_the_page_in_light_and_dark(browser: Browser, served: ServedStudio) -> None:
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(f"{served.url}2026-02/?scheme={scheme}")
        for email, answer in (("nobody@example.org", "No subscriber has this address."), ("leo@example.org", "Leo")):
            page.get_by_label("Preview as subscriber").fill(email)
            page.locator("#look-up").click()
            expect(page.locator("body")).to_contain_text(answer)
            expect(page.locator("#look-up")).to_be_focused()
            assert [found["id"] for found in Axe().run(page).response["violations"]] == []
