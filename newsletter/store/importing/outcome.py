"""What filling and merging tell about the rows that were read."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How many rows had which fate, and the fates themselves for whoever asks."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0  # after they had been read
    suppressed: int = 0
    revived: int = 0
    without_consent: int = 0
    # The line, address and fate of the rows that were taken: the first so many after a line, in order.
    fates: Callable[[int, int], Iterable[tuple[int, str, str]]]
