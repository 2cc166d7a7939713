"""The page of one issue: the email in the middle, as its readers will see it, updated while you write."""

from urllib.parse import parse_qs, quote

from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from newsletter.errors import InputError
from newsletter.model.rendered import with_local_pictures
from newsletter.web.studio.issue_page import issue_page, mail_on_page
from newsletter.web.studio.proofs import IssueProof
from newsletter.web.studio.studio import Studio
from newsletter.web.studio.templates import page
from newsletter.web.studio.views import Pictures, StudioView, SubscriberLookup, html_for_frame, view_from
from newsletter.web.studio.watch import revision_events

_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src {pictures}; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
_PICTURE_SOURCES = {Pictures.ON: "'self' https: data:", Pictures.OFF: "'none'"}


def routes(studio: Studio) -> list[BaseRoute]:
    """Return the routes of an issue's page. The front page leads to the issue that the studio was opened with."""
    pages = _IssuePages(studio)
    return [
        Route("/", pages.front),
        Route("/{issue}/", pages.page),
        Route("/{issue}/reader", pages.look_up, methods=["POST"]),
        Route("/{issue}/mail.html", pages.mail),
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
            proof = proofs.proof(issue)
        except InputError:
            return page(self._studio, "missing.html.j2", status=404, issue=issue, issues=tuple(proofs.issues()))
        view = view_from(request.query_params)
        return issue_page(self._studio, proof, view, lookup=self._lookup(proof, view))

    async def look_up(self, request: Request) -> Response:
        """Remember the address from the form. Redirect to the page that shows the email for that subscriber."""
        fields = parse_qs((await request.body()).decode(errors="replace"))
        key = self._studio.lookups.remember(fields.get("email", [""])[0].strip())
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
        return StreamingResponse(
            revision_events(self._studio.proofs, issue, self._studio.pulse), media_type="text/event-stream"
        )

    def _proof(self, request: Request) -> IssueProof:
        try:
            return self._studio.proofs.proof(request.path_params["issue"])
        except InputError as err:
            raise HTTPException(404, f"{err}\n") from err

    def _lookup(self, proof: IssueProof, view: StudioView) -> SubscriberLookup | None:
        return self._studio.lookups.find(view.reader, proof.config, proof.composed)
