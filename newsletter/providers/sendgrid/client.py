"""Requests to SendGrid's Web API through its own Python library. Each request is made exactly once.

The result of a request is always a value, an `ApiAnswer`. Redirects are not followed, because that would send the key
to another host. Every request has a deadline, every answer has a maximum length, and nothing is logged.
`tests/providers/sendgrid/test_client.py` pins the parts of the library that this module relies on.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPResponse, IncompleteRead, InvalidURL
from io import BytesIO
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Literal
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import HTTPErrorProcessor, OpenerDirector, Request, build_opener
from urllib.response import addinfourl

import orjson
from msgspec import Struct, field
from sendgrid import SendGridAPIClient
from sendgrid.base_interface import region_host_dict

from newsletter.errors import ProviderError
from newsletter.providers.base import Clock, quoted
from newsletter.settings.provider import SendGridSettings

MOVED = frozenset({301, 302, 307, 308})  # redirects; a server that answers with one has accepted nothing
WRONG_PLACE = dict.fromkeys(
    (*sorted(MOVED), 404, 405), "check region and api_url under [provider.sendgrid] in newsletter.toml"
)

# With any content type but a plain `application/json`, the library sends the body unchanged.
_CONTENT_TYPE = "application/json; charset=utf-8"
_LONGEST_ANSWER_BYTES = 16 << 20  # thirty times the size of a page of 500 rows
_LONGEST_WAIT_SECONDS = 3600.0
# A socket's timeout applies to each step. A whole request may take ten times as long, for slow connections.
_STEPS = 10
_REMEDIES = {
    401: "check SENDGRID_API_KEY",
    403: "check what the key may do, and that the account is not blocked",
    429: "wait a minute",
    **dict.fromkeys((500, 502, 503, 504), "wait a minute"),
    **WRONG_PLACE,
}

Method = Literal["get", "post", "patch", "delete"]


class RequestBody(bytearray):
    """A request body that the library sends unchanged. A body can be long, so it is built in place.

    The library encodes every body and formats it for a log line, even if nothing is logged. Both steps would copy all
    addresses, and the second could write them to a log.
    """

    __slots__ = ()

    def encode(self, encoding: str = "utf-8") -> "RequestBody":
        """Return the bytes themselves, which are already UTF-8."""
        return self

    def __format__(self, spec: str) -> str:
        return f"{len(self)} bytes"


class ApiError(Struct, frozen=True, kw_only=True):
    """One of the errors that the body of a refusal lists."""

    message: str
    field: str

    def __str__(self) -> str:
        return f"{self.message} ({self.field})" if self.field else self.message


class ApiAnswer(Struct, frozen=True, kw_only=True):
    """The result of a request: a complete answer, or the reason why there is none."""

    status: int = 0  # the HTTP status, or 0 if there is no complete answer
    headers: Message = field(default_factory=Message)
    body: bytes = b""
    received_at: datetime
    cause: Exception | None = None  # why there is no complete answer
    was_handed_over: bool = True  # whether the whole request was sent, so that SendGrid may have acted on it

    def json(self) -> object:
        """Return the parsed JSON body, or None if the body is not JSON, for example a proxy's page."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None

    def content(self, status: int) -> object:
        """Return the parsed JSON body if the answer has this status, otherwise None."""
        return self.json() if self.status == status else None

    def errors(self) -> tuple[ApiError, ...]:
        """Return the errors that the body lists in the API's format. There are none if another server answered."""
        return tuple(
            ApiError(message=text_of(error, "message"), field=text_of(error, "field"))
            for error in list_of(self.json(), "errors")
        )

    def words(self, *, without: tuple[str, ...]) -> str:
        """Return the text of the answer, in a form that is safe to show."""
        return quoted("; ".join(map(str, self.errors())) or self.body or "no message", without=without)

    def seconds_to_wait(self) -> float | None:
        """Return the seconds that the API asks us to wait, at most an hour, or None if it does not say."""
        reset, after = self.headers.get("X-RateLimit-Reset", ""), self.headers.get("Retry-After", "")
        if reset.isdecimal():
            seconds = float(reset) - self.received_at.timestamp()
        elif after.isdecimal():
            seconds = float(after)
        else:
            try:
                moment = parsedate_to_datetime(after)
            except (ValueError, OverflowError):
                return None
            seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
            seconds -= self.received_at.timestamp()
        return min(max(seconds, 1.0), _LONGEST_WAIT_SECONDS)


