"""A connection to an SMTP server: greeting, encryption, login, and the replies to commands.

The limits are those of RFC 5321, 4.5.3.2. Each applies to a whole reply, and a reply has limits on its lines, so the
other side can neither hold the program nor fill its memory.
"""

import hmac
import socket
import ssl
from base64 import b64decode, b64encode
from contextlib import suppress
from math import ceil
from typing import Literal

from msgspec import Struct
from msgspec.structs import asdict

from newsletter.system.stream import Stream, TimeLimit, open_stream, trusted_authorities

Security = Literal["starttls", "tls", "none"]

_MOST_AT_ONCE_BYTES = 8192
_LONGEST_LINE_BYTES = 8192  # far more than the 512 that RFC 5321, 4.5.3.1.5 allows
_MOST_LINES = 100  # of one reply
_BLOCK_BYTES = 1 << 18  # of content; each may take `block` seconds
_FAREWELL_SECONDS = 5.0
_NO_CODE = -1
_GO_ON = 334
_ANOTHER_MECHANISM = frozenset({504, 534, 538})  # this way to log in is unknown, too weak, or needs encryption


class SmtpLimits(Struct, frozen=True, kw_only=True):
    """The longest waits of one connection, in seconds, by what is awaited."""

    connection: float = 30
    greeting: float = 300
    command: float = 300  # MAIL, RCPT and the others that have no limit of their own
    pipelined: float = 30  # a reply to a command that was sent together with one that is already answered
    data: float = 120
    block: float = 180  # until a block of the content is sent
    content: float = 600  # after the final dot

    def within(self, longest_seconds: float | None) -> "SmtpLimits":
        """Return these limits, each shortened to `longest_seconds` unless that is None."""
        if longest_seconds is None:
            return self
        return SmtpLimits(**{name: min(seconds, longest_seconds) for name, seconds in asdict(self).items()})


class SmtpReply(Struct, frozen=True):
    """The server's reply to one command."""

    code: int  # -1 if it is not an SMTP reply
    words: bytes

    @property
    def is_positive(self) -> bool:
        """Whether the server did what the command asks for."""
        return 200 <= self.code <= 299


class RefusedError(ConnectionError):
    """The server refused to open the connection or to log us in."""

    def __init__(self, reply: SmtpReply) -> None:
        self.code = reply.code
        self.words = reply.words.decode("utf-8", "replace")
        super().__init__(f"{self.code} {self.words}")


class NotOfferedError(ConnectionError):
    """The server does not offer an extension that the settings require."""


class SmtpConnection:
    """A greeted connection. Its methods raise OSError if it breaks."""

    def __init__(self, stream: Stream, limits: SmtpLimits) -> None:
        self._stream: Stream | None = stream
        self.limits = limits
        self.extensions: dict[str, str] = {}  # the parameters of each announced extension, by its name in lowercase
        self.drops_input = False  # whether the server dropped commands that came before its reply to an earlier one
        self._heard = b""  # data that has arrived but is not part of a returned reply

    @property
    def is_open(self) -> bool:
        """Whether this side of the connection is open."""
        return self._stream is not None

    @property
    def has_unasked(self) -> bool:
        """Whether data has arrived that is not part of a returned reply."""
        return bool(self._heard)

    def send(self, commands: bytes) -> None:
        """Send commands."""
        self._opened().send(commands, TimeLimit(self.limits.command))

    def send_content(self, content: bytes) -> None:
        """Send the content of a message."""
        self._opened().send(content, TimeLimit(self.limits.block * ceil(len(content) / _BLOCK_BYTES)))

    def reply(self, seconds: float) -> SmtpReply:
        """Return the next reply, which must be complete within this time. Join its lines if it has several."""
        words: list[bytes] = []
        deadline = TimeLimit(seconds)
        while len(words) < _MOST_LINES:
            line = self._line(deadline)
            words.append(line[4:].strip())
            if not line[:3].isdigit():
                return SmtpReply(_NO_CODE, line.strip())
            if line[3:4] != b"-":
                return SmtpReply(int(line[:3]), b"\n".join(words))
        raise ConnectionError("the relay's response never ended")

    def ask(self, command: str) -> SmtpReply:
        """Send one command and return its reply."""
        self.send(f"{command}\r\n".encode())
        return self.reply(self.limits.command)

    def encrypt(self, context: ssl.SSLContext, host: str) -> None:
        """Start TLS on the open connection."""
        self._opened().encrypt(context, host, TimeLimit(self.limits.greeting))

    def quit(self) -> None:
        """Send QUIT, then close the connection even if that fails in any way."""
        with suppress(Exception):
            self.send(b"QUIT\r\n")
            self.reply(min(_FAREWELL_SECONDS, self.limits.command))
        self.close()

    def close(self) -> None:
        """Close the connection immediately. Do nothing if it is already closed."""
        if self._stream is not None:
            self._stream.close()
        self._stream = None

    def _line(self, deadline: TimeLimit) -> bytes:
        while b"\n" not in self._heard:
            if len(self._heard) > _LONGEST_LINE_BYTES:
                raise ConnectionError("the relay's response never ended")
            piece = self._opened().receive(_MOST_AT_ONCE_BYTES, deadline)
            if not piece:
                raise ConnectionError("the relay closed the connection")
            self._heard += piece
        line, _, self._heard = self._heard.partition(b"\n")
        return line

    def _opened(self) -> Stream:
        if self._stream is None:
            raise ConnectionError("the connection is closed")
        return self._stream


