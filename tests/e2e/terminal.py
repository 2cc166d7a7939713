"""A terminal of 80 columns in which a test types, reads, and presses Ctrl-C and Ctrl-D."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from tests.e2e.program import command, environment

_SECONDS = 30.0
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def _take_terminal() -> None:
    """Make the terminal of this process the one whose Ctrl-C it gets."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """One command in a terminal of its own, for the length of a `with` block."""

    def __init__(self, folder: Path, *arguments: str, env: Mapping[str, str] | None = None, columns: int = 80) -> None:
        self.text = ""  # all that the terminal showed, without colors
        self._read_until = 0
        self._mine, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        surroundings = {**environment(env), "COLUMNS": str(columns)}
        self._process = subprocess.Popen(
            command(*arguments),
            cwd=folder,
            env=surroundings,
            stdin=its,
            stdout=its,
            stderr=its,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509 - no thread of this process holds what it needs
        )
        os.close(its)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._mine)

    def expect(self, words: str) -> str:
        """Return what the terminal shows up to these words, from what was expected before. Fail if they never come."""
        while (found := self.text.find(words, self._read_until)) < 0:
            if not self._receive():
                raise AssertionError(f"{words!r} never came; the terminal shows:\n{self.text}")
        shown = self.text[self._read_until : found + len(words)]
        self._read_until = found + len(words)
        return shown

    def answer(self, prompt: str, typed: str = "") -> str:
        """Wait for a prompt, and type a line. Return what was shown before it."""
        shown = self.expect(prompt)
        self._type(f"{typed}\n")
        return shown

    def press(self, key: str) -> None:
        """Press a key such as `\\x03` (Ctrl-C) or `\\x04` (Ctrl-D)."""
        self._type(key)

    def wait(self) -> int:
        """Wait until the command ends. Return its exit code."""
        while self._receive():
            pass
        return self._process.wait(timeout=_SECONDS)

    def _type(self, text: str) -> None:
        os.write(self._mine, text.encode())

    def _receive(self) -> bool:
        """Read more of what the command prints. Return False at its end."""
        ready, _, _ = select.select([self._mine], [], [], _SECONDS)
        if not ready:
            raise AssertionError(f"the command is silent; the terminal shows:\n{self.text}")
        try:
            data = os.read(self._mine, 65536)
        except OSError:  # Linux, once the last process has closed the terminal
            return False
        self.text += _ESCAPES.sub("", data.decode("utf-8", "replace")).replace("\r\n", "\n")
        return bool(data)
