"""Keeps a server on loopback to the person who started it: other websites can neither reach nor embed it."""

from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HOSTS = ("127.0.0.1", "localhost")
_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class LoopbackOnly:
    """ASGI middleware that refuses a request whose Host is not this server's own address.

    A foreign website can have its own name resolve to 127.0.0.1 and so reach the port from a visitor's browser (DNS
    rebinding); the Host header then still carries the foreign name.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 421 to a foreign Host; adds the protecting headers to every other answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if Headers(scope=scope).get("host") in _own_names(scope):
            await self._app(scope, receive, send_protected)
        else:
            refusal = PlainTextResponse("This server answers on its own address alone.\n", status_code=421)
            await refusal(scope, receive, send_protected)


def _own_names(scope: Scope) -> set[str]:
    """The Host headers that a browser sends which was given our own address."""
    port = scope["server"][1]
    names = {f"{host}:{port}" for host in _HOSTS}
    return names | set(_HOSTS) if port == 80 else names
