"""A real SMTP server on loopback that keeps what it takes, and refuses or breaks off as a test asks."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from aiosmtpd.smtp import Session as SmtpSession

TAKEN = "250 2.0.0 taken"
PASSWORD = "s3cret-relay-word"


@dataclass(frozen=True, kw_only=True)
class TakenMail:
    """A message as it was taken."""

    sender: str
    recipient: str
    content: bytes
    was_encrypted: bool
    was_authenticated: bool


@dataclass
class Behavior:
    """What the server answers; a reply of None cuts the connection."""

    on_mail: Callable[[str], str | None] = lambda _sender: "250 2.1.0 ok"
    on_rcpt: Callable[[str], str | None] = lambda _recipient: "250 2.1.5 ok"
    on_content: Callable[[str], str | None] = lambda _recipient: TAKEN
    extensions: tuple[str, ...] = ()


@dataclass
class SmtpServer:
    """The server, for the length of a `with` block."""

    tls: ssl.SSLContext | None = None  # offers STARTTLS, and takes no mail without it
    demands_login: bool = False
    smtputf8: bool = False
    behavior: Behavior = field(default_factory=Behavior)
    taken: list[TakenMail] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    def __enter__(self) -> "SmtpServer":
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self.transports: list[asyncio.Transport] = []
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()  # first, because a browser's own loop may run in this thread
        listening = self._loop.create_server(self._protocol, sock=self._socket)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)
        return self

    def __exit__(self, *_exception: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def hang_up(self) -> None:
        """Ends every open connection, as a relay does with those that idle."""
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result(10)

    def _protocol(self) -> SMTP:
        self.connections += 1
        return SMTP(
            _Handler(self),
            hostname="relay.example.org",
            enable_SMTPUTF8=self.smtputf8,
            tls_context=self.tls,
            require_starttls=self.tls is not None,
            authenticator=_authenticate if self.demands_login else None,
            auth_required=self.demands_login,
            auth_require_tls=self.tls is not None,
            loop=self._loop,
        )

    async def _hang_up(self) -> None:
        for transport in self.transports:
            transport.abort()
        self.transports.clear()
        await asyncio.sleep(0.02)

    async def _stop(self) -> None:
        self._server.close()
        await self._hang_up()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


class _Handler:
    """What aiosmtpd asks about each command."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: SmtpSession, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self._server.transports.append(_transport(server))
        return [*(f"250-{name}" for name in self._server.behavior.extensions), *responses]

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: SmtpSession, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return _reply(server, self._server.behavior.on_mail(address))

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: SmtpSession, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self._server.behavior.on_rcpt(address)
        if answer and answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return _reply(server, answer)

    async def handle_DATA(self, server: SMTP, session: SmtpSession, envelope: Envelope) -> str:  # noqa: N802
        (recipient,) = envelope.rcpt_tos
        answer = self._server.behavior.on_content(recipient)
        if answer is None or answer.startswith("2"):
            self._server.taken.append(
                TakenMail(
                    sender=str(envelope.mail_from),
                    recipient=recipient,
                    content=bytes(envelope.original_content or b""),
                    was_encrypted=session.ssl is not None,
                    was_authenticated=bool(session.authenticated),
                )
            )
        return _reply(server, answer)


def _authenticate(_server: SMTP, _session: SmtpSession, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
    is_right = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
    return AuthResult(success=is_right, handled=False)


def _reply(server: SMTP, answer: str | None) -> str:
    if answer is None:
        _transport(server).abort()
        return "421 gone"
    return answer


def _transport(server: SMTP) -> asyncio.Transport:
    assert isinstance(server.transport, asyncio.Transport)
    return server.transport
