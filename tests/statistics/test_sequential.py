"""The limits are exact, the smallest numbers are the smallest, and a test may look as often as it likes."""

from math import comb
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.statistics.sequential import evidence_limit, limit_of, power, smallest, tail

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
    assert smallest(usual, usual * factor, alpha, 0.8, number) == number
    assert (
        power(next_one := smallest(usual, usual * factor, alpha, 0.8, number + 1), usual, usual * factor, alpha) >= 0.8
    )
    assert next_one > number


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


def ratio(count: int, of: int, usual: float, worse: float) -> float:
    """How many times better the worse rate explains a count."""
    return (worse / usual) ** count * ((1 - worse) / (1 - usual)) ** (of - count)


@given(of=st.integers(1, 2000), usual=st.floats(0.001, 0.05), factor=st.floats(1.5, 8), alpha=st.floats(0.0005, 0.1))
def test_the_limit_of_the_evidence_is_where_the_ratio_reaches_one_over_alpha(
    of: int, usual: float, factor: float, alpha: float
) -> None:
    limit = evidence_limit(of, usual, usual * factor, alpha)

    assert ratio(limit, of, usual, usual * factor) >= (1 - 1e-9) / alpha
    assert ratio(limit - 1, of, usual, usual * factor) <= (1 + 1e-9) / alpha


def test_the_ratio_is_a_fair_bet_at_the_usual_rate_and_a_bad_one_below() -> None:
    def expected(rate: float) -> float:
        chances = [comb(200, count) * rate**count * (1 - rate) ** (200 - count) for count in range(201)]
        return sum(chance * ratio(count, 200, 0.01, 0.05) for count, chance in enumerate(chances))

    assert expected(0.01) == pytest.approx(1)
    assert expected(0.005) < 0.5


def test_the_limit_is_reached_as_rarely_as_it_says_however_often_one_looks() -> None:
    limits, times = [evidence_limit(of, 0.02, 0.06, 0.05) for of in range(1, 1001)], 0
    for seed in range(1000):
        draw, count = Random(seed), 0
        for limit in limits:
            count += draw.random() < 0.02
            if count >= limit:
                times += 1
                break

    assert times <= 50  # 5 % of 1,000; Wald's test stops a little more rarely
