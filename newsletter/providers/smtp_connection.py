"""A connection to an SMTP relay. The standard library opens it and logs in. After that, this module uses the socket.

The work that smtplib does around each command takes as much time as sending a message. So smtplib only opens the
connection and logs in.
"""

import smtplib
import socket
import ssl
import time
from contextlib import suppress

from msgspec import Struct

from newsletter.settings.provider import SmtpSettings

_MOST_AT_ONCE_BYTES = 8192
_LONGEST_LINE_BYTES = 8192  # far more than the 512 that RFC 5321, 4.5.3.1.5 allows
_MOST_LINES = 100  # of one reply
# A socket's timeout applies to each read. A whole reply may take ten times as long.
_STEPS = 10
_NO_CODE = -1


class SmtpReply(Struct, frozen=True):
    """The relay's reply to one command."""

    code: int  # -1 if it is not an SMTP reply
    words: bytes


class SmtpConnection:
    """A greeted, encrypted and logged-in connection. Its methods raise OSError if it breaks."""

    def __init__(self, connected: socket.socket, extensions: frozenset[str], *, timeout_seconds: float) -> None:
        self._socket: socket.socket | None = connected
        self._patience_seconds = timeout_seconds * _STEPS
        self.extensions = extensions  # the extensions that the relay announces, in lowercase
        self._heard = b""  # data that has arrived but is not part of a returned reply

    @property
    def is_open(self) -> bool:
        """Whether this side of the connection is open."""
        return self._socket is not None

    @property
    def has_unasked(self) -> bool:
        """Whether data has arrived that is not part of a returned reply."""
        return bool(self._heard)

    def send(self, content: bytes) -> None:
        """Send all of the data."""
        self._opened().sendall(content)

    def reply(self) -> SmtpReply:
        """Return the next reply. Join its lines if it has several."""
        words: list[bytes] = []
        until = time.monotonic() + self._patience_seconds
        while len(words) < _MOST_LINES:
            line = self._line(until)
            words.append(line[4:].strip())
            if not line[:3].isdigit():
                return SmtpReply(_NO_CODE, line.strip())
            if line[3:4] != b"-":
                return SmtpReply(int(line[:3]), b"\n".join(words))
        raise ConnectionError("the relay's response never ended")

    def quit(self) -> None:
        """Send QUIT, then close the connection even if that fails."""
        with suppress(OSError):
            self.send(b"QUIT\r\n")
            self.reply()
        self.close()

    def close(self) -> None:
        """Close the connection immediately. Do nothing if it is already closed."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _line(self, until: float) -> bytes:
        while b"\n" not in self._heard:
            if len(self._heard) > _LONGEST_LINE_BYTES or time.monotonic() > until:
                raise ConnectionError("the relay's response never ended")
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

    Raise OSError, which includes smtplib's errors, or ValueError. A ValueError is a UnicodeError if the host name is
    invalid, or binascii's error if the relay's login challenge cannot be decoded.
    """
    # Pass the name of this machine. Otherwise smtplib looks it up for each connection, which can take seconds.
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
        # A message is sent in one write, so waiting to fill a packet would only delay its end.
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        server.close()
        raise
    extensions = frozenset(server.esmtp_features)
    if server.file is not None:
        server.file.close()
    server.sock = server.file = None  # so that the connection stays open when `server` is deleted
    return SmtpConnection(connected, extensions, timeout_seconds=settings.timeout_seconds)
