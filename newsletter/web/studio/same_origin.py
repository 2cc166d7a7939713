"""Protect a local server from other websites: they can neither embed its pages nor submit forms to it."""

from collections.abc import Mapping
from hmac import compare_digest
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The host names that Starlette's TrustedHostMiddleware accepts. A website can make its own domain resolve to 127.0.0.1
# and so reach our port from a visitor's browser (DNS rebinding), but `Host` then still contains the website's domain.
# The middleware keeps the brackets of an IPv6 address and ignores the port. That is enough: a browser sends the port
# that it connects to, so a different port means that someone forwards that port here on purpose. `Origin` is compared
# with the complete `Host`, including the port.
OWN_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_TOKEN_FIELD = "token"  # noqa: S105 - the name of the field, not its value
_TOKEN_HEADER = "Studio-Token"  # noqa: S105 - likewise
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # with `no-referrer`, a browser would send `Origin: null` even with our own forms
    "X-Content-Type-Options": "nosniff",
}


class SameOriginOnly:
    """ASGI middleware that accepts unsafe requests only from pages that this server has served since it started.

    The browser's headers prove the origin of the page. The token proves that the page is from the current run of the
    server: a page from an earlier run and a request from another program do not have it. Protective headers are added
    to every response.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reject an unsafe request from anywhere else with status 403, and pass on all other requests."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer: ASGIApp = self._app
        if scope["method"] not in _SAFE_METHODS:
            request = Request(scope, receive)
            if not _is_same_origin(request.headers):
                answer = PlainTextResponse("Only the studio's own pages can submit this form.\n", status_code=403)
            elif not compare_digest((await _token_of(request)).encode(), self._token.encode()):
                answer = PlainTextResponse("The studio was restarted. Reload the page.\n", status_code=403)
            else:
                receive = _again(await request.body(), receive)
        await answer(scope, receive, send_protected)


def _is_same_origin(headers: Headers) -> bool:
    """Return whether the headers show that a page of this server sent the request (Fetch Standard, `Origin` header).

    `Origin: null` means that the page hides its origin. A request without `Origin` is trusted only if it has the
    `Sec-Fetch-Site: same-origin` header, which the browser sets and no script can set.
    """
    origins, sites = headers.getlist("origin"), headers.getlist("sec-fetch-site")
    if origins and origins != [f"http://{headers.get('host', '')}"]:
        return False
    return sites == ["same-origin"] or (not sites and bool(origins))


async def _token_of(request: Request) -> str:
    """Return the token from the header that scripts send, or from the form's hidden field, or an empty string."""
    if _TOKEN_HEADER in request.headers:
        return request.headers[_TOKEN_HEADER]
    return parse_qs((await request.body()).decode(errors="replace")).get(_TOKEN_FIELD, [""])[0]


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` for the application that repeats the body already read, then continues with the original."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed
