"""The time zones as they were before governments changed their clocks: files with rules of our own for some zones."""

import struct
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from newsletter.language.local_times import clock_today

# British Columbia and Manitoba as the database of 2025 expected them to go on: with a change of clocks in November.
BEFORE_2026 = {"America/Vancouver": "PST8PDT,M3.2.0,M11.1.0", "America/Winnipeg": "CST6CDT,M3.2.0,M11.1.0"}


def zone_file(rule: str) -> bytes:
    """A TZif file (RFC 9636) without transitions, whose rule in the form of POSIX holds at all times."""
    hours = int("".join(sign for sign in rule[3:5] if sign.isdigit()))
    counts = struct.pack(">6l", 0, 0, 0, 0, 1, 4)
    block = struct.pack(">lBB", -3600 * hours, 0, 0) + rule[:3].encode() + b"\0"
    header = b"TZif2" + bytes(15) + counts
    return header + block + header + block + b"\n" + rule.encode() + b"\n"


def zone_before(name: str) -> ZoneInfo:
    """A zone by its rule of 2025, without changing the database in use."""
    return ZoneInfo.from_file(BytesIO(zone_file(BEFORE_2026[name])), name)


@contextmanager
def zones_before(folder: Path, rules: Mapping[str, str] = BEFORE_2026) -> Iterator[None]:
    """Uses the rules of 2025 for some zones, and the database in use for all others, until the block ends."""
    for name, rule in rules.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(zone_file(rule))
    in_use = zoneinfo.TZPATH
    _use((str(folder), *in_use), rules)
    try:
        yield
    finally:
        _use(in_use, rules)


def _use(paths: tuple[str, ...], zones: Iterable[str]) -> None:
    zoneinfo.reset_tzpath(to=paths)
    ZoneInfo.clear_cache(only_keys=zones)  # the others stay the same objects, which other tests compare
    clock_today.cache_clear()
