"""The process in which calls are carried out, so that one that takes too long can be ended.

It has no provider's secret: the command removes them from the environment before this process is started.
"""

import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import msgspec

from newsletter.agents.calls import Caller
from newsletter.agents.outgoing import ToolAnswer
from newsletter.agents.tools import TOOLS

_START_SECONDS = 120  # for Python and the libraries, on a busy machine
_USUAL_SECONDS = 60
_MOST_BYTES = 60_000_000  # of one answer
_STOPPED = "this took longer than {:.0f} seconds and was stopped; make the issue smaller, or try again"
_ENDED = "the call ended unexpectedly; undo your last change, and try again"


class Worker:
    """A process that carries out one call after another. It is started with the first call, and again if it ended."""

    def __init__(self, root: Path, client: str) -> None:
        self._root = root
        self._client = client
        self._process: BaseProcess | None = None
        self._line: Connection | None = None

    def answer(self, tool: str, arguments: Mapping[str, object]) -> ToolAnswer:
        """Return the answer of a tool, or an error if it takes too long. Only one thread at a time may call this."""
        seconds = TOOLS[tool].seconds if tool in TOOLS else _USUAL_SECONDS
        try:
            line = self._line or self._start()
            line.send((tool, arguments))
            if line.poll(seconds):
                return msgspec.msgpack.decode(line.recv_bytes(_MOST_BYTES), type=ToolAnswer)
            text = _STOPPED.format(seconds)
        except (OSError, EOFError, msgspec.MsgspecError):
            text = _ENDED
        self.end()
        return ToolAnswer(text=text, is_error=True)

    def end(self) -> None:
        """End the process and the helper programs that it started."""
        if self._line is not None:
            self._line.close()
        if self._process is not None and self._process.pid is not None:
            for end in (os.killpg, os.kill):  # it has a group of its own as soon as it runs our code
                with suppress(ProcessLookupError, PermissionError):
                    end(self._process.pid, signal.SIGKILL)
            self._process.join()
        self._line = self._process = None

    def _start(self) -> Connection:
        """Start the process, and wait until it has loaded the libraries. Raise EOFError if it does not start."""
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        self._line, self._process = ours, context.Process(target=_work, args=(theirs, self._root, self._client))
        self._process.start()
        theirs.close()
        if not ours.poll(_START_SECONDS):
            raise EOFError
        ours.recv_bytes(1)
        return ours


def _work(line: Connection, root: Path, client: str) -> None:
    """ToolAnswer calls until the other end of the line is closed. Nothing reaches the streams of the parent process."""
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process decides when this one ends
    caller = Caller(root, client)
    line.send_bytes(b"1")
    while True:
        try:
            tool, arguments = line.recv()  # what the parent process made, and not the agent
        except EOFError:
            return
        line.send_bytes(msgspec.msgpack.encode(caller.answer(tool, arguments)))
