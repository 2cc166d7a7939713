"""Moments as a database keeps them: text whose order is the order of time."""

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=4096)
def text_of(moment: datetime) -> str:
    """A moment in UTC, to the second."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


@lru_cache(maxsize=4096)
def moment_of(text: str) -> datetime:
    """The moment that `text_of` wrote."""
    return datetime.fromisoformat(text)
