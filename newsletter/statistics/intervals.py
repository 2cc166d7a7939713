"""Rates, and how certain they are: intervals that hold the true rate in at least 95 of 100 cases.

They are Wilson's score intervals with a correction for continuity, and differences are combined from two of them
(Newcombe, Statistics in Medicine 17, 1998, pages 857 and 873: method 4, and the method of squares). Without the
correction, they hold 95 % only on average over all rates: at one complaint in 7,000 emails, it is 86 %. These hold at
least 95 % at every rate. At 400 cases, they are 14 % wider.
"""

from collections.abc import Iterable
from functools import cache
from math import hypot, sqrt
from statistics import NormalDist
from typing import NamedTuple, Self

from msgspec import Struct

STATED = 0.95  # what reports say
# Readers are less independent than coins: colleagues share a filter, and families a mailbox. At 97.3 % for
# independent ones, the interval still holds 95 % if the counts vary by 27 % more than theirs.
_BUILT_FOR = 0.973
_CONTINUITY = 0.5


class Interval(NamedTuple):
    """Where a true value is, from the lowest to the highest. For a rate, both are between 0 and 1."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Return whether the value is within the interval."""
        return self.low <= value <= self.high

    @property
    def width(self) -> float:
        """Return the distance between its ends."""
        return self.high - self.low


class Proportion(Struct, frozen=True):
    """The number of people or emails of which something is true, and the number of all of them."""

    count: int
    of: int

    @property
    def rate(self) -> float:
        """Return the rate that was counted, from 0 to 1. It is 0 of no one."""
        return self.count / self.of if self.of else 0.0

    @property
    def interval(self) -> Interval:
        """Return where the true rate is."""
        return rate_interval(self.count, self.of)

    def __sub__(self, other: Self) -> Interval:
        """Return where the difference between two true rates is, of different people."""
        return difference_interval(self, other)

    def differs_from(self, other: Self, *, among: int = 1) -> int:
        """Return 1 or -1 if the true rate is higher or lower than another, and 0 if the numbers do not show that.

        Of several comparisons, one would soon seem to show something. `among` is their number.
        """
        low, high = difference_interval(self, other, among=among)
        return 1 if low > 0 else -1 if high < 0 else 0


def rate_interval(count: int, of: int, *, among: int = 1) -> Interval:
    """Return where the true rate is if something is true of `count` of `of` cases. If there are none, it is anywhere.

    `among` is the number of rates that must all be in their intervals. Raise ValueError if there are more cases than
    there can be.
    """
    if not 0 <= count <= of:
        raise ValueError(f"{count} of {of} is not a rate")
    z = _quantile(among)
    return Interval(_bound(count, of, -z) if count else 0.0, _bound(count, of, z) if count < of else 1.0)


def _bound(count: int, of: int, z: float) -> float:
    """Return the lower end (z < 0) or the upper one: the rate at which `count` would just be so far from expectation.

    It solves |share - rate| = |z| * sqrt(rate * (1 - rate) / of) for the rate.
    """
    side = 1 if z > 0 else -1
    share, spread = (count + side * _CONTINUITY) / of, z * z / of
    return (share + spread / 2 + side * sqrt(max(0, spread * (share * (1 - share) + spread / 4)))) / (1 + spread)


@cache
def _quantile(among: int) -> float:
    return NormalDist().inv_cdf(1 - (1 - _BUILT_FOR) / 2 / among)


def difference_interval(one: Proportion, other: Proportion, *, among: int = 1) -> Interval:
    """Return where the difference between two true rates is, of different people: `one` minus `other`."""
    return weighted_interval([(1, one), (-1, other)], among=among)


def weighted_interval(rates: Iterable[tuple[float, Proportion]], *, among: int = 1) -> Interval:
    """Return where a sum of true rates of different people is, each multiplied by its weight.

    With shares of an audience as weights, it is the rate of the whole audience, estimated from a part of each group.
    """
    middle, below, above = 0.0, 0.0, 0.0
    for weight, rate in rates:
        low, high = rate_interval(rate.count, rate.of, among=among)
        middle += weight * rate.rate
        toward_low, toward_high = weight * (rate.rate - low), weight * (high - rate.rate)
        if weight < 0:
            toward_low, toward_high = toward_high, toward_low
        below, above = hypot(below, toward_low), hypot(above, toward_high)
    return Interval(middle - below, middle + above)
