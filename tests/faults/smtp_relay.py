"""A small SMTP server on loopback with a thread for each connection, whose answers a run decides.

It announces PIPELINING, as every relay does. It is quicker than aiosmtpd, and a test may wait inside an answer without
holding up the other connections.
"""

from __future__ import annotations

import os
import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from itertools import count

_EXTENSIONS = ("PIPELINING", "SIZE 30000000", "8BITMIME", "ENHANCEDSTATUSCODES")


class Break(Enum):
    """What an SMTP server may do instead of answering."""

    RESET = auto()  # the connection ends at once
    HANG = auto()  # no answer comes, until the server is closed


Answer = str | Break


@dataclass
class Dialogue:
    """One message on its way: its number is the place among all that the server was offered."""

    number: int
    sender: str
    recipient: str = ""
    content: bytes = b""


class SmtpRelay:
    """The server, for the length of a `with` block. Subclasses decide about each phase."""

    def __init__(self) -> None:
        self.requests = 0
        self.lock = threading.Lock()
        self._numbers = count(1)
        self._closing = threading.Event()
        self._busy = 0
        self._changed = threading.Condition()

    def __enter__(self) -> SmtpRelay:
        self._server = _Server(("127.0.0.1", 0), _Connection)
        self._server.relay = self
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.end_connections()
        self._server.server_close()
        self._thread.join()

    def on_connect(self) -> Answer:
        """Greet a client."""
        return "220 relay.example.org ESMTP"

    def on_mail(self, dialogue: Dialogue) -> Answer:
        """Answer MAIL FROM."""
        return "250 2.1.0 ok"

    def on_rcpt(self, dialogue: Dialogue) -> Answer:
        """Answer RCPT TO."""
        return "250 2.1.5 ok"

    def on_content(self, dialogue: Dialogue) -> Answer:
        """Answer the final dot."""
        return "250 2.0.0 taken"

    def settle(self) -> None:
        """Wait until every connection has ended, except those that hang.

        Connections are accepted in their order, so every earlier one is known once one of our own was greeted.
        """
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=30) as probe:
            probe.recv(100)
        with self._changed:
            if not self._changed.wait_for(lambda: self._busy == 0, 30):
                raise TimeoutError("the relay is still at work")

    def opened(self, sender: str) -> Dialogue:
        """Count a message."""
        with self.lock:
            self.requests = next(self._numbers)
            return Dialogue(number=self.requests, sender=sender)

    def hang(self) -> None:
        """Wait until the server is closed."""
        self.count_busy(-1)
        self._closing.wait(20)

    def count_busy(self, change: int) -> None:
        """Take note of a connection that begins or ends."""
        with self._changed:
            self._busy += change
            self._changed.notify_all()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 64
    relay: SmtpRelay

    def server_activate(self) -> None:
        self.open_sockets: set[socket.socket] = set()
        super().server_activate()

    def process_request(self, request: socket.socket, client_address: object) -> None:
        self.open_sockets.add(request)
        self.relay.count_busy(1)
        super().process_request(request, client_address)

    def end_connections(self) -> None:
        """End what idles, so that no thread waits for a client."""
        for each in list(self.open_sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def shutdown_request(self, request: socket.socket) -> None:
        self.open_sockets.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is part of the tests."""


class _Over(Exception):  # noqa: N818 - not an error: the connection has ended
    """The connection has ended."""


class _Connection(socketserver.StreamRequestHandler):
    server: _Server
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self._relay, self._dialogue, self._hangs = self.server.relay, None, False
        try:
            if self._say(self._relay.on_connect()).startswith("2"):
                while line := self.rfile.readline():
                    self._obey(line.decode("utf-8", "replace").strip())
        except (_Over, OSError):
            pass
        finally:
            if not self._hangs:
                self._relay.count_busy(-1)

    def _obey(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        commands: dict[str, Callable[[str], object]] = {
            "EHLO": lambda _: self._say("\r\n".join(["250-relay.example.org", *_announced()])),
            "HELO": lambda _: self._say("250 relay.example.org"),
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._reset,
            "NOOP": lambda _: self._say("250 2.0.0 ok"),
            "QUIT": self._quit,
        }
        command = commands.get(verb.upper())
        if command is None:
            self._say("502 5.5.2 no such command")
        else:
            command(rest)

    def _mail(self, rest: str) -> None:
        dialogue = self._relay.opened(_address_in(rest))
        if self._say(self._relay.on_mail(dialogue)).startswith("2"):
            self._dialogue = dialogue

    def _rcpt(self, rest: str) -> None:
        if self._dialogue is None:
            self._say("503 5.5.1 MAIL first")
            return
        self._dialogue.recipient = _address_in(rest)
        if not self._say(self._relay.on_rcpt(self._dialogue)).startswith("2"):
            self._dialogue.recipient = ""

    def _data(self, _rest: str) -> None:
        if self._dialogue is None or not self._dialogue.recipient:
            self._say("554 5.5.1 no valid recipients")
            return
        self._say("354 go ahead")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                raise _Over
            lines.append(line)
        dialogue, self._dialogue = self._dialogue, None
        dialogue.content = b"".join(lines)
        self._say(self._relay.on_content(dialogue))

    def _reset(self, _rest: str) -> None:
        self._dialogue = None
        self._say("250 2.0.0 ok")

    def _quit(self, _rest: str) -> None:
        self._say("221 2.0.0 bye")
        raise _Over

    def _say(self, answer: Answer) -> str:
        """Answer, and end the connection after a 421. Return the answer."""
        if answer is Break.HANG:
            self._hangs = True
            self._relay.hang()
            raise _Over
        if answer is Break.RESET:
            self.server.open_sockets.discard(self.connection)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())
            raise _Over
        self.wfile.write(f"{answer}\r\n".encode())
        if answer.startswith("421"):
            raise _Over
        return str(answer)


def _announced() -> list[str]:
    return [f"250{'-' if name != _EXTENSIONS[-1] else ' '}{name}" for name in _EXTENSIONS]


def _address_in(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]
