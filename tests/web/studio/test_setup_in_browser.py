"""Setup in the studio, with the keyboard alone: from a new folder to a test email."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Locator, Page, expect

from newsletter.config import CONFIG_FILE, load_config
from newsletter.web.studio.application import studio_app
from newsletter.workflows.compose.new import init_workspace
from newsletter.workflows.setup.steps import STEPS
from tests.e2e.relay import Relay
from tests.serving import served_app

WIDTHS = (1440, 768, 360)
NO_NAME_SERVER = '\n[authentication]\nnameservers = ["127.0.0.1:1"]\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A new workspace."""
    root = tmp_path / "news"
    init_workspace(root, date(2026, 11, 30))
    settings = root / CONFIG_FILE
    settings.write_text(settings.read_text("utf-8") + NO_NAME_SERVER, encoding="utf-8")
    return root


@pytest.fixture
def url(root: Path) -> Iterator[str]:
    """Its studio, on a real server."""
    with served_app(studio_app(load_config(root), root / "issues/2026-11"), http="h11") as port:
        yield f"http://127.0.0.1:{port}"


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError("the keyboard does not reach it")


def fill(page: Page, label: str, text: str) -> None:
    """Replace the text of a field with the keyboard."""
    tab_to(page, page.get_by_label(label, exact=False))
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def press(page: Page, name: str, role: str = "button") -> None:
    """Press a button, or follow a link, with the keyboard."""
    tab_to(page, page.get_by_role("link" if role == "link" else "button", name=name))
    page.keyboard.press("Enter")


def test_a_new_folder_becomes_a_test_email_with_the_keyboard_alone(browser: Browser, url: str, root: Path) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    with Relay() as relay:
        page.goto(f"{url}/-/setup")
        press(page, "Continue with “Sender”", "link")
        fill(page, "The newsletter's name", "Harbour Letters")
        fill(page, "The address that emails come from", "nobody at all")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert").first).to_contain_text("not an email address")
        expect(page.get_by_label("The newsletter's name")).to_have_value("Harbour Letters")
        fill(page, "The publisher", "Harbour House")
        fill(page, "The address that emails come from", "news@harbour.example.org")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Postal address")).to_be_visible()
        fill(page, "Your postal address", "12 Quay Street, Galway, Ireland")
        page.keyboard.press("Enter")
        fill(page, "The color of links and buttons", "#ff9900")
        page.keyboard.press("Enter")
        press(page, "Use #B05000")
        fill(page, "The service that sends your emails", "local")
        page.keyboard.press("Enter")
        fill(page, "The port", str(relay.port))
        page.keyboard.press("Enter")
        press(page, "Check now")
        expect(page.get_by_role("main")).to_contain_text(f"localhost:{relay.port} answers")
        press(page, "Next: DNS records", "link")
        press(page, "Next: List", "link")
        fill(page, "A list to import", "me@example.org")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_have_text("me@example.org is on the list.")
        press(page, "Next: Test email", "link")
        fill(page, "Your address, for test emails", "me@example.org")
        page.keyboard.press("Enter")
        press(page, "Send the test email")
        expect(page.get_by_role("status")).to_contain_text("accepted “[TEST] Welcome to our first letter”")
        press(page, "Next: Service or timer", "link")
        expect(page.get_by_role("main")).to_contain_text("run-due")
        page.goto(f"{url}/-/setup")
        expect(page.get_by_role("main")).to_contain_text("Everything you need is set up.")
        assert relay.answered == {"me@example.org": 1}

    settings = load_config(root).settings
    assert settings.newsletter.from_ == "Harbour House <news@harbour.example.org>"
    assert settings.brand.light.accent == "#B05000"
    assert "# the law requires it in every email" in (root / CONFIG_FILE).read_text("utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong_at_any_width(browser: Browser, url: str, scheme: str) -> None:
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for place in ("", *(f"/{step.name}" for step in STEPS), "/provider?check=now"):
            page.goto(f"{url}/-/setup{place}")
            assert [found["id"] for found in Axe().run(page).response["violations"]] == [], (width, place)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, place)
    page.goto(f"{url}/-/setup/look")
    page.get_by_label("The color of links and buttons").fill("#ff9900")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("text needs 4.5:1")
    assert [found["id"] for found in Axe().run(page).response["violations"]] == []
