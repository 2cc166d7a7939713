"""Editing in a real browser: click a block, edit, save, see the email change; conflicts, undo, images and fixes."""

import base64
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from tests.web.studio.conftest import RunningStudio

TEXT = "#sheet-text"
WIDTHS = (1440, 768, 360)
LINE = "document.activeElement.value.slice(0, document.activeElement.selectionStart).split('\\n').length"
DROP = """([content, name]) => {
    const page = document.getElementById('desktop').contentDocument;
    const block = [...page.querySelectorAll('[data-place]')].find(each => each.textContent.includes('small letter,'));
    const bytes = Uint8Array.from(atob(content), sign => sign.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], name, { type: 'image/png' }));
    for (const type of ['dragover', 'drop'])
        block.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer, clientY: 5 }));
}"""
OVERLAP = """() => {
    const sheet = document.getElementById('sheet').getBoundingClientRect();
    const mail = document.getElementById('mail').getBoundingClientRect();
    const block = [...document.querySelectorAll('.screen iframe')].filter(each => each.offsetParent)
        .map(each => each.contentDocument.querySelector('[data-editing]')).find(Boolean);
    const room = block.ownerDocument.defaultView.innerHeight, box = block.getBoundingClientRect();
    return [sheet.left < mail.right && mail.left < sheet.right && sheet.top < mail.bottom && mail.top < sheet.bottom,
            box.bottom > 0 && box.top < room];
}"""


