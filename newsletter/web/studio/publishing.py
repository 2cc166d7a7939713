"""The archive in the studio: what is published, what publishing would change, and publishing it once that was seen."""

from collections.abc import Callable
from datetime import UTC, datetime
from secrets import token_urlsafe
from threading import Lock, Thread

from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.content.loader import issue_names
from newsletter.destinations.destination import SitePlan
from newsletter.destinations.site_kinds import headers_of
from newsletter.errors import NewsletterError
from newsletter.web.studio.road import Fields, said_on_page, with_form
from newsletter.web.studio.studio import Studio, opened
from newsletter.web.studio.templates import page
from newsletter.workflows.publish.archived import ArchivedIssue, archived_issues
from newsletter.workflows.publish.publish import (
    Edition,
    destination_of,
    differs,
    make_edition,
    pages_among,
    plan_edition,
    plan_facts,
    publish_edition,
    publish_question,
    require_archive,
)

_FOUND = 303
_CHANGED = "The place changed after you looked. This is what publishing would do now."
# A page as it would be published, without its scripts, and without the way to its forms.
_PREVIEW_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' https: data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def routes(studio: Studio) -> list[BaseRoute]:
    """Return the routes of the archive."""
    pages = _ArchivePages(studio)
    return [
        Route("/-/archive", pages.archive),
        Route("/-/archive/account", pages.account),
        Route("/-/archive/look", with_form(pages.look), methods=["POST"]),
        Route("/-/archive/publish", with_form(pages.publish), methods=["POST"]),
        Route("/-/archive/pages/{path:path}", pages.preview),
    ]


class ArchivePlan(Struct, frozen=True, kw_only=True):
    """What publishing would do, as it is shown to a person before they agree."""

    key: str
    edition: Edition
    plan: SitePlan
    facts: tuple[tuple[str, str], ...]
    notice: str = ""

    @property
    def question(self) -> str:
        """What the button says."""
        return publish_question(self.plan).removesuffix("?")

    @property
    def pages(self) -> tuple[str, ...]:
        """The pages that are new or changed, which can be looked at."""
        return pages_among((*self.plan.added, *self.plan.changed))


class _Work(Struct):
    """What is being done to the archive. Only one thread at a time changes it."""

    doing: str = ""  # in words, while a thread does it
    done: float = 0.0  # the fraction
    planned: ArchivePlan | None = None
    said: str = ""
    failure: str = ""


class _ArchivePages:
    def __init__(self, studio: Studio) -> None:
        self._studio, self._work, self._turn = studio, _Work(), Lock()

    def archive(self, _request: Request) -> Response:
        """Return the page of the archive."""
        return self._page("archive.html.j2")

    def account(self, _request: Request) -> Response:
        """Return what is being done, and what publishing would change, as a part of the page."""
        return self._page("archive_account.html.j2")

    def look(self, _request: Request, _fields: Fields) -> Response:
        """Begin to make the pages, to see what publishing would change."""
        return self._begin("Making the pages", self._look)

    def publish(self, _request: Request, fields: Fields) -> Response:
        """Begin to publish what was shown. A form that is sent again does nothing."""
        planned, key = self._work.planned, next(iter(fields.get("key", ())), "")
        if planned is None or planned.key != key:
            return RedirectResponse("/-/archive", status_code=_FOUND)
        return self._begin("Publishing", lambda: self._publish(planned))

    def preview(self, request: Request) -> Response:
        """Return a file as it would be published."""
        path, planned = request.path_params["path"], self._work.planned
        name = f"{path}index.html" if path.endswith("/") or not path else path
        files = planned.edition.files if planned else ()
        content = next((file.content for file in files if file.path == name), None)
        if content is None:
            raise HTTPException(404, "There is no such page. Look again at what would change.\n")
        headers = {"Content-Type": headers_of(name).content_type, "Content-Security-Policy": _PREVIEW_POLICY}
        return Response(content, headers={**headers, "Cache-Control": "no-store"})

    def _begin(self, doing: str, work: Callable[[], None]) -> Response:
        with self._turn:
            if not self._work.doing:
                self._work = _Work(doing=doing, planned=self._work.planned)
                Thread(target=self._do, args=(work,), name="archive", daemon=True).start()
        return RedirectResponse("/-/archive", status_code=_FOUND)

    def _do(self, work: Callable[[], None]) -> None:
        try:
            work()
        except NewsletterError as err:
            self._work.planned, self._work.failure = None, said_on_page(err)
        except BaseException:
            self._work.planned, self._work.failure = None, "An unexpected error interrupted it."
            raise
        finally:
            self._work.doing = ""

    def _look(self) -> None:
        config, now = self._studio.read_config(), datetime.now(UTC)
        require_archive(config)
        total, count = len(issue_names(config)), 0

        def on_done(_issue: str) -> None:
            nonlocal count
            count += 1
            self._work.done = min(count / max(total, 1), 1.0)

        if config.has_database:
            with opened(config) as database:
                edition = make_edition(config, database, now=now, on_done=on_done)
        else:
            edition = make_edition(config, None, now=now, on_done=on_done)
        self._work.planned = self._planned(edition)

    def _planned(self, edition: Edition, notice: str = "") -> ArchivePlan:
        config = self._studio.read_config()
        plan = plan_edition(edition, destination_of(config))
        facts = plan_facts(edition, plan, require_archive(config).to or "")
        return ArchivePlan(key=token_urlsafe(16), edition=edition, plan=plan, facts=facts, notice=notice)

    def _publish(self, planned: ArchivePlan) -> None:
        """Publish exactly what was shown. If that would do something else by now, show that instead."""
        config = self._studio.read_config()
        destination = destination_of(config)
        if plan_edition(planned.edition, destination) != planned.plan:
            self._work.planned = self._planned(planned.edition, _CHANGED)
            return

        def on_progress(done: int, total: int) -> None:
            self._work.done = done / max(total, 1)

        publish_edition(config, planned.edition, destination, on_progress)
        self._work.planned, self._work.said = None, f"The archive is published: {require_archive(config).url}/"

    def _page(self, template: str) -> Response:
        config, work = self._studio.config, self._work
        archive, problem, issues = config.settings.archive, "", tuple[ArchivedIssue, ...]()
        try:
            require_archive(config)
        except NewsletterError as err:
            problem = said_on_page(err)
        if config.has_database:
            with opened(config) as database:
                issues = archived_issues(config, database)
        else:
            issues = archived_issues(config, None)
        planned = work.planned
        return page(
            self._studio,
            template,
            archive=archive,
            problem=problem,
            issues=issues,
            work=work,
            planned=planned,
            differs=planned is not None and differs(planned.plan),
        )
