"""The application of the studio: its groups of pages, and what holds for all of them."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cached_property
from importlib import import_module
from pathlib import Path
from secrets import token_urlsafe

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Match, Route, Router
from starlette.types import Receive, Scope, Send

from newsletter.config import Config
from newsletter.errors import NewsletterError
from newsletter.model.finding import Means
from newsletter.web.studio import (
    correcting,
    difference,
    editing,
    issue,
    links,
    outbox,
    proposals,
    remarks,
    road,
    sending,
    shelf,
    translations,
)
from newsletter.web.studio.proofs import Proofs
from newsletter.web.studio.same_origin import OWN_HOSTS, SameOriginOnly
from newsletter.web.studio.studio import Studio
from newsletter.web.studio.templates import studio_file
from newsletter.web.studio.thrift import Thrift
from newsletter.web.studio.watch import Pulse, watch_workspace
from newsletter.web.studio.whom import Lookups
from newsletter.workflows.send.courier import Courier

# The groups that are loaded at the start: each returns its routes. Pages of one issue are below `/{issue}/`, all
# others below `/-/`, which cannot be the name of an issue. So the groups with pages below `/-/` come first.
_GROUPS: Sequence[Callable[[Studio], list[BaseRoute]]] = (
    editing.routes,
    proposals.routes,
    shelf.routes,
    outbox.routes,
    difference.routes,
    translations.routes,
    road.routes,
    correcting.routes,
    sending.routes,
    remarks.routes,
    issue.routes,
    links.routes,
)

# The groups that load large libraries and are seldom opened, with a pattern for the beginning of their paths. Each is
# loaded when one of its pages is first opened, which saves 18 MiB until then.
_LATE_GROUPS: Mapping[str, str] = {
    "setup": "/-/setup",
    "publishing": "/-/archive",
    "feeds": "/[^/]+/feeds",
    "rehearsals": "/[^/]+/sending/rehearsals?",
    "report": "/[^/]+/report",
    "apps": "/[^/]+/apps",
}


def studio_app(
    config: Config,
    folder: Path,
    *,
    pulse: Pulse | None = None,
    courier: Courier | None = None,
    without: Collection[Means] = (),
) -> Starlette:
    """Return the studio's application. Its front page leads to the issue in `folder`.

    `pulse` notifies open pages of changes. The caller that starts a server must end the pulse, so that the pages close
    their connections. `courier` sends broadcasts; it ends with the application. `without` are the tools that the checks
    before a broadcast do not use.
    """
    studio = Studio(
        proofs=Proofs(config, folder),
        lookups=Lookups(),
        token=token_urlsafe(),
        pulse=pulse or Pulse(),
        courier=courier or Courier(),
        without=frozenset(without),
    )
    return Starlette(
        routes=[
            Route("/-/files/{name}", studio_file),
            *(_LateGroup(studio, module, paths) for module, paths in _LATE_GROUPS.items()),
            *(route for group in _GROUPS for route in group(studio)),
        ],
        exception_handlers={NewsletterError: _say_error},
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=OWN_HOSTS),
            Middleware(SameOriginOnly, token=studio.token),
        ],
        lifespan=lambda _app: _watching(studio),
    )


class _LateGroup(BaseRoute):
    """A group of pages whose module is loaded when one of them is first opened."""

    def __init__(self, studio: Studio, module: str, paths: str) -> None:
        self._studio = studio
        self._module = module
        self._paths = re.compile(rf"{paths}(/.*)?", re.DOTALL)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether the path of a request is that of one of these pages."""
        return (Match.FULL if self._paths.fullmatch(scope["path"]) else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on to the page that has its path."""
        await self._pages(scope, receive, send)

    @cached_property
    def _pages(self) -> Router:
        return Router(import_module(f"newsletter.web.studio.{self._module}").routes(self._studio))


def _say_error(_request: Request, err: Exception) -> Response:
    """Return why a page cannot be shown, for example because the database cannot be reached."""
    return PlainTextResponse(f"{err}\n", status_code=503)


@asynccontextmanager
async def _watching(studio: Studio) -> AsyncIterator[None]:
    """Watch the files while the site is running."""
    thrift = Thrift(studio.proofs)

    async def note_changes(paths: Collection[Path]) -> None:
        await run_in_threadpool(studio.proofs.note_changes, paths)
        studio.pulse.beat()
        await run_in_threadpool(thrift.note_save)

    task = asyncio.create_task(watch_workspace(studio.proofs, note_changes))
    try:
        yield
    finally:
        studio.pulse.end()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        for end in (studio.courier.end, studio.covers.end, studio.outbox.end, *studio.endings):
            await run_in_threadpool(end)
