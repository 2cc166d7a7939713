"""The application of the studio: its groups of pages, and what holds for all of them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from secrets import token_urlsafe

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import BaseRoute, Route

from newsletter.config import Config
from newsletter.web.studio import issue, setup
from newsletter.web.studio.proofs import Proofs
from newsletter.web.studio.same_origin import OWN_HOSTS, SameOriginOnly
from newsletter.web.studio.studio import Studio
from newsletter.web.studio.templates import studio_file
from newsletter.web.studio.views import Lookups, MailFor
from newsletter.web.studio.watch import Pulse, watch_workspace
from newsletter.workflows.compose.reader import mail_for_address

# Every group of pages: each returns its routes. Pages of one issue are below `/{issue}/`, all others below `/-/`, which
# cannot be the name of an issue. So the groups with pages below `/-/` come first.
_GROUPS: Sequence[Callable[[Studio], list[BaseRoute]]] = (setup.routes, issue.routes)


def studio_app(
    config: Config, folder: Path, *, pulse: Pulse | None = None, mail_for: MailFor = mail_for_address
) -> Starlette:
    """Return the studio's application. Its front page leads to the issue in `folder`.

    `pulse` notifies open pages of changes. The caller that starts a server must end the pulse, so that the pages close
    their connections. `mail_for` returns the email for a subscriber.
    """
    studio = Studio(
        proofs=Proofs(config, folder), lookups=Lookups(mail_for), token=token_urlsafe(), pulse=pulse or Pulse()
    )
    return Starlette(
        routes=[Route("/-/files/{name}", studio_file), *(route for group in _GROUPS for route in group(studio))],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=OWN_HOSTS),
            Middleware(SameOriginOnly, token=studio.token),
        ],
        lifespan=lambda _app: _watching(studio),
    )


@asynccontextmanager
async def _watching(studio: Studio) -> AsyncIterator[None]:
    """Watch the files while the site is running."""

    async def note_changes(paths: Collection[Path]) -> None:
        await run_in_threadpool(studio.proofs.note_changes, paths)
        studio.pulse.beat()

    task = asyncio.create_task(watch_workspace(studio.proofs, note_changes))
    try:
        yield
    finally:
        studio.pulse.end()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
