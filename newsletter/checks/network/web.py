"""Single HTTP requests to pages, with time limits, and never to a private address by accident.

Host names are looked up here. The connection is made to the very address that was checked, so a DNS record or a
redirect written by an outsider cannot lead into the network of the person who checks an issue. No cookies are kept and
no proxies are used.
"""

import ssl
from collections.abc import Mapping
from enum import Enum, auto
from ipaddress import IPv6Address, ip_address, ip_network
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

import httpx
from msgspec import Struct

from newsletter.checks.network.names import Names
from newsletter.errors import CannotRunError

Method = Literal["HEAD", "GET", "POST"]

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 10.0
_MOST_ADDRESSES = 2  # the maximum number of addresses that are tried per host
_LOOPBACK = ("127.0.0.1", "::1")
# IPv6 addresses that contain an IPv4 address, which a gateway may reach: NAT64 and 6to4.
_GATEWAYS = (ip_network("64:ff9b::/96"), ip_network("2002::/16"))


class Failure(Enum):
    """The reason why there is no response."""

    NO_NETWORK = auto()  # the DNS did not answer, or this machine has no network
    PRIVATE = auto()  # the host is in a private network, so no request is made
    NO_HOST = auto()  # the DNS has no such name
    REFUSED = auto()  # the connection is refused
    LATE = auto()  # the answer takes too long
    INSECURE = auto()  # no encrypted connection is possible, or the certificate is not valid
    BROKEN = auto()  # the answer is not HTTP


class HttpReply(Struct, frozen=True, kw_only=True):
    """The parts of a response that the checks use."""

    status: int
    location: str | None  # the target of a redirect
    date: str | None  # the server's current time, as it sent it


class HttpFailure(Struct, frozen=True, kw_only=True):
    """The reason why there is no response.

    `words` completes the sentence “the page …”, except that without a network it is a whole sentence.
    """

    failure: Failure
    words: str


class Web:
    """A client that requests pages. Use it in a `with` block. Threads may share it."""

    def __init__(self, names: Names, *, agent: str, answer_seconds: float = _ANSWER_SECONDS) -> None:
        self._names = names
        self._headers = {"User-Agent": agent, "Accept": "*/*", "Connection": "close"}
        self._timeout = httpx.Timeout(answer_seconds, connect=min(_CONNECT_SECONDS, answer_seconds)).as_dict()
        # A client would handle redirects, cookies and proxies itself, so a bare transport is used. Connections are not
        # kept: they would be reused by address, and other hosts may answer at the same address.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._transport = httpx.HTTPTransport(verify=httpx.create_ssl_context(), limits=limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self._transport.close()

    def ask(
        self, method: Method, url: str, *, form: Mapping[str, str] | None = None, private_host: str | None = None
    ) -> HttpReply | HttpFailure:
        """Make one request, without following redirects or reading the body.

        `private_host` is a literal loopback or private address to which requests are allowed.
        """
        try:
            host = (urlsplit(url).hostname or "").lower()
            addresses = self._addresses(host, is_trusted=host == private_host)
            if isinstance(addresses, HttpFailure):
                return addresses
            return self._first_reply(method, url, host, addresses, form)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError):
            return HttpFailure(failure=Failure.BROKEN, words="has an address that no browser can open")

    def _addresses(self, host: str, *, is_trusted: bool) -> tuple[str, ...] | HttpFailure:
        """Return the addresses of a host, or the reason why no request is made."""
        literal = _literal_addresses(host)
        try:
            addresses = literal or self._names.addresses(host)
        except CannotRunError as err:
            return HttpFailure(failure=Failure.NO_NETWORK, words=str(err))
        if not addresses:
            return HttpFailure(failure=Failure.NO_HOST, words=f"is on a host that does not exist, {host}")
        if not all(map(_is_public, addresses)) and not (literal and is_trusted):
            return HttpFailure(failure=Failure.PRIVATE, words=f"is at a private address, {addresses[0]}")
        return addresses[:_MOST_ADDRESSES]

    def _first_reply(
        self, method: Method, url: str, host: str, addresses: tuple[str, ...], form: Mapping[str, str] | None
    ) -> HttpReply | HttpFailure:
        """Return the response from the first address of a host that accepts a connection."""
        said: HttpReply | HttpFailure = HttpFailure(failure=Failure.NO_HOST, words="has no host")
        for address in addresses:
            said = self._request(method, url, host, address, form)
            if isinstance(said, HttpReply) or said.failure not in {Failure.REFUSED, Failure.NO_NETWORK, Failure.LATE}:
                break
        return said

    def _request(
        self, method: Method, url: str, host: str, address: str, form: Mapping[str, str] | None
    ) -> HttpReply | HttpFailure:
        parsed = httpx.URL(url)
        name = {} if host == address else {"sni_hostname": parsed.raw_host.decode("ascii")}
        request = httpx.Request(
            method,
            parsed.copy_with(host=address, userinfo=b"", fragment=None),
            headers={**self._headers, "Host": parsed.netloc.decode("ascii")},
            data=form,
            extensions={"timeout": self._timeout, **name},
        )
        try:
            response = self._transport.handle_request(request)
        except httpx.TimeoutException:
            return HttpFailure(failure=Failure.LATE, words="does not answer in time")
        except httpx.ConnectError as err:
            return _not_connected(err)
        except httpx.TransportError:
            return HttpFailure(failure=Failure.BROKEN, words="does not answer like a web server")
        response.close()
        location = response.headers.get("location") if response.has_redirect_location else None
        date = response.headers.get("date")
        return HttpReply(status=response.status_code, location=location, date=date)


def host_of(url: str) -> str:
    """Return the host of an address in lower case, or an empty string if it has none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def is_private_literal(host: str) -> bool:
    """Return whether a host is a literal private or loopback address, or `localhost`."""
    addresses = _literal_addresses(host)
    return addresses is not None and not all(map(_is_public, addresses))


def _literal_addresses(host: str) -> tuple[str, ...] | None:
    """Return the addresses of a host that needs no lookup, or None if the host is a name that must be looked up."""
    if host == "localhost" or host.endswith(".localhost"):
        return _LOOPBACK
    try:
        return (str(ip_address(host)),)
    except ValueError:
        return None


def _is_public(address: str) -> bool:
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        if any(found in gateway for gateway in _GATEWAYS):
            return False
        found = found.ipv4_mapped or found
    return found.is_global and not found.is_multicast


def _not_connected(error: httpx.ConnectError) -> HttpFailure:
    """Return why no connection was made, from the chain of causes of the error."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            words = f"has a certificate that is not valid ({cause.verify_message})"
            return HttpFailure(failure=Failure.INSECURE, words=words)
        if isinstance(cause, ssl.SSLError):
            return HttpFailure(failure=Failure.INSECURE, words="cannot be reached over an encrypted connection")
        if isinstance(cause, ConnectionRefusedError):
            return HttpFailure(failure=Failure.REFUSED, words="is on a server that refuses connections")
        cause = cause.__cause__ or cause.__context__
    return HttpFailure(
        failure=Failure.NO_NETWORK, words="the server cannot be reached from here; check your internet connection"
    )
