"""The shelf, the differences and the outbox in a real browser: by keyboard alone, at every width, in both schemes."""

import os
import socket
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Locator, Page, expect

from newsletter.config import Config
from newsletter.workflows.send.approve import approve_content, draft_approval
from tests.store.builders import NOW
from tests.store.empty_file import open_test_database
from tests.web.studio.conftest import ServedStudio

WIDTHS = (1440, 768, 360)
MOST_TABS = 80
MAIL = """\
From: News <news@example.org>
To: {to}
Subject: {subject}
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: text/plain; charset=utf-8

{text}
--x
Content-Type: text/html; charset=utf-8

<h1>Hello</h1><img src="{remote}"><script>document.title = "taken"</script>
<a href="{remote}">a link</a><form action="{remote}"><button>Send</button></form>
<meta http-equiv="refresh" content="0; url={remote}">
--x
Content-Type: text/csv
Content-Disposition: attachment; filename="list.csv"

a,b
--x--
"""


def look_at(page: Page) -> None:
    """Holds the page to axe's rules, and to the width of the window, in each scheme and at each width."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            found = Axe().run(page, options={"iframes": False}).response["violations"]
            assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1440, "height": 900})


def tab_to(page: Page, target: Locator) -> None:
    """Presses Tab until the target has the focus."""
    for _ in range(MOST_TABS):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"the keyboard does not reach {target}")


def press(page: Page, target: Locator) -> None:
    tab_to(page, target)
    page.keyboard.press("Enter")


def save(
    config: Config, number: int, *, to: str, subject: str = "A letter", text: str = "Words.", remote: str = ""
) -> None:
    path = config.root / "outbox/b1-x" / f"{to}-{number}.eml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(MAIL.format(to=to, subject=subject, text=text, remote=remote))
    os.utime(path, ns=(number, number * 10**9))


def test_covers_arrive_and_lead_to_an_issue_and_two_are_compared(browser: Browser, served: ServedStudio) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{served.url}-/shelf")
    expect(page.locator(".cover .title").first).to_be_visible()
    look_at(page)
    expect(page.locator(".cover img")).to_have_count(2, timeout=60_000)
    expect(page.locator(".stage").first).to_have_text("Draft")
    width = page.locator(".cover img").first.evaluate("image => image.decode().then(() => image.naturalWidth)")
    assert width == 640
    look_at(page)
    press(page, page.get_by_role("button", name="Show side by side"))
    expect(page.get_by_role("heading", name="What changed")).to_be_visible()
    expect(page.locator("iframe")).to_have_count(2)
    press(page, page.get_by_role("link", name="All issues"))
    press(page, page.get_by_role("link", name="A small letter", exact=True))
    expect(page).to_have_url(f"{served.url}2026-02/")
    page.close()


def test_what_changed_is_found_by_keyboard_and_the_emails_scroll_together(
    browser: Browser, served: ServedStudio, config: Config, issue_folder: Path
) -> None:
    letter = issue_folder / "letter.md"
    paragraphs = "\n\n".join(f"Paragraph {number}, {'with some words to fill a line ' * 8}" for number in range(40))
    letter.write_text(f"{paragraphs}\n\nThe last words are small.\n")
    with open_test_database(config.database, workspace=config.root) as database:
        draft = draft_approval(config, database, issue_folder, now=NOW)
        approve_content(database, draft, by="Ana Lima", now=NOW)
    letter.write_text(f"Something new at the beginning.\n\n{paragraphs}\n\nThe last words are large.\n")
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    expected = page.goto(f"{served.url}2026-02/difference")
    assert expected is not None
    for _ in range(50):  # the studio notices the edit a moment later
        if "large" in page.content():
            break
        page.wait_for_timeout(200)
        page.reload()
    expect(page.locator("ins", has_text="large")).to_be_visible()
    expect(page.locator("del", has_text="small")).to_be_visible()
    look_at(page)

    press(page, page.get_by_role("link", name="Words changed"))
    after, before = page.frame("after"), page.frame("before")
    assert after is not None
    assert before is not None
    changed = after.locator('[data-change="changed"]', has_text="large")
    expect(changed).to_be_in_viewport()
    expect(before.locator('[data-change="changed"]', has_text="small")).to_be_in_viewport()
    expect(after.locator('[data-change="added"]')).to_have_count(1)

    before.evaluate("scrollTo(0, 0)")
    expect(after.get_by_text("Paragraph 0,")).to_be_in_viewport()
    page.close()


def test_without_its_script_the_page_still_tells_and_marks(browser: Browser, served: ServedStudio) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{served.url}2026-02/difference")
    expect(page.get_by_role("heading", name="What changed")).to_be_visible()
    expect(page.frame_locator("iframe[name=after]").locator("[data-change]").first).to_be_visible()
    page.goto(f"{served.url}-/shelf")
    expect(page.locator(".covers li")).to_have_count(2)
    context.close()


def test_the_outbox_is_searched_and_an_email_read_by_keyboard(
    browser: Browser, served: ServedStudio, config: Config
) -> None:
    for number in range(1, 70):
        save(config, number, to=f"p{number}@example.org", subject=f"Letter {number}")
    elsewhere = socket.create_server(("127.0.0.1", 0))
    elsewhere.setblocking(False)
    remote = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/remote"
    save(config, 70, to="ana@example.org", text="Of the river.", remote=remote)
    asked: list[str] = []
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{served.url}-/outbox")
    expect(page.locator(".emails li")).to_have_count(50)
    look_at(page)
    press(page, page.get_by_role("link", name="Older"))
    expect(page.locator(".emails li")).to_have_count(20)

    tab_to(page, page.get_by_role("searchbox"))
    page.keyboard.type("river")
    page.keyboard.press("Enter")
    again = page.get_by_role("link", name="Look again")
    while again.count():
        again.click()
    expect(page.get_by_role("status")).to_contain_text("1 email with “river”")
    look_at(page)
    press(page, page.locator(".emails a").first)
    expect(page.get_by_role("heading", name="A letter")).to_be_visible()
    expect(page.frame_locator("iframe").get_by_role("heading", name="Hello")).to_be_visible()
    expect(page.get_by_text("list.csv")).to_be_visible()
    look_at(page)
    page.frame_locator("iframe").get_by_text("a link").click()
    page.wait_for_timeout(500)
    assert page.title() == "A letter · Outbox"
    assert not [each for each in asked if "@" in each or "ana" in each]
    with elsewhere, pytest.raises(BlockingIOError):  # no one has connected
        elsewhere.accept()
    page.go_back()
    expect(page.get_by_role("searchbox")).to_have_value("river")
    page.close()
