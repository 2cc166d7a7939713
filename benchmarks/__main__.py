"""Run all benchmarks with `python -m benchmarks`, or some with `python -m benchmarks startup build`.

BENCHMARK_PEOPLE sets the size of the list for targets that are about a million people.
"""

import sys
from importlib import import_module

BENCHMARKS = {
    "startup": "benchmarks.startup",
    "build": "benchmarks.build",
    "rebuild": "benchmarks.rebuild",
    "apps": "benchmarks.apps",
    "studio": "benchmarks.studio",
    "importing": "benchmarks.importing",
    "ledger": "benchmarks.ledger",
    "sendgrid": "benchmarks.sendgrid_path",
    "smtp": "benchmarks.smtp_path",
    "segments": "benchmarks.segments",
    "events": "benchmarks.events",
    "report": "benchmarks.report",
    "leaving": "benchmarks.leaving",
    "proof": "benchmarks.proof",
    "signup": "benchmarks.signing_up",
    "publishing": "benchmarks.publishing",
    "postgresql": "benchmarks.postgresql",
}


def main() -> None:
    """Run the named benchmarks, or all."""
    for name in sys.argv[1:] or BENCHMARKS:
        print(f"\n{name}")
        import_module(BENCHMARKS[name]).main()


if __name__ == "__main__":
    main()
