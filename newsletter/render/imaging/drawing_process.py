"""Draws one SVG in a process of its own: `drawing_process.py WIDTH < drawing.svg > drawing.png`.

resvg ends the whole process where a drawing is nested too deeply or asks for more memory than there is, and takes as
long as a drawing's filters ask for. Here only this process ends. It imports nothing of ours, so that it starts fast.
"""

import sys
from contextlib import suppress

import resvg_py

_SECONDS = 10
_MEMORY_BYTES = 1 << 30


def main() -> None:
    """Draws standard input at the width given, with no font and no file within reach."""
    markup = sys.stdin.buffer.read().decode()
    _limit()
    drawn = resvg_py.svg_to_bytes(svg_string=markup, width=int(sys.argv[1]), skip_system_fonts=True)
    sys.stdout.buffer.write(drawn)


def _limit() -> None:
    try:
        import resource  # Windows has none of it; there the time-out of the caller is all
    except ImportError:
        return
    limits = {
        resource.RLIMIT_CPU: _SECONDS,
        resource.RLIMIT_AS: _MEMORY_BYTES,
        resource.RLIMIT_NOFILE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for kind, limit in limits.items():
        with suppress(ValueError, OSError):  # not every system takes every limit
            resource.setrlimit(kind, (limit, limit))


if __name__ == "__main__":
    main()
