"""One HTTP request and its answer, with one deadline for the whole and a limit on everything that is read.

Redirects are not followed, no cookies are kept, and no proxies are used. Answers are parsed by h11.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import h11
import idna
from msgspec import Struct
from msgspec.structs import replace

from newsletter.system.stream import Stream, TimeLimit, open_stream, trusted_authorities

_DEFAULT_PORTS = {"http": 80, "https": 443}
_IN_A_TARGET = "%/:?#[]@!$&'()*+,;=~"  # everything that RFC 3986 allows in a path or a query
_EARLY_ANSWER_SECONDS = 5.0  # the longest wait for the answer to a request that could not be sent completely
_PIECE_BYTES = 1 << 16
_LONGEST_HEAD_BYTES = 1 << 16  # all headers of an answer together; h11 enforces it
_MOST_HEADERS = 200
_MOST_INTERIM_ANSWERS = 20  # such as 100 or 103, before the answer itself
_LONGEST_OVERHEAD_BYTES = 1 << 20  # everything that is read besides the body: headers, interim answers, chunk sizes


class HttpAnswer(Struct, frozen=True, kw_only=True):
    """An answer, complete up to its headers and, if a body was wanted, up to the end of the body."""

    status: int
    reason: str  # the words after the status
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the value of a header, or None if the answer does not have it. Case does not matter."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class UnansweredError(OSError):
    """There is no complete answer. The cause is the error of the connection or the mistake in the answer."""

    def __init__(self, cause: Exception, *, was_connected: bool, was_sent: bool) -> None:
        super().__init__(str(cause) or type(cause).__name__)
        self.cause = cause
        self.was_connected = was_connected
        self.was_sent = was_sent  # whether the other side may have received the complete request


class HttpPlace(Struct, frozen=True, kw_only=True):
    """The parts of a URL that a request needs."""

    scheme: str
    host: str  # in ASCII
    port: int
    host_header: str
    target: str


def ask(
    method: str,
    url: str,
    *,
    deadline: TimeLimit,
    headers: Mapping[str, str],
    body: bytes | bytearray = b"",
    most_body_bytes: int = 0,
    address: str | None = None,
) -> HttpAnswer:
    """Make one request. With `most_body_bytes` = 0, the body of the answer is not read.

    `address` is the address to connect to, if the host has already been looked up. Raise UnansweredError, or ValueError
    if the URL cannot be requested.
    """
    place = place_of(url)
    try:
        stream = open_stream(address or place.host, place.port, deadline)
    except Exception as err:
        raise UnansweredError(err, was_connected=False, was_sent=False) from err
    exchange = _Exchange(stream, deadline)
    try:
        if place.scheme == "https":
            stream.encrypt(trusted_authorities(), place.host, deadline)
        exchange.send(method, place, headers, body)
        return exchange.answer(most_body_bytes)
    except Exception as err:  # whatever a hostile answer makes h11 or ssl raise
        cause = exchange.cut or err
        raise UnansweredError(cause, was_connected=True, was_sent=exchange.was_sent) from err
    finally:
        stream.close()


def place_of(url: str) -> HttpPlace:
    """Return the parts of a URL, in ASCII. Raise ValueError if it is not a URL of a web page."""
    parts = urlsplit(url)
    name = (parts.hostname or "").lower()
    if parts.scheme not in _DEFAULT_PORTS or not name:
        raise ValueError(f"{url} is not the address of a web page")
    host = name if name.isascii() else idna.encode(name, uts46=True).decode("ascii")
    default = _DEFAULT_PORTS[parts.scheme]
    port = default if parts.port is None else parts.port
    shown = f"[{host}]" if ":" in host else host
    query = f"?{parts.query}" if parts.query else ""
    return HttpPlace(
        scheme=parts.scheme,
        host=host,
        port=port,
        host_header=shown if port == default else f"{shown}:{port}",
        target=quote(f"{parts.path or '/'}{query}", safe=_IN_A_TARGET),
    )


class _Exchange:
    """A request on an open connection."""

    def __init__(self, stream: Stream, deadline: TimeLimit) -> None:
        self._stream = stream
        self._deadline = deadline
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD_BYTES)
        self._overhead_bytes = 0  # everything that was read, without the body
        self.was_sent = False
        self.cut: Exception | None = None  # why the other side did not receive the whole request

    def send(self, method: str, place: HttpPlace, headers: Mapping[str, str], body: bytes | bytearray) -> None:
        """Send the request. If the other side stops reading, it may still have answered, so that is no error yet."""
        length = {"Content-Length": str(len(body))} if body or method in {"POST", "PATCH", "PUT"} else {}
        fields = {"Host": place.host_header, **headers, **length, "Connection": "close"}
        request = h11.Request(method=method, target=place.target, headers=list(fields.items()))
        pieces = [self._protocol.send(request), *self._body(body)]
        try:
            for piece in pieces:
                self._stream.send(piece or b"", self._deadline)
        except TimeoutError:
            raise
        except OSError as err:
            self.cut = err
            self._deadline = TimeLimit(min(self._deadline.left(), _EARLY_ANSWER_SECONDS))
        else:
            self.was_sent = True

    def _body(self, body: bytes | bytearray) -> list[Any]:
        # h11 returns the very object that it is given, so a long body is not copied.
        passed = self._protocol.send_with_data_passthrough(h11.Data(data=body)) if body else []  # type: ignore[arg-type]
        return [*(passed or []), *(self._protocol.send_with_data_passthrough(h11.EndOfMessage()) or [])]

    def answer(self, most_body_bytes: int) -> HttpAnswer:
        """Return the answer."""
        head = self._head()
        if not most_body_bytes:
            return head
        _require_length(head, most_body_bytes)
        body = bytearray()
        while isinstance(event := self._event(), h11.Data):
            body += event.data
            self._overhead_bytes -= len(event.data)
            if len(body) > most_body_bytes:
                raise _too_long(most_body_bytes)
        return replace(head, body=bytes(body))

    def _head(self) -> HttpAnswer:
        """Return the answer without its body. Skip the interim answers before it."""
        for _ in range(_MOST_INTERIM_ANSWERS):
            event = self._event()
            if isinstance(event, h11.Response):
                return _head_of(event)
            if not isinstance(event, h11.InformationalResponse) or event.status_code == 101:
                break
        raise ConnectionError("the server sent something else than an answer")

    def _event(self) -> Any:
        while (event := self._protocol.next_event()) is h11.NEED_DATA:
            data = self._stream.receive(_PIECE_BYTES, self._deadline)
            self._overhead_bytes += len(data)
            if self._overhead_bytes > _LONGEST_OVERHEAD_BYTES:
                raise ConnectionError("the answer is too long")
            if not data and self._protocol.their_state is h11.SEND_RESPONSE:
                raise ConnectionError("the server closed the connection without an answer")
            self._protocol.receive_data(data)
        return event


def _head_of(response: h11.Response) -> HttpAnswer:
    if len(response.headers) > _MOST_HEADERS:
        raise ConnectionError("the answer has too many headers")
    pairs = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw_items())
    return HttpAnswer(
        status=response.status_code, reason=bytes(response.reason).decode("latin-1"), headers=tuple(pairs)
    )


def _require_length(head: HttpAnswer, most_body_bytes: int) -> None:
    """Raise ConnectionError if the answer announces more than will be read, so that no one waits for it."""
    announced = head.header("Content-Length") or "0"
    if announced.isdecimal() and float(announced) > most_body_bytes:
        raise _too_long(most_body_bytes)


def _too_long(most_body_bytes: int) -> ConnectionError:
    return ConnectionError(f"the answer is larger than {most_body_bytes / 10**6:,.0f} MB")
