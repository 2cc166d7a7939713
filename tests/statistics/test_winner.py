"""A winner is named only if a version is better, however often the test is asked.

The people here do not follow the law that the test assumes: everyone has their own inclination to react, families react
together, mailbox providers differ, and reactions come within minutes or a day. Only the draw is as in a broadcast.
Set WINNER_SEED to an empty text for fresh seeds.
"""

import os
import random
from collections.abc import Iterator, Sequence
from math import comb, exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.statistics.winner import (
    ALPHA,
    Arm,
    chance_to_tell,
    clear_winner,
    log_evidence,
    smallest_sample,
)

SEED = os.environ.get("WINNER_SEED", "20261201") or str(random.SystemRandom().getrandbits(32))
RUNS = 1000
VERSIONS = "ABCD"
Lift = dict[str, float]


def reactions(draw: random.Random, people: int, rate: float, lift: Lift, versions: str) -> Iterator[str]:
    """Yield the version of each person who reacts, in the order in which they do."""
    moments: list[tuple[float, str]] = []
    for provider, weight in (("gmail", 0.6), ("outlook", 0.3), ("other", 0.1)):
        of_provider = list(versions) * round(people * weight)
        draw.shuffle(of_provider)
        inclined = rate * {"gmail": 1.2, "outlook": 0.8, "other": 0.4}[provider]
        mood = 0.0
        for place, version in enumerate(of_provider):
            if place % 3 == 0:  # a family of three shares its mood
                mood = inclined * 2 * draw.betavariate(0.7, 0.7)
            if draw.random() < mood * lift.get(version, 1.0):
                moments.append((draw.paretovariate(0.7), version))
    yield from (version for _, version in sorted(moments))


def winner_of(order: Iterator[str], people: int, versions: str, *, every: int = 1) -> str | None:
    """Ask after every few reactions, and stop at the first answer, as a broadcast does."""
    counts = dict.fromkeys(versions, 0)
    for number, version in enumerate(order):
        counts[version] += 1
        if number % every == 0 and (found := clear_winner(arms(counts, people))):
            return found
    return clear_winner(arms(counts, people))


def arms(counts: dict[str, int], people: int) -> Sequence[Arm]:
    return [Arm(version=version, people=people, reacted=count) for version, count in counts.items()]


def named(people: int, rate: float, lift: Lift, versions: str, *, every: int, runs: int) -> list[str]:
    found = (
        winner_of(
            reactions(random.Random(f"{SEED} {run} {rate} {versions}"), people, rate, lift, versions),
            people,
            versions,
            every=every,
        )
        for run in range(runs)
    )
    return [winner for winner in found if winner]


@pytest.mark.parametrize(("people", "rate", "versions"), [(1200, 0.06, "AB"), (400, 0.4, "AB"), (500, 0.06, "ABCD")])
def test_equal_versions_have_a_winner_in_one_of_a_hundred_tests_at_most(
    people: int, rate: float, versions: str
) -> None:
    """It is asked after every reaction, which is as often as it can be."""
    false_alarms = named(people, rate, {}, versions, every=1, runs=RUNS)
    assert len(false_alarms) <= RUNS // 100, SEED


@pytest.mark.parametrize(("rate", "lift", "versions"), [(0.06, 0.7, "AB"), (0.3, 0.3, "AB"), (0.06, 0.9, "ABC")])
def test_better_version_is_named_as_often_as_the_plan_says(rate: float, lift: float, versions: str) -> None:
    people, runs = smallest_sample(rate, lift, len(versions)), 120
    assert people is not None
    assert 0.8 <= chance_to_tell(people, rate, lift, len(versions)) < 0.82
    found = named(people, rate, {"B": 1 + lift}, versions, every=7, runs=runs)
    assert set(found) == {"B"}
    assert len(found) / runs > 0.7, SEED


@given(people=st.lists(st.integers(1, 9), min_size=2, max_size=2), alike=st.integers(0, 18))
def test_evidence_of_equal_versions_is_one_on_average(people: list[int], alike: int) -> None:
    """Over all equally likely outcomes with so many reactions, computed from all of them."""
    one, other = people
    alike = min(alike, one + other)
    total = 0.0
    for reacted in range(max(0, alike - other), min(one, alike) + 1):
        chance = comb(one, reacted) * comb(other, alike - reacted) / comb(one + other, alike)
        arm, second = (
            Arm(version="A", people=one, reacted=reacted),
            Arm(version="B", people=other, reacted=alike - reacted),
        )
        total += chance * exp(log_evidence(arm, second))
    assert total <= 1 + 1e-9


def test_evidence_does_not_depend_on_the_order_of_versions() -> None:
    one, other = Arm(version="A", people=900, reacted=40), Arm(version="B", people=1100, reacted=80)
    assert log_evidence(one, other) == pytest.approx(log_evidence(other, one))


def test_winner_must_beat_each_other_version() -> None:
    assert clear_winner(arms({"A": 30, "B": 120, "C": 118}, 2000)) is None
    assert clear_winner(arms({"A": 30, "B": 120, "C": 40}, 2000)) == "B"


@pytest.mark.parametrize("counts", [{}, {"A": 3}, {"A": 0, "B": 0}, {"A": 1, "B": 0}])
def test_few_reactions_name_no_one(counts: dict[str, int]) -> None:
    assert clear_winner(arms(counts, 10)) is None
    assert clear_winner(arms(counts, 0 if not any(counts.values()) else 10)) is None


def test_sample_grows_with_what_is_harder_to_find() -> None:
    sizes = [smallest_sample(*each) for each in ((0.35, 0.2), (0.03, 1.0), (0.03, 0.2), (0.03, 0.2, 4))]
    assert sizes == sorted(sizes, key=lambda size: size or 0)
    assert smallest_sample(0.03, 0.0) is None
    assert chance_to_tell(1, 0.03, 0.2) == 0.0


def test_threshold_is_that_of_ville() -> None:
    """With all reactions for one version, the evidence passes 1/alpha after few of them, but not after fewer."""
    first = next(count for count in range(1, 100) if clear_winner(arms({"A": 0, "B": count}, 10_000)))
    below, at = (
        log_evidence(Arm(version="B", people=10_000, reacted=count), Arm(version="A", people=10_000, reacted=0))
        for count in (first - 1, first)
    )
    assert below < log(1 / ALPHA) <= at
