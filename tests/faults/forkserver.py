"""A process with one thread that has everything imported, and forks one child for each command of a test.

So a command costs a fork rather than the start of an interpreter, and can be killed without harm to the tests, whose
process has threads and must not fork itself.
"""

import faulthandler
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, NoReturn

# What the children need, imported once; the engines and providers are otherwise imported when first used.
import tests.faults.commands  # noqa: F401

STACKS = "stacks"  # a file in memory to which a child writes what each of its threads does, when asked with SIGUSR1


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Asks for a child that calls a function; its result is the exit status."""

    ticket: int
    function: Callable[..., int]
    arguments: Mapping[str, Any]
    is_rehearsal: bool = False  # run by the fork server itself, so that everything is already loaded in its children


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """Asks for a child to be killed; one that has ended already is left alone."""

    ticket: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A child runs."""

    ticket: int
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A child has ended; the status is negative where a signal ended it."""

    ticket: int
    status: int


def serve(connection: Connection) -> None:
    """Answers requests until the other side closes the connection; what still runs then is killed."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, which then close the connection
    signal.set_wakeup_fd(wake)
    children: dict[int, int] = {}  # ticket → pid
    try:
        while True:
            ready = wait([connection, woken])
            if woken in ready:
                os.read(woken, 4096)
                for ended in _ended(children):
                    connection.send(ended)
            if connection in ready:
                _obey(connection.recv(), connection, children, (woken, wake))
    except (EOFError, ConnectionError):
        for pid in children.values():
            os.kill(pid, signal.SIGKILL)


def main() -> None:
    """Serves the connection whose number is the last argument."""
    serve(Connection(int(sys.argv[-1])))


def _ended(children: dict[int, int]) -> list[Ended]:
    """The children that have ended; they are forgotten."""
    found = []
    for ticket, pid in list(children.items()):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            del children[ticket]
            found.append(Ended(ticket=ticket, status=os.waitstatus_to_exitcode(status)))
    return found


def _obey(
    request: Start | Kill, connection: Connection, children: dict[int, int], descriptors: tuple[int, ...]
) -> None:
    if isinstance(request, Kill):
        if request.ticket in children:
            os.kill(children[request.ticket], signal.SIGKILL)
    elif request.is_rehearsal:
        connection.send(Started(ticket=request.ticket, pid=os.getpid()))
        connection.send(Ended(ticket=request.ticket, status=request.function(**request.arguments)))
        gc.collect()
        gc.freeze()  # so that children do not copy what they only read
    elif pid := os.fork():
        children[request.ticket] = pid
        connection.send(Started(ticket=request.ticket, pid=pid))
    else:
        _run(request, connection, descriptors)


def _run(request: Start, connection: Connection, descriptors: tuple[int, ...]) -> NoReturn:
    """The life of a child."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    connection.close()
    for descriptor in descriptors:
        os.close(descriptor)
    if hasattr(os, "memfd_create"):
        faulthandler.register(signal.SIGUSR1, os.memfd_create(STACKS))
    status = 70
    try:
        status = request.function(**request.arguments)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)