class SendGridAccount(Struct, frozen=True, kw_only=True):
    """A SendGrid account, with what is needed to call its API."""

    settings: SendGridSettings
    api_key: str
    clock: Clock

    def __repr__(self) -> str:
        return f"SendGridAccount({self.host})"  # without the key

    def __rich_repr__(self) -> list[tuple[str, str]]:
        """Return what Rich should show. Otherwise, Rich prints every field."""
        return [("host", self.host)]

    @property
    def secrets(self) -> tuple[str, ...]:
        """The strings that must not appear in any message."""
        return (self.api_key,)

    @property
    def host(self) -> str:
        """The URL of the API. Accounts in the EU region have a separate host."""
        return self.settings.api_url or str(region_host_dict[self.settings.region])

    def ask(
        self,
        method: Method,
        *path: str,
        content: Mapping[str, object] | None = None,
        query: Mapping[str, int] | None = None,
    ) -> ApiAnswer:
        """Make one request and return the answer. `path` has the segments of the path, such as `mail`, `send`."""
        body = None if content is None else RequestBody(orjson.dumps(content))
        return Endpoint(self, *path).ask(method, body, query=query)

    def refusal(
        self, what: str, answer: ApiAnswer, *, again: str, remedies: Mapping[int, str] | None = None
    ) -> ProviderError:
        """Return an error that tells a person what failed. `again` says how to try again."""
        if answer.cause is None:
            said = f"it returned {answer.status}: {answer.words(without=self.secrets)}"
            remedy = {**_REMEDIES, **(remedies or {})}.get(answer.status, "read SendGrid's message")
        else:
            name = f"{type(answer.cause).__name__}: " if answer.was_handed_over else ""
            lost = "the answer was lost" if answer.was_handed_over else "SendGrid could not be reached"
            said = f"{lost} ({quoted(f'{name}{answer.cause}', without=self.secrets)})"
            remedy = "check your internet connection, and api_url under [provider.sendgrid] in newsletter.toml"
        return ProviderError(f"SendGrid {what}: {said}; {remedy}, then {again}")


class Endpoint:
    """One path of the API. Each thread needs its own, because the library's clients share their headers."""

    def __init__(self, account: SendGridAccount, *path: str) -> None:
        self._account = account
        client = SendGridAPIClient(account.api_key, host=account.host).client
        for segment in path:
            client = client._(quote(segment, safe=""))
        client._make_request = _BoundedExchange()
        self._requests: dict[Method, Callable[..., Any]] = {
            "get": client.get,
            "post": client.post,
            "patch": client.patch,
            "delete": client.delete,
        }
        # At level DEBUG, the library logs every header, including the key.
        logging.getLogger("python_http_client").setLevel(logging.INFO)

    def ask(
        self, method: Method, body: RequestBody | None = None, *, query: Mapping[str, int] | None = None
    ) -> ApiAnswer:
        """Make one request and return its result before the deadline. Any status is an answer."""
        # A socket's timeout applies to each step, and an answer can arrive byte by byte. So each request runs in its
        # own thread, which is abandoned at the deadline. The result then says that the answer was lost.
        answers: SimpleQueue[ApiAnswer] = SimpleQueue()
        Thread(target=lambda: answers.put(self._exchange(method, body, query)), daemon=True).start()
        seconds = self._account.settings.timeout_seconds * _STEPS
        try:
            return answers.get(timeout=seconds)
        except Empty:
            return self._unanswered(
                TimeoutError(f"no complete answer within {seconds:g} seconds"), was_handed_over=True
            )

    def _exchange(self, method: Method, body: RequestBody | None, query: Mapping[str, int] | None) -> ApiAnswer:
        try:
            answer = self._requests[method](
                request_body=body,
                query_params=query,
                request_headers={} if body is None else {"Content-Type": _CONTENT_TYPE},
                timeout=self._account.settings.timeout_seconds,
            )
        except URLError as err:  # raised while connecting or sending, never while waiting for the answer
            cause = err.reason if isinstance(err.reason, Exception) else err
            return self._unanswered(cause, was_handed_over=False)
        except (UnicodeError, InvalidURL) as err:  # the host or port of api_url is invalid
            return self._unanswered(err, was_handed_over=False)
        except Exception as err:  # a broken connection, or anything else that a library may raise
            return self._unanswered(err, was_handed_over=True)
        return ApiAnswer(
            status=answer.status_code, headers=answer.headers, body=answer.body, received_at=self._account.clock()
        )

    def _unanswered(self, cause: Exception, *, was_handed_over: bool) -> ApiAnswer:
        return ApiAnswer(received_at=self._account.clock(), cause=cause, was_handed_over=was_handed_over)


class _EveryStatusIsAnAnswer(HTTPErrorProcessor):
    """Returns refusals and redirects as answers instead of raising them."""

    def http_response(self, request: Request, response: HTTPResponse) -> HTTPResponse:
        return response

    https_response = http_response


class _BoundedExchange:
    """Replaces the library's `Client._make_request`, which follows redirects and reads without a limit."""

    def __init__(self) -> None:
        self._opener = build_opener(_EveryStatusIsAnAnswer)

    def __call__(self, _following: OpenerDirector, request: Request, timeout: float) -> addinfourl:
        with self._opener.open(request, timeout=timeout) as response:
            body = response.read(_LONGEST_ANSWER_BYTES + 1)
            if response.length or len(body) > _LONGEST_ANSWER_BYTES:
                raise IncompleteRead(body)
        return addinfourl(BytesIO(body), response.headers, request.full_url, response.status)


def moment_of(seconds: object) -> datetime | None:
    """Return the time at a number of seconds since 1970, or None if it is not a number or the time is invalid."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def text_of(content: object, key: str) -> str:
    """Return the string under a key of an object, or an empty string if there is none."""
    value = content.get(key) if isinstance(content, dict) else None
    return value if isinstance(value, str) else ""


def list_of(content: object, key: str) -> list[object]:
    """Return the list under a key of an object, or an empty list if there is none."""
    value = content.get(key) if isinstance(content, dict) else None
    return value if isinstance(value, list) else []
