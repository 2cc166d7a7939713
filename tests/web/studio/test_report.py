"""The report on an issue in the studio: the page of `newsletter report --html`, with a way back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.studio.sending_world import PEOPLE, SENDING, SendingWorld, sending_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SendingWorld]:
    with sending_world(tmp_path) as made:
        yield made


def test_an_issue_that_was_not_sent_has_no_report(world: SendingWorld) -> None:
    answer = world.get("/2026-02/report")

    assert answer.status_code == 404
    assert "was sent" in answer.text


def test_the_page_of_a_broadcast_leads_to_its_report(world: SendingWorld) -> None:
    world.confirm(world.planned(), PEOPLE)
    world.wait()

    assert 'href="/2026-02/report"' in world.get(f"{SENDING}/1").text
    answer = world.get("/2026-02/report")
    assert answer.status_code == 200
    assert "no one marked it as spam" in answer.text
    assert 'href="/2026-02/"' in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
