"""Requests to SendGrid's Web API through its own Python library. Each request is made exactly once.

The result of a request is always a value, an `ApiAnswer`. Redirects are not followed, because that would send the key
to another host. Every request has one deadline, every answer has a maximum length, and nothing is logged.
`tests/providers/sendgrid/test_client.py` pins the parts of the library that this module relies on.
"""

import logging
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import Any, Literal
from urllib.parse import quote
from urllib.request import OpenerDirector, Request
from urllib.response import addinfourl

import orjson
from msgspec import Struct, field
from sendgrid import SendGridAPIClient
from sendgrid.base_interface import region_host_dict

from newsletter.errors import ProviderError
from newsletter.providers.base import Clock, quoted
from newsletter.settings.provider import SendGridSettings
from newsletter.system.http_exchange import HttpAnswer, UnansweredError, ask
from newsletter.system.stream import TimeLimit

MOVED = frozenset({301, 302, 307, 308})  # redirects; a server that answers with one has accepted nothing
WRONG_PLACE = dict.fromkeys(
    (*sorted(MOVED), 404, 405), "check region and api_url under [provider.sendgrid] in newsletter.toml"
)

# With any content type but a plain `application/json`, the library sends the body unchanged.
_CONTENT_TYPE = "application/json; charset=utf-8"
_LONGEST_ANSWER_BYTES = 16 << 20  # thirty times the size of a page of 500 rows
_LONGEST_WAIT_SECONDS = 3600.0
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_EARLIEST_MOMENT = 10**9  # a smaller number of seconds is a duration, not a moment since 1970
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
    reason: str = ""  # the words after the status
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
        said = "; ".join(map(str, self.errors())) or self.body or self.reason or "no message"
        return quoted(said, without=without)

    def seconds_to_wait(self) -> float | None:
        """Return the seconds that the API asks us to wait, from 1 to 3600.

        Return None if it does not say, or names a moment that is past: then only growing waits lead anywhere. If both
        headers can be used, the longer wait counts.
        """
        waits = [self._seconds_until(self.headers.get(name, "")) for name in ("X-RateLimit-Reset", "Retry-After")]
        seconds = max((wait for wait in waits if wait is not None), default=0.0)
        return min(max(seconds, 1.0), _LONGEST_WAIT_SECONDS) if seconds > 0 else None

    def _seconds_until(self, text: str) -> float | None:
        """Read a number of seconds, a moment in seconds since 1970, or a date, by the clock of the answer's Date."""
        is_number = _NUMBER.fullmatch(text.strip()) is not None
        if is_number and float(text) < _EARLIEST_MOMENT:
            return float(text)
        moment = float(text) if is_number else _date_of(text)
        sent_at = _date_of(self.headers.get("Date", ""))
        return None if moment is None else moment - (self.received_at.timestamp() if sent_at is None else sent_at)


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
        client._make_request = self._exchange = _BoundedExchange()
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
        try:
            answer = self._requests[method](
                request_body=body,
                query_params=query,
                request_headers={} if body is None else {"Content-Type": _CONTENT_TYPE},
                timeout=self._account.settings.timeout_seconds,
            )
        except UnansweredError as err:
            return self._unanswered(err.cause, was_handed_over=err.was_sent)
        except Exception as err:  # anything else that a library may raise
            return self._unanswered(err, was_handed_over=True)
        return ApiAnswer(
            status=answer.status_code,
            reason=self._exchange.reason,
            headers=answer.headers,
            body=answer.body,
            received_at=self._account.clock(),
        )

    def _unanswered(self, cause: Exception, *, was_handed_over: bool) -> ApiAnswer:
        return ApiAnswer(received_at=self._account.clock(), cause=cause, was_handed_over=was_handed_over)


class _BoundedExchange:
    """Replaces the library's `Client._make_request`, which follows redirects and reads without a limit."""

    reason = ""  # the words after the status of the last answer; the library has no place for them

    def __call__(self, _following: OpenerDirector, request: Request, timeout: float) -> addinfourl:
        answer = self._answer(request, TimeLimit(timeout))
        self.reason = answer.reason
        headers = Message()
        for name, value in answer.headers:
            headers[name] = value
        return addinfourl(BytesIO(answer.body), headers, request.full_url, answer.status)

    def _answer(self, request: Request, deadline: TimeLimit) -> HttpAnswer:
        body = request.data if isinstance(request.data, bytes | bytearray) else b""
        headers = {name.title(): value for name, value in request.header_items()}  # urllib.request spells them oddly
        try:
            return ask(
                request.get_method(),
                request.full_url,
                deadline=deadline,
                headers={"Accept-Encoding": "identity", **headers},
                body=body,
                most_body_bytes=_LONGEST_ANSWER_BYTES,
            )
        except ValueError as err:  # the host or port of api_url is invalid
            raise UnansweredError(err, was_connected=False, was_sent=False) from err


def _date_of(text: str) -> float | None:
    """Return the seconds since 1970 at a date in HTTP's format, or None if the text is not one."""
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


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
