"""Proposals of agents in the studio: seen, sent with the number of people typed in, or declined."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from newsletter.model.proposal import Proposal, ProposalState
from newsletter.render.memory import Memory
from newsletter.render.theme import Theme
from newsletter.workflows.proposals import ProposalDraft, propose_broadcast, require_known
from tests.web.studio.sending_world import OWN_PAGES, PEOPLE, SendingWorld, sending_world, served_world
from tests.web.studio.test_sending_in_browser import heading, look_at, press, tab_to

LIST = "/-/proposals"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SendingWorld]:
    with sending_world(tmp_path) as made:
        yield made


def propose(world: SendingWorld, *, at: str = "", hours: int = 72, by: str = "An <agent> 1.0") -> Proposal:
    folder, config, now = world.letter.parent, world.config, datetime.now(UTC)
    valid_for = timedelta(hours=hours)
    draft = ProposalDraft(folder=folder, segment="everyone", at=at, valid_for=valid_for, by=by)
    with world.database() as database:
        return propose_broadcast(config, database, draft, theme=Theme(config.root, Memory()), now=now)


def state(world: SendingWorld, number: int = 1) -> ProposalState:
    with world.database() as database:
        return require_known(database, number).state


def test_a_studio_without_proposals_says_so(world: SendingWorld) -> None:
    assert "No open proposals" in world.get(LIST).text


def test_the_page_for_sending_leads_to_the_proposals(world: SendingWorld) -> None:
    assert LIST not in world.get("/2026-02/sending").text
    propose(world)
    assert f'<a href="{LIST}">' in world.get("/2026-02/sending").text


def test_what_an_agent_proposed_is_shown_as_text(world: SendingWorld) -> None:
    propose(world, at="in 3 hours")
    text = world.get(LIST).text
    for words in (
        "An &lt;agent&gt; 1.0",
        "2026-02</a> to everyone",
        f"{PEOPLE} when it was proposed",
        "in 3 hours",
        "in 3 days",
    ):
        assert words in text


def test_the_typed_number_sends_what_was_proposed(world: SendingWorld) -> None:
    propose(world)
    question = world.question(f"{LIST}/1/plan")
    assert f"for {PEOPLE} subscribers; now there are {PEOPLE}" in world.get(question).text
    assert world.confirm(question, PEOPLE + 1).status_code == 422
    assert (world.broadcasts(), state(world)) == (0, ProposalState.OPEN)
    assert world.confirm(question, PEOPLE).headers["location"] == "/2026-02/sending/1"
    world.wait()
    assert len(world.mailed) == PEOPLE
    assert state(world) is ProposalState.RELEASED
    assert "No open proposals" in world.get(LIST).text
    assert world.submit(f"{LIST}/1/plan").status_code == 409


def test_an_edit_voids_it_before_and_after_the_question(world: SendingWorld) -> None:
    propose(world)
    question = world.question(f"{LIST}/1/plan")
    world.edit()
    world.confirm(question, PEOPLE)
    assert "has changed since proposal 1 was made" in world.get(question).text
    again = world.submit(f"{LIST}/1/plan")
    assert again.status_code == 409
    assert "has changed since proposal 1 was made" in again.text
    world.wait()
    assert (world.broadcasts(), world.mailed) == (0, {})


def test_a_declined_one_cannot_be_sent(world: SendingWorld) -> None:
    propose(world)
    question = world.question(f"{LIST}/1/plan")
    assert world.submit(f"{LIST}/1/decline").headers["location"] == LIST
    world.confirm(question, PEOPLE)
    assert "already declined" in world.get(question).text
    assert world.submit(f"{LIST}/1/decline").status_code == 409
    assert (world.broadcasts(), state(world)) == (0, ProposalState.DECLINED)


def test_a_scheduled_one_waits_for_its_time(world: SendingWorld) -> None:
    propose(world, at="in 3 hours")
    world.confirm(world.question(f"{LIST}/1/plan"), PEOPLE)
    world.wait()
    assert (world.broadcasts(), world.mailed, state(world)) == (1, {}, ProposalState.RELEASED)


@pytest.mark.parametrize("path", [f"{LIST}/1/plan", f"{LIST}/1/decline"])
def test_only_the_studios_own_pages_decide(world: SendingWorld, path: str) -> None:
    propose(world)
    for headers, body in (
        ({"Origin": "http://evil.example"}, f"token={world.token}".encode()),
        ({}, f"token={world.token}".encode()),
        (OWN_PAGES, b"token=x"),
        (OWN_PAGES, b""),
    ):
        assert world.ask("POST", path, headers=headers, body=body).status_code == 403
    assert world.get(path).status_code == 405
    assert world.submit(f"{LIST}/7/plan").status_code == 404
    assert state(world) is ProposalState.OPEN


def test_it_is_decided_with_the_keyboard_alone(browser: Browser, world: SendingWorld) -> None:
    propose(world)
    with served_world(world) as url:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{url.removesuffix('2026-02/')}-/proposals")
        look_at(page)
        press(page, "Check and see who gets it")
        heading(page, f"Send to {PEOPLE} subscribers?")
        look_at(page)
        tab_to(page, page.locator("#people"))
        page.keyboard.type(str(PEOPLE))
        page.keyboard.press("Enter")
        page.wait_for_url("**/sending/1")
        page.close()
    world.wait()
    assert len(world.mailed) == PEOPLE
