"""The way from a test email to the inbox in a real browser: by keyboard alone, at every width, in both schemes."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.relay import RelayStep
from tests.web.axe import WIDTHS, violations
from tests.web.studio.sending_world import PEOPLE, SendingWorld, sending_world, served_world

MOST_TABS = 80
STRICT = "[delivery]\nrequire_approval = true\nrequire_test = true"
Served = tuple[SendingWorld, str]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A studio that needs a test and an approval, and the address of its issue."""
    with sending_world(tmp_path, settings=STRICT) as world, served_world(world) as url:
        yield world, url


@pytest.fixture
def free(tmp_path: Path) -> Iterator[Served]:
    """A studio that needs neither."""
    with sending_world(tmp_path) as world, served_world(world) as url:
        yield world, url


def look_at(page: Page) -> None:
    """Holds the page to axe's rules, and to the width of the window, in each scheme and at each width."""
    before = page.viewport_size
    assert violations(page) == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.emulate_media(color_scheme="light")
    if before:
        page.set_viewport_size(before)


def tab_to(page: Page, target: Locator) -> None:
    """Presses Tab until the target has the focus."""
    for _ in range(MOST_TABS):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"the keyboard does not reach {target}")


def press(page: Page, button: str) -> None:
    tab_to(page, page.get_by_role("button", name=button))
    page.keyboard.press("Enter")


def follow(page: Page, link: str) -> None:
    tab_to(page, page.get_by_role("link", name=link))
    page.keyboard.press("Enter")


