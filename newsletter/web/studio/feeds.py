"""The sections of an issue that take items from feeds and calendars: what they have, and what is new there."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from newsletter.content.loader import load_issue
from newsletter.errors import MistakesError, NewsletterError
from newsletter.language.counts import count_of
from newsletter.model.issue import Issue
from newsletter.render.theme import Theme
from newsletter.system.hosts import is_public
from newsletter.web.studio.confirmations import Question, Settlement
from newsletter.web.studio.road import Fields, said_on_page, with_form
from newsletter.web.studio.studio import Studio
from newsletter.web.studio.templates import page
from newsletter.workflows.compose.fetch import FetchPlan, fetched_sections, plan_fetch, write_fetch

_CONFLICT, _GONE = 409, 410


def routes(studio: Studio) -> list[BaseRoute]:
    """Return the routes of the page and of its forms."""
    pages = _FeedPages(studio)
    return [
        Route("/{issue}/feeds", pages.show),
        Route("/{issue}/feeds", with_form(pages.look), methods=["POST"]),
        Route("/{issue}/feeds/write", with_form(pages.write), methods=["POST"]),
    ]


class _FeedPages:
    """The request handlers. They run in threads, because they read files and wait for servers."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def show(self, request: Request) -> Response:
        """Return the page with the sections and the items that they have."""
        return self._page(request)

    def look(self, request: Request, _fields: Fields) -> Response:
        """Download what the sections take, show what would change, and ask whether to write it."""
        config, folder = self._studio.config, self._folder(request)
        try:
            plan = plan_fetch(config, folder, now=datetime.now(UTC), is_allowed=is_public)
        except NewsletterError as err:
            return self._page(request, problem=said_on_page(err), status=_CONFLICT)
        action = f"Write {count_of(len(plan.items), 'item')}"
        act = partial(_written, plan)
        question = Question(issue=request.path_params["issue"], title=action, facts=(), action=action, act=act)
        return self._page(request, plan=plan, key=self._studio.confirmations.ask(question), action=action)

    def write(self, request: Request, fields: Fields) -> Response:
        """Write what was shown, once."""
        asked = self._studio.confirmations.find(request.path_params["issue"], next(iter(fields.get("key", ())), ""))
        if asked is None:
            return self._page(request, problem="This is too long ago. Look for new items again.", status=_GONE)
        self._studio.confirmations.answer(asked)
        settled = asked.settlement or Settlement()
        status = _CONFLICT if settled.failure else 200
        return self._page(request, problem=settled.failure, said=" ".join(settled.said), status=status)

    def _folder(self, request: Request) -> Path:
        folder = self._studio.proofs.issues().get(request.path_params["issue"])
        if folder is None:
            raise HTTPException(404, "There is no such issue.\n")
        return folder

    def _issue(self, request: Request) -> Issue:
        config, folder = self._studio.config, self._folder(request)
        try:
            return load_issue(config, folder, Theme(config.root).section_types)
        except MistakesError as err:
            raise HTTPException(409, f"Correct the mistakes in the issue first:\n{err}\n") from err

    def _page(
        self,
        request: Request,
        *,
        plan: FetchPlan | None = None,
        key: str = "",
        action: str = "",
        said: str = "",
        problem: str = "",
        status: int = 200,
    ) -> Response:
        issue = self._issue(request)
        return page(
            self._studio,
            "feeds.html.j2",
            status=status,
            issue=request.path_params["issue"],
            sources=fetched_sections(issue),
            items={section.name: section.items for section in issue.sections},
            plan={} if plan is None else {section.name: section for section in plan.sections},
            count=0 if plan is None else len(plan.items),
            key=key,
            action=action,
            said=said,
            problem=problem,
        )


def _written(plan: FetchPlan) -> Settlement:
    write_fetch(plan)
    return Settlement(said=(f"{count_of(len(plan.items), 'item')} written.",))
