"""The application of the service for subscribers: its routes, and what holds for all of them."""

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router

from newsletter.errors import InputError, StoreError
from newsletter.web.public import archive, asked, health, leaving, preferences, review, signup, tracking, webhook
from newsletter.web.public.pages import logo, said_page, style
from newsletter.web.public.protection import ProtectiveHeaders
from newsletter.web.public.record import OnFault, OnRequest, RequestRecorder
from newsletter.web.public.service import Service

_RETRY_SECONDS = "5"
# Every group of pages: each returns its routes. The router tries them in this order, so those asked most come first.
_GROUPS: Sequence[Callable[[Service], list[BaseRoute]]] = (
    webhook.routes,
    leaving.routes,
    health.routes,
    signup.routes,
    tracking.routes,
    preferences.routes,
    asked.routes,
    review.routes,
)
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")  # a proxy or a monitor on this machine may ask by these names


def service_app(
    service: Service, *, on_request: OnRequest = lambda _: None, on_fault: OnFault | None = None
) -> Starlette:
    """Return the application. All of its pages are below the path of `[service] url`.
    The page for monitors is also at the top, where those on this machine look for it.

    `on_request` is called with what is recorded about each request, and `on_fault` with an unexpected error.
    """
    failures = _Failures(service, on_fault)
    host = urlsplit(service.origin).hostname or ""
    own_host = f"[{host}]" if ":" in host else host
    hosts = [own_host, *([archive.archive_host(service)] if archive.archive_host(service) else []), *_LOOPBACK]
    routes = [*(route for group in _GROUPS for route in group(service)), *_look(service)]
    app = Starlette(
        middleware=[
            Middleware(ProtectiveHeaders),
            Middleware(RequestRecorder, on_request=on_request, on_fault=on_fault, path=service.path),
            Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False),
        ],
        exception_handlers={HTTPException: failures.told, StoreError: failures.busy, InputError: failures.hindered},
    )
    # A redirect would end a one-click request, so slashes too many are taken away before (`ProtectiveHeaders`).
    router = Router(routes, redirect_slashes=False)
    app.router.redirect_slashes = False
    own = [Mount(service.path, app=router), *health.routes(service)] if service.path else list(routes)
    app.router.routes = [*archive.routes(service), *own]
    return app


def _look(service: Service) -> list[BaseRoute]:
    brand = service.config.settings.brand
    return [
        Route("/style.css", lambda _: style(service)),
        Route("/logo", lambda _: logo(service, brand.logo)),
        Route("/logo-dark", lambda _: logo(service, brand.logo_dark)),
    ]


class _Failures:
    """The answers for requests that cannot be carried out."""

    def __init__(self, service: Service, on_fault: OnFault | None) -> None:
        self._service = service
        self._on_fault = on_fault

    def told(self, request: Request, err: Exception) -> Response:
        """Return the page for an address that does not exist, or a bare status for everything else."""
        status = err.status_code if isinstance(err, HTTPException) else 500
        headers = err.headers if isinstance(err, HTTPException) else None
        if status == 404:
            return said_page(self._service, request, ("general", "not_found"), status=404)
        return Response(status_code=status, headers=headers)

    def hindered(self, request: Request, err: Exception) -> Response:
        """Return the same page when the director has to do something first, such as to set the key, and report it."""
        if self._on_fault is not None:
            self._on_fault(err)
        return self.busy(request, err)

    def busy(self, request: Request, _err: Exception) -> Response:
        """Return the page that asks to try again, because nothing could be saved."""
        answer = said_page(self._service, request, ("general", "busy"), status=503)
        answer.headers["Retry-After"] = _RETRY_SECONDS
        return answer
