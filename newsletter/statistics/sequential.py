"""Tests of whether something happens too often, which stay valid however often, and whenever, one looks.

Each email is a trial with a usual rate. Reports about it come late, or never, so a count that is known now is never
larger than the count that will be. Both tests stop if a count reaches a limit that depends on the number of emails
sent. If the count that is known reaches it, so does the true one. So it is enough that the true counts, email by email,
ever reach it with a chance of at most alpha, whatever the delays.

`limit_of` is for a number of emails that is fixed before. The limit is the same all the time, so looking early costs
nothing, and no other test with the same alpha finds more (Neyman and Pearson, 1933). What it follows is a martingale:
the chance that the final count reaches the limit, given the count so far.

`log_evidence` is for emails without a fixed number. It is Wald's likelihood ratio (Annals of Mathematical Statistics
16, 1945), a martingale at the usual rate, which falls at lower ones. It ever reaches 1/alpha with a chance of at most
alpha (Ville, 1939).
"""

from functools import lru_cache
from math import exp, lgamma, log, log1p

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
def smallest(usual: float, worse: float, alpha: float, wanted: float) -> int:
    """Return the smallest number of emails at which the limit is reached at a worse rate with the chance `wanted`.

    For each limit, the smallest number for the chance is found first. It grows faster than the number up to which the
    limit is allowed, so there is a limit for which it is allowed.
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
        if tail(limit, low, usual) <= alpha:
            return low
        limit += 1


def log_evidence(count: int, of: int, usual: float, worse: float) -> float:
    """Return the logarithm of how many times better the worse rate explains a count than the usual one."""
    return count * log(worse / usual) + (of - count) * (log1p(-worse) - log1p(-usual))


def _chance(count: int, of: int, rate: float) -> float:
    """Return the binomial probability of exactly this count. The rate is between 0 and 1, without these."""
    ways = lgamma(of + 1) - lgamma(count + 1) - lgamma(of - count + 1)
    return exp(ways + count * log(rate) + (of - count) * log1p(-rate))
