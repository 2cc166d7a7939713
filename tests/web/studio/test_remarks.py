"""The comments of reviewers in the studio: beside their block's place, marked as done, and only ever text."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, expect

from newsletter.config import Config
from newsletter.providers.base import utc_now
from newsletter.store.reviews import add_remark, snapshot_of
from newsletter.web.studio.application import studio_app
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.review.invite import open_review
from newsletter.workflows.review.remarks import remarks_of
from newsletter.workflows.send.approve import draft_approval
from tests.store.empty_file import open_test_database
from tests.web.studio.conftest import ServedStudio, Visitor

WORDS = "This is a small letter, with a page about it."
SCRIPT = "<script>alert(1)</script>"
REMARKS = "/2026-02/remarks"


def comment(config: Config, said: str, *, name: str = "Ana Lima", words: str = WORDS) -> None:
    """Ask a reviewer who says something about the block with these words."""
    with open_test_database(config.database) as database:
        draft = draft_approval(config, database, require_issue(config, "2026-02"), now=utc_now())
        (asked,) = open_review(config, database, draft, [f'"{name}" <ana@example.org>'], now=utc_now())
        with database.transaction() as connection:
            shown = snapshot_of(connection, asked.review)
            assert shown is not None
            block = next(each for each in shown.variants[0].blocks if each.words == words)
            assert add_remark(connection, asked, block, said, now=utc_now())


def token_in(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def remarks(config: Config) -> list[tuple[str, bool]]:
    return [(each.said, each.done_at is not None) for each in remarks_of(config, "2026-02")]


def test_without_a_database_there_are_no_comments(visitor: Visitor) -> None:
    page = visitor.get(REMARKS)
    assert page.status_code == 200
    assert "newsletter review 2026-02 --send" in page.text
    assert visitor.get("/2026-09/remarks").status_code == 404


def test_a_comment_is_shown_at_its_line_which_moves_with_the_words(config: Config, issue_folder: Path) -> None:
    def shown() -> str:
        return Visitor(studio_app(config, issue_folder)).get(REMARKS).text

    comment(config, "Why small?\nWhy a letter?")
    page = shown()
    assert WORDS in page
    assert "Why small?\nWhy a letter?" in page
    assert "Ana Lima" in page
    assert "/2026-02/edit?at=issues/2026-02/letter.md%3A4" in page
    letter = issue_folder / "letter.md"
    letter.write_text(letter.read_text().replace("This is", "A line above.\n\nThis is"))
    assert "letter.md:6<" in shown()
    letter.write_text(letter.read_text().replace("small", "large"))
    changed = shown()
    assert "these words have changed since" in changed
    assert "letter.md:4<" in changed


def test_a_comment_is_marked_as_done_and_opened_again(visitor: Visitor, config: Config) -> None:
    comment(config, "First")
    token = token_in(visitor.get(REMARKS).text)
    (number,) = [each.id for each in remarks_of(config, "2026-02")]

    marked = visitor.post(REMARKS, {"token": token, "remark": str(number), "done": "yes"})

    assert (marked.status_code, marked.headers["location"]) == (303, REMARKS)
    assert remarks(config) == [("First", True)]
    assert "Every comment is done" in visitor.get(REMARKS).text
    visitor.post(REMARKS, {"token": token, "remark": str(number), "open": "yes"})
    assert remarks(config) == [("First", False)]


@pytest.mark.parametrize("number", ["", "0", "999", "-1", "1 OR 1=1", "²", "9" * 400, "../1"])
def test_a_comment_that_does_not_exist_cannot_be_marked(visitor: Visitor, config: Config, number: str) -> None:
    comment(config, "First")
    token = token_in(visitor.get(REMARKS).text)
    assert visitor.post(REMARKS, {"token": token, "remark": number, "done": "yes"}).status_code == 404
    assert remarks(config) == [("First", False)]


def test_a_comment_of_another_issue_cannot_be_marked(visitor: Visitor, config: Config) -> None:
    comment(config, "First")
    token = token_in(visitor.get(REMARKS).text)
    (number,) = [each.id for each in remarks_of(config, "2026-02")]
    other = visitor.post("/2026-01/remarks", {"token": token, "remark": str(number), "done": "yes"})
    assert other.status_code == 404
    assert remarks(config) == [("First", False)]


def test_only_the_studios_own_page_marks_a_comment(visitor: Visitor, config: Config) -> None:
    comment(config, "First")
    (number,) = [each.id for each in remarks_of(config, "2026-02")]
    visitor.get(f"{REMARKS}?remark={number}&done=yes")
    assert visitor.post(REMARKS, {"token": "another", "remark": str(number), "done": "yes"}).status_code == 403
    big = {"token": token_in(visitor.get(REMARKS).text), "remark": str(number), "more": "x" * 5000}
    assert visitor.post(REMARKS, big).status_code == 413
    assert remarks(config) == [("First", False)]


def test_names_and_comments_are_only_ever_text(visitor: Visitor, config: Config) -> None:
    comment(config, f"{SCRIPT} {{{{ 7 * 7 }}}}", name=f"Ana {SCRIPT}")
    page = visitor.get(REMARKS).text
    assert SCRIPT not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7 * 7 }}" in page


@pytest.mark.parametrize("width", [1440, 768, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_comments_are_dealt_with_by_keyboard(
    browser: Browser, served: ServedStudio, config: Config, scheme: str, width: int
) -> None:
    comment(config, "Could this be shorter?")
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{served.url}2026-02/remarks")
    for _ in range(2):
        assert Axe().run(page).response["violations"] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_role("button", name="Done").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("Every comment is done.")).to_be_visible()
        assert Axe().run(page).response["violations"] == []
        page.locator("summary").focus()
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Reopen").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("Could this be shorter?")).to_be_visible()
    context.close()
