"""Requests to SendGrid's Web API, through its own Python library: one at a time, and each exactly once.

Whatever comes of a request is a value, an `ApiAnswer`. No redirect is followed, since the key would travel along to any
host. Every request has a deadline, every answer a bound on its length, and nothing is logged.
`tests/providers/sendgrid/test_client.py` pins what is relied on in the library.
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

MOVED = frozenset({301, 302, 307, 308})  # "ask elsewhere": whoever says so has taken nothing
WRONG_PLACE = dict.fromkeys((*sorted(MOVED), 404, 405), "check region and api_url in [provider.sendgrid]")

# Any content type but the bare `application/json` has the library send the body as it is given.
_CONTENT_TYPE = "application/json; charset=utf-8"
_LONGEST_ANSWER_BYTES = 16 << 20  # thirty times what a page of 500 rows needs
_LONGEST_WAIT_SECONDS = 3600.0
# A request as a whole may take ten times as long as one step of it: a large one leaves slowly over a slow line.
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
    """Bytes that the library sends as they are; one can be long, and is written in place.

    The library encodes every body itself, and formats it for a log line whether or not that line is wanted: both would
    copy all addresses once more at each request, and the second would write them to a log.
    """

    __slots__ = ()

    def encode(self, encoding: str = "utf-8") -> "RequestBody":
        """Return the bytes themselves, which are UTF-8 already."""
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
    """What came of a request: a whole answer, or why there is none."""

    status: int = 0  # of HTTP; 0 where there is no whole answer
    headers: Message = field(default_factory=Message)
    body: bytes = b""
    received_at: datetime
    cause: Exception | None = None  # why there is no whole answer
    was_handed_over: bool = True  # the whole request had left, so it may have been carried out

    def json(self) -> object:
        """Return the body as it is in JSON. None where it is none, as with a proxy's page."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None

    def content(self, status: int) -> object:
        """Return the body in JSON if the answer has this status, otherwise None."""
        return self.json() if self.status == status else None

    def errors(self) -> tuple[ApiError, ...]:
        """Return what the API finds wrong, in its own form. Nothing where somebody else answers."""
        return tuple(
            ApiError(message=text_of(error, "message"), field=text_of(error, "field"))
            for error in list_of(self.json(), "errors")
        )

    def words(self, *, without: tuple[str, ...]) -> str:
        """Return what it says, fit to be shown."""
        return quoted("; ".join(map(str, self.errors())) or self.body or "no words", without=without)

    def seconds_to_wait(self) -> float | None:
        """Return how long the API asks to wait, an hour at most. None where it does not say."""
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
    """Whose API is asked, and how."""

    settings: SendGridSettings
    api_key: str
    clock: Clock

    def __repr__(self) -> str:
        return f"SendGridAccount({self.host})"  # never the key

    @property
    def secrets(self) -> tuple[str, ...]:
        """What is kept out of every message."""
        return (self.api_key,)

    @property
    def host(self) -> str:
        """Where the API is: accounts of the EU region have a host of their own."""
        return self.settings.api_url or str(region_host_dict[self.settings.region])

    def ask(
        self,
        method: Method,
        *path: str,
        content: Mapping[str, object] | None = None,
        query: Mapping[str, int] | None = None,
    ) -> ApiAnswer:
        """Make one request to a path of the API, such as `mail`, `send`."""
        body = None if content is None else RequestBody(orjson.dumps(content))
        return Endpoint(self, *path).ask(method, body, query=query)

    def refusal(
        self, what: str, answer: ApiAnswer, *, again: str, remedies: Mapping[int, str] | None = None
    ) -> ProviderError:
        """Return why something did not happen, for a person. `again` is how to ask once more."""
        if answer.cause is None:
            said = f"it answered {answer.status}: {answer.words(without=self.secrets)}"
            remedy = {**_REMEDIES, **(remedies or {})}.get(answer.status, "see what it says")
        else:
            name = f"{type(answer.cause).__name__}: " if answer.was_handed_over else ""
            lost = "its answer was lost" if answer.was_handed_over else "it could not be reached"
            said = f"{lost} ({quoted(f'{name}{answer.cause}', without=self.secrets)})"
            remedy = "check the network and api_url"
        return ProviderError(f"SendGrid {what}: {said}; {remedy}, then {again}")


class Endpoint:
    """One path of the API, for one thread: the library's clients share their headers."""

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
        # At DEBUG the library logs every header, and with them the key.
        logging.getLogger("python_http_client").setLevel(logging.INFO)

    def ask(
        self, method: Method, body: RequestBody | None = None, *, query: Mapping[str, int] | None = None
    ) -> ApiAnswer:
        """Make one request, and return what came of it in time. Any status is an answer."""
        # Timeouts of a socket are for each step, and an answer can come a byte at a time. So the request has a thread
        # of its own, which is left to itself at the deadline: its answer may be lost by then, but never its outcome.
        answers: SimpleQueue[ApiAnswer] = SimpleQueue()
        Thread(target=lambda: answers.put(self._exchange(method, body, query)), daemon=True).start()
        seconds = self._account.settings.timeout_seconds * _STEPS
        try:
            return answers.get(timeout=seconds)
        except Empty:
            return self._unanswered(TimeoutError(f"no whole answer within {seconds:g} seconds"), was_handed_over=True)

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
        except (UnicodeError, InvalidURL) as err:  # the host or the port of api_url cannot be one
            return self._unanswered(err, was_handed_over=False)
        except Exception as err:  # a connection that breaks, and whatever else a library may raise
            return self._unanswered(err, was_handed_over=True)
        return ApiAnswer(
            status=answer.status_code, headers=answer.headers, body=answer.body, received_at=self._account.clock()
        )

    def _unanswered(self, cause: Exception, *, was_handed_over: bool) -> ApiAnswer:
        return ApiAnswer(received_at=self._account.clock(), cause=cause, was_handed_over=was_handed_over)


class _EveryStatusIsAnAnswer(HTTPErrorProcessor):
    """Takes refusals and redirects as the answers that they are."""

    def http_response(self, request: Request, response: HTTPResponse) -> HTTPResponse:
        return response

    https_response = http_response


class _BoundedExchange:
    """Stands in for `Client._make_request` of the library, which follows redirects and reads without a bound."""

    def __init__(self) -> None:
        self._opener = build_opener(_EveryStatusIsAnAnswer)

    def __call__(self, _following: OpenerDirector, request: Request, timeout: float) -> addinfourl:
        with self._opener.open(request, timeout=timeout) as response:
            body = response.read(_LONGEST_ANSWER_BYTES + 1)
            if response.length or len(body) > _LONGEST_ANSWER_BYTES:
                raise IncompleteRead(body)
        return addinfourl(BytesIO(body), response.headers, request.full_url, response.status)


def moment_of(seconds: object) -> datetime | None:
    """Return the moment so many seconds after the beginning of 1970. None where that is no number, or no moment."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def text_of(content: object, key: str) -> str:
    """Return a text of an answer's object. Empty where it has none."""
    value = content.get(key) if isinstance(content, dict) else None
    return value if isinstance(value, str) else ""


def list_of(content: object, key: str) -> list[object]:
    """Return a list of an answer's object. Empty where it has none."""
    value = content.get(key) if isinstance(content, dict) else None
    return value if isinstance(value, list) else []
