"""The limits are exact, the smallest numbers are the smallest, and a test may look as often as it likes."""

from math import comb, exp, log
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.statistics.sequential import limit_of, log_evidence, power, smallest, tail

RATES = st.floats(0.0001, 0.6)


@given(of=st.integers(0, 60), at_least=st.integers(0, 70), rate=RATES)
def test_the_tail_is_that_of_the_binomial_distribution(of: int, at_least: int, rate: float) -> None:
    chance = sum(comb(of, count) * rate**count * (1 - rate) ** (of - count) for count in range(at_least, of + 1))

    assert tail(at_least, of, rate) == pytest.approx(chance, abs=1e-9)


@given(of=st.integers(1, 3000), usual=st.floats(0.0001, 0.3), alpha=st.floats(0.0001, 0.05))
def test_the_limit_is_the_least_that_the_usual_rate_hardly_reaches(of: int, usual: float, alpha: float) -> None:
    limit = limit_of(of, usual, alpha)

    assert tail(limit, of, usual) <= alpha + 1e-9
    assert limit == 0 or tail(limit - 1, of, usual) > alpha - 1e-9


@settings(max_examples=20)
@given(usual=st.floats(0.0005, 0.02), factor=st.floats(2.5, 8), alpha=st.floats(0.0003, 0.01))
def test_the_smallest_number_finds_the_worse_rate_and_one_less_does_not(
    usual: float, factor: float, alpha: float
) -> None:
    number = smallest(usual, usual * factor, alpha, 0.8)

    assert power(number, usual, usual * factor, alpha) >= 0.8
    assert power(number - 1, usual, usual * factor, alpha) < 0.8


def test_the_limit_of_three_thousand_emails() -> None:
    """The figures in docs/decisions/0069-canaries.md."""
    assert limit_of(3000, 0.0008, 0.0035) == 8
    assert power(3000, 0.0008, 0.005, 0.0035) == pytest.approx(0.9822, abs=0.0001)
    assert smallest(0.0008, 0.005, 0.0035, 0.99) == 3476


def test_no_test_finds_more_at_three_thousand_emails() -> None:
    """By Neyman and Pearson: if it stops 0.5 % of the broadcasts with 0.08 %, it stops 98.4 % of those with 0.5 %."""
    limit, alpha = limit_of(3000, 0.0008, 0.005), 0.005
    left = alpha - tail(limit, 3000, 0.0008)
    at_one_less = [tail(limit - 1, 3000, rate) - tail(limit, 3000, rate) for rate in (0.0008, 0.005)]
    most = tail(limit, 3000, 0.005) + left / at_one_less[0] * at_one_less[1]

    assert most == pytest.approx(0.984, abs=0.001)
    assert most < 0.99


def test_evidence_is_a_fair_bet_at_the_usual_rate_and_a_bad_one_below() -> None:
    def expected(rate: float) -> float:
        of, usual, worse = 200, 0.01, 0.05
        return sum(
            comb(of, count) * rate**count * (1 - rate) ** (of - count) * exp(log_evidence(count, of, usual, worse))
            for count in range(of + 1)
        )

    assert expected(0.01) == pytest.approx(1)
    assert expected(0.005) < 0.5


def test_evidence_reaches_its_limit_as_rarely_as_it_says_however_often_one_looks() -> None:
    needed, times = -log(0.05), 0
    for seed in range(1000):
        draw, count = Random(seed), 0
        for of in range(1, 1001):
            count += draw.random() < 0.02
            if log_evidence(count, of, 0.02, 0.06) >= needed:
                times += 1
                break

    assert times <= 50  # 5 % of 1,000; Wald's test stops a little more rarely
