"""The studio: a local website that shows an issue as its readers will see it, and is updated while you write.

It is reachable only from this machine (on the loopback interface) and runs until you press Ctrl-C.
"""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from secrets import token_urlsafe
from urllib.parse import parse_qs, quote

import uvicorn
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.model.rendered import with_local_pictures
from newsletter.web.studio.page import mail_on_page, missing_page, studio_file, studio_page
from newsletter.web.studio.proofs import IssueProof, Proofs
from newsletter.web.studio.same_origin import OWN_HOSTS, SameOriginOnly
from newsletter.web.studio.views import (
    Lookups,
    MailFor,
    Pictures,
    StudioView,
    SubscriberLookup,
    html_for_frame,
    view_from,
)
from newsletter.web.studio.watch import Pulse, revision_events, watch_workspace
from newsletter.workflows.compose.reader import mail_for_address

HOST, _HOST_IPV6 = "127.0.0.1", "::1"
DEFAULT_PORT = 8025
_PORTS_TRIED = 20
_HIGHEST_PORT = 65535
_REASONS = {
    errno.EADDRINUSE: "another program is using it; delete --port from the command, and a free port will be used",
    errno.EACCES: "the system reserves it; choose a port from 1024 to 65535, for example --port 8030",
}
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; frame-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src {pictures}; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
_PICTURE_SOURCES = {Pictures.ON: "'self' https: data:", Pictures.OFF: "'none'"}


def preview_app(
    config: Config, folder: Path, *, pulse: Pulse | None = None, mail_for: MailFor = mail_for_address
) -> Starlette:
    """Return the studio's application. Its front page leads to the issue in `folder`.

    `pulse` notifies open pages of changes. The caller that starts a server must end the pulse, so that the pages close
    their connections. `mail_for` returns the email for a subscriber.
    """
    token = token_urlsafe()
    studio = _Studio(Proofs(config, folder), pulse or Pulse(), Lookups(mail_for), token)
    return Starlette(
        routes=[
            Route("/", studio.front),
            Route("/studio.css", studio.style),
            Route("/studio.js", studio.script),
            Route("/{issue}/", studio.page),
            Route("/{issue}/reader", studio.look_up, methods=["POST"]),
            Route("/{issue}/mail.html", studio.mail),
            Route("/{issue}/pictures/{name}", studio.picture),
            Route("/{issue}/events", studio.events),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=OWN_HOSTS),
            Middleware(SameOriginOnly, token=token),
        ],
        lifespan=studio.watching,
    )


class _Studio:
    """The site's request handlers. Those that are not `async` run in threads, because they may compose an issue."""

    def __init__(self, proofs: Proofs, pulse: Pulse, lookups: Lookups, token: str) -> None:
        self._proofs = proofs
        self._pulse = pulse
        self._lookups = lookups
        self._token = token

    @asynccontextmanager
    async def watching(self, _app: Starlette) -> AsyncIterator[None]:
        """Watch the files while the site is running."""
        task = asyncio.create_task(watch_workspace(self._proofs, self._note_changes))
        try:
            yield
        finally:
            self._pulse.end()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _note_changes(self, paths: Collection[Path]) -> None:
        await run_in_threadpool(self._proofs.note_changes, paths)
        self._pulse.beat()

    def front(self, _request: Request) -> Response:
        """Redirect to the issue that the studio was opened with."""
        return RedirectResponse(f"/{quote(self._proofs.first)}/")

    def style(self, _request: Request) -> Response:
        """Return the style sheet."""
        return Response(studio_file("studio.css"), media_type="text/css")

    def script(self, _request: Request) -> Response:
        """Return the script."""
        return Response(studio_file("studio.js"), media_type="text/javascript")

    def page(self, request: Request) -> Response:
        """Return the page of an issue."""
        policy = {"Content-Security-Policy": _PAGE_POLICY}
        issue = request.path_params["issue"]
        try:
            proof = self._proofs.proof(issue)
        except InputError:
            return HTMLResponse(missing_page(issue, self._proofs.issues()), status_code=404, headers=policy)
        view = view_from(request.query_params)
        html = studio_page(proof, view, self._proofs.issues(), lookup=self._lookup(proof, view), token=self._token)
        return HTMLResponse(html, headers=policy)

    async def look_up(self, request: Request) -> Response:
        """Remember the address from the form. Redirect to the page that shows the email for that subscriber."""
        fields = parse_qs((await request.body()).decode(errors="replace"))
        key = self._lookups.remember(fields.get("email", [""])[0].strip())
        view = replace(view_from(request.query_params), reader=key)
        return RedirectResponse(f"./?{view.query}", status_code=303)

    def mail(self, request: Request) -> Response:
        """Return the email itself, for a frame on the page.

        If images are off, the browser is not allowed to load them, and shows their alt text, as an email app does.
        """
        proof = self._proof(request)
        if proof.composed is None:
            raise HTTPException(404, "The issue cannot be built yet. Fix its errors first.\n")
        view = view_from(request.query_params)
        mail = mail_on_page(proof.config, proof.composed, view, self._lookup(proof, view))
        html = html_for_frame(mail.html, view.scheme)
        html = with_local_pictures(html, proof.composed.rendered.pictures, "pictures/")
        policy = _MAIL_POLICY.format(pictures=_PICTURE_SOURCES[view.pictures])
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    def picture(self, request: Request) -> Response:
        """Return an image in the email. It is looked up by name among the rendered images, never on the disk."""
        composed = self._proof(request).composed
        for picture in composed.rendered.pictures if composed else ():
            if picture.name == request.path_params["name"]:
                return Response(picture.content, media_type=picture.content_type)
        raise HTTPException(404, "There is no such image in this issue.\n")

    async def events(self, request: Request) -> Response:
        """Return the stream of events that notifies the page of changes."""
        issue = request.path_params["issue"]
        await run_in_threadpool(self._proof, request)
        return StreamingResponse(revision_events(self._proofs, issue, self._pulse), media_type="text/event-stream")

    def _proof(self, request: Request) -> IssueProof:
        try:
            return self._proofs.proof(request.path_params["issue"])
        except InputError as err:
            raise HTTPException(404, f"{err}\n") from err

    def _lookup(self, proof: IssueProof, view: StudioView) -> SubscriberLookup | None:
        return self._lookups.find(view.reader, proof.config, proof.composed)


