"""The check itself: where the promise is broken on purpose, it says so."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.store.opening import open_database
from tests.faults import commands
from tests.faults.api import FaultyApi
from tests.faults.director import Director
from tests.faults.misfortunes import Misfortune, Mishap
from tests.faults.plan import QUIET, Round, Sender, draw_plan
from tests.faults.processes import Processes
from tests.faults.run import directed
from tests.faults.runs import DEFAULT_RUNS
from tests.faults.seams import Death, Moment
from tests.faults.stores import SqliteStore

PLAN = replace(QUIET, rounds=(Round(senders=(Sender(),)),))


@pytest.fixture
def director(tmp_path: Path, processes: Processes) -> Iterator[Director]:
    """Everyone got their email, and all is well."""
    with directed(PLAN, SqliteStore(tmp_path / "newsletter.db"), processes, tmp_path) as running:
        running.tell()
        assert running.judge().broken == ()
        yield running


def tamper(director: Director, *statements: str) -> None:
    """Changes the ledger behind the product's back."""
    with open_database(director.scene.location) as database, database.transaction() as connection:
        for statement in statements:
            connection.execute(statement)


def told(director: Director) -> str:
    return "\n".join(director.judge().broken)


def test_a_chunk_that_was_taken_and_is_ready_again_is_found_as_a_double(director: Director) -> None:
    tamper(
        director,
        "UPDATE chunk SET state = 'ready' WHERE number = 2",
        "UPDATE broadcast SET state = 'running', finished_at = NULL",
    )
    assert director.processes.start(commands.send, scene=director.scene, broadcast=1).wait(30) == 0
    assert "p010-0@example.org was accepted 2 times" in told(director)


def test_somebody_who_was_never_handed_over_is_found(director: Director) -> None:
    api = director.post
    assert isinstance(api, FaultyApi)
    with api.lock:
        api.accepted = [mail for mail in api.accepted if mail.email != "p007-0@example.org"]
    assert "p007-0@example.org is accepted in broadcast 1, chunk 1, but was not taken" in told(director)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE chunk SET state = 'cancelled', reason = 'x' WHERE number = 1", "but is cancelled in broadcast 1"),
        ("UPDATE chunk SET state = 'ready' WHERE number = 1", "is still ready in broadcast 1"),
        ("UPDATE chunk SET state = 'rejected', reason = '' WHERE number = 1", "is rejected in broadcast 1 without a"),
        ("UPDATE chunk SET state = 'unknown', reason = 'who knows' WHERE number = 1", "for no reason: who knows"),
        ("UPDATE chunk SET state = 'unknown', reason = 'the program ended' WHERE number = 1", "for no reason"),
        ("UPDATE chunk SET size = size - 1 WHERE number = 1", "does not add up"),
        ("DELETE FROM delivery WHERE subscriber = 1", "was frozen for 29 of 30 people"),
        ("UPDATE broadcast SET state = 'paused'", "which is no end"),
    ],
)
def test_a_ledger_that_is_wrong_is_found(director: Director, statement: str, words: str) -> None:
    tamper(director, statement)
    assert words in told(director)


def test_unknown_mail_that_is_made_ready_by_hand_is_found_as_a_double(tmp_path: Path, processes: Processes) -> None:
    death = Death(moment=Moment.AFTER_SUBMIT, number=1)
    with directed(PLAN, SqliteStore(tmp_path / "newsletter.db"), processes, tmp_path) as director:
        for function, arguments in (
            (commands.freeze, {}),
            (commands.send, {"broadcast": 1, "death": death}),
            (commands.resume, {"broadcast": 1}),
        ):
            processes.start(function, scene=director.scene, **arguments).wait(30)
        tamper(director, "UPDATE chunk SET state = 'ready' WHERE state = 'unknown'")
        processes.start(commands.send, scene=director.scene, broadcast=1).wait(30)
        assert "p000-0@example.org was accepted 2 times" in told(director)


def test_every_misfortune_is_met_in_the_runs_of_the_default() -> None:
    """The lots fall so that no line of the tables is left out."""
    plans = [draw_plan(seed, is_postgresql=each) for seed in range(1, DEFAULT_RUNS + 1) for each in (False, True)]
    met = {plan.misfortune(request) for plan in plans for request in range(1, 40 if plan.provider != "smtp" else 100)}
    assert met == {*Misfortune, *Mishap}


def test_someone_who_is_handed_over_after_they_left_is_found(director: Director) -> None:
    director.log.write("leave ended", email="p003-0@example.org", now="2026-02-19T08:00:00Z")
    began = director.log.events("leave ended")[0].at + 1
    director.log.write("submits", began=began, emails=["p003-0@example.org"], mailing="", is_held=True, now="")
    assert "p003-0@example.org had left before they were handed over" in told(director)