def connect(host: str, port: int, security: Security, limits: SmtpLimits) -> SmtpConnection:
    """Open a connection, greet the server and start encryption.

    Raise OSError, which includes RefusedError and NotOfferedError, or UnicodeError if the host name is invalid.
    """
    context = None if security == "none" else trusted_authorities()
    relay = SmtpConnection(open_stream(host, port, TimeLimit(limits.connection)), limits)
    try:
        if context is not None and security == "tls":
            relay.encrypt(context, host)
        _require(relay.reply(limits.greeting))
        _greet(relay)
        if context is not None and security == "starttls":
            _start_tls(relay, context, host)
    except BaseException:
        relay.close()
        raise
    return relay


def log_in(relay: SmtpConnection, username: str, password: str) -> None:
    """Log in with PLAIN (RFC 4616), LOGIN or CRAM-MD5 (RFC 2195), with the first that the server offers.

    Names and passwords are sent in UTF-8. Raise RefusedError, NotOfferedError, or ValueError if the server's challenge
    cannot be decoded.
    """
    offered = relay.extensions.get("auth", "").upper().split()
    refused: SmtpReply | None = None
    for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
        if mechanism not in offered:
            continue
        reply = _log_in_with(relay, mechanism, username.encode(), password.encode())
        if reply.is_positive:
            return
        refused = reply
        if reply.code not in _ANOTHER_MECHANISM:
            break
    if refused is not None:
        raise RefusedError(refused)
    raise NotOfferedError("the server offers no login with a password")


def _greet(relay: SmtpConnection) -> None:
    """Send EHLO, or HELO to a server that does not know it, and keep the extensions that the server announces."""
    # A name without a dot says nothing about this machine, and looking it up can take seconds.
    name = socket.gethostname()
    ourselves = name if "." in name and name.isascii() else "[127.0.0.1]"
    relay.extensions = {}
    reply = relay.ask(f"EHLO {ourselves}")
    if not reply.is_positive:
        _require(relay.ask(f"HELO {ourselves}"))
        return
    for line in reply.words.decode("latin-1").split("\n")[1:]:
        keyword, _, parameters = line.replace("=", " ", 1).partition(" ")  # AUTH=LOGIN is an old way to write it
        relay.extensions[keyword.lower()] = f"{relay.extensions.get(keyword.lower(), '')} {parameters}".strip()


def _start_tls(relay: SmtpConnection, context: ssl.SSLContext, host: str) -> None:
    if "starttls" not in relay.extensions:
        raise NotOfferedError("the server does not offer STARTTLS")
    _require(relay.ask("STARTTLS"))
    if relay.has_unasked:  # someone may have added it on the way (RFC 3207, 5)
        raise ConnectionError("the relay sent an unexpected reply")
    relay.encrypt(context, host)
    _greet(relay)


def _require(reply: SmtpReply) -> None:
    if not reply.is_positive:
        raise RefusedError(reply)


def _log_in_with(relay: SmtpConnection, mechanism: str, username: bytes, password: bytes) -> SmtpReply:
    """Return the last reply of a login. A server that asks for more than the mechanism has to say gets no answer."""
    if mechanism == "PLAIN":
        return relay.ask("AUTH PLAIN " + _encoded(b"\0%b\0%b" % (username, password)))
    reply = relay.ask(f"AUTH {mechanism}")
    if reply.code != _GO_ON:
        return reply
    if mechanism == "LOGIN":
        reply = relay.ask(_encoded(username))
        return relay.ask(_encoded(password)) if reply.code == _GO_ON else reply
    digest = hmac.new(password, b64decode(reply.words), "md5").hexdigest()
    return relay.ask(_encoded(username + b" " + digest.encode()))


def _encoded(words: bytes) -> str:
    return b64encode(words).decode()
