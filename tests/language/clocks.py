"""The C library's clocks, as a judge that shares no code with the program: it reads the same files on its own."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import tzdata

FILES = Path(tzdata.__file__).parent / "zoneinfo"
# Not places: one says that no zone was chosen, and the others only exist for old programs.
_NO_PLACES = frozenset({"Factory", "localtime", "posixrules"})


def zone_names() -> list[str]:
    """Every name of the database, the old ones too."""
    return [name for name in (FILES.parent / "zones").read_text().split() if name not in _NO_PLACES]


@contextmanager
def clocks_in(zone: str) -> Iterator[None]:
    """Let the C library's local time be that of a zone, from its file."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = f":{FILES / zone}"
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


def wall_clock(instant: int) -> tuple[datetime, timedelta]:
    """What the clocks show at an instant (seconds since 1970), and how far they are from UTC."""
    shown = time.localtime(instant)
    return datetime.fromisoformat(time.strftime("%Y-%m-%d %H:%M:%S", shown)), timedelta(seconds=shown.tm_gmtoff)


def changes(first: int, last: int) -> list[int]:
    """The instants between two others at which the clocks change, to the minute."""
    found = []
    step = 12 * 3600
    for start in range(first, last, step):
        low, high = start, min(start + step, last)
        if wall_clock(low)[1] == wall_clock(high)[1]:
            continue
        while high - low > 60:
            middle = (low + high) // 120 * 60
            low, high = (middle, high) if wall_clock(middle)[1] == wall_clock(low)[1] else (low, middle)
        found.append(high)
    return found
