"""The studio shows how versions compare, and sends the one that a person chooses to all others."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.workflows.send.winner import comparison_of
from tests.web.studio.sending_world import NOW_TO_EVERYONE, SendingWorld, sending_world
from tests.workspaces import ISSUE

PEOPLE = 10


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SendingWorld]:
    """A workspace whose issue has two subjects."""
    with sending_world(tmp_path, people=PEOPLE) as opened:
        keys = "subject.b: Another subject\nversions:\n  share: 40 %\n"
        path = tmp_path / "issues/2026-02/issue.yaml"
        path.write_text(ISSUE.replace("sections:", f"{keys}sections:"), encoding="utf-8")
        yield opened


def test_person_chooses_the_version_for_all_others(world: SendingWorld) -> None:
    plan = world.planned(NOW_TO_EVERYONE)
    text = world.get(plan).text
    assert "B: subject “Another subject”" in text
    assert "2 get A, 2 get B, drawn at random" in text
    world.confirm(plan, PEOPLE)
    world.wait()
    assert sum(world.mailed.values()) == 4

    text = world.get("/2026-02/sending/1").text
    assert "you decide which version all others get" in text
    assert "Version B for all others…" in text
    assert "Continue…" not in text
    assert "has no version" in world.submit("/2026-02/sending/1/winner", {"version": "Z"}).text
    question = world.question("/2026-02/sending/1/winner", {"version": "B"})
    assert "Send version B to 6 subscribers?" in world.get(question).text
    assert world.confirm(question, PEOPLE).status_code == 422
    world.confirm(question, 6)
    world.confirm(question, 6)
    world.wait()

    assert set(world.mailed.values()) == {1}
    assert len(world.mailed) == PEOPLE
    with world.database() as database:
        comparison = comparison_of(database, 1)
    assert comparison is not None
    assert (comparison.chosen, comparison.by_person) == ("B", True)
    text = world.get("/2026-02/sending/1").text
    assert "all others get version B" in text
    assert "for all others…" not in text
