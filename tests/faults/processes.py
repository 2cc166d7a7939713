"""The processes of the tests: started, waited for and killed through the fork server."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.faults.forkserver import STACKS, Ended, Kill, Start, Started

_SERVE = "from tests.faults.forkserver import main; main()"  # not as `__main__`, whose classes would be others
_ROOT = Path(__file__).parents[2]


class Process:
    """One child of the fork server."""

    def __init__(self, kill: Callable[[], None]) -> None:
        self.pid = 0
        self.status: int | None = None  # negative where a signal ended it
        self._kill = kill
        self._started = threading.Event()
        self._ended = threading.Event()

    def kill(self) -> None:
        """Ends it at once, wherever it is."""
        self._kill()

    def wait(self, timeout_seconds: float) -> int:
        """Its exit status; raises TimeoutError where it does not end."""
        if not self._ended.wait(timeout_seconds) or self.status is None:
            raise TimeoutError(f"process {self.pid} did not end in {timeout_seconds:.0f} seconds\n{_stacks(self.pid)}")
        return self.status

    @property
    def is_alive(self) -> bool:
        """Whether it runs, as far as is known."""
        return not self._ended.is_set()

    def hear(self, news: Started | Ended) -> None:
        """Takes note of what the fork server reports."""
        if isinstance(news, Started):
            self.pid = news.pid
            self._started.set()
        else:
            self.status = news.status
            self._ended.set()

    def wait_until_started(self) -> None:
        """Waits for the fork."""
        if not self._started.wait(30):
            raise TimeoutError("the fork server does not answer")


def _stacks(pid: int) -> str:
    """What each thread of a process does at this moment, as far as it can be found out."""
    try:
        os.kill(pid, signal.SIGUSR1)
        time.sleep(1)
        files = [each for each in Path(f"/proc/{pid}/fd").iterdir() if STACKS in str(each.readlink())]
        return "\n".join(each.read_text() for each in files)
    except OSError:
        return ""


class Processes:
    """The fork server, for the length of a `with` block; threads may share it."""

    def __enter__(self) -> "Processes":
        ours, theirs = socket.socketpair()
        self._server = subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            cwd=_ROOT,
        )
        theirs.close()
        self._connection = Connection(ours.detach())
        self._tickets = count(1)
        self._lock = threading.Lock()
        self._processes: dict[int, Process] = {}
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        # The other side notices that no one writes any more, and ends. Then the listener ends too.
        with socket.fromfd(self._connection.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as ours:
            ours.shutdown(socket.SHUT_WR)
        self._server.wait(30)
        self._listener.join(30)
        self._connection.close()

    def start(self, function: Callable[..., int], **arguments: Any) -> Process:
        """A new process that calls a function of a module."""
        return self._call(function, arguments, is_rehearsal=False)

    def rehearse(self, function: Callable[..., int], **arguments: Any) -> None:
        """Has the fork server itself call a function once, so that its children need not prepare what it needs."""
        self._call(function, arguments, is_rehearsal=True).wait(60)

    def _call(self, function: Callable[..., int], arguments: Mapping[str, Any], *, is_rehearsal: bool) -> Process:
        ticket = next(self._tickets)
        process = Process(lambda: self._send(Kill(ticket=ticket)))
        self._processes[ticket] = process
        self._send(Start(ticket=ticket, function=function, arguments=arguments, is_rehearsal=is_rehearsal))
        process.wait_until_started()
        return process

    def _send(self, request: Start | Kill) -> None:
        with self._lock:
            self._connection.send(request)

    def _listen(self) -> None:
        try:
            while True:
                news = self._connection.recv()
                self._processes[news.ticket].hear(news)
                if isinstance(news, Ended):
                    del self._processes[news.ticket]
        except (EOFError, OSError):
            return
