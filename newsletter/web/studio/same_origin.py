"""Keep other websites away from a server on loopback: they can neither embed its pages nor send it a form."""

from collections.abc import Mapping
from hmac import compare_digest
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# For Starlette's TrustedHostMiddleware. A website can let its own name resolve to 127.0.0.1 and so reach our port from
# a visitor's browser (DNS rebinding); `Host` then still carries the foreign name. The middleware keeps the brackets of
# an IPv6 address and ignores the port. That is enough: a browser names the port that it connects to, so another one
# means that somebody forwards it here on purpose, and `Origin` is compared with the whole of `Host`, port included.
OWN_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_TOKEN_FIELD = "token"  # noqa: S105 - the name of the field, not its value
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # under `no-referrer` a browser sends `Origin: null` with our own forms
    "X-Content-Type-Options": "nosniff",
}


class SameOriginOnly:
    """ASGI middleware that takes an unsafe request only from a page that this start of the server has handed out.

    The browser vouches for the origin of the page, and the token for the start: a page that is still open from an
    earlier start, or another program's request, has no token. Every answer gets the protecting headers.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 to an unsafe request from elsewhere; pass on all others."""
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
                answer = PlainTextResponse("Only the studio's own pages may send this.\n", status_code=403)
            elif not compare_digest(_token_in(await request.body()).encode(), self._token.encode()):
                answer = PlainTextResponse("The studio was restarted. Reload the page.\n", status_code=403)
            else:
                receive = _again(await request.body(), receive)
        await answer(scope, receive, send_protected)


def _is_same_origin(headers: Headers) -> bool:
    """Return whether the browser says that a page of this server sends the request (Fetch Standard, `Origin` header).

    `Origin: null` stands for a page that hides where it comes from. A request without `Origin` is trusted only if the
    browser says `Sec-Fetch-Site: same-origin`, which no script can set.
    """
    origins, sites = headers.getlist("origin"), headers.getlist("sec-fetch-site")
    if origins and origins != [f"http://{headers.get('host', '')}"]:
        return False
    return sites == ["same-origin"] or (not sites and bool(origins))


def _token_in(body: bytes) -> str:
    """Return the token of a form, which is in a hidden field."""
    return parse_qs(body.decode(errors="replace")).get(_TOKEN_FIELD, [""])[0]


def _again(body: bytes, receive: Receive) -> Receive:
    """Return what the application is to receive: the body that has been read, then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed
