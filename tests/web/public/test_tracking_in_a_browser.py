"""A tracked email and the page that ends tracking, in a real browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from tests.store.builders import agree_to_tracking
from tests.web.public.conftest import ServedPages
from tests.web.public.test_leaving_in_a_browser import SCREENS, judge
from tests.workflows.tracking.broadcasts import GotMail, send
from tests.workspaces import CONFIG

ANA, BO = "ana@example.org", "bo@example.org"


@pytest.fixture
def settings() -> str:
    """What newsletter.toml says."""
    return f'{CONFIG}\n[tracking]\nmode = "consented"\n'


@pytest.mark.parametrize(("scheme", "width"), SCREENS)
@pytest.mark.parametrize("email", [ANA, BO])
def test_everyone_can_end_tracking_with_the_keyboard(
    browser: Browser, served_to_browsers: ServedPages, email: str, scheme: str, width: int
) -> None:
    served = served_to_browsers
    agree_to_tracking(served.database, email)
    (ending,) = send(served.config, served.database)[1][email].own("t")
    context = browser.new_context(
        ignore_https_errors=True, viewport={"width": width, "height": 800}, color_scheme=scheme
    )
    page = context.new_page()
    page.goto(f"https://127.0.0.1:{served.port}{ending}")
    judge(page)
    page.locator("button.solid").click()  # at once, so that the page asks again
    judge(page)
    served.later(seconds=10)
    page.locator("button.solid").focus()
    page.keyboard.press("Enter")
    expect(page.locator("button")).to_have_count(0)
    judge(page)
    context.close()


def shown(page: Page, mail: GotMail) -> Page:
    page.route("https://**", lambda route: route.abort())
    page.set_content(mail.html)
    return page


def test_tracking_is_neither_seen_nor_heard_nor_reached(browser: Browser, served_to_browsers: ServedPages) -> None:
    served = served_to_browsers
    agree_to_tracking(served.database, ANA)
    mails = send(served.config, served.database)[1]
    context = browser.new_context(viewport={"width": 600, "height": 900})
    ana, bo = shown(context.new_page(), mails[ANA]), shown(context.new_page(), mails[BO])

    heights = [page.evaluate("document.documentElement.scrollHeight") for page in (ana, bo)]
    assert 0 <= heights[0] - heights[1] <= 1 + 21  # the picture, and perhaps another line in the footer
    canary = ana.locator("a[aria-hidden]")
    assert canary.evaluate("element => [element.offsetWidth, element.textContent]") == [0, ""]
    assert canary.evaluate("element => element.tabIndex") == -1
    ends = [Axe().run(page).response["violations"] for page in (ana, bo)]
    assert [found["id"] for found in ends[0]] == [found["id"] for found in ends[1]]
    reached = set()
    for _ in range(40):
        ana.keyboard.press("Tab")
        reached.add(ana.evaluate("document.activeElement.getAttribute('href')"))
    assert not [address for address in reached if address and address.endswith(mails[ANA].canary)]
    assert len(reached) > 3
    context.close()
