"""Record each request without its secrets: what was asked, not by whom, for the log and for the metrics.

The paths of requests contain personal links, which are secrets. Only the pattern of the route is recorded, and of the
client only what kind of program it is.
"""

from collections.abc import Callable
from functools import lru_cache
from http import HTTPMethod
from time import perf_counter

from msgspec import Struct
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.model.machines import AgentKind, kind_of_agent

MOST_AT_ONCE = 500  # requests
_METHODS = frozenset(HTTPMethod)
_OTHER = "other"
_GONE = 499  # the client went away before the answer, as nginx calls it
_NO_ROUTE = "none"


class RequestFacts(Struct, frozen=True, kw_only=True):
    """What is recorded about a request."""

    route: str  # the pattern of the path, such as `/u/{link}`
    method: str
    status: int
    size_bytes: int  # of the answer's body
    agent: AgentKind
    seconds: float


OnRequest = Callable[[RequestFacts], None]
OnFault = Callable[[Exception], None]


class RequestRecorder:
    """ASGI middleware that records requests, and refuses those that are too many at once with status 503.

    An unexpected error is reported with `on_fault`, if there is one, and answered with status 500.
    """

    def __init__(self, app: ASGIApp, *, on_request: OnRequest, on_fault: OnFault | None, path: str) -> None:
        self._app = app
        self._on_request = on_request
        self._on_fault = on_fault
        self._path = path
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and record it when it has been answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, size, begun = _GONE, 0, perf_counter()

        async def send_counted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                size += len(message.get("body", b""))
            await send(message)

        self._running += 1
        try:
            await (_too_many if self._running > MOST_AT_ONCE else self._app)(scope, receive, send_counted)
        except ClientDisconnect:
            raise
        except Exception as err:
            if self._on_fault is None:
                raise
            self._on_fault(err)
            if status == _GONE:
                await _say(500, send_counted)
        finally:
            self._running -= 1
            self._on_request(
                RequestFacts(
                    route=self._route_of(scope),
                    method=scope["method"] if scope["method"] in _METHODS else _OTHER,
                    status=status,
                    size_bytes=size,
                    agent=_agent_of(scope),
                    seconds=perf_counter() - begun,
                )
            )

    def _route_of(self, scope: Scope) -> str:
        route = scope.get("route")  # set by Starlette's router
        return f"{self._path}{route.path}" if isinstance(route, Route) else _NO_ROUTE


async def _too_many(_scope: Scope, _receive: Receive, send: Send) -> None:
    await _say(503, send, (b"retry-after", b"5"))


async def _say(status: int, send: Send, *headers: tuple[bytes, bytes]) -> None:
    """Answer without a body, and close the connection, because the body of the request was not read."""
    always = [(b"connection", b"close"), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *always]})
    await send({"type": "http.response.body"})


def _agent_of(scope: Scope) -> AgentKind:
    return _kind_of(next((value[:300] for name, value in scope["headers"] if name == b"user-agent"), b""))


@lru_cache(maxsize=256)
def _kind_of(agent: bytes) -> AgentKind:
    return kind_of_agent(agent.decode("latin-1"))
