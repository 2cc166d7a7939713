"""Correcting an event from the studio: who was told something else is asked about, and they alone get a short email."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.web.axe import violations
from tests.web.studio.sending_world import PEOPLE, SENDING, SendingWorld, sending_world, served_world
from tests.workspaces import ISSUE

EVENT = "---\ntitle: A talk\nstarts: 2036-12-09 08:00\nends: 2036-12-09 09:00\nlocation: Online\n---\nCome.\n"
CORRECTION = f"{SENDING}/correction"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SendingWorld]:
    """A studio from which an issue with an event was sent."""
    with sending_world(tmp_path) as made:
        issue = tmp_path / "issues/2026-02"
        (issue / "events").mkdir()
        waived = "waive:\n  E5: it is far\n"
        (issue / "issue.yaml").write_text(f"{waived}{ISSUE.replace('2026-02-19', '2036-11-01')}  - events\n")
        (issue / "events/index.md").write_text("---\ntitle: Events\n---\n")
        (issue / "events/talk.md").write_text(EVENT)
        made.__post_init__()  # a studio that has not seen the issue without the event
        made.__dict__.pop("token")
        assert "Correct an event" not in made.get(SENDING).text
        made.confirm(made.planned(), PEOPLE)
        made.wait()
        assert set(made.mailed.values()) == {1}
        yield made


def move(world: SendingWorld) -> None:
    (world.root / "issues/2026-02/events/talk.md").write_text(EVENT.replace("08:00", "07:00"))


def test_it_says_that_no_one_needs_a_correction(world: SendingWorld) -> None:
    answer = world.submit(CORRECTION, {"event": "2026-02-talk"})
    assert answer.status_code == 422
    assert "Correct an event" in answer.text
    assert "No one needs a correction" in answer.text


def test_who_was_told_something_else_gets_one_email_after_the_number_is_typed(world: SendingWorld) -> None:
    move(world)
    question = world.question(CORRECTION, {"event": "2026-02-talk"})
    text = world.get(question).text
    assert f"{PEOPLE} people told earlier: Tuesday, December 9, 2036 | 8:00–9:00 am PT" in text
    assert "7:00–9:00 am PT" in text
    assert world.confirm(question, PEOPLE + 1).status_code == 422
    answer = world.confirm(question, PEOPLE)
    assert answer.headers["location"] == f"{SENDING}/2"
    world.wait()
    assert set(world.mailed.values()) == {2}
    assert world.get(f"{SENDING}/2").status_code == 200
    world.confirm(question, PEOPLE)
    world.wait()
    assert set(world.mailed.values()) == {2}
    assert world.submit(CORRECTION, {"event": "2026-02-talk"}).status_code == 422


def test_it_asks_again_if_the_event_changed_meanwhile(world: SendingWorld) -> None:
    move(world)
    question = world.question(CORRECTION, {"event": "2026-02-talk"})
    (world.root / "issues/2026-02/events/talk.md").write_text(EVENT.replace("08:00", "06:00"))
    again = world.confirm(question, PEOPLE).headers["location"]
    assert "/sending/questions/" in again
    assert "6:00–9:00 am PT" in world.get(again).text
    assert set(world.mailed.values()) == {1}


def test_its_form_and_its_question_have_no_fault_that_axe_finds(browser: Browser, world: SendingWorld) -> None:
    move(world)
    with served_world(world) as url:
        page = browser.new_page()
        page.goto(f"{url}sending")
        assert violations(page, widths=(1280, 320)) == []
        page.get_by_role("button", name="See who needs a correction").focus()
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Send a correction").wait_for()
        assert violations(page, widths=(1280, 320)) == []
        page.close()
