"""The page of an issue in a real browser: what the director sees and touches while writing."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from newsletter.config import Config
from newsletter.model.rendered import with_local_pictures
from newsletter.workflows.compose.compose import compose_issue
from newsletter.workflows.compose.sample import sample_mail
from tests.web.axe import violations
from tests.web.studio.conftest import RunningStudio, ServedStudio

COLORS = """['body', 'h1', 'p', 'a'].map(name => {
    const style = getComputedStyle(document.querySelector(name));
    return [style.color, style.backgroundColor];
})"""
CHANGED = """[...document.getElementById('desktop').contentDocument.querySelectorAll('[data-changed]')]
    .map(block => block.textContent.trim())"""
ACTIVE = "document.getElementById('desktop').contentDocument.activeElement.dataset.place"
SEEN_AT = """[...document.getElementById('desktop').contentDocument.querySelectorAll('p')]
    .filter(each => each.textContent.includes('And a paragraph.'))[20].getBoundingClientRect().top"""
LOOK = "block => { const style = getComputedStyle(block); return [style.margin, style.font, style.color]; }"
VIEWS = ("both", "desktop", "tablet", "phone", "inbox", "text", "source")
PATIENT = 20_000  # milliseconds on a busy machine


@pytest.fixture
def page(browser: Browser, served: ServedStudio) -> Iterator[Page]:
    """The studio's page on a wide screen, with the email in both frames."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{served.url}2026-02/")
    in_frame(page, "desktop", "This is a small letter")
    in_frame(page, "phone", "This is a small letter")
    yield page
    page.close()


def in_frame(page: Page, frame: str, text: str) -> None:
    expect(page.frame_locator(f"#{frame}").get_by_text(text)).to_be_attached(timeout=PATIENT)


def test_a_save_replaces_only_what_changed_and_marks_it(page: Page, issue_folder: Path) -> None:
    letter = issue_folder / "letter.md"
    text = letter.read_text() + "\nAnd a paragraph.\n" * 60
    letter.write_text(text)
    expect(page.locator("#changes")).to_be_visible(timeout=PATIENT)
    page.evaluate("""() => {
        const frame = document.getElementById('desktop');
        frame.contentDocument.isSame = true;
        frame.contentWindow.scrollTo(0, 900);
    }""")
    seen_at = page.evaluate(SEEN_AT)
    page.locator("#reader summary").focus()

    letter.write_text(text.replace("small letter", "quiet letter").replace("![", "Something quite new.\n\n!["))

    in_frame(page, "desktop", "This is a quiet letter")
    in_frame(page, "phone", "Something quite new.")
    expect(page.locator("#changes")).to_have_text("2 blocks changed")
    assert page.evaluate(CHANGED) == ["This is a quiet letter, with a page about it.", "Something quite new."]
    assert page.evaluate("document.getElementById('desktop').contentDocument.isSame")
    page.wait_for_function(f"() => Math.abs({SEEN_AT} - {seen_at}) < 1")
    expect(page.locator("#reader summary")).to_be_focused()
    new = page.frame_locator("#desktop").get_by_text("Something quite new.")
    assert new.get_attribute("data-place") == "issues/2026-02/letter.md:6"
    patched = new.evaluate(LOOK)
    page.reload()
    in_frame(page, "desktop", "Something quite new.")
    assert new.evaluate(LOOK) == patched


def test_changed_lines_of_the_plain_text_are_marked(page: Page, issue_folder: Path) -> None:
    page.get_by_role("radio", name="Text", exact=True).check()
    expect(page.locator("#text")).to_be_visible()
    letter = issue_folder / "letter.md"
    letter.write_text(letter.read_text().replace("small letter", "quiet letter"))
    expect(page.locator("#text mark.changed")).to_contain_text("This is a quiet letter", timeout=PATIENT)
    expect(page.locator("#text mark.changed")).not_to_contain_text("For those who teach")


def test_the_last_good_mail_stays_dimmed_under_the_mistake_until_it_is_corrected(
    page: Page, issue_folder: Path
) -> None:
    letter = issue_folder / "letter.md"
    text = letter.read_text()
    letter.write_text(text.replace("greeting:", "greting:"))
    alert = page.locator("#trouble [role=alert]")
    expect(alert).to_contain_text("issues/2026-02/letter.md:2", timeout=PATIENT)
    expect(page.locator("#problems")).to_contain_text("issues/2026-02/letter.md:2")
    assert float(page.evaluate("getComputedStyle(document.getElementById('desktop')).opacity")) < 0.6
    in_frame(page, "phone", "This is a small letter")
    letter.write_text(text.replace("small letter", "mended letter"))
    in_frame(page, "phone", "This is a mended letter")
    expect(alert).to_have_count(0)
    assert page.evaluate("getComputedStyle(document.getElementById('desktop')).opacity") == "1"


