"""A rehearsal from the studio: its button, its progress and its pictures. Nothing is sent, saved or asked."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from newsletter.store.database import Database
from tests.store.builders import add, row
from tests.web.axe import WIDTHS, violations
from tests.web.studio.sending_world import PEOPLE, SENDING, SendingWorld, sending_world, served_world

ZONES = ("Asia/Tokyo", "Europe/Berlin", "America/Los_Angeles")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SendingWorld]:
    """A studio whose list has people in three time zones."""
    with sending_world(tmp_path, settings="[delivery]\nrequire_approval = true\n") as made:
        with made.database() as database:
            settle(database)
        yield made


def settle(database: Database) -> None:
    add(database, *(row(f"far{number}@example.org", timezone=zone) for number, zone in enumerate(ZONES * 3)))


def rehearsed(world: SendingWorld, **form: str) -> str:
    """The page of a rehearsal that has ended."""
    answer = world.submit(f"{SENDING}/rehearsal", {"segment": "everyone", "when": "now", **form})
    assert answer.status_code == 303, answer.text
    for thread in threading.enumerate():
        if thread.name == "rehearsal":
            thread.join(60)
    return world.get(answer.headers["location"]).text


def test_it_answers_the_questions_of_a_director(world: SendingWorld) -> None:
    text = rehearsed(world)
    assert f"{PEOPLE + 9} people get it. The last email arrives on" in text
    for question in ("When is it over?", "When does each place get it?", "What could go wrong?"):
        assert question in text
    assert "Asia/Tokyo" in text
    assert "Today, 1 problem would stop the real broadcast" in text
    assert "The provider cannot be reached for an hour" in text
    assert world.broadcasts() == 0
    assert world.mailed == {}


def test_a_mistake_in_the_form_is_said_on_its_page(world: SendingWorld) -> None:
    assert "not a time" in rehearsed(world, when="later", at="whenever", awake="timer")
    assert "There is no segment" in rehearsed(world, segment="nobody")


def test_an_unknown_rehearsal_is_not_there(world: SendingWorld) -> None:
    assert world.get(f"{SENDING}/rehearsals/unknown").status_code == 404
    assert world.submit("/2030-01/sending/rehearsal", {"segment": "everyone", "when": "now"}).status_code == 404


def test_its_page_follows_it_and_axe_finds_nothing(browser: Browser, world: SendingWorld) -> None:
    with served_world(world) as url:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{url}sending")
        page.get_by_role("button", name="Rehearse").click()
        expect(page.get_by_role("heading", name="What could go wrong?")).to_be_visible(timeout=30_000)
        assert re.search(r"/sending/rehearsals/\S+$", page.url)
        assert violations(page) == []
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.close()
