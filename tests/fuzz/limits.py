"""The limits on one input of a long run. The usual test run has none, because a slow machine is not a fault."""

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

MOST_SECONDS = 5.0
MOST_BYTES = 500 * 1024 * 1024
_IS_LIMITED = bool(os.environ.get("FUZZ_LIMITS"))
_PAGE_BYTES = resource.getpagesize()


class TooSlowError(BaseException):
    """An input took more than `MOST_SECONDS`. No code under test catches it."""


@contextmanager
def limited() -> Iterator[None]:
    """Stop an input that takes too long, or more memory than it may in addition to what is in use already."""
    if not _IS_LIMITED:
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE_BYTES
    earlier = signal.signal(signal.SIGALRM, _stop)
    resource.setrlimit(resource.RLIMIT_AS, (in_use + MOST_BYTES, before[1]))
    signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
    try:
        yield
    except MemoryError as err:
        raise AssertionError(f"the input took more than {MOST_BYTES:,} bytes") from err
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)
        resource.setrlimit(resource.RLIMIT_AS, before)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise TooSlowError(f"the input took more than {MOST_SECONDS:g} seconds")
