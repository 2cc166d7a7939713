"""The limits on one input of a long run. The usual test run has none, because a slow machine is not a fault.

The seconds are those of the processor. An input that waits for something is stopped as well, after much longer, because
on a busy machine it may wait for its turn.
"""

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

MOST_SECONDS = 5.0  # of the processor
MOST_WAIT_SECONDS = 60.0
MOST_BYTES = 500 * 1024 * 1024
_IS_LIMITED = bool(os.environ.get("FUZZ_LIMITS"))
_PAGE_BYTES = resource.getpagesize()


class TooSlowError(BaseException):
    """An input took more than `MOST_SECONDS` or waited for `MOST_WAIT_SECONDS`. No code under test catches it."""


@contextmanager
def limited() -> Iterator[None]:
    """Stop an input that takes too long, or more memory than it may in addition to what is in use already."""
    if not _IS_LIMITED:
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE_BYTES
    earlier = {sign: signal.signal(sign, _stop) for sign in (signal.SIGPROF, signal.SIGALRM)}
    resource.setrlimit(resource.RLIMIT_AS, (in_use + MOST_BYTES, before[1]))
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, MOST_WAIT_SECONDS)
    try:
        yield
    except MemoryError as err:
        raise AssertionError(f"the input took more than {MOST_BYTES:,} bytes") from err
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for sign, handler in earlier.items():
            signal.signal(sign, handler)
        resource.setrlimit(resource.RLIMIT_AS, before)


def _stop(sign: int, _frame: FrameType | None) -> None:
    spent = f"took more than {MOST_SECONDS:g} seconds of the processor"
    raise TooSlowError(f"the input {spent if sign == signal.SIGPROF else f'waited for {MOST_WAIT_SECONDS:g} seconds'}")
