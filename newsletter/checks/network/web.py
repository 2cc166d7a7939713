"""Requests to pages, one at a time: politely, with time limits, and never to a private address by accident.

A name is looked up here, judged, and the connection made to the very address that was judged: what an outsider writes
into the DNS or into a redirect leads nowhere inside the network of whoever checks an issue. Cookies are not kept, nor
proxies used.
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
_MOST_ADDRESSES = 2  # of a host that are tried, one after the other
_LOOPBACK = ("127.0.0.1", "::1")
# An address of IPv6 in which one of IPv4 is hidden, which a gateway may lead to: NAT64 and 6to4.
_GATEWAYS = (ip_network("64:ff9b::/96"), ip_network("2002::/16"))


class Failure(Enum):
    """Why there is no answer."""

    NO_NETWORK = auto()  # the DNS did not answer, or there is no way out of this machine
    PRIVATE = auto()  # the host is inside a private network, and is not asked
    NO_HOST = auto()  # the DNS knows no such name
    REFUSED = auto()  # nobody listens there
    LATE = auto()  # it takes too long
    INSECURE = auto()  # no encrypted connection can be made, or its certificate is not valid
    BROKEN = auto()  # what it says is no answer


class HttpReply(Struct, frozen=True, kw_only=True):
    """An answer, of which only this is read."""

    status: int
    location: str | None  # where it redirects to
    date: str | None  # what the server takes for the present


class HttpFailure(Struct, frozen=True, kw_only=True):
    """Why there is none; `words` completes “the page …”."""

    failure: Failure
    words: str


class Web:
    """Asks pages; threads may share it, within a `with` block."""

    def __init__(self, names: Names, *, agent: str, answer_seconds: float = _ANSWER_SECONDS) -> None:
        self._names = names
        self._headers = {"User-Agent": agent, "Accept": "*/*", "Connection": "close"}
        self._timeout = httpx.Timeout(answer_seconds, connect=min(_CONNECT_SECONDS, answer_seconds)).as_dict()
        # A transport rather than a client, which would see to redirects, cookies and proxies by itself. A connection
        # that is kept would be found by its address, under which other hosts answer too.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._transport = httpx.HTTPTransport(verify=httpx.create_ssl_context(), limits=limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self._transport.close()

    def ask(
        self, method: Method, url: str, *, form: Mapping[str, str] | None = None, private_host: str | None = None
    ) -> HttpReply | HttpFailure:
        """Make one request; follow no redirect, and read no body.

        `private_host` is a loopback or private address, written out, that may be asked all the same.
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
        """Return where a host is reached; why it is not asked, where that is so."""
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
        """Return what the first of a host's addresses says at which somebody listens."""
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
            return HttpFailure(failure=Failure.BROKEN, words="answers with something that is no answer of a web server")
        response.close()
        location = response.headers.get("location") if response.has_redirect_location else None
        date = response.headers.get("date")
        return HttpReply(status=response.status_code, location=location, date=date)


def host_of(url: str) -> str:
    """Return the host that an address names, in small letters; empty where it names none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def is_private_literal(host: str) -> bool:
    """Return whether a host is a private or loopback address written out, or this machine's name for itself."""
    addresses = _literal_addresses(host)
    return addresses is not None and not all(map(_is_public, addresses))


def _literal_addresses(host: str) -> tuple[str, ...] | None:
    """Return the addresses of a host that need not be looked up; None where it is a name."""
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
    """Return why no connection was made, by what is at the bottom of it."""
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
    return HttpFailure(failure=Failure.NO_NETWORK, words="cannot be reached from here; check the network")
