"""Moments as a database keeps them: text whose order is the order of time."""

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=4096)
def text_of(moment: datetime) -> str:
    """Return a moment as text in UTC, to the second: `2026-02-19T16:00:00Z`."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


@lru_cache(maxsize=4096)
def moment_of(text: str) -> datetime:
    """Return the moment that `text_of` wrote."""
    return datetime.fromisoformat(text)
