"""The archive in the studio: nothing is published before it was seen, and exactly what was seen is published."""

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.web.axe import violations
from tests.web.studio.sending_world import SendingWorld, sending_world, served_world

ARCHIVE = '[archive]\nurl = "https://letters.example.org"\nto = "site"\nvisibility = "public"\n'


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SendingWorld]:
    """A studio whose only issue is public and not published yet."""
    with sending_world(tmp_path, settings=ARCHIVE) as made:
        yield made


def settled(world: SendingWorld) -> str:
    """The page, once its thread has ended."""
    for thread in threading.enumerate():
        if thread.name == "archive":
            thread.join(60)
    return world.get("/-/archive").text


def looked(world: SendingWorld) -> str:
    assert world.submit("/-/archive/look").headers["location"] == "/-/archive"
    return settled(world)


def agreed(world: SendingWorld, text: str) -> str:
    key = re.search(r'name="key" value="([^"]+)"', text)
    assert key is not None
    world.submit("/-/archive/publish", {"key": key[1]})
    return settled(world)


def test_nothing_is_published_before_it_was_seen(world: SendingWorld) -> None:
    page = world.root / "site/2026-02/index.html"
    text = world.get("/-/archive").text
    assert "not published yet" in text
    world.submit("/-/archive/publish", {"key": "guessed"})
    text = looked(world)
    assert "What publishing would change" in text
    assert re.search(r"<button[^>]*>Publish \d+ files</button>", text)
    assert not page.exists()
    text = agreed(world, text)
    assert "The archive is published: https://letters.example.org/" in text
    assert 'href="https://letters.example.org/2026-02/"' in text
    assert page.is_file()
    assert "Nothing has changed since the archive was published" in looked(world)


def test_the_pages_can_be_seen_before_and_run_no_scripts(world: SendingWorld) -> None:
    assert world.get("/-/archive/pages/2026-02/").status_code == 404
    assert 'href="/-/archive/pages/2026-02/"' in looked(world)
    answer = world.get("/-/archive/pages/2026-02/")
    assert "This is a small letter" in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; img-src")
    assert "script-src" not in policy
    assert world.get("/-/archive/pages/../newsletter.toml").status_code == 404


def test_what_was_seen_is_published_and_only_that(world: SendingWorld) -> None:
    text = looked(world)
    world.edit()
    agreed(world, text)
    assert "small letter" in (world.root / "site/2026-02/index.html").read_text()


def test_if_the_place_changed_meanwhile_it_is_asked_again(world: SendingWorld) -> None:
    first = looked(world)
    agreed(world, first)
    world.edit()
    text = looked(world)
    manifest = world.root / "site/.newsletter-site.json"
    files = json.loads(manifest.read_text())
    files["files"] = dict(list(files["files"].items())[1:])
    manifest.write_text(json.dumps(files))
    text = agreed(world, text)
    assert "The place changed after you looked" in text
    assert "quiet letter" not in (world.root / "site/2026-02/index.html").read_text()
    agreed(world, text)
    assert "quiet letter" in (world.root / "site/2026-02/index.html").read_text()


def test_mistakes_are_said(world: SendingWorld) -> None:
    world.letter.write_text("![A picture](missing.jpg)\n")
    assert "missing.jpg" in looked(world)


def test_without_a_place_it_says_how_to_get_one(tmp_path: Path) -> None:
    with sending_world(tmp_path) as made:
        text = made.get("/-/archive").text
        assert "has no [archive]" in text
        assert "/-/archive/look" not in text


def test_it_works_with_the_keyboard_and_axe_finds_nothing(browser: Browser, world: SendingWorld) -> None:
    with served_world(world) as url:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(url.replace("/2026-02/", "/-/archive"))
        page.get_by_role("button", name="See what would change").focus()
        page.keyboard.press("Enter")
        button = page.get_by_role("button", name=re.compile(r"Publish \d+ files"))
        expect(button).to_be_visible(timeout=30_000)
        page.get_by_text("Look at the pages").focus()
        page.keyboard.press("Enter")
        assert violations(page, widths=(1280, 320)) == []
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        seen = browser.new_page()
        seen.goto(url.replace("/2026-02/", "/-/archive/pages/2026-02/"))
        assert seen.evaluate("getComputedStyle(document.querySelector('.masthead')).display") == "flex"
        seen.close()
        button.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("The archive is published")).to_be_visible(timeout=30_000)
        assert violations(page, widths=(1280,)) == []
        page.close()
