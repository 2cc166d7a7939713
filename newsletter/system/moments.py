"""Points in time as the database stores them: as text that sorts in chronological order."""

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=4096)
def text_of(moment: datetime) -> str:
    """Return a point in time as UTC text, to the second: `2026-02-19T16:00:00Z`."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def precise_text_of(moment: datetime) -> str:
    """Return a point in time as UTC text, to the millisecond: `2026-02-19T16:00:00.250Z`.

    Texts of both forms can be compared. A whole second from `text_of` sorts after all milliseconds of that second.
    """
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


@lru_cache(maxsize=4096)
def moment_of(text: str) -> datetime:
    """Return the point in time from a string that `text_of` or `precise_text_of` returned."""
    return datetime.fromisoformat(text)
