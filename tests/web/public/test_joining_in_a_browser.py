"""The pages on which people join, in a real browser: used with the keyboard, and judged by axe."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, expect

from newsletter.store.subscribers import find_subscriber
from newsletter.workflows.send.re_permission import ask_again, plan_asking
from tests.providers.smtp_server import SmtpServer
from tests.providers.workspace import smtp_settings
from tests.store.builders import add, row
from tests.web.public.conftest import TOPICS, ServedPages
from tests.web.public.joining import Joining, body_of
from tests.web.public.test_leaving_in_a_browser import SCREENS, judge
from tests.workspaces import CONFIG

NEW = "new@example.org"


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    """The relay that takes the email. Another thread starts it, because the browser's own loop runs in this one."""
    server = SmtpServer()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(server.__enter__).result()
        yield server
        pool.submit(server.__exit__).result()


@pytest.fixture
def settings(relay: SmtpServer) -> str:
    """A workspace that sends through the relay, and asks for everything."""
    return CONFIG + TOPICS + "\n[signup]\nasks_tracking = true\n" + smtp_settings(relay.port)


@pytest.mark.parametrize(("scheme", "width"), SCREENS)
@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_page_of_joining_is_usable_by_everyone(
    browser: Browser, served_to_browsers: ServedPages, relay: SmtpServer, language: str, scheme: str, width: int
) -> None:
    joining = Joining(served_to_browsers, relay)
    url = f"https://127.0.0.1:{joining.pages.port}"
    context = browser.new_context(
        ignore_https_errors=True,
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        locale=language,
    )
    page = context.new_page()
    page.goto(f"{url}/join?form=home")
    judge(page)
    page.locator("#email").fill("new@example")
    joining.pages.later(seconds=5)
    page.locator("button").click()
    judge(page)
    expect(page.locator("#email-error")).to_be_visible()
    page.locator("#email").fill(NEW)
    page.keyboard.press("Tab")
    page.keyboard.type("Nia")
    page.keyboard.press("Enter")
    expect(page.locator("form")).to_have_count(0)
    judge(page)
    joining.run()
    (mail,) = joining.mails_to(NEW)
    found = re.search(rf"{url}/join/\S+", body_of(mail, "plain"))
    assert found is not None
    page.goto(found[0])
    judge(page)
    page.locator("button").click()  # at once, so that the page asks again
    judge(page)
    joining.pages.later(seconds=5)
    page.locator("button").click()
    judge(page)
    person = find_subscriber(joining.pages.database, NEW)
    assert person is not None
    assert (person.record.first_name, person.record.consent_source) == ("Nia", "home")
    add(joining.pages.database, row("old@example.org", consented_at=None, consent_source="", language=language))
    planned = plan_asking(joining.pages.database, now=joining.pages.now)
    ask_again(joining.pages.config, joining.pages.database, planned, key=None, now=joining.pages.now)
    joining.run()
    (asking,) = joining.mails_to("old@example.org")
    found = re.search(rf"{url}/join/\S+", body_of(asking, "plain"))
    assert found is not None
    page.goto(found[0])
    judge(page)
    letter = context.new_page()
    letter.set_content(body_of(asking, "html"))
    judge(letter)
    joining.pages.later(days=9)
    letter = context.new_page()
    letter.set_content(body_of(mail, "html"))
    judge(letter)
    context.close()
