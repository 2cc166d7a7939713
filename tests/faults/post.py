"""What stands for the world outside in a run: the receiver of the emails, and the truth about what was taken."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Protocol

Visit = Callable[[int, bool], None]  # the number of a request, and whether its email is taken by now
NO_VISIT: Visit = lambda _number, _is_taken: None  # noqa: E731 - a value, as every other visit is


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenMail:
    """One email that was taken for one person."""

    email: str
    mailing: str  # the mailing's id of the broadcast
    request: tuple[int, int] | None = None  # the chunk and the attempt, where the emails name them
    leaves_at: datetime | None = None  # the provider holds it until then
    is_given_back: bool = False  # certainly never sent, because it was taken back in time


class Post(Protocol):
    """Takes what a run sends. One request is a chunk for SendGrid and the outbox, and an email for SMTP."""

    name: str  # of the provider
    visit: Visit  # called while a request is handled
    requests: int  # so far
    refused: frozenset[str] | None  # who was refused in person, for good; None where this is not kept
    refused_in_a_row: list[list[str]] | None  # those refused once, by policy, with nothing taken between them

    def __enter__(self) -> Post: ...

    def __exit__(self, *exception: object) -> None: ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """The provider's table in the settings."""

    @property
    def elsewhere(self) -> Mapping[str, Any]:
        """The same table, with a place that takes nothing."""

    def mails(self) -> list[TakenMail]:
        """All that was taken so far."""

    def settle(self) -> None:
        """Wait until no request is on its way or being handled, except those that hang."""


class OutboxFolder:
    """The outbox of a run. It has no server, so each process rings a bell before and after it writes a chunk."""

    name = "outbox"
    refused: frozenset[str] | None = None
    refused_in_a_row: list[list[str]] | None = None

    def __init__(self, folder: Path) -> None:
        self.visit: Visit = NO_VISIT
        self.requests = 0
        self._folder = folder
        self._lock = threading.Lock()

    def __enter__(self) -> OutboxFolder:
        self._folder.mkdir()
        (self._folder / "file").write_bytes(b"")
        self._bell = Bell(self._ring)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._bell.close()

    @property
    def settings(self) -> Mapping[str, Any]:
        """Where the emails go."""
        return {"folder": str(self._folder / "outbox")}

    @property
    def elsewhere(self) -> Mapping[str, Any]:
        """A folder that cannot be made, because a file is in its place."""
        return {"folder": str(self._folder / "file")}

    @property
    def bell(self) -> int:
        """The port of the bell."""
        return self._bell.port

    def mails(self) -> list[TakenMail]:
        """Every whole file."""
        found = []
        for path in sorted((self._folder / "outbox").glob("*/*.eml")):
            message = message_from_bytes(path.read_bytes())
            found.append(TakenMail(email=parseaddr(str(message["To"]))[1], mailing=path.parent.name))
        return found

    def settle(self) -> None:
        """There is nothing to wait for: a killed process writes no more."""

    def _ring(self, is_taken: bool) -> None:
        with self._lock:
            self.requests += not is_taken
            number = self.requests
        self.visit(number, is_taken)


class Bell:
    """A port at which a process of a run says that it is about to write a chunk, or has just done so."""

    def __init__(self, ring: Callable[[bool], None]) -> None:
        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                ring(self.rfile.readline() == b"written\n")
                self.wfile.write(b"go on\n")

        self._server = _BellServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        """Take the bell away."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _BellServer(socketserver.ThreadingTCPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A process that is killed while it waits is part of the tests."""
