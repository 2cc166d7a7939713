"""The shelf: all issues as a gallery of covers by year, each with its state, its dates and the number of people."""

from collections.abc import Mapping
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.content.loader import ISSUE_FILE, issue_heading
from newsletter.language.clock import show_day
from newsletter.language.counts import people_of
from newsletter.language.dates import format_month
from newsletter.model.issue import IssueHeading
from newsletter.web.studio.studio import Studio, opened
from newsletter.web.studio.templates import page
from newsletter.workflows.compose.covers import Cover
from newsletter.workflows.send.road import ShelfState, shelf_states

_UNREAD = "being read"  # the state of an issue whose content is not known yet
_DRAFT = "draft"


class ShelvedIssue(Struct, frozen=True, kw_only=True):
    """An issue as the shelf shows it."""

    name: str
    title: str
    month: str  # for a cover without a picture; empty if its date cannot be read
    day: date | None
    state: str
    when: str  # when it was sent, or is due; empty if there is no broadcast
    people: str
    cover: str  # the address of its picture; empty if there is none yet


def routes(studio: Studio) -> list[BaseRoute]:
    """Return the routes of the shelf, of its covers, and of what its script asks for."""
    pages = _ShelfPages(studio)
    return [
        Route("/-/shelf", pages.shelf),
        Route("/-/shelf/covers", pages.arrived),
        Route("/-/shelf/covers/{content_hash}.jpg", pages.cover),
    ]


class _ShelfPages:
    """The request handlers. They run in threads, because they read files and the database, but compose nothing."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._headings: dict[str, tuple[tuple[int, int], IssueHeading]] = {}

    def shelf(self, _request: Request) -> Response:
        """Return the gallery, the newest year first."""
        issues = self._issues()
        years = groupby(issues, key=lambda each: str(each.day.year) if each.day else "Without a date")
        return page(
            self._studio,
            "shelf.html.j2",
            years=[(year, list(each)) for year, each in years],
            issues=issues,
            is_drawing=self._studio.covers.is_drawing,
            why_not_drawn=self._studio.covers.why_not_drawn,
        )

    def arrived(self, _request: Request) -> Response:
        """Return the covers that are drawn and the states, for a page that waits for them."""
        issues = {each.name: {"cover": each.cover, "state": each.state} for each in self._issues()}
        return JSONResponse({"issues": issues, "is_drawing": self._studio.covers.is_drawing})

    def cover(self, request: Request) -> Response:
        """Return a cover. Its name is the hash of its content, so it never changes."""
        content = self._studio.covers.picture(self._studio.config, request.path_params["content_hash"])
        if content is None:
            raise HTTPException(404, "This cover is not drawn yet.\n")
        return Response(content, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=31536000"})

    def _issues(self) -> list[ShelvedIssue]:
        """Return all issues, the newest first. One without a date is probably being written, so it comes first."""
        folders = self._studio.proofs.issues()
        headings = [heading for name, folder in folders.items() if (heading := self._heading(name, folder))]
        headings.sort(key=lambda each: (each.date or date.max, each.name), reverse=True)
        covers = self._studio.covers.known(self._studio.config, {each.name: folders[each.name] for each in headings})
        hashes = {each.name: covers[each.name].content_hash if each.name in covers else "" for each in headings}
        states = self._states(hashes)
        return [self._shelved(each, states.get(each.name), covers.get(each.name)) for each in headings]

    def _heading(self, name: str, folder: Path) -> IssueHeading | None:
        """Return the heading of an issue, which is read again only if its file has changed."""
        try:
            status = (folder / ISSUE_FILE).stat()
        except OSError:
            return None
        version = status.st_mtime_ns, status.st_size
        known = self._headings.get(name)
        if known is None or known[0] != version:
            known = self._headings[name] = version, issue_heading(self._studio.config, name)
        return known[1]

    def _states(self, hashes: Mapping[str, str]) -> Mapping[str, ShelfState]:
        config = self._studio.config
        if not config.has_database:
            return {}
        with opened(config) as database:
            return shelf_states(database, hashes)

    def _shelved(self, heading: IssueHeading, state: ShelfState | None, cover: Cover | None) -> ShelvedIssue:
        settings = self._studio.config.settings.newsletter
        words = state.words if state else _DRAFT
        at = state.at.astimezone(ZoneInfo(settings.timezone)) if state and state.at else None
        language = heading.language or settings.language
        return ShelvedIssue(
            name=heading.name,
            title=heading.title or heading.name,
            month=format_month(heading.date, language) if heading.date else "",
            day=heading.date,
            state=_UNREAD if state and words == _DRAFT and cover is None else words,
            when=_when(words, at),
            people=people_of(state.people) if state and state.people else "",
            cover=f"/-/shelf/covers/{quote(cover.content_hash)}.jpg" if cover and cover.is_drawn else "",
        )


def _when(state: str, at: datetime | None) -> str:
    if at is None:
        return ""
    return f"{at:%Y-%m-%d %H:%M}" if state == "scheduled" else show_day(at.date())