@pytest.fixture
def page(browser: Browser, studio: RunningStudio) -> Page:
    """The studio's page on a wide screen."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{studio.url}2026-02/")
    return page


def click_block(page: Page, words: str, frame: str = "desktop") -> None:
    page.frame_locator(f"#{frame}").get_by_text(words).first.click(position={"x": 3, "y": 3})
    expect(page.locator("#sheet")).to_be_visible(timeout=20_000)


def in_email(page: Page, words: str) -> None:
    expect(page.frame_locator("#desktop").get_by_text(words).first).to_be_attached(timeout=20_000)


def test_a_click_on_a_block_opens_its_text_at_the_line_and_marks_it(page: Page, issue_folder: Path) -> None:
    (issue_folder / "letter.md").write_text(
        "---\ngreeting: Hello,\n---\n" + "A paragraph.\n\n" * 20 + "The last one.\n"
    )
    in_email(page, "The last one.")
    click_block(page, "The last one.")
    expect(page.locator(TEXT)).to_be_focused()
    assert page.evaluate(LINE) == 41
    marked = page.frame_locator("#desktop").locator("[data-editing]")
    expect(marked).to_have_count(1)
    expect(marked).to_have_text("The last one.")
    click_block(page, "Hello,")
    expect(page.get_by_label("Greeting")).to_be_focused()


def test_what_is_saved_is_in_the_file_and_in_the_email_and_undo_takes_it_back(page: Page, issue_folder: Path) -> None:
    before = (issue_folder / "letter.md").read_text()
    click_block(page, "This is a small letter")
    text = page.locator(TEXT)
    for number, words in enumerate(("quiet letter", "slow letter"), start=1):
        text.fill(re.sub(r"\w+ letter", words, text.input_value(), count=1))
        page.keyboard.press("Control+s")
        expect(page.locator("#sheet .note")).to_have_text("Saved.", timeout=20_000)
        expect(page.locator("#sheet form.editor")).to_have_attribute("data-steps", str(number))
        in_email(page, f"This is a {words}")
        expect(text).to_be_focused()
    assert "slow letter" in (issue_folder / "letter.md").read_text()
    page.reload()
    page.locator("#edits summary").click()
    page.locator("#edits").get_by_role("link", name="letter.md").click()
    for words in ("quiet letter", "small letter"):
        page.get_by_role("button", name="Undo the last change").click()
        in_email(page, f"This is a {words}")
        expect(page.locator(TEXT)).to_have_value(re.compile(words))
    assert (issue_folder / "letter.md").read_text() == before


def test_a_conflict_keeps_both_versions_until_one_is_chosen(page: Page, issue_folder: Path) -> None:
    letter = issue_folder / "letter.md"
    click_block(page, "This is a small letter")
    page.locator(TEXT).fill("My version.")
    letter.write_text(letter.read_text().replace("small letter", "letter of someone else"))
    in_email(page, "letter of someone else")
    expect(page.locator(TEXT)).to_have_value("My version.")
    page.locator("#save").click()
    expect(page.get_by_label("Your version")).to_have_value(re.compile("My version."))
    expect(page.locator(".theirs mark").first).to_contain_text("letter of someone else")
    assert "someone else" in letter.read_text()
    page.get_by_role("button", name="Save your version").click()
    in_email(page, "My version.")
    assert letter.read_text().endswith("---\nMy version.")


def test_a_dropped_image_asks_for_its_alt_text_and_is_in_the_email(page: Page, issue_folder: Path) -> None:
    in_email(page, "This is a small letter")
    content = base64.b64encode((issue_folder / "images/field.png").read_bytes()).decode()
    page.evaluate(DROP, [content, "Our Garden [1].png"])
    alt = page.get_by_label("Alt text", exact=True).last
    expect(alt).to_be_focused(timeout=20_000)
    page.get_by_role("button", name="Add the image and save").click()
    expect(page.get_by_role("alert")).to_have_text("Write what the image shows, or tick “Only decoration”.")
    alt.fill("A garden [in May]")
    page.keyboard.press("Enter")
    image = page.frame_locator("#desktop").get_by_alt_text("A garden [in May]")
    expect(image).to_be_attached(timeout=20_000)
    text = (issue_folder / "letter.md").read_text()
    assert "small).\n\n![A garden \\[in May\\]](images/our-garden-1.png)\n\n![A red field]" in text
    assert (issue_folder / "images/our-garden-1.png").exists()


def test_a_problem_is_fixed_by_keyboard_after_a_preview(page: Page, issue_folder: Path) -> None:
    letter = issue_folder / "letter.md"
    letter.write_text("A <b>bold</b> word.\n")
    fix = page.get_by_role("link", name="Fix issues/2026-02/letter.md:1")
    expect(fix).to_be_visible(timeout=20_000)
    fix.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#make-fix")).to_be_focused()
    expect(page.locator("#sheet ins")).to_have_text("**bold**")
    assert letter.read_text() == "A <b>bold</b> word.\n"
    page.keyboard.press("Enter")
    in_email(page, "bold")
    expect(page.locator("#sheet .note")).to_have_text("Changed and saved.")
    assert letter.read_text() == "A **bold** word.\n"


def test_everything_works_from_the_keyboard(page: Page, issue_folder: Path) -> None:
    page.locator("#edits summary").focus()
    page.keyboard.press("Enter")
    page.locator("#edits").get_by_role("link", name="letter.md").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#sheet")).to_be_visible(timeout=20_000)
    page.locator(TEXT).focus()
    page.keyboard.press("Control+End")
    page.keyboard.type("\nTyped by hand.")
    page.keyboard.press("Tab")
    expect(page.locator("#key-title")).to_be_focused()
    page.keyboard.type("A title")
    page.keyboard.press("Control+s")
    in_email(page, "Typed by hand.")
    expect(page.locator("#key-title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#sheet")).to_have_count(0)
    expect(page.locator("#edits").get_by_role("link", name="letter.md")).to_be_focused()
    assert "title: A title\n" in (issue_folder / "letter.md").read_text()


def test_unsaved_text_is_not_lost_by_a_click_elsewhere(page: Page) -> None:
    click_block(page, "This is a small letter")
    page.locator(TEXT).fill("Not saved yet.")
    page.frame_locator("#desktop").get_by_text("Words for teachers alone.").click()
    expect(page.locator("#sheet .note")).to_have_text("Save your changes first, or close the sheet.")
    expect(page.locator(TEXT)).to_have_value("Not saved yet.")
    page.on("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("link", name="Close").click()
    expect(page.locator(TEXT)).to_have_value("Not saved yet.")


def test_every_device_shows_the_edit_when_the_sheet_is_closed_on_a_phone(
    browser: Browser, studio: RunningStudio
) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.goto(f"{studio.url}2026-02/")
    click_block(page, "This is a small letter", "phone")
    expect(page.locator("#desktop")).to_be_hidden()
    page.locator(TEXT).fill("Edited on a phone.")
    page.locator("#save").click()
    expect(page.frame_locator("#phone").get_by_text("Edited on a phone.")).to_be_attached(timeout=20_000)
    page.get_by_role("link", name="Close").click()
    in_email(page, "Edited on a phone.")


def test_a_stopped_studio_leaves_the_text_on_the_page(page: Page, studio: RunningStudio) -> None:
    click_block(page, "This is a small letter")
    page.locator(TEXT).fill("Not saved yet.")
    studio.interrupt()
    page.locator("#save").click()
    expect(page.locator("#sheet .note")).to_have_text("The studio is not responding. Your text is still here.")
    expect(page.locator(TEXT)).to_have_value("Not saved yet.")


def test_the_sheet_works_without_the_script(browser: Browser, studio: RunningStudio, issue_folder: Path) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{studio.url}2026-02/edit")
    page.get_by_role("link", name="This is a small letter").click()
    page.locator(TEXT).fill("Saved without a script.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    assert (issue_folder / "letter.md").read_text().endswith("Saved without a script.")
    page.get_by_role("button", name="Undo").click()
    assert "small letter" in (issue_folder / "letter.md").read_text()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_sheet_is_never_over_the_block_and_axe_finds_nothing(
    browser: Browser, studio: RunningStudio, issue_folder: Path, width: int
) -> None:
    letter = issue_folder / "letter.md"
    issue = issue_folder / "issue.yaml"
    issue.write_text(issue.read_text().replace("A few words", "A few  words"))
    for scheme in ("light", "dark"):
        page = browser.new_page(
            viewport={"width": width, "height": 800}, color_scheme="dark" if scheme == "dark" else "light"
        )
        page.goto(f"{studio.url}2026-02/?scheme={scheme}")
        click_block(page, "This is a", "desktop")
        assert page.evaluate(OVERLAP) == [False, True]
        page.evaluate("for (const each of document.querySelectorAll('#sheet details')) each.open = true")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        accept(page)
        page.locator(TEXT).fill(f"Mine, {scheme}.")
        letter.write_text(f"{letter.read_text().rstrip()}\n\nTheirs, {scheme}.\n")
        page.locator("#save").click()
        expect(page.get_by_label("Your version")).to_be_visible(timeout=20_000)
        accept(page)
        page.get_by_role("link", name="Discard it, and keep the file as it is").click()
        page.get_by_role("link", name="Edit the whole file").click()
        expect(page.get_by_label("The whole file")).to_be_visible(timeout=20_000)
        accept(page)
        page.get_by_role("link", name="Close").click()
        page.get_by_role("link", name="Fix issues/2026-02/issue.yaml:2").click()
        expect(page.locator("#make-fix")).to_be_visible(timeout=20_000)
        accept(page)
        for path in ("edit", "edit?at=issues/2026-02/issue.yaml"):
            page.goto(f"{studio.url}2026-02/{path}")
            accept(page)


def accept(page: Page) -> None:
    """Axe finds nothing wrong with the page as it is."""
    found = [
        (each["id"], [node["html"][:200] for node in each["nodes"]]) for each in Axe().run(page).response["violations"]
    ]
    assert found == []
