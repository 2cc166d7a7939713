"""Protect a local server from other websites: they can neither embed its pages nor submit forms to it."""

from collections.abc import Mapping
from hmac import compare_digest
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.model.picture_files import MOST_BYTES

# The host names that Starlette's TrustedHostMiddleware accepts. A website can make its own domain resolve to 127.0.0.1
# and so reach our port from a visitor's browser (DNS rebinding), but `Host` then still contains the website's domain.
# The middleware keeps the brackets of an IPv6 address and ignores the port. That is enough: a browser sends the port
# that it connects to, so a different port means that someone forwards that port here on purpose. `Origin` is compared
# with the complete `Host`, including the port.
OWN_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_TOKEN_FIELD = "token"  # noqa: S105 - the name of the field, not its value
_TOKEN_HEADER = "Studio-Token"  # noqa: S105 - likewise
_LARGEST_FORM = 8_000_000  # bytes
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
    server: a page from an earlier run and a request from another program do not have it. Safe requests are accepted
    from everywhere but the inside of other websites' pages. Protective headers are added to every response.
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
        if scope["method"] in _SAFE_METHODS:
            if _is_inside_another_site(Headers(scope=scope)):
                answer = PlainTextResponse("Only the studio's own pages can load this.\n", status_code=403)
        else:
            request = Request(scope, receive)
            stated = request.headers.get(_TOKEN_HEADER, "")
            is_ours = _is_same_origin(request.headers)
            most = MOST_BYTES if _is_same(stated, self._token) else _LARGEST_FORM
            body = await _body_of(request, most) if is_ours else None
            if not is_ours:
                answer = PlainTextResponse("Only the studio's own pages can submit this form.\n", status_code=403)
            elif body is None:
                answer = PlainTextResponse(f"The form is larger than {most // 1_000_000} MB.\n", status_code=413)
            elif not _is_same(stated or _token_in(body), self._token):
                answer = PlainTextResponse("The studio was restarted. Reload the page.\n", status_code=403)
            else:
                receive = _again(body, receive)
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


def _is_inside_another_site(headers: Headers) -> bool:
    """Return whether a page of another site loads something of ours as a part of itself, such as an image.

    It may not read the answer, but it could make the studio work: draw pictures, or log in at the provider to check
    the settings. A link from there to a page is fine. A program that is no browser does not send these headers.
    """
    sites = headers.getlist("sec-fetch-site")
    is_foreign = any(site not in {"same-origin", "none"} for site in sites)
    return is_foreign and headers.getlist("sec-fetch-dest") != ["document"]


async def _body_of(request: Request, most: int) -> bytes | None:
    """Return the body of a request, or None if it has more than `most` bytes. The rest is then not read."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            return None
    return bytes(body)


def _token_in(body: bytes) -> str:
    """Return the token from the form's hidden field, or an empty string."""
    return parse_qs(body.decode(errors="replace")).get(_TOKEN_FIELD, [""])[0]


def _is_same(token: str, wanted: str) -> bool:
    return compare_digest(token.encode(), wanted.encode())


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` for the application that repeats the body already read, then continues with the original."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed
