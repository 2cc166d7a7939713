"""The pages on which people leave, in a real browser: used with the keyboard, and judged by axe."""

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from tests.web.public.conftest import ServedPages

ANA, BO = "ana@example.org", "bo@example.org"
SCREENS = (("light", 1280), ("dark", 320))


def judge(page: Page) -> None:
    """Nothing is wrong with the page for those who cannot see it, and it is no wider than the screen."""
    assert [(found["id"], found["nodes"][0]["html"]) for found in Axe().run(page).response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("scheme", "width"), SCREENS)
@pytest.mark.parametrize("email", [ANA, BO])
def test_every_page_of_leaving_is_usable_by_everyone(
    browser: Browser, served_to_browsers: ServedPages, email: str, scheme: str, width: int
) -> None:
    served = served_to_browsers
    context = browser.new_context(
        ignore_https_errors=True, viewport={"width": width, "height": 800}, color_scheme=scheme
    )
    page = context.new_page()
    page.goto(f"https://127.0.0.1:{served.port}{served.link(email)}")
    judge(page)
    page.locator("button.solid").click()  # at once, so that the page asks again
    judge(page)
    served.later(seconds=10)
    page.locator("button.solid").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_be_visible()
    judge(page)
    assert served.has_left(email)
    served.later(seconds=10)
    page.locator("input[type=radio]").first.check()
    page.locator("section button").click()
    judge(page)
    served.later(seconds=10)
    page.locator("main > form button").click()
    judge(page)
    assert not served.has_left(email)
    page.goto(f"https://127.0.0.1:{served.port}/u/5-nobody")
    judge(page)
    page.goto(f"https://127.0.0.1:{served.port}/nowhere")
    judge(page)
    context.close()


def test_pages_work_without_scripts_and_ask_no_one_else(browser: Browser, served_to_browsers: ServedPages) -> None:
    served, asked = served_to_browsers, []
    context = browser.new_context(java_script_enabled=False, ignore_https_errors=True)
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"https://127.0.0.1:{served.port}{served.link(ANA)}")
    served.later(seconds=10)
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", name="You have left")).to_be_visible()

    assert {url.split("/")[2] for url in asked} == {f"127.0.0.1:{served.port}"}
    assert context.cookies() == []
    context.close()