def serve_preview(config: Config, folder: Path, *, port: int | None, on_ready: Callable[[str], None]) -> None:
    """Serve the studio for the issue in `folder` until Ctrl-C.

    `on_ready` is called with the studio's URL when the server is ready. Without a `port`, the default port is used, or
    the next free one. With port 0, the system chooses a free port. Raise InputError if the port cannot be used.
    """
    listener = _any_listener() if port is None else _listener(port)
    port = int(listener.getsockname()[1])
    url = f"http://{HOST}:{port}/"
    listeners = [listener, *_ipv6_listeners(port)]
    pulse = Pulse()
    settings = uvicorn.Config(
        preview_app(config, folder, pulse=pulse),
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        http="h11",
        loop="asyncio",
        ws="none",  # the studio uses no WebSockets, so they need no protection
        timeout_graceful_shutdown=1,
    )
    server = _Server(settings, on_ready=lambda: on_ready(url), on_stop=pulse.end)
    try:
        server.run(sockets=listeners)
    except KeyboardInterrupt:
        pass  # the normal way to stop the studio: uvicorn raises the signal again after it has closed everything
    finally:
        for each in listeners:
            each.close()


class _Server(uvicorn.Server):
    """A uvicorn server that calls back when it is ready, and before it waits for open connections to end."""

    def __init__(self, config: uvicorn.Config, *, on_ready: Callable[[], None], on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then call `on_ready`."""
        await super().startup(sockets)
        if self.started:
            # In a thread, because the callback may open a browser, which requests the page and waits for the response.
            await asyncio.to_thread(self._on_ready)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams of open pages first, because the server would otherwise wait for them."""
        self._on_stop()
        await super().shutdown(sockets)


def _any_listener() -> socket.socket:
    for port in range(DEFAULT_PORT, DEFAULT_PORT + _PORTS_TRIED):
        with suppress(InputError):
            return _listener(port)
    return _listener(0)


def _ipv6_listeners(port: int) -> list[socket.socket]:
    """Listen at the IPv6 address of this machine too, where there is one and the port is free."""
    with suppress(OSError):
        return [socket.create_server((_HOST_IPV6, port), family=socket.AF_INET6)]
    return []


def _listener(port: int) -> socket.socket:
    if port > _HIGHEST_PORT:
        reason = "this port does not exist; choose a port from 1024 to 65535, for example --port 8030"
        raise InputError(f"the studio cannot listen on port {port}: {reason}")
    try:
        return socket.create_server((HOST, port))
    except OSError as err:
        reason = _REASONS.get(err.errno or 0, f"{err.strerror}; choose another port, for example --port 8030")
        raise InputError(f"the studio cannot listen on port {port}: {reason}") from err
