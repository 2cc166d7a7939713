"""Runs every benchmark: `python -m benchmarks`, or some: `python -m benchmarks startup build`.

BENCHMARK_PEOPLE sets how many are on the list where a target is about a million.
"""

import sys
from importlib import import_module

BENCHMARKS = {
    "startup": "benchmarks.startup",
    "build": "benchmarks.build",
    "rebuild": "benchmarks.rebuild",
    "importing": "benchmarks.importing",
    "ledger": "benchmarks.ledger",
    "sendgrid": "benchmarks.sendgrid_path",
    "smtp": "benchmarks.smtp_path",
    "segments": "benchmarks.segments",
    "postgresql": "benchmarks.postgresql",
}


def main() -> None:
    """Runs what is named, or all."""
    for name in sys.argv[1:] or BENCHMARKS:
        print(f"\n{name}")
        import_module(BENCHMARKS[name]).main()


if __name__ == "__main__":
    main()
