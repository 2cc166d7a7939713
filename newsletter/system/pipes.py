"""Standard output that is a pipe: what a command prints in one go reaches the reader in one piece.

In `newsletter status | head -1`, `head` ends after the first line. Whether the second line is an error would depend on
which of the two programs is faster, and so would the exit code. So a pipe gets nothing until the command pauses, or
until there is more than the pipe holds.
"""

import io
import os
import stat
import sys
from typing import TextIO

_CAPACITY = 1 << 16  # bytes that a pipe holds on Linux and macOS


class _HeldPipe(io.BufferedWriter):
    """A buffer that libraries cannot flush, as they do after each line."""

    def flush(self) -> None:
        """Do nothing."""

    def release(self) -> None:
        """Write everything."""
        super().flush()


def hold_pipe(stream: TextIO) -> TextIO:
    """Return a stream that holds back its text if it is a pipe, otherwise the stream itself."""
    buffer = getattr(stream, "buffer", None)
    raw = getattr(buffer, "raw", buffer)  # with PYTHONUNBUFFERED, there is no buffer around the file
    if not isinstance(raw, io.FileIO) or not stat.S_ISFIFO(os.fstat(raw.fileno()).st_mode):
        return stream
    return io.TextIOWrapper(_HeldPipe(raw, _CAPACITY), encoding=stream.encoding, errors="replace")


def deliver(stream: TextIO | None = None) -> None:
    """Write what a stream holds back. The default is standard output. Raise OSError if it cannot be written."""
    target = stream or sys.stdout
    if target is None:  # it was closed before the command began
        return
    target.flush()
    if isinstance(held := getattr(target, "buffer", None), _HeldPipe):
        held.release()
