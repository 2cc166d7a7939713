"""Reviewing in a real browser: by keyboard, without scripts, on each screen, and the file that can be mailed."""

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from newsletter.config import load_config
from newsletter.store.approvals import last_approval
from newsletter.store.reviews import remarks_of_issue
from newsletter.web.public.review_file import ReviewFile, review_file
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.review.shown import pictures_of_draft, snapshot_of_draft
from newsletter.workflows.send.approve import draft_approval
from tests.render.conftest import picture_bytes
from tests.store.builders import NOW
from tests.store.empty_file import open_test_database
from tests.web.public.conftest import ServedPages
from tests.web.public.reviewing import ask_reviewers, edit_letter, link_to
from tests.workspaces import CONFIG, LETTER, write_workspace

ANA = "ana@example.org"
FILE = "https://files.example.org/review.html"
PICTURE = "\n![A field in spring](images/field.png)\n"
SCREENS = [(scheme, width) for scheme in ("light", "dark") for width in (1440, 768, 360)]
# The frame has no scripts, so axe cannot look into it. The email in it has been checked already.
OUTSIDE_THE_FRAME = {"iframes": False}


@pytest.fixture
def settings() -> str:
    return CONFIG


def judge(page: Page) -> None:
    """Nothing is wrong with the page for those who cannot see it, and it is no wider than the screen."""
    found = Axe().run(page, options=OUTSIDE_THE_FRAME).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).focus()
    page.keyboard.press("Enter")


@pytest.mark.parametrize(("scheme", "width"), SCREENS)
def test_a_reviewer_comments_and_approves_by_keyboard(
    browser: Browser, served_to_browsers: ServedPages, scheme: str, width: int
) -> None:
    served = served_to_browsers
    link = f"https://127.0.0.1:{served.port}{link_to(served, ask_reviewers(served)[ANA])}"
    context = browser.new_context(
        ignore_https_errors=True, viewport={"width": width, "height": 800}, color_scheme=scheme, locale="en-US"
    )
    page = context.new_page()
    page.goto(link)
    judge(page)
    mail = page.frame_locator("iframe")
    mail.get_by_role("link", name="Comment on: This is a small letter").focus()
    page.keyboard.press("Enter")
    expect(page.locator("blockquote")).to_have_text("This is a small letter, with a page about it.")
    judge(page)

    page.get_by_label("Your comment").fill("Why small?")
    press(page, "Send comment")  # at once, so that the page asks again
    expect(page.get_by_role("status")).to_contain_text("press the button once more")
    judge(page)
    served.later(seconds=10)
    press(page, "Send comment")
    expect(page.get_by_role("status")).to_have_text("Your comment has been saved.")
    judge(page)
    served.later(seconds=10)
    press(page, "Approve as Ana Lima")
    expect(page.get_by_role("status")).to_contain_text("Your approval has been saved")
    judge(page)

    for view in ("Phone", "Plain text"):
        page.get_by_role("link", name=view).click()
        judge(page)
    edit_letter(served)
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("has been changed since you were asked")
    judge(page)
    ask_reviewers(served)
    page.reload()
    expect(page.get_by_role("heading", name="This review has ended")).to_be_visible()
    judge(page)
    context.close()
    with served.database.read() as connection:
        assert [str(each.place) for each in remarks_of_issue(connection, "2026-02")] == ["issues/2026-02/letter.md:4"]
    approval = last_approval(served.database, "2026-02")
    assert approval is not None
    assert approval.by == "Ana Lima"


def test_the_page_works_without_scripts_and_asks_no_one_else(browser: Browser, served_to_browsers: ServedPages) -> None:
    served, asked = served_to_browsers, []
    hosted = LETTER + "\n[Follow me](https://elsewhere.example.com/page)\n"
    (served.config.root / "issues/2026-02/letter.md").write_text(hosted)
    context = browser.new_context(java_script_enabled=False, ignore_https_errors=True)
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"https://127.0.0.1:{served.port}{link_to(served, ask_reviewers(served)[ANA])}")
    expect(page.frame_locator("iframe").get_by_text("This is a small letter")).to_be_visible()
    page.frame_locator("iframe").get_by_role("link", name="Comment on: Dear").click()
    expect(page.locator("blockquote")).to_contain_text("Dear")
    assert {url.split("/")[2] for url in asked} == {f"127.0.0.1:{served.port}"}
    assert context.cookies() == []
    context.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file of a review of an issue with an image."""
    files: dict[str, str | bytes] = {
        "issues/2026-02/letter.md": LETTER + PICTURE,
        "issues/2026-02/images/field.png": picture_bytes(600, 300),
    }
    root = write_workspace(tmp_path_factory.mktemp("reviewed"), files)
    config = load_config(root)
    with open_test_database(config.database) as database:
        draft = draft_approval(config, database, require_issue(config, "2026-02"), now=NOW)
        content = ReviewFile(
            snapshot=snapshot_of_draft(config, database, draft),
            pictures=pictures_of_draft(draft),
            content_hash=draft.content_hash,
            made_at=NOW,
        )
    return review_file(config, content)


@pytest.mark.parametrize(("scheme", "width"), SCREENS)
def test_the_file_opens_anywhere_and_loads_nothing(browser: Browser, file: str, scheme: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page, asked, said = context.new_page(), [], []
    # The browser runs as a user who cannot read the tests' files, so it gets this one as the answer to its request.
    context.route(FILE, lambda route: route.fulfill(body=file, content_type="text/html"))
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(FILE)
    mail = page.frame_locator("iframe")
    expect(mail.get_by_text("This is a small letter")).to_be_visible()
    picture = mail.get_by_role("img", name="A field in spring")
    box = picture.bounding_box()
    assert box is not None
    assert box["height"] > 50, "the image is drawn, not only its alt text"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for name, widest in (("Desktop", 800), ("Tablet", 600), ("Phone", 360)):
        page.get_by_role("radio", name=name).press("Space")
        box = page.locator("iframe").bounding_box()
        assert box is not None
        assert box["width"] <= widest
        if width > widest + 200 or name != "Phone":
            assert box["width"] == widest
    found = Axe().run(page, options=OUTSIDE_THE_FRAME).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
    assert [url for url in asked if not url.startswith("data:")] == [FILE]
    assert said == []
    context.close()
