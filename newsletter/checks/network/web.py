"""Single HTTP requests to pages, with time limits, and never to a private address by accident.

Host names are looked up here. The connection is made to the very address that was checked, so a DNS record or a
redirect written by an outsider cannot lead into the network of the person who checks an issue. No cookies are kept and
no proxies are used.
"""

import ssl
from collections.abc import Mapping
from enum import Enum, auto
from typing import Literal
from urllib.parse import urlencode

from msgspec import Struct

from newsletter.checks.network.names import Names
from newsletter.errors import CannotRunError
from newsletter.system.hosts import host_of, is_loopback_name, is_public, literal_address
from newsletter.system.http_exchange import UnansweredError, ask
from newsletter.system.stream import TimeLimit

Method = Literal["HEAD", "GET", "POST"]

_SECONDS = 10.0  # for one exchange, from the connection to the end of the headers
_MOST_ADDRESSES = 2  # the maximum number of addresses that are tried per host
_LOOPBACK = ("127.0.0.1", "::1")


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
    headers: Mapping[str, str] = {}  # with names in lower case


class HttpFailure(Struct, frozen=True, kw_only=True):
    """The reason why there is no response.

    `words` completes the sentence “the page …”, except that without a network it is a whole sentence.
    """

    failure: Failure
    words: str


class Web:
    """A client that requests pages. Threads may share it."""

    def __init__(self, names: Names, *, agent: str, answer_seconds: float = _SECONDS) -> None:
        self._names = names
        self._headers = {"User-Agent": agent, "Accept": "*/*"}
        self._answer_seconds = answer_seconds

    def ask(
        self,
        method: Method,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        private_host: str | None = None,
        more: Mapping[str, str] = {},
    ) -> HttpReply | HttpFailure:
        """Make one request, without following redirects or reading the body.

        `private_host` is a literal loopback or private address to which requests are allowed. `more` are more headers.
        """
        host = host_of(url)
        addresses = self._addresses(host, is_trusted=host == private_host)
        if isinstance(addresses, HttpFailure):
            return addresses
        return self._first_reply(method, url, addresses, form, more)

    def _addresses(self, host: str, *, is_trusted: bool) -> tuple[str, ...] | HttpFailure:
        """Return the addresses of a host, or the reason why no request is made."""
        literal = literal_address(host)
        known = (literal,) if literal else _LOOPBACK if is_loopback_name(host) else ()
        try:
            addresses = known or self._names.addresses(host)
        except CannotRunError as err:
            return HttpFailure(failure=Failure.NO_NETWORK, words=str(err))
        if not addresses:
            return HttpFailure(failure=Failure.NO_HOST, words=f"is on a host that does not exist, {host}")
        if not all(map(is_public, addresses)) and not (known and is_trusted):
            return HttpFailure(failure=Failure.PRIVATE, words=f"is at a private address, {addresses[0]}")
        return addresses[:_MOST_ADDRESSES]

    def _first_reply(
        self,
        method: Method,
        url: str,
        addresses: tuple[str, ...],
        form: Mapping[str, str] | None,
        more: Mapping[str, str],
    ) -> HttpReply | HttpFailure:
        """Return the response from the first address of a host that accepts a connection."""
        said: HttpReply | HttpFailure = HttpFailure(failure=Failure.NO_HOST, words="has no host")
        for address in addresses:
            said = self._request(method, url, address, form, more)
            if isinstance(said, HttpReply) or said.failure not in {Failure.REFUSED, Failure.NO_NETWORK, Failure.LATE}:
                break
        return said

    def _request(
        self, method: Method, url: str, address: str, form: Mapping[str, str] | None, more: Mapping[str, str]
    ) -> HttpReply | HttpFailure:
        sent = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        try:
            answer = ask(
                method,
                url,
                deadline=TimeLimit(self._answer_seconds),
                headers={**self._headers, **sent, **more},
                body=urlencode(form or {}).encode(),
                address=address,
            )
        except ValueError:
            return HttpFailure(failure=Failure.BROKEN, words="has an address that no browser can open")
        except UnansweredError as err:
            return _failure_of(err)
        location = answer.header("Location") if 300 <= answer.status < 400 else None
        headers = {name.lower(): value for name, value in answer.headers}
        return HttpReply(status=answer.status, location=location, date=answer.header("Date"), headers=headers)


def _failure_of(error: UnansweredError) -> HttpFailure:
    """Return why there is no answer."""
    cause = error.cause
    if isinstance(cause, TimeoutError):
        return HttpFailure(failure=Failure.LATE, words="does not answer in time")
    if isinstance(cause, ssl.SSLCertVerificationError):
        words = f"has a certificate that is not valid ({cause.verify_message})"
        return HttpFailure(failure=Failure.INSECURE, words=words)
    if isinstance(cause, ssl.SSLError):
        return HttpFailure(failure=Failure.INSECURE, words="cannot be reached over an encrypted connection")
    if isinstance(cause, ConnectionRefusedError):
        return HttpFailure(failure=Failure.REFUSED, words="is on a server that refuses connections")
    if error.was_connected:
        return HttpFailure(failure=Failure.BROKEN, words="does not answer like a web server")
    return HttpFailure(
        failure=Failure.NO_NETWORK, words="the server cannot be reached from here; check your internet connection"
    )
