"""The page of one issue: the email in the middle, as its readers will see it, updated while you write."""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qs, quote

from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from newsletter.errors import InputError
from newsletter.web.studio.frame import frame_html, shown_mail
from newsletter.web.studio.issue_page import issue_page, raw_message
from newsletter.web.studio.proofs import IssueProof
from newsletter.web.studio.studio import Studio
from newsletter.web.studio.templates import page
from newsletter.web.studio.views import Pictures, StudioView, view_from
from newsletter.web.studio.watch import revision_events
from newsletter.web.studio.whom import Whom
from newsletter.workflows.compose.compose import Composed

_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src {pictures}; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
_PICTURE_SOURCES = {Pictures.ON: "'self' https: data:", Pictures.OFF: "'none'"}
_LONGEST_SEARCH = 2000  # bytes of the form
# The studio's other pages, with their titles. They are linked from the page of an issue.
_NEIGHBORS: Mapping[str, str] = {
    "/{issue}/apps": "Email apps",
    "/{issue}/difference": "Differences",
    "/{issue}/translations": "Translations",
    "/{issue}/feeds": "Feeds",
    "/{issue}/remarks": "Comments",
    "/-/shelf": "All issues",
    "/-/outbox": "Outbox",
    "/-/setup": "Setup",
}


def routes(studio: Studio) -> list[BaseRoute]:
    """Return the routes of an issue's page. The front page leads to the issue that the studio was opened with."""
    pages = _IssuePages(studio)
    return [
        Route("/", pages.front),
        Route("/{issue}/", pages.page),
        Route("/{issue}/readers", pages.search, methods=["POST"]),
        Route("/{issue}/mail.html", pages.mail),
        Route("/{issue}/message.eml", pages.message),
        Route("/{issue}/pictures/{name}", pages.picture),
        Route("/{issue}/events", pages.events),
    ]


class _IssuePages:
    """The request handlers. Those that are not `async` run in threads, because they may compose an issue."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def front(self, _request: Request) -> Response:
        """Redirect to the issue that the studio was opened with."""
        return RedirectResponse(f"/{quote(self._studio.proofs.first)}/")

    def page(self, request: Request) -> Response:
        """Return the page of an issue."""
        issue, proofs = request.path_params["issue"], self._studio.proofs
        try:
            proof = proofs.proof(issue).judged
        except InputError:
            return page(self._studio, "missing.html.j2", status=404, issue=issue, issues=tuple(proofs.issues()))
        view, now = view_from(request.query_params), datetime.now(UTC)
        neighbors = {path.format(issue=quote(issue)): title for path, title in _NEIGHBORS.items()}
        return issue_page(self._studio, proof, view, now=now, neighbors=neighbors)

    async def search(self, request: Request) -> Response:
        """Return the subscribers whose name or address contains what was typed. The form's body says what that is."""
        body = await request.body()
        if len(body) > _LONGEST_SEARCH:
            raise HTTPException(413, "A name or an address is not that long.\n")
        text = parse_qs(body.decode(errors="replace")).get("who", [""])[0].strip()
        proof = await run_in_threadpool(self._proof, request)
        matches = await run_in_threadpool(self._studio.lookups.search, proof.config, text)
        view = view_from(request.query_params)
        addresses = {match.key: f"./?{replace(view, reader=match.key).query}" for match in matches.found}
        return page(
            self._studio, "readers.html.j2", issue=proof.issue, query=view.query, matches=matches, addresses=addresses
        )

    def mail(self, request: Request) -> Response:
        """Return the email itself, for a frame on the page.

        If images are off, the browser is not allowed to load them, and shows their alt text, as an email app does.
        """
        proof, composed, view, seen = self._seen(request)
        mail = shown_mail(proof, seen, now=datetime.now(UTC))
        policy = _MAIL_POLICY.format(pictures=_PICTURE_SOURCES[view.pictures])
        return HTMLResponse(frame_html(composed, mail, view), headers={"Content-Security-Policy": policy})

    def message(self, request: Request) -> Response:
        """Return the message as it would be sent to the reader, as a file."""
        proof, _, _, seen = self._seen(request)
        name = quote(f"{proof.issue}.eml")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return Response(
            raw_message(proof.config, seen, now=datetime.now(UTC)), media_type="message/rfc822", headers=headers
        )

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
        return StreamingResponse(
            revision_events(self._studio.proofs, issue, self._studio.pulse), media_type="text/event-stream"
        )

    def _proof(self, request: Request) -> IssueProof:
        try:
            return self._studio.proofs.proof(request.path_params["issue"])
        except InputError as err:
            raise HTTPException(404, f"{err}\n") from err

    def _seen(self, request: Request) -> tuple[IssueProof, Composed, StudioView, Whom]:
        """Return the issue, the view and the reader of a request. Raise HTTPException if there is no email yet."""
        proof, view = self._proof(request), view_from(request.query_params)
        if proof.composed is None:
            raise HTTPException(404, "The issue cannot be built yet. Fix its errors first.\n")
        return proof, proof.composed, view, self._studio.lookups.whom(proof.config, proof.composed, view)
