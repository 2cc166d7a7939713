"""Tests of whether something happens too often, which stay valid however often, and whenever, one looks.

Each email is a trial with a usual rate. Reports about it come late, or never, so a count that is known now is never
larger than the count that will be. Both tests stop if a count reaches a limit that depends on the number of emails
sent. If the count that is known reaches it, so does the true one. So it is enough that the true counts, email by email,
ever reach it with a chance of at most alpha, whatever the delays.

`limit_of` is for a number of emails that is fixed before. The limit is the same all the time, so looking early costs
nothing, and no other test with the same alpha finds more (Neyman and Pearson, 1933). What it follows is a martingale:
the chance that the final count reaches the limit, given the count so far.

`evidence_limit` is for emails without a fixed number. It follows Wald's likelihood ratio (Annals of Mathematical
Statistics 16, 1945). That is a martingale at the usual rate, and falls at lower ones. It ever reaches 1/alpha with a
chance of at most alpha (Ville, 1939).
"""

from functools import lru_cache
from math import ceil, exp, lgamma, log, log1p

_MOST = 100_000_000  # emails


def tail(at_least: int, of: int, rate: float) -> float:
    """Return the chance that at least so many of the trials succeed."""
    return max(1.0 - sum(_chance(count, of, rate) for count in range(min(at_least, of + 1))), 0.0)


@lru_cache
def limit_of(of: int, usual: float, alpha: float) -> int:
    """Return the least count among so many emails that is reached with a chance of at most alpha at the usual rate."""
    left, count = 1.0, 0
    while left > alpha and count <= of:
        left -= _chance(count, of, usual)
        count += 1
    return count


def power(of: int, usual: float, worse: float, alpha: float) -> float:
    """Return the chance that the limit for so many emails is reached at a worse rate."""
    return tail(limit_of(of, usual, alpha), of, worse)


@lru_cache
def smallest(usual: float, worse: float, alpha: float, wanted: float, at_least: int = 0) -> int:
    """Return the smallest number of emails at which the limit is reached at a worse rate with the chance `wanted`.

    A few more emails can have a higher limit, and a smaller chance. So each limit is looked at: from which number on
    it has the chance, and whether it is still allowed there. For some limit it is, because the chance grows faster.
    """
    limit = 1
    while True:
        low, high = limit, limit
        while tail(limit, high, worse) < wanted:
            low, high = high, high * 2
            if high > _MOST:
                return _MOST
        while low < high:
            middle = (low + high) // 2
            if tail(limit, middle, worse) < wanted:
                low = middle + 1
            else:
                high = middle
        low = max(low, at_least)
        if tail(limit, low, usual) <= alpha:
            return low
        limit += 1


def evidence_limit(of: int, usual: float, worse: float, alpha: float) -> int:
    """Return the least count that the worse rate explains 1/alpha times better than the usual one."""
    neither = log1p(-usual) - log1p(-worse)  # what an email about which nothing came back takes from the logarithm
    return ceil((of * neither - log(alpha)) / (log(worse / usual) + neither))


def _chance(count: int, of: int, rate: float) -> float:
    """Return the binomial probability of exactly this count. The rate is between 0 and 1, without these."""
    ways = lgamma(of + 1) - lgamma(count + 1) - lgamma(of - count + 1)
    return exp(ways + count * log(rate) + (of - count) * log1p(-rate))
