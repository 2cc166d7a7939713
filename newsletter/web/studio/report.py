"""The report on an issue: the same page that `newsletter report --html` writes."""

from datetime import UTC, datetime
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.errors import CannotRunError, InputError
from newsletter.web.studio.report_file import report_html
from newsletter.web.studio.studio import Studio, opened
from newsletter.workflows.report.click_map import draw_click_map
from newsletter.workflows.report.issue import report_on
from newsletter.workflows.report.words import told

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def routes(studio: Studio) -> list[BaseRoute]:
    """Return the route of the report on an issue."""
    return [Route("/{issue}/report", _ReportPage(studio).show)]


class _ReportPage:
    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def show(self, request: Request) -> Response:
        """Return the report. With `?map=yes`, the email is drawn too, which takes some seconds."""
        config, issue = self._studio.config, request.path_params["issue"]
        if not config.has_database:
            raise HTTPException(404, f"Nothing of {issue} was sent yet.\n")
        settings = config.settings.newsletter
        try:
            with opened(config) as database:
                found = report_on(database, issue, now=datetime.now(UTC))
        except InputError as err:
            return PlainTextResponse(f"{err}\n", status_code=404)
        page, drawn, trouble = told(found, zone=settings.timezone), None, ""
        wants_map = request.query_params.get("map") == "yes"
        if wants_map:
            try:
                drawn = draw_click_map(found)
            except CannotRunError as err:
                trouble = str(err)
        html = report_html(
            page,
            newsletter=settings.name,
            click_map=drawn,
            back=f"/{quote(issue)}/",
            map_link="" if wants_map else "?map=yes#links",
            map_trouble=trouble,
        )
        return HTMLResponse(html, headers={"Content-Security-Policy": _POLICY})
