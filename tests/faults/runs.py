"""Which seeds the tests carry out on each engine, a batch for each test."""

import os

DEFAULT_RUNS = 60  # on each engine, enough to reach every transition that chance brings about
RUNS = int(os.environ.get("FAULT_RUNS", str(DEFAULT_RUNS)))
IS_LONG = RUNS > DEFAULT_RUNS
_SEED = int(os.environ.get("FAULT_SEED", "1"))
_BATCH = 10

BATCHES = [range(first, min(first + _BATCH, _SEED + RUNS)) for first in range(_SEED, _SEED + RUNS, _BATCH)]


def named(batch: range) -> str:
    """What a test calls its batch."""
    return f"seeds-{batch.start}-{batch.stop - 1}"
