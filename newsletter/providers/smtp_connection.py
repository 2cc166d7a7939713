"""A connection to an SMTP relay: opened and logged in by the standard library, and spoken over directly from then on.

What smtplib does around each command and reply costs as much as a message does, so its part ends with the login.
"""

import smtplib
import socket
import ssl
import time
from contextlib import suppress

from msgspec import Struct

from newsletter.settings.provider import SmtpSettings

_MOST_AT_ONCE_BYTES = 8192
_LONGEST_LINE_BYTES = 8192  # far more than the 512 of RFC 5321, 4.5.3.1.5
_MOST_LINES = 100  # of one reply
# A reply as a whole may take ten times as long as one step of it: a timeout of the socket is for each step.
_STEPS = 10
_NO_CODE = -1


class SmtpReply(Struct, frozen=True):
    """What the relay says to one command."""

    code: int  # -1 where it is no reply of SMTP
    words: bytes


class SmtpConnection:
    """A greeted, encrypted and logged-in connection; its methods raise OSError where it breaks."""

    def __init__(self, connected: socket.socket, extensions: frozenset[str], *, timeout_seconds: float) -> None:
        self._socket: socket.socket | None = connected
        self._patience_seconds = timeout_seconds * _STEPS
        self.extensions = extensions  # that the relay announces, in small letters
        self._heard = b""  # what has arrived and belongs to replies that nobody has asked for yet

    @property
    def is_open(self) -> bool:
        """Whether nobody has closed it on this side."""
        return self._socket is not None

    @property
    def has_unasked(self) -> bool:
        """Whether more has arrived than was asked for."""
        return bool(self._heard)

    def send(self, content: bytes) -> None:
        """Send all of it."""
        self._opened().sendall(content)

    def reply(self) -> SmtpReply:
        """Return the next reply, which may have several lines."""
        words: list[bytes] = []
        until = time.monotonic() + self._patience_seconds
        while len(words) < _MOST_LINES:
            line = self._line(until)
            words.append(line[4:].strip())
            if not line[:3].isdigit():
                return SmtpReply(_NO_CODE, line.strip())
            if line[3:4] != b"-":
                return SmtpReply(int(line[:3]), b"\n".join(words))
        raise ConnectionError("the relay's answer has no end")

    def quit(self) -> None:
        """Say good-bye, and close the connection whatever comes of it."""
        with suppress(OSError):
            self.send(b"QUIT\r\n")
            self.reply()
        self.close()

    def close(self) -> None:
        """Close it at once; a second time is fine."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _line(self, until: float) -> bytes:
        while b"\n" not in self._heard:
            if len(self._heard) > _LONGEST_LINE_BYTES or time.monotonic() > until:
                raise ConnectionError("the relay's answer has no end")
            piece = self._opened().recv(_MOST_AT_ONCE_BYTES)
            if not piece:
                raise ConnectionError("the relay closed the connection")
            self._heard += piece
        line, _, self._heard = self._heard.partition(b"\n")
        return line

    def _opened(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionError("the connection is closed")
        return self._socket


def connect(settings: SmtpSettings, password: str) -> SmtpConnection:
    """Open a connection.

    Raise OSError, of which smtplib's errors are, or ValueError: UnicodeError for a host that is no name, binascii's for
    a challenge of the relay that cannot be read.
    """
    # Our own name for ourselves: smtplib would ask the DNS for it at each connection, which can take seconds.
    hostname = socket.gethostname()
    place = (settings.host, settings.port, hostname if "." in hostname else "[127.0.0.1]")
    server: smtplib.SMTP
    if settings.security == "tls":
        server = smtplib.SMTP_SSL(*place, timeout=settings.timeout_seconds, context=ssl.create_default_context())
    else:
        server = smtplib.SMTP(*place, timeout=settings.timeout_seconds)
    try:
        if settings.security == "starttls":
            server.starttls(context=ssl.create_default_context())
        server.ehlo_or_helo_if_needed()
        if settings.username is not None:
            server.login(settings.username, password)
        connected = server.sock
        if connected is None:
            raise ConnectionError("the relay closed the connection")
        # A message goes out in one write; waiting to fill a packet would only delay its end.
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        server.close()
        raise
    extensions = frozenset(server.esmtp_features)
    if server.file is not None:
        server.file.close()
    server.sock = server.file = None  # so that the connection outlives the object
    return SmtpConnection(connected, extensions, timeout_seconds=settings.timeout_seconds)
