"""Protect the public pages: headers on every answer, forms that are ours, and bodies of a bounded size."""

import asyncio
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.model.personal_links import PersonalLink, read_link

LARGEST_FORM = 65_536  # bytes
_MOST_FIELDS = 50
_SECONDS_TO_SEND = 10
_OWN_SITES = frozenset({"same-origin", "none"})
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "interest-cohort=()",
    "Referrer-Policy": "same-origin",  # with `no-referrer`, a browser would send `Origin: null` even with our own forms
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
_BOUNDARY = re.compile(r'\bboundary=(?:"([^"]{1,70})"|([^\s";]{1,70}))', re.IGNORECASE)  # RFC 2046, section 5.1.1
_FIELD_NAME = re.compile(rb'[;\s]name="?([^";\n]*)', re.IGNORECASE)
_LONGEST_PART_HEAD = 1000  # bytes
_ENCODED = tuple((name.lower().encode(), value.encode()) for name, value in _HEADERS.items())
_NEEDLESS_SLASHES = re.compile(r"/+(?=/|\Z)")
Form = Mapping[str, tuple[str, ...]]  # field → all its values


class ProtectiveHeaders:
    """ASGI middleware that adds protective headers to every answer, unless the answer has its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on. A client that goes away before it has sent everything is no error."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", ()))
                named = {name for name, _ in own}
                message["headers"] = own + [header for header in _ENCODED if header[0] not in named]
            await send(message)

        try:
            # A proxy may leave a slash too many around a path, and a one-click request must not be redirected.
            scope["path"] = _NEEDLESS_SLASHES.sub("", scope["path"]) or "/"
            await self._app(scope, receive, send_protected)
        except ClientDisconnect:
            return


def is_own_form(headers: Headers, origin: str) -> bool:
    """Return whether the headers allow that one of our own pages sent the form.

    A browser always says where a form comes from, in `Origin` or `Sec-Fetch-Site` (Fetch Standard). Without either, the
    form came from something else, such as a browser without graphics. The code in the form then has to be enough.
    """
    origins, sites = headers.getlist("origin"), headers.getlist("sec-fetch-site")
    if origins and [each.lower() for each in origins] != [origin]:
        return False
    return all(site in _OWN_SITES for site in sites)


async def read_body(request: Request, *, most: int) -> bytes:
    """Return the body. Raise HTTPException 413 if it has more than `most` bytes, and 408 if it takes too long."""
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS_TO_SEND):
            async for piece in request.stream():
                body += piece
                if len(body) > most:
                    raise HTTPException(413, headers={"Connection": "close"})
    except TimeoutError as err:
        raise HTTPException(408, headers={"Connection": "close"}) from err
    return bytes(body)


async def read_form(request: Request) -> Form:
    """Return the fields of a form, urlencoded or multipart. What cannot be read counts as a form without fields.

    The character NUL is left out: no one types it, and PostgreSQL cannot store it.
    """
    body = await read_body(request, most=LARGEST_FORM)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        pairs = _multipart_fields(request.headers.get("content-type", ""), body)
    else:
        pairs = _urlencoded_fields(body)
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        fields[name] = (*fields.get(name, ()), value.replace("\0", ""))
    return fields


def first(form: Form, name: str) -> str:
    """Return the first value of a field, without spaces around it, or an empty string."""
    return form.get(name, ("",))[0].strip()


def link_in(request: Request) -> PersonalLink | None:
    """Return the personal link in the path of a request, or None if it is none. It may still lead to no one."""
    return read_link(request.path_params["link"])


def _urlencoded_fields(body: bytes) -> list[tuple[str, str]]:
    try:
        text = body.decode("utf-8", errors="replace")
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return []


def _multipart_fields(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """Return the fields of a multipart form (RFC 7578). Our own forms are never sent so, but scripts may send them.

    `email` would read parts within parts: 64 KB of them take it seconds, in which no one else gets an answer.
    """
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        return []
    pairs: list[tuple[str, str]] = []
    for part in body.split(b"--" + (boundary[1] or boundary[2]).encode("latin-1"), _MOST_FIELDS)[1:]:
        head, _, content = part.replace(b"\r\n", b"\n").partition(b"\n\n")
        if name := _FIELD_NAME.search(head[:_LONGEST_PART_HEAD]):
            value = content.removesuffix(b"\n").decode("utf-8", errors="replace")
            pairs.append((name[1].decode("utf-8", errors="replace"), value))
    return pairs
