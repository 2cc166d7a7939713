"""Runs every benchmark: `python -m benchmarks`, or some: `python -m benchmarks startup build`."""

import sys

from benchmarks import build, rebuild, sendgrid_path, startup

BENCHMARKS = {"startup": startup.main, "build": build.main, "rebuild": rebuild.main, "sendgrid": sendgrid_path.main}


def main() -> None:
    """Runs what is named, or all."""
    for name in sys.argv[1:] or BENCHMARKS:
        print(f"\n{name}")
        BENCHMARKS[name]()


if __name__ == "__main__":
    main()
