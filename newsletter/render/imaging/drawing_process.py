"""Draw one SVG in a separate process: `drawing_process.py WIDTH < drawing.svg > drawing.png`.

resvg ends the whole process if a drawing is nested too deeply or needs too much memory, and a drawing's filters can
take any amount of time. In a separate process, this affects nothing else. This script imports no other module of the
package, so it starts quickly.
"""

import sys
from contextlib import suppress

import resvg_py

_SECONDS = 10
_MEMORY_BYTES = 1 << 30


def main() -> None:
    """Draw the SVG from standard input at the given width, without access to fonts or files."""
    markup = sys.stdin.buffer.read().decode()
    _limit()
    drawn = resvg_py.svg_to_bytes(svg_string=markup, width=int(sys.argv[1]), skip_system_fonts=True)
    sys.stdout.buffer.write(drawn)


def _limit() -> None:
    try:
        import resource  # not on Windows, where the caller's timeout is the only limit
    except ImportError:
        return
    limits = {
        resource.RLIMIT_CPU: _SECONDS,
        resource.RLIMIT_AS: _MEMORY_BYTES,
        resource.RLIMIT_NOFILE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for kind, limit in limits.items():
        with suppress(ValueError, OSError):  # not every system supports every limit
            resource.setrlimit(kind, (limit, limit))


if __name__ == "__main__":
    main()
