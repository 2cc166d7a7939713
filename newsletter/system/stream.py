"""Connections to other machines. Everything on them ends at a deadline, whatever the other side does.

A socket's own timeout applies to each step, so a peer that sends one byte at a time could hold a process forever. Here
each step gets only the time that is left until the deadline of the whole exchange. All network traffic of this program
uses this module, except DNS queries and PostgreSQL, whose libraries have deadlines of their own.

Each change of a socket's timeout is a system call that takes about as long as sending a command. So a step that has
plenty of time left waits with the same timeout as all others, again and again. With Python's own timeout, each step is
two system calls, and each of them lets other threads in. So on Linux, unencrypted connections use the system's timeout.
"""

import os
import socket
import ssl
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, TypeVar

from newsletter.system.environment import CERTIFICATES, is_stale

_WAIT_SECONDS = 2.0  # of a step that has more time than that
_CONNECT_SECONDS = 30.0  # the longest wait for a connection; a server that is there answers much sooner
# On Linux, the timeout limits the whole of a step. Elsewhere it may start again whenever a slow peer takes some data.
# The size is that of the system's `timeval`, whose fields are of other types on computers with 32 bits.
_SYSTEM_CAN_WAIT = sys.platform == "linux" and struct.calcsize("l") == struct.calcsize("q")
_Argument = TypeVar("_Argument")
_Result = TypeVar("_Result")
_Address = tuple[socket.AddressFamily, tuple[Any, ...]]


class TimeLimit:
    """The moment at which an exchange must have ended."""

    __slots__ = ("_ends", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends = monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left. Raise TimeoutError if there are none."""
        left = self._ends - monotonic()
        if left <= 0:
            raise self.passed()
        return left

    def passed(self) -> TimeoutError:
        """Return the error that says that the time is up."""
        return TimeoutError(f"no complete answer within {self.seconds:g} seconds")


class Stream:
    """An open connection. Its methods raise OSError if it breaks, and TimeoutError at the deadline."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._waits_seconds: float | None = None  # the timeout that the socket has

    def send(self, content: bytes | bytearray | memoryview, deadline: TimeLimit) -> None:
        """Send all of the data."""
        rest = memoryview(content)
        while rest:
            rest = rest[self._within(deadline, self._socket.send, rest) :]

    def receive(self, most_bytes: int, deadline: TimeLimit) -> bytes:
        """Return data as soon as some arrives. It is empty if the other side has closed the connection."""
        return self._within(deadline, self._socket.recv, most_bytes)

    def encrypt(self, context: ssl.SSLContext, host: str, deadline: TimeLimit) -> None:
        """Start TLS, and verify the certificate of the host. Raise ssl.SSLError if that fails."""
        try:
            self._socket.settimeout(deadline.left())
            self._socket = context.wrap_socket(self._socket, server_hostname=host)
        except TimeoutError:
            raise deadline.passed() from None
        self._waits_seconds = None

    def _within(self, deadline: TimeLimit, step: Callable[[_Argument], _Result], argument: _Argument) -> _Result:
        """Return the result of a step. If it raises TimeoutError, it can be repeated with the same argument."""
        while True:
            left = deadline.left()
            seconds = left if left < _WAIT_SECONDS else _WAIT_SECONDS
            if seconds != self._waits_seconds:
                self._wait_at_most(seconds)
            try:
                return step(argument)
            except (TimeoutError, BlockingIOError):
                continue

    def _wait_at_most(self, seconds: float) -> None:
        if _SYSTEM_CAN_WAIT and not isinstance(self._socket, ssl.SSLSocket):
            self._socket.settimeout(None)
            whole, rest = divmod(max(1, int(seconds * 1_000_000)), 1_000_000)
            interval = struct.pack("ll", whole, rest)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, interval)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, interval)
        else:
            self._socket.settimeout(seconds)
        self._waits_seconds = seconds

    @property
    def certificate(self) -> dict[str, object]:
        """The verified certificate of the other side. It is empty if the connection is not encrypted."""
        return dict(self._socket.getpeercert() or {}) if isinstance(self._socket, ssl.SSLSocket) else {}

    def close(self) -> None:
        """Close the connection immediately."""
        with suppress(OSError):
            self._socket.close()


def trusted_authorities() -> ssl.SSLContext:
    """Return the certificates to trust: those that SSL_CERT_FILE and SSL_CERT_DIR name, or else the system's."""
    file, folder = (None if is_stale(name) else os.environ.get(name) for name in CERTIFICATES)
    return _trusting(file, folder)


@cache
def _trusting(file: str | None, folder: str | None) -> ssl.SSLContext:
    """Load certificates, which takes some 20 ms.

    This does what `ssl.create_default_context` does, except that SSLKEYLOGFILE is ignored: it may name a file that
    cannot be written, and with the keys in it anyone could read what was sent.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if sys.version_info >= (3, 13):
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    usual = ssl.get_default_verify_paths()
    with suppress(OSError):  # after a missing or damaged file, no server is trusted, as in OpenSSL
        context.load_verify_locations(cafile=file or usual.openssl_cafile)
    with suppress(OSError):
        context.load_verify_locations(capath=folder or usual.openssl_capath)
    return context


def open_stream(host: str, port: int, deadline: TimeLimit, *, connect_seconds: float = _CONNECT_SECONDS) -> Stream:
    """Connect to a host by its name or address. Raise OSError, or UnicodeError if the name cannot be one."""
    ends = TimeLimit(min(deadline.left(), connect_seconds))
    addresses = _addresses(host, port, ends)
    for number, (family, address) in enumerate(addresses):
        is_last = number == len(addresses) - 1
        connecting = socket.socket(family, socket.SOCK_STREAM)
        try:
            # An address that does not answer must leave some time for the others.
            connecting.settimeout(ends.left() / (len(addresses) - number))
            connecting.connect(address)
            # Each message is sent in one write, so waiting to fill a packet would only delay its end.
            connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as err:
            connecting.close()
            if is_last:
                raise (ends.passed() if isinstance(err, TimeoutError) else err) from None
        except BaseException:
            connecting.close()
            raise
        else:
            return Stream(connecting)
    raise OSError(f"{host} has no address")


def _addresses(host: str, port: int, deadline: TimeLimit) -> list[_Address]:
    """Return the addresses of a host. The system's lookup has no timeout, so it runs in a thread that is abandoned."""
    with suppress(socket.gaierror):
        return _looked_up(host, port, socket.AI_NUMERICHOST)
    answers: SimpleQueue[list[_Address] | Exception] = SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(_looked_up(host, port, 0))
        except Exception as err:  # it is raised again in the thread that waits
            answers.put(err)

    Thread(target=look_up, name="lookup", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left())
    except Empty:
        raise deadline.passed() from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _looked_up(host: str, port: int, flags: int) -> list[_Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, address) for family, _, _, _, address in found]
