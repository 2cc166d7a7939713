"""The page of the sections that take items from feeds: nothing is downloaded or written before a button is pressed."""

import html
import re
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from newsletter.config import load_config
from newsletter.web.studio import feeds
from newsletter.web.studio.application import studio_app
from tests.fakes.web_server import Page, WebServer
from tests.workflows.compose.test_fetch import entry, feed
from tests.workspaces import ISSUE, write_workspace

ORIGIN = "http://127.0.0.1:8025"
OURS = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
INDEX = "issues/2026-02/news/index.md"


class Director:
    """Someone on the page."""

    def __init__(self, root: Path) -> None:
        self.items = root / "issues/2026-02/news"
        self.client = TestClient(studio_app(load_config(root), root / "issues/2026-02"), base_url=ORIGIN)
        self.page = self.client.get("/2026-02/feeds").text

    def press(self, path: str, expect: int = 200) -> str:
        """Press a button of the page. Return the next page."""
        fields = dict(re.findall(r'name="(token|key)" value="([^"]+)"', self.page))
        answer = self.client.post(f"/2026-02/{path}", data=fields, headers=OURS)
        assert answer.status_code == expect, answer.text
        self.raw, self.page = answer.text, html.unescape(answer.text)
        return self.page

    @property
    def files(self) -> list[str]:
        """The titles in the names of the items' files."""
        return sorted(path.name.rpartition("-")[0] for path in self.items.glob("*-*.md"))


@pytest.fixture(scope="module")
def web() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


@pytest.fixture
def director(tmp_path: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch) -> Director:
    """Someone whose section `news` takes items of a feed. Only the tests' server is on loopback."""
    monkeypatch.setattr(feeds, "is_public", lambda address: ip_address(address).is_loopback)
    web.requests.clear()
    web.pages["/feed.xml"] = Page(body=feed(entry("a", title="<script>x</script> & co"), entry("b")))
    source = f"---\ntype: community\ntitle: News\nitems:\n  feed: {web.url}/feed.xml\n---\n"
    return Director(write_workspace(tmp_path, {"issues/2026-02/issue.yaml": f"{ISSUE}  - news\n", INDEX: source}))


def test_the_page_shows_the_feed_and_downloads_nothing(director: Director, web: WebServer) -> None:
    assert f"<code>{web.url}/feed.xml</code>" in director.page
    assert "No items yet" in director.page
    assert web.requests == []


def test_what_would_change_is_shown_and_then_written_once(director: Director) -> None:
    shown = director.press("feeds")
    assert '<ins><span class="unseen">added: </span>title: "B"</ins>' in shown
    assert "<script>x" not in director.raw
    assert director.files == []
    director.press("feeds/write")
    assert "2 items written." in director.page
    assert director.files == ["b", "script-x-script-co"]
    assert "There is nothing new to write." in director.press("feeds")


def test_a_file_that_was_edited_meanwhile_is_not_overwritten(director: Director, web: WebServer) -> None:
    director.press("feeds")
    director.press("feeds/write")
    web.pages["/feed.xml"] = Page(body=feed(entry("b", html="<p>Other.</p>")))
    director.press("feeds")
    path = next(director.items.glob("b-*.md"))
    path.write_text(path.read_text().replace("Text.", "Mine."))
    assert "was changed in the meantime" in director.press("feeds/write", expect=409)
    assert "Mine." in path.read_text()


def test_a_feed_that_fails_and_a_question_that_is_too_old_are_told(director: Director, web: WebServer) -> None:
    web.pages["/feed.xml"] = Page(status=404)
    assert "cannot be fetched: the server answers 404" in director.press("feeds")
    assert "This is too long ago" in director.press("feeds/write", expect=410)


def test_no_address_inside_a_network_is_asked(director: Director, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert "is inside a network" in director.press("feeds")


def test_an_issue_without_a_feed_says_how_to_write_one(director: Director) -> None:
    (director.items / "index.md").write_text("---\ntype: community\n---\n")
    assert "No section takes its items from a feed" in director.client.get("/2026-02/feeds").text
    assert "takes its items from a feed or a calendar" in director.press("feeds", expect=409)


def test_mistakes_in_the_issue_come_first(director: Director) -> None:
    (director.items / "index.md").write_text("---\ntype: community\nitems: {feed: x}\n---\n")
    answer = director.client.get("/2026-02/feeds")
    assert answer.status_code == 409
    assert f"{INDEX}:3: items › feed: 'x' is not a web address" in answer.text
