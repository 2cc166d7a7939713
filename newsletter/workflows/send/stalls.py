"""How long a broadcast waits while the provider accepts nothing, and when it gives up."""

import random
from datetime import datetime, timedelta
from math import isfinite

from msgspec import Struct

from newsletter.model.broadcast import Outcome

MAX_TRIES = 6  # waits in a row, or of one chunk; after that, the broadcast is paused
_LONGEST_BACKOFF_SECONDS = 60.0
_SHORT_BACKOFF_SECONDS, _LONG_BACKOFF_SECONDS = 10.0, 300.0  # for a limit that is renewed
_PART_OF_STALL = 0.25  # a limit is noticed to be renewed after at most this part of the time that it took
_LONGEST_STALL = timedelta(minutes=65)  # a limit per hour is renewed by then
_LONGEST_WAIT_SECONDS = 3600.0  # the longest wait that a provider can request
_SOONER = 0.95  # of the time that a limit took to be renewed, so that it is found out if it takes less


class Stalls(Struct):
    """The waits of one drain.

    If the provider accepts only so much in a given time, the time from one renewal to the next is measured. Then the
    broadcast continues at the provider's own rate, with one refusal per renewal.
    """

    _waits: int = 0  # since the last acceptance
    _since: datetime | None = None  # when the provider stopped accepting
    _renewed_at: datetime | None = None  # when it began to accept after that
    _period: timedelta | None = None  # from one renewal to the next

    def note_accepted(self, submitted_at: datetime) -> None:
        """Note that the provider accepted something that was submitted at this time."""
        if self._since is not None or self._renewed_at is None:
            if self._renewed_at is not None:
                self._period = submitted_at - self._renewed_at
            self._renewed_at = submitted_at
        self._waits, self._since = 0, None

    def seconds_to_wait(self, outcome: Outcome, *, now: datetime, is_new: bool) -> float:
        """Return how long to wait after this outcome. A wait that began while others waited is not `is_new`."""
        self._waits += is_new
        self._since = self._since or now
        asked = _seconds_asked(outcome)
        if asked is not None:
            return asked
        if outcome.may_wait_long and self._waits == 1 and self._renewed_at is not None and self._period is not None:
            left = (self._renewed_at + self._period * _SOONER - now).total_seconds()
            if left > 0:
                return min(left, _LONGEST_WAIT_SECONDS)
        longest = _LONGEST_BACKOFF_SECONDS
        if outcome.may_wait_long:
            part = (now - self._since).total_seconds() * _PART_OF_STALL
            longest = min(max(part, _SHORT_BACKOFF_SECONDS), _LONG_BACKOFF_SECONDS)
        return min(2.0 ** max(self._waits, 1), longest) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter

    def is_over(self, outcome: Outcome, *, now: datetime) -> bool:
        """Whether the provider has accepted nothing for so long that the broadcast should pause."""
        if outcome.may_wait_long:
            return self._since is not None and now - self._since >= _LONGEST_STALL
        return self._waits >= MAX_TRIES


def _seconds_asked(outcome: Outcome) -> float | None:
    """Return how many seconds the provider asks us to wait, up to one hour, or None if it does not say."""
    asked = outcome.retry_after_seconds
    return min(max(asked, 0.0), _LONGEST_WAIT_SECONDS) if asked is not None and isfinite(asked) else None
