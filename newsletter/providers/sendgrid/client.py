"""Requests to SendGrid's Web API, through its own Python library: one at a time, and each exactly once.

Whatever comes of a request is a value: a whole answer, or why there is none. No redirect is followed, since the key
would travel along to any host; no request is without a time limit, and none is logged.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.message import Message
from http.client import HTTPException, InvalidURL
from typing import IO, Any, Literal
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, OpenerDirector, build_opener
from urllib.request import Request as WebRequest

import orjson
from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient
from sendgrid.base_interface import region_host_dict

from newsletter.errors import ProviderError
from newsletter.providers.base import Clock, quoted
from newsletter.settings.provider import SendGridSettings

# Any content type but the bare `application/json` has the library send the body as it is given.
_CONTENT_TYPE = "application/json; charset=utf-8"

MOVED = frozenset({301, 302, 307, 308})  # "ask elsewhere": whoever says so has taken nothing
WRONG_PLACE = dict.fromkeys((*sorted(MOVED), 404, 405), "check region and api_url in [provider.sendgrid]")

_REMEDIES = {
    401: "check SENDGRID_API_KEY",
    403: "check what the key may do, and that the account is not blocked",
    429: "wait a minute",
    **dict.fromkeys((500, 502, 503, 504), "wait a minute"),
    **WRONG_PLACE,
}

Method = Literal["get", "post", "patch", "delete"]


class RequestBody(bytearray):
    """Bytes that the library sends as they are; one can be long, and is written in place.

    It encodes every body itself, and formats it for a log line whether or not that line is wanted: both would copy
    all addresses once more at each request, and the second would write them to a log.
    """

    __slots__ = ()

    def encode(self, encoding: str = "utf-8") -> "RequestBody":
        """The bytes themselves; they are UTF-8 already."""
        return self

    def __format__(self, spec: str) -> str:
        return f"{len(self)} bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiError:
    """One of the errors that the body of a refusal lists."""

    message: str
    field: str

    def __str__(self) -> str:
        return f"{self.message} ({self.field})" if self.field else self.message


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole answer of the API."""

    status: int
    headers: Message
    body: bytes
    received_at: datetime

    def json(self) -> object:
        """The body as it is in JSON; None where it is none, as with a proxy's page."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None

    def errors(self) -> tuple[ApiError, ...]:
        """What the API finds wrong, in its own form; nothing where somebody else answers."""
        return tuple(
            ApiError(message=text_of(error, "message"), field=text_of(error, "field"))
            for error in list_of(self.json(), "errors")
        )

    def words(self, *, without: tuple[str, ...]) -> str:
        """What it says, fit to be shown."""
        return quoted("; ".join(map(str, self.errors())) or self.body or "no words", without=without)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoReply:
    """Why there is no whole answer."""

    cause: object
    was_handed_over: bool  # the whole request had left, so it may have been carried out


@dataclass(frozen=True, slots=True, kw_only=True)
class SendGridAccount:
    """Whose API is asked, and how."""

    settings: SendGridSettings
    api_key: str = field(repr=False)
    clock: Clock

    @property
    def secrets(self) -> tuple[str, ...]:
        """What is kept out of every message."""
        return (self.api_key,)

    def endpoint(self, *path: str) -> "Endpoint":
        """One address of the API, such as `mail`, `send`; threads must not share it."""
        return Endpoint(self, path)


class Endpoint:
    """One address of the API, for one thread: the library's clients share their headers."""

    def __init__(self, account: SendGridAccount, path: tuple[str, ...]) -> None:
        self._account = account
        client = _staying_client(account.api_key, host_of(account.settings), path)
        self._requests: dict[Method, Callable[..., Any]] = {
            "get": client.get,
            "post": client.post,
            "patch": client.patch,
            "delete": client.delete,
        }
        # At DEBUG the library logs every header, and with them the key.
        logging.getLogger("python_http_client").setLevel(logging.INFO)

    def ask(
        self, method: Method, body: RequestBody | None = None, *, query: Mapping[str, int] | None = None
    ) -> Reply | NoReply:
        """Makes one request; any status is a reply."""
        headers = {} if body is None else {"Content-Type": _CONTENT_TYPE}
        try:
            answer = self._requests[method](
                request_body=body,
                query_params=query,
                request_headers=headers,
                timeout=self._account.settings.timeout_seconds,
            )
        except HTTPError as err:  # a status that is not a success
            return self._reply(err.status_code, err.headers, err.body)
        except URLError as err:  # raised while connecting or sending, never while waiting for the answer
            return NoReply(cause=err.reason, was_handed_over=False)
        except (UnicodeError, InvalidURL) as err:  # the host or the port of api_url cannot be one
            return NoReply(cause=err, was_handed_over=False)
        except (OSError, HTTPException) as err:
            return NoReply(cause=err, was_handed_over=True)
        return self._reply(answer.status_code, answer.headers, answer.body)

    def _reply(self, status: int, headers: Message, body: bytes) -> Reply:
        return Reply(status=status, headers=headers, body=body, received_at=self._account.clock())


def json_body(content: dict[str, object]) -> RequestBody:
    """The body of a small request."""
    return RequestBody(orjson.dumps(content))


def text_of(content: object, key: str) -> str:
    """A text of an answer's object; empty where it has none."""
    value = content.get(key) if isinstance(content, dict) else None
    return value if isinstance(value, str) else ""


def list_of(content: object, key: str) -> list[object]:
    """A list of an answer's object; empty where it has none."""
    value = content.get(key) if isinstance(content, dict) else None
    return value if isinstance(value, list) else []


def refusal(
    what: str, answer: Reply | NoReply, *, remedies: Mapping[int, str], again: str, secrets: tuple[str, ...]
) -> ProviderError:
    """Why something that was asked for did not happen, for a person; `again` is how to ask once more."""
    if isinstance(answer, NoReply):
        cause = f"{type(answer.cause).__name__}: {answer.cause}" if answer.was_handed_over else str(answer.cause)
        lost = "its answer was lost" if answer.was_handed_over else "it could not be reached"
        said, remedy = f"{lost} ({quoted(cause, without=secrets)})", "check the network and api_url"
    else:
        said = f"it answered {answer.status}: {answer.words(without=secrets)}"
        remedy = remedies.get(answer.status, _REMEDIES.get(answer.status, "see what it says"))
    return ProviderError(f"SendGrid {what}: {said}; {remedy}, then {again}")


def host_of(settings: SendGridSettings) -> str:
    """Where the API is: accounts of the EU region have a host of their own."""
    return settings.api_url or str(region_host_dict[settings.region])


class _StayingHandler(HTTPRedirectHandler):
    """Takes a redirect as the answer that it is."""

    def redirect_request(
        self, req: WebRequest, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None


def _staying_client(api_key: str, host: str, path: tuple[str, ...]) -> Any:
    """The library's client for an address, which would follow a redirect and take the key along to any host."""
    client = SendGridAPIClient(api_key, host=host).client
    for segment in path:
        client = client._(quote(segment, safe=""))
    opener, make_request = build_opener(_StayingHandler), client._make_request

    def stay(_following: OpenerDirector, request: WebRequest, timeout: float) -> Any:
        return make_request(opener, request, timeout=timeout)

    client._make_request = stay
    return client
