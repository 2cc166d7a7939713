"""What of a process's environment another program is handed that works on content: nothing that is secret."""

from collections.abc import Mapping

# Where programs and their libraries are, which language they speak, and where they may put things down.
_NEEDED = frozenset(
    {"LANG", "LD_LIBRARY_PATH", "LOCALAPPDATA", "PATH", "PROGRAMFILES", "PROGRAMFILES(X86)", "SYSTEMROOT", "TEMP"}
    | {"TMP", "TMPDIR", "TZ"}
)


def bare_surroundings(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables without which a program does not start; keys and passwords are not among them."""
    return {name: value for name, value in environ.items() if name.upper() in _NEEDED}
