"""Comments of reviewers on an issue, each with its block, file and line, until you mark it as done."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.errors import InputError
from newsletter.web.studio.studio import Studio
from newsletter.web.studio.templates import page
from newsletter.workflows.review.remarks import located, mark_remark, remarks_of

_LARGEST_FORM = 4096  # bytes
_LONGEST_NUMBER = 18  # digits


def routes(studio: Studio) -> list[BaseRoute]:
    """Return the routes of the comments."""
    pages = _RemarkPages(studio)
    return [
        Route("/{issue}/remarks", pages.show),
        Route("/{issue}/remarks", pages.mark, methods=["POST"]),
    ]


class _RemarkPages:
    """The request handlers. Those that are not `async` run in threads, because they read the database."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def show(self, request: Request) -> Response:
        """Show the comments: those that are open, then those that are done."""
        issue = request.path_params["issue"]
        try:
            proof = self._studio.proofs.proof(issue)
        except InputError as err:
            raise HTTPException(404, f"{err}\n") from err
        remarks = located(remarks_of(proof.config, proof.issue), proof.composed)
        return page(
            self._studio,
            "remarks.html.j2",
            issue=proof.issue,
            waiting=[each for each in remarks if each.remark.done_at is None],
            done=[each for each in remarks if each.remark.done_at is not None],
        )

    async def mark(self, request: Request) -> Response:
        """Mark a comment as done, or as open again. Redirect to the comments."""
        body = await request.body()
        if len(body) > _LARGEST_FORM:
            raise HTTPException(413)
        fields = parse_qs(body.decode(errors="replace"))
        await run_in_threadpool(self._mark, request.path_params["issue"], fields)
        return RedirectResponse(f"/{quote(request.path_params['issue'])}/remarks", status_code=303)

    def _mark(self, issue: str, fields: dict[str, list[str]]) -> None:
        number, now = fields.get("remark", [""])[0], datetime.now(UTC)
        if not (number.isascii() and number.isdigit() and len(number) <= _LONGEST_NUMBER):
            raise HTTPException(404, "There is no such comment.\n")
        try:
            proof = self._studio.proofs.proof(issue)
            done_at = None if fields.get("open") else now
            mark_remark(proof.config, proof.issue, int(number), done_at=done_at)
        except InputError as err:
            raise HTTPException(404, f"{err}\n") from err