def heading(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", name=words)).to_be_visible(timeout=20_000)


def test_the_whole_way_with_the_keyboard_alone(browser: Browser, served: Served) -> None:
    world, url = served
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{url}sending")
    expect(page.locator("#audience")).to_contain_text(f"{PEOPLE} people get it")
    expect(page.locator("[aria-current=step]")).to_contain_text("Tested")
    look_at(page)

    press(page, "Send a test email…")
    heading(page, "Send 2 test emails?")
    look_at(page)
    press(page, "Send 2 test emails")
    heading(page, "Done")
    look_at(page)
    follow(page, "Continue")

    expect(page.locator("[aria-current=step]")).to_contain_text("Approved")
    press(page, "Review the plan…")
    heading(page, "Not ready to send")
    expect(page.locator(".blocking")).to_contain_text("No one has approved it")
    look_at(page)
    follow(page, "Go back")

    tab_to(page, page.get_by_label("Your name"))
    page.keyboard.type("Ana Lima")
    page.keyboard.press("Enter")
    heading(page, "Approve 2026-02 as Ana Lima?")
    look_at(page)
    press(page, "Approve as Ana Lima")
    heading(page, "Done")
    follow(page, "Continue")

    expect(page.locator("[aria-current=step]")).to_contain_text("Scheduled")
    press(page, "Review the plan…")
    heading(page, f"Send to {PEOPLE} subscribers?")
    tab_to(page, page.locator("#people"))
    page.keyboard.type(str(PEOPLE - 1))
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This is not the number of people, so nothing was sent.")
    expect(page.locator("#people")).to_be_focused()
    assert world.broadcasts() == 0
    look_at(page)
    page.keyboard.press("Control+a")
    page.keyboard.type(str(PEOPLE))
    page.keyboard.press("Enter")

    heading(page, "Broadcast 1: 2026-02 to everyone")
    expect(page.locator(".state")).to_contain_text("Done", timeout=20_000)
    expect(page.locator(".identity")).to_contain_text(f"{PEOPLE} accepted + 0 excluded")
    look_at(page)
    assert sum(world.mailed.values()) == PEOPLE
    follow(page, "Sending")
    expect(page.locator(".way li.passed")).to_have_count(6)
    look_at(page)


class Gate:
    """A relay that answers to no subscriber until the gate is opened."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()

    def __call__(self, step: RelayStep, recipient: str) -> str | None:
        if step is RelayStep.CONTENT and recipient.startswith("person"):
            self.reached.set()
            self.opened.wait(60)
        return None


@pytest.fixture
def gated(tmp_path: Path) -> Iterator[tuple[SendingWorld, str, Gate]]:
    gate = Gate()
    with sending_world(tmp_path, on_step=gate) as world, served_world(world) as url:
        yield world, url, gate
        gate.opened.set()


def start(page: Page, url: str) -> None:
    """Sends to everyone."""
    page.goto(f"{url}sending")
    page.get_by_role("button", name="Review the plan…").click()
    page.locator("#people").fill(str(PEOPLE))
    page.get_by_role("button", name=f"Send to {PEOPLE} subscribers").click()
    heading(page, "Broadcast 1: 2026-02 to everyone")


def test_the_progress_is_shown_without_a_reload(browser: Browser, gated: tuple[SendingWorld, str, Gate]) -> None:
    _, url, gate = gated
    page = browser.new_page()
    start(page, url)
    assert gate.reached.wait(60)
    expect(page.locator(".identity")).to_contain_text("being sent", timeout=20_000)
    expect(page.locator(".figures")).to_have_text(f"0 of {PEOPLE} sent")
    page.locator("#cancel").focus()
    look_at(page)
    gate.opened.set()
    expect(page.locator(".figures")).to_have_text(f"{PEOPLE} of {PEOPLE} sent", timeout=20_000)
    expect(page.locator(".state")).to_contain_text("Done")
    expect(page.get_by_role("button", name="Cancel…")).to_have_count(0)


def test_a_broadcast_is_canceled_from_its_page(browser: Browser, gated: tuple[SendingWorld, str, Gate]) -> None:
    world, url, gate = gated
    page = browser.new_page()
    start(page, url)
    assert gate.reached.wait(60)
    page.get_by_role("button", name="Cancel…").click()
    heading(page, "Cancel broadcast 1?")
    expect(page.locator(".facts")).to_contain_text("being sent now")
    look_at(page)
    opening = threading.Timer(0.5, gate.opened.set)
    opening.start()
    page.get_by_role("button", name="Cancel broadcast 1").click()
    expect(page.locator(".state")).to_contain_text("Canceled", timeout=20_000)
    look_at(page)
    world.wait()
    assert sum(world.mailed.values()) == 1
    page.goto(f"{url}sending")
    expect(page.locator("#audience")).to_contain_text(f"{PEOPLE - 1} people get it")
    expect(page.locator("#audience")).to_contain_text("1 already in broadcast 1")
    look_at(page)


def test_what_changed_between_the_plan_and_the_yes_is_asked_about_again(browser: Browser, free: Served) -> None:
    world, url = free
    page = browser.new_page()
    page.goto(f"{url}sending")
    page.get_by_role("button", name="Review the plan…").click()
    heading(page, f"Send to {PEOPLE} subscribers?")
    world.edit()
    page.locator("#people").fill(str(PEOPLE))
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("in the meantime")
    expect(page.locator("#people")).to_have_value("")
    look_at(page)
    assert world.broadcasts() == 0
    page.locator("#people").fill(str(PEOPLE))
    page.keyboard.press("Enter")
    expect(page.locator(".state")).to_contain_text("Done", timeout=20_000)


def test_a_broadcast_is_scheduled(browser: Browser, free: Served) -> None:
    world, url = free
    page = browser.new_page()
    page.goto(f"{url}sending")
    expect(page.get_by_label("Time", exact=True)).to_be_hidden()
    page.get_by_role("radio", name="At a time").check()
    page.get_by_role("button", name="Review the plan…").click()
    expect(page.locator("#plan-problem")).to_contain_text("Write the time to send at")
    look_at(page)
    page.get_by_role("radio", name="At a time").check()
    page.get_by_label("Time", exact=True).fill("in 2 days")
    page.get_by_role("button", name="Review the plan…").click()
    heading(page, f"Schedule it for {PEOPLE} subscribers?")
    look_at(page)
    page.locator("#people").fill(str(PEOPLE))
    page.get_by_role("button", name=f"Schedule for {PEOPLE} subscribers").click()
    expect(page.locator(".state")).to_contain_text("Scheduled")
    look_at(page)
    assert world.mailed == {}


def test_two_quick_clicks_and_the_back_button_send_once(browser: Browser, free: Served) -> None:
    world, url = free
    page = browser.new_page()
    page.goto(f"{url}sending")
    page.get_by_role("button", name="Review the plan…").dblclick()
    page.locator("#people").fill(str(PEOPLE))
    page.get_by_role("button", name=f"Send to {PEOPLE} subscribers").dblclick()
    heading(page, "Broadcast 1: 2026-02 to everyone")
    page.go_back()
    expect(page.locator(".content h2")).to_be_visible()
    if page.locator("#people").count():
        page.locator("#people").fill(str(PEOPLE))
        page.keyboard.press("Enter")
    world.wait()
    assert world.broadcasts() == 1
    assert set(world.mailed.values()) == {1}


def test_everything_works_without_the_script(browser: Browser, free: Served) -> None:
    world, url = free
    page = browser.new_context(java_script_enabled=False).new_page()
    start(page, url)
    world.wait()
    page.reload()
    expect(page.locator(".figures")).to_have_text(f"{PEOPLE} of {PEOPLE} sent")


@pytest.mark.parametrize(
    "spoil", [lambda text: text.replace("greeting:", "greting:"), lambda text: text + "\n{{ x }}\n"]
)
def test_the_road_says_what_is_missing(browser: Browser, free: Served, spoil: Callable[[str], str]) -> None:
    world, url = free
    page = browser.new_page()
    world.letter.write_text(spoil(world.letter.read_text()))
    page.goto(f"{url}road")
    expect(page.locator("[aria-current=step]")).to_contain_text("error", timeout=20_000)
    page.goto(f"{url}sending")
    expect(page.locator("[aria-current=step]")).to_contain_text("error")
    look_at(page)
