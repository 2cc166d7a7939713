"""Download a feed or a calendar from an address that someone wrote, whatever the other side does.

Everything has a limit: 10 seconds for the whole, 3 redirects, 5 MB after decompression. At each redirect, the host is
looked up, an address inside a network is refused, and the connection goes to the very address that was checked.
"""

import socket
import zlib
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from newsletter.errors import FaultError
from newsletter.system.hosts import host_of, is_loopback_name, is_public, literal_address
from newsletter.system.http_exchange import HttpAnswer, UnansweredError, ask
from newsletter.system.parallel import results_of
from newsletter.system.stream import TimeLimit

_SECONDS = 10.0
_MOST_REDIRECTS = 3
_MOST_BYTES = 5_000_000
_LONGEST_VALIDATOR = 500  # characters of an ETag; longer ones are not worth keeping
_CHECK = "check the address in a browser, and correct it"
_LATER = "try again later"


class Download(Struct, frozen=True, kw_only=True):
    """What was downloaded. `content` is None if it has not changed since the last time."""

    url: str  # after redirects
    content: bytes | None
    etag: str = ""
    modified: str = ""


def download(
    url: str,
    *,
    agent: str,
    etag: str = "",
    modified: str = "",
    is_allowed: Callable[[str], bool] = is_public,
    seconds: float = _SECONDS,
) -> Download:
    """Return what is at an address. With `etag` or `modified` of the last time, the server may say that it is the same.

    `is_allowed` says whether an IP address may be asked. Raise FaultError if there is no usable answer.
    """
    deadline = TimeLimit(seconds)
    headers = {"User-Agent": agent, "Accept": "*/*", "Accept-Encoding": "gzip"}
    validators = {"If-None-Match": etag, "If-Modified-Since": modified}
    headers |= {name: value for name, value in validators.items() if value and value.isprintable() and value.isascii()}
    for _ in range(_MOST_REDIRECTS + 1):
        answer = _answer_of(url, headers, deadline, is_allowed)
        target = answer.header("Location") if answer.status in {301, 302, 303, 307, 308} else None
        if target is None:
            return _downloaded(url, answer)
        url = _joined(url, target)
    raise FaultError(f"it is redirected more than {_MOST_REDIRECTS} times", _CHECK)


def _answer_of(url: str, headers: dict[str, str], deadline: TimeLimit, is_allowed: Callable[[str], bool]) -> HttpAnswer:
    address = _address_of(url, deadline, is_allowed)
    try:
        return ask("GET", url, deadline=deadline, headers=headers, most_body_bytes=_MOST_BYTES, address=address)
    except ValueError as err:
        raise FaultError(f"{url} is not the address of a web page", _CHECK) from err
    except UnansweredError as err:
        if isinstance(err.cause, TimeoutError):
            raise FaultError(f"there is no complete answer within {deadline.seconds:g} seconds", _LATER) from err
        raise FaultError(f"there is no complete answer ({err.cause})", _LATER) from err


def _address_of(url: str, deadline: TimeLimit, is_allowed: Callable[[str], bool]) -> str:
    """Return the address to connect to. Every address of the host must be one that may be asked."""
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        scheme = ""
    host = host_of(url)
    if scheme not in {"http", "https"} or not host:
        raise FaultError(f"{url[:200]!r} is not the address of a web page", "write one that begins with https://")
    literal = "127.0.0.1" if is_loopback_name(host) else literal_address(host)
    try:
        addresses = [literal] if literal else _looked_up(host, deadline)
    except OSError as err:
        raise FaultError(f"the host {host} is not found", _CHECK) from err
    for address in addresses:
        if not is_allowed(address):
            raise FaultError(f"the host {host} is inside a network ({address})", "name one that everyone can reach")
    return addresses[0]


def _looked_up(host: str, deadline: TimeLimit) -> list[str]:
    """Return the addresses of a host. The system's own lookup has no deadline, so another thread waits for it."""
    calls = [lambda: socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    found = [entry for entries in results_of(calls, threads=1, deadline=deadline) for entry in entries]
    if not found:
        raise OSError("no answer")
    return [str(entry[4][0]).partition("%")[0] for entry in found]


def _joined(url: str, target: str) -> str:
    try:
        joined = urljoin(url, target)
    except ValueError:
        joined = target
    if urlsplit(url).scheme == "https" and not joined.startswith("https://"):
        raise FaultError("it is redirected to an address without encryption", _CHECK)
    return joined


def _downloaded(url: str, answer: HttpAnswer) -> Download:
    kept = {"etag": answer.header("ETag") or "", "modified": answer.header("Last-Modified") or ""}
    kept = {name: value if len(value) <= _LONGEST_VALIDATOR else "" for name, value in kept.items()}
    if answer.status == 304:
        return Download(url=url, content=None, **kept)
    if answer.status != 200:
        raise FaultError(f"the server answers {answer.status} {answer.reason}".rstrip(), _CHECK)
    return Download(url=url, content=_unpacked(answer), **kept)


def _unpacked(answer: HttpAnswer) -> bytes:
    """Return the body, of which no more is decompressed than may be read."""
    encoding = (answer.header("Content-Encoding") or "identity").strip().lower()
    if encoding == "identity":
        return answer.body
    if encoding not in {"gzip", "x-gzip"}:
        raise FaultError(f"the answer is compressed as {encoding[:40]!r}", "use another feed or calendar")
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        content = unpacker.decompress(answer.body, _MOST_BYTES + 1)
    except zlib.error as err:
        raise FaultError("the answer is damaged", _LATER) from err
    if len(content) > _MOST_BYTES:
        raise FaultError(f"it is larger than {_MOST_BYTES // 10**6} MB", "use a feed with fewer entries")
    if not unpacker.eof:
        raise FaultError("the answer is incomplete", _LATER)
    return content