def test_a_problem_leads_to_its_block(page: Page, issue_folder: Path) -> None:
    letter = issue_folder / "letter.md"
    letter.write_text(letter.read_text() + "\nA paragraph.\n" * 60 + "\nTODO: one more word.\n")
    place = page.get_by_role("button", name="issues/2026-02/letter.md:128")
    expect(place).to_be_visible(timeout=PATIENT)
    place.press("Enter")
    block = page.frame_locator("#desktop").locator("[data-marked]")
    expect(block).to_have_text("TODO: one more word.")
    expect(block).to_be_in_viewport()
    expect(place).to_be_focused()


def test_blocks_are_chosen_by_click_and_by_keyboard(page: Page) -> None:
    page.route("**/editing.js", lambda route: route.abort())  # which would open the block's text, and move the focus
    page.reload()
    in_frame(page, "desktop", "This is a small letter")
    page.evaluate("document.addEventListener('block', event => { (window.told ??= []).push(event.detail.place) })")
    frame = page.frame_locator("#desktop")
    frame.get_by_text("This is a small letter").click(position={"x": 5, "y": 5})
    frame.get_by_role("link", name="a page about it").click()
    assert page.evaluate(ACTIVE) == "issues/2026-02/letter.md:4"
    for key in ("ArrowDown", "ArrowUp", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("window.told") == [
        *("issues/2026-02/letter.md:4", "issues/2026-02/letter.md:4", "issues/2026-02/letter.md:2")
    ]
    assert len(page.context.pages) == 1


def test_everything_about_the_view_can_be_chosen_with_the_keyboard(page: Page) -> None:
    page.get_by_role("radio", name="Both").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Phone")).to_be_focused()
    expect(page.locator("#desktop")).to_be_hidden()
    for name, query in (("Dark", "scheme=dark"), ("No images", "pictures=off"), ("200 %", "letters=large")):
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("radio", name=name)).to_be_focused()
        expect(page).to_have_url(re.compile(query))
    expect(page.locator(".phone figcaption")).to_contain_text("Phone")
    in_frame(page, "phone", "This is a small letter")


def test_a_subscriber_is_found_and_shown_with_the_keyboard(page: Page) -> None:
    page.locator("#reader summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("silva")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Maria Silva")).to_be_visible(timeout=PATIENT)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    in_frame(page, "desktop", "Dear Maria,")
    expect(page.locator("#reader summary")).to_be_focused()
    expect(page.locator("#reader summary")).to_contain_text(
        "as Maria Silva, maria@example.org, Spanish, Tokyo, teachers"
    )
    page.get_by_role("radio", name="Dark").check()
    expect(page.locator("#whom")).to_contain_text("Maria Silva")


def test_other_issues_are_a_menu_away(page: Page) -> None:
    page.locator("#issues summary").click()
    page.get_by_role("link", name="2026-01").click()
    in_frame(page, "desktop", "An older letter, of January.")


def test_nothing_is_wider_than_the_window(browser: Browser, served: ServedStudio) -> None:
    page = browser.new_page()
    for width in (320, 768, 900, 1440):
        page.set_viewport_size({"width": width, "height": 700})
        for show in VIEWS:
            page.goto(f"{served.url}2026-02/?show={show}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, show)
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_chosen_scheme_looks_as_on_a_device_of_that_scheme(
    browser: Browser, served: ServedStudio, config: Config, issue_folder: Path, scheme: str
) -> None:
    composed = compose_issue(config, issue_folder)
    mail = sample_mail(config, composed.rendered.fullest)
    device = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    device.route("**", lambda route: route.abort())
    device.set_content(
        with_local_pictures(mail.html, composed.rendered.pictures, "about:"), wait_until="domcontentloaded"
    )
    other = browser.new_page(color_scheme="light" if scheme == "dark" else "dark")
    other.goto(f"{served.url}2026-02/mail.html?scheme={scheme}")
    assert other.evaluate(COLORS) == device.evaluate(COLORS)
    device.close()
    other.close()


def test_a_page_that_has_lost_its_studio_says_so(browser: Browser, studio: RunningStudio) -> None:
    page = browser.new_page()
    page.goto(f"{studio.url}2026-02/")
    expect(page.get_by_role("status")).to_have_text("Updates when you save")
    studio.interrupt()
    expect(page.get_by_role("status")).to_contain_text("The studio has stopped", timeout=PATIENT)
    page.close()


def test_axe_finds_nothing_wrong_in_any_state(page: Page, issue_folder: Path) -> None:
    letter = issue_folder / "letter.md"
    letter.write_text(letter.read_text() + "\nTODO: one more word.\n")
    expect(page.locator("#problems .place").first).to_be_visible(timeout=PATIENT)
    for details in page.locator("#edge summary").all():
        details.click()
    page.locator("#reader summary").click()
    page.get_by_label("Find a subscriber").fill("o")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("link", name="Leo")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("radio", name="Inbox").check()
    expect(page.locator("#rows")).to_contain_text("Apple Mail on a Mac", timeout=PATIENT)
    letter.write_text(letter.read_text().replace("greeting:", "greting:"))
    expect(page.locator("#trouble [role=alert]")).to_be_visible(timeout=PATIENT)
    assert violations(page) == []
