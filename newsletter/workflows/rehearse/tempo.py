"""How long a provider takes for an email or a request, as measured in past broadcasts."""

from collections.abc import Sequence
from itertools import groupby
from statistics import mean, median

from msgspec import Struct

from newsletter.store.ledger.tempo import PastClaim

USUAL_SECONDS = {"outbox": 0.001, "smtp": 0.1, "sendgrid": 1.0}  # where nothing has been measured
_SPREAD = (0.5, 0.75, 1.0, 1.25, 1.5)
_FEWEST_MEASURED = 8
_LONGEST_TO_USUAL = 10.0  # what took longer than this many times the usual was a pause, not an answer
_ROUNDING_SECONDS = 0.5  # the ledger saves the end of a broadcast in whole seconds, rounded down


class Tempo(Struct, frozen=True, kw_only=True):
    """How long the provider takes for one email, or for one request if a batch is one request."""

    seconds: tuple[float, ...]  # each as likely as the others
    unit: str  # `email` or `request`
    broadcasts: tuple[int, ...] = ()  # in which it was measured; empty if it is assumed
    is_shared: bool = False  # whether it is shorter while fewer batches are sent, because the provider is the limit

    @property
    def usual(self) -> float:
        """The mean."""
        return sum(self.seconds) / len(self.seconds)


def tempo_of(
    provider: str,
    *,
    is_one_by_one: bool,
    connections: int,
    claims: Sequence[PastClaim],
    stated_seconds: float | None = None,
) -> Tempo:
    """Return how fast the provider was in past broadcasts, or what is assumed if too little was measured.

    While n batches are sent at the same time, the time from one claim to the n-th claim after it is the time that one
    batch takes, together with our own work on it.
    """
    unit = "email" if is_one_by_one else "request"
    if stated_seconds is not None:
        return Tempo(seconds=(stated_seconds,), unit=unit)
    found = [
        (later.claimed_at - each.claimed_at).total_seconds() / (each.size if is_one_by_one else 1)
        for each, later in zip(claims, claims[connections:], strict=False)
        if each.broadcast == later.broadcast
    ]
    usual = median(found) if found else 0.0
    measured = sorted(seconds for seconds in found if seconds <= usual * _LONGEST_TO_USUAL)
    if len(measured) < _FEWEST_MEASURED or usual <= 0.0:
        return Tempo(seconds=tuple(USUAL_SECONDS[provider] * each for each in _SPREAD), unit=unit)
    of_broadcasts = [list(each) for _, each in groupby(claims, key=lambda claim: claim.broadcast)]
    return Tempo(
        seconds=tuple(measured),
        unit=unit,
        broadcasts=tuple(each[0].broadcast for each in of_broadcasts),
        is_shared=is_one_by_one and _is_shared(of_broadcasts[-1], mean(measured), connections),
    )


def _is_shared(claims: Sequence[PastClaim], seconds: float, connections: int) -> bool:
    """Return whether the end of a broadcast shows that the provider accepts so many emails, over any connection.

    When the last batches are sent, some connections have nothing left to do. If each email still takes as long, the
    broadcast ends with the last batch. If the others get faster, it ends as if all connections had worked to the end.
    """
    end = claims[0].finished_at.timestamp() + _ROUNDING_SECONDS
    alone = max(each.claimed_at.timestamp() + each.size * seconds for each in claims[-connections:])
    shared = claims[0].claimed_at.timestamp() + sum(each.size for each in claims) * seconds / connections
    return abs(end - shared) + _ROUNDING_SECONDS < abs(end - alone)
