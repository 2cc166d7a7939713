"""Rehearse a broadcast from the studio: a thread runs it, and a page follows and then shows the forecast."""

import sys
from collections import OrderedDict
from collections.abc import Iterator
from datetime import UTC, datetime
from math import ceil
from secrets import token_urlsafe
from threading import Lock, Thread
from urllib.parse import quote
from zoneinfo import ZoneInfo

from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.errors import NewsletterError
from newsletter.language.clock import say_day_and_clock
from newsletter.store.database import Database
from newsletter.system.log import LOGS_FOLDER
from newsletter.system.report import report_fault
from newsletter.web.studio.questions import SendForm, read_form
from newsletter.web.studio.road import Fields, said_on_page, with_form
from newsletter.web.studio.studio import Studio
from newsletter.web.studio.templates import page
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.rehearse.forecast import Rehearsal, ZoneForecast
from newsletter.workflows.rehearse.rehearse import Wish, rehearse
from newsletter.workflows.rehearse.summary import (
    NIGHT,
    facts_of,
    headline,
    left_by,
    then_after,
    zone_row,
)
from newsletter.workflows.segments import meant_by
from newsletter.workflows.send.plan import Order

_FOUND = 303
_REMEMBERED = 20  # rehearsals
_SHADES = 4  # for the share of a zone's people in one hour
_WIDTH, _HEIGHT = 1000, 100  # of the line over time, in its own units


def routes(studio: Studio) -> list[BaseRoute]:
    """Return the routes of rehearsals."""
    pages = _RehearsalPages(studio)
    return [
        Route("/{issue}/sending/rehearsal", with_form(pages.begin), methods=["POST"]),
        Route("/{issue}/sending/rehearsals/{key}", pages.rehearsal),
        Route("/{issue}/sending/rehearsals/{key}/forecast", pages.forecast),
    ]


class _Rehearsed(Struct):
    """A rehearsal that is running or over. Only its own thread changes it."""

    issue: str
    segment: str
    done: float = 0.0  # the fraction
    found: Rehearsal | None = None
    failure: str = ""


class _RehearsalPages:
    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._known: OrderedDict[str, _Rehearsed] = OrderedDict()
        self._turn = Lock()  # one at a time, because each needs a processor and a copy of the list

    def begin(self, request: Request, fields: Fields) -> Response:
        """Begin a rehearsal of what is filled in, and redirect to its page."""
        issue = request.path_params["issue"]
        if issue not in self._studio.proofs.issues():
            raise HTTPException(404, f"There is no issue {issue}.\n")
        given = {name: next(iter(fields.get(name, ())), "") for name in ("segment", "when", "at", "awake")}
        key, rehearsed = token_urlsafe(8), _Rehearsed(issue=issue, segment=given["segment"])
        at = given["at"] if given["when"] == "later" else ""
        try:
            form = read_form(
                self._studio,
                segment=given["segment"],
                at=at,
                is_local_time="local" in fields,
                awake=given["awake"],
                is_canary="canary" in fields,
            )
        except NewsletterError as err:
            rehearsed.failure = said_on_page(err)
        else:
            Thread(target=self._rehearse, args=(rehearsed, form), name="rehearsal", daemon=True).start()
        self._known[key] = rehearsed
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return RedirectResponse(f"/{quote(issue)}/sending/rehearsals/{key}", status_code=_FOUND)

    def rehearsal(self, request: Request) -> Response:
        """Return the page of a rehearsal."""
        return self._page(request, "rehearsal.html.j2")

    def forecast(self, request: Request) -> Response:
        """Return the progress or the forecast of a rehearsal as a part of its page."""
        return self._page(request, "rehearsal_forecast.html.j2")

    def _page(self, request: Request, template: str) -> Response:
        key = request.path_params["key"]
        rehearsed = self._known.get(key)
        if rehearsed is None or rehearsed.issue != request.path_params["issue"]:
            raise HTTPException(404, "There is no such rehearsal. The studio forgets them when it is stopped.\n")
        shown = None if rehearsed.found is None else Forecast.of(rehearsed.found, self._zone)
        return page(
            self._studio, template, issue=rehearsed.issue, rehearsed=rehearsed, key=key, shown=shown, zone=self._zone
        )

    @property
    def _zone(self) -> str:
        return self._studio.config.settings.newsletter.timezone

    def _rehearse(self, rehearsed: _Rehearsed, form: SendForm) -> None:
        def on_progress(done: float) -> None:
            rehearsed.done = done

        now = datetime.now(UTC)
        try:
            config = self._studio.read_config()
            folder = require_issue(config, rehearsed.issue)

            def order_in(database: Database) -> Order:
                segment = meant_by(config, database, segment=form.segment, where=None, now=now)
                return Order(folder=folder, segment=segment, schedule=form.schedule, canary=form.canary)

            with self._turn:
                rehearsed.found = rehearse(config, order_in, Wish(awake=form.awake), now=now, on_progress=on_progress)
        except NewsletterError as err:
            rehearsed.failure = said_on_page(err)
        except Exception as err:
            rehearsed.failure = report_fault(err, self._studio.config.root / LOGS_FOLDER, command=sys.argv)


class Strip(Struct, frozen=True, kw_only=True):
    """A zone, and how strongly each hour of the day there is shaded."""

    zone: str
    people: str
    first: str
    last: str
    shades: tuple[int, ...]  # from 0 for no one, for each of the 24 hours


class Forecast(Struct, frozen=True, kw_only=True):
    """A rehearsal as its page shows it."""

    found: Rehearsal
    headline: str
    facts: tuple[tuple[str, str], ...]
    strips: tuple[Strip, ...]
    bars: tuple[int, ...]  # how high the bar of each hour is, from 0 to 100
    ends: tuple[str, ...]  # when the line over time begins and ends
    line: str  # the people over time, as the points of a polyline
    failures: tuple[tuple[str, str, str, str], ...]  # what happens, what is left, why, and what follows
    night = NIGHT

    @classmethod
    def of(cls, found: Rehearsal, zone: str) -> "Forecast":
        """Return the forecast in words and pictures."""
        most = max(*found.hours.values(), 1)
        return cls(
            found=found,
            headline=headline(found, zone),
            facts=tuple(facts_of(found, zone)),
            strips=tuple(map(_strip, found.zones)),
            bars=tuple(ceil(100 * people / most) for people in found.hours.values()),
            ends=tuple(say_day_and_clock(each.astimezone(ZoneInfo(zone))) for each in (found.first, found.last)),
            line=" ".join(_line(found)),
            failures=tuple(
                (each.what, left_by(each), each.reason if each.tally else "", then_after(each, zone))
                for each in found.failures
            ),
        )


def _strip(each: ZoneForecast) -> Strip:
    zone, people, first, last = zone_row(each)
    shades = tuple(ceil(_SHADES * each.hours.get(hour, 0) / each.people) for hour in range(24))
    return Strip(zone=zone, people=people, first=first, last=last, shades=shades)


def _line(found: Rehearsal) -> Iterator[str]:
    """Yield the corners of the line over time. It rises when people get the email, and is level in between."""
    span = max((found.last - found.first).total_seconds(), 1.0)
    height = float(_HEIGHT)
    yield f"0,{_HEIGHT}"
    for point in found.timeline:
        x = _WIDTH * (point.at - found.first).total_seconds() / span
        yield f"{x:.1f},{height:.1f}"
        height = _HEIGHT * (1 - point.people / max(found.tally.accepted, 1))
        yield f"{x:.1f},{height:.1f}"
