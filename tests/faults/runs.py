"""Which seeds the tests carry out on each engine, a batch for each test."""

import os

_RUNS, _SEED = int(os.environ.get("FAULT_RUNS", "100")), int(os.environ.get("FAULT_SEED", "1"))
_BATCH = 10

BATCHES = [range(first, min(first + _BATCH, _SEED + _RUNS)) for first in range(_SEED, _SEED + _RUNS, _BATCH)]


def named(batch: range) -> str:
    """What a test calls its batch."""
    return f"seeds-{batch.start}-{batch.stop - 1}"
