"""Faults planted in the program, one at a time, are found by the runs that are drawn from their seeds."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from newsletter.model.broadcast import BroadcastKind
from tests.faults.misfortunes import Mishap, Mood
from tests.faults.plan import Plan, Round, Sender, draw_plan
from tests.faults.planted import Fault
from tests.faults.processes import Processes
from tests.faults.run import carry_out
from tests.faults.stores import SqliteStore

_MOST_RUNS = 12
_QUIET_ROUND = Round(senders=(Sender(),))


def found_by(plans: list[Plan], fault: Fault, processes: Processes, folder: Path, words: str) -> bool:
    """Whether one of these runs finds the fault, and says so in these words."""
    return any(
        words in broken
        for plan in plans
        for broken in carry_out(plan, SqliteStore(folder / f"{plan.seed}.db"), processes, folder, planted=fault).broken
    )


def plans(*, provider: str, **changes: object) -> list[Plan]:
    """The first plans of the default for this provider, with something that happens in all of them."""
    drawn = (draw_plan(seed) for seed in range(1, 200))
    chosen = [plan for plan in drawn if plan.provider == provider and plan.per_minute is None]
    return [replace(plan, **changes) for plan in chosen[:_MOST_RUNS]]


def test_an_smtp_email_that_is_sent_again_when_in_doubt(processes: Processes, tmp_path: Path) -> None:
    drawn = plans(provider="smtp", mood=Mood.STORM)
    assert found_by(drawn, Fault.RESENT_WHEN_IN_DOUBT, processes, tmp_path, "was accepted 2 times")


def test_a_zone_that_is_sent_again(processes: Processes, tmp_path: Path) -> None:
    drawn = plans(
        provider="smtp",
        mood=Mood.FINE,
        hold=timedelta(minutes=5),
        is_local_time=True,
        zones=50,
        stride=timedelta(hours=3),
        rounds=(_QUIET_ROUND,) * 3,
    )
    assert found_by(drawn, Fault.ZONE_REPEATED, processes, tmp_path, "was accepted 2 times")


def test_held_email_that_is_not_taken_back(processes: Processes, tmp_path: Path) -> None:
    rounds = (_QUIET_ROUND,) * 3
    drawn = plans(provider="sendgrid", mood=Mood.FINE, hold=timedelta(hours=3), stride=timedelta(), rounds=rounds)
    words = "has left, and the provider still holds their email"
    assert found_by(drawn, Fault.HELD_MAIL_NOT_TAKEN_BACK, processes, tmp_path, words)


def test_blame_that_is_kept_per_chunk(processes: Processes, tmp_path: Path) -> None:
    """The relay blocks us after nine emails, and batches of two are too small to notice it."""
    drawn = plans(
        provider="smtp",
        chunk_size=2,
        concurrency=1,
        has_deferrals=False,
        rounds=(_QUIET_ROUND,),
        scripted=((10, Mishap.BLOCKED),),
    )
    words = "for a refusal that was not about them"
    assert found_by(drawn, Fault.BLAME_KEPT_PER_CHUNK, processes, tmp_path, words)


def test_blame_of_the_last_people(processes: Processes, tmp_path: Path) -> None:
    """The relay blocks us for the last eight people, while four connections are sending."""
    drawn = plans(
        provider="smtp",
        people=100,
        chunk_size=25,
        concurrency=4,
        has_deferrals=False,
        rounds=(_QUIET_ROUND,),
        scripted=((93, Mishap.BLOCKED),),
    )
    words = "for a refusal that was not about them"
    assert found_by(drawn, Fault.EARLIER_MAIL_ACQUITS_US, processes, tmp_path, words)


def test_a_kind_that_is_forgotten(processes: Processes, tmp_path: Path) -> None:
    kinds = (BroadcastKind.ISSUE, BroadcastKind.CORRECTION)
    drawn = plans(provider="outbox", mood=Mood.FINE, hold=None, rounds=(_QUIET_ROUND,), kinds=kinds)
    assert found_by(drawn, Fault.KIND_FORGOTTEN, processes, tmp_path, "nobody got the issue as correction")
