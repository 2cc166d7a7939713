"""Try this many inputs in total, shared among all fuzz targets, each within limits: `python -m tests.fuzz 200000`."""

import os
import subprocess
import sys

_TARGETS = "tests/fuzz"


def main() -> int:
    """Return the exit code of pytest."""
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    pytest = [sys.executable, "-m", "pytest", "-q", _TARGETS]
    listed = subprocess.run([*pytest, "--collect-only"], capture_output=True, text=True, check=True).stdout
    targets = sum("::test_" in line for line in listed.splitlines())
    each = -(-total // targets)
    sys.stderr.write(f"{targets} targets, {each:,} inputs each\n")
    limits = {"FUZZ_EXAMPLES": str(each), "FUZZ_LIMITS": "1"}
    return subprocess.run([*pytest, "--durations=0"], env={**os.environ, **limits}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
