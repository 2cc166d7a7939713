"""Which version of an issue is better: a test that may be asked at any time, and how many people it needs.

People are drawn for the versions at random, and each of them reacts once or never. If the versions are equally good,
the version of the next person who reacts is a draw, without replacement, from all who have not reacted yet. So the
chance of what was seen is known exactly, whatever else makes people react, and however their reactions depend on each
other. It is compared with a bet: that the share of a version among those who react is drawn from a Beta distribution
around the expected share (Robbins, Annals of Mathematical Statistics 41, 1970). The ratio of the two is a martingale
while the versions are equal, so it ever exceeds 1/alpha with a chance of at most alpha (Ville, 1939). Looking early
costs nothing.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from math import exp, lgamma, log, sqrt
from statistics import NormalDist

from msgspec import Struct

ALPHA = 0.005  # the chance of naming a winner although no version is better, over the whole test
POWER = 0.8  # a test should find a difference that is worth it with this chance
# The bets: how close the shares of the versions are. The smaller number finds large differences within few reactions,
# and the larger one finds small differences within many.
_CONCENTRATIONS = (40.0, 600.0)
_MOST_PEOPLE = 100_000_000


class Arm(Struct, frozen=True, kw_only=True):
    """One version in the test."""

    version: str
    people: int  # who got it, and whose reaction would be known
    reacted: int  # those of them who did what decides

    @property
    def rate(self) -> float:
        """The share who reacted, from 0 to 1."""
        return self.reacted / self.people if self.people else 0.0


def clear_winner(arms: Sequence[Arm], alpha: float = ALPHA) -> str | None:
    """Return the version that is better than each other one beyond doubt, or None if there is none so far.

    With more than two versions, the doubt is divided among all pairs of them, because each of them could be mistaken.
    """
    best = max(arms, key=lambda arm: arm.rate, default=None)
    if best is None or len(arms) < 2:
        return None
    needed = log(_pairs(len(arms)) / alpha)
    is_clear = all(log_evidence(best, arm) >= needed and best.rate > arm.rate for arm in arms if arm is not best)
    return best.version if is_clear else None


def log_evidence(one: Arm, other: Arm) -> float:
    """Return the logarithm of how many times better the bets explain what was seen than two equal versions do."""
    if not (one.people and other.people):
        return 0.0
    share = one.people / (one.people + other.people)
    equal = _log_falling(one.people, one.reacted) + _log_falling(other.people, other.reacted)
    equal -= _log_falling(one.people + other.people, one.reacted + other.reacted)
    bets = [
        _log_beta(share * each + one.reacted, (1 - share) * each + other.reacted)
        - _log_beta(share * each, (1 - share) * each)
        for each in _CONCENTRATIONS
    ]
    highest = max(bets)
    return highest + log(sum(exp(bet - highest) for bet in bets) / len(bets)) - equal


def chance_to_tell(people: int, rate: float, lift: float, versions: int = 2, alpha: float = ALPHA) -> float:
    """Return the chance that a better version is named at the end, if `people` per version are known.

    People react to the others at `rate`, and to the better one at a rate that is `lift` higher: 0.2 means a fifth. As
    it may be named earlier too, the chance is a little higher still.
    """
    better = min(rate * (1 + lift), 1.0)
    reacted = round(people * (rate + better))
    gap = _gap_needed(people, reacted, _pairs(versions) / alpha)
    if gap is None:
        return 0.0
    spread = sqrt(people * (rate * (1 - rate) + better * (1 - better))) or 1e-9
    one = 1 - NormalDist().cdf((gap - people * (better - rate)) / spread)
    # It must be named against each of the others. They are compared with the same version, so the chances to miss it
    # are hardly higher than this sum of them, which is on the safe side.
    return max(0.0, 1 - (versions - 1) * (1 - one))


@lru_cache(maxsize=256)
def smallest_sample(rate: float, lift: float, versions: int = 2, alpha: float = ALPHA) -> int | None:
    """Return how many known people per version the test needs to name a better one with the chance `POWER`.

    Return None if no number is enough, because there is no difference.
    """
    low, high = 1, 2
    while chance_to_tell(high, rate, lift, versions, alpha) < POWER:
        low, high = high, high * 2
        if high > _MOST_PEOPLE:
            return None
    while high - low > max(1, high // 500):
        middle = (low + high) // 2
        low, high = (low, middle) if chance_to_tell(middle, rate, lift, versions, alpha) >= POWER else (middle, high)
    return high


def _gap_needed(people: int, reacted: int, needed: float) -> int | None:
    """Return by how many reactions one version must be ahead of another of the same size, of `reacted` in both."""

    def is_enough(gap: int) -> bool:
        ahead = (reacted + gap) // 2
        one, other = (Arm(version="", people=people, reacted=each) for each in (ahead, reacted - ahead))
        return ahead <= people and log_evidence(one, other) >= log(needed)

    low, high = 0, min(reacted, 2 * people - reacted)
    if high <= 0 or not is_enough(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def _pairs(versions: int) -> int:
    return len(list(combinations(range(versions), 2)))


def _log_beta(one: float, other: float) -> float:
    return lgamma(one) + lgamma(other) - lgamma(one + other)


def _log_falling(number: int, times: int) -> float:
    """Return the logarithm of number * (number - 1) * …, with so many factors. There must not be more than `number`."""
    return lgamma(number + 1) - lgamma(number - times + 1)
