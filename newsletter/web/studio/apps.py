"""The pages that show an issue in email apps: a contact sheet of all of them, and a page for each."""

from calendar import month_name
from collections.abc import Mapping
from threading import Lock

from msgspec.structs import replace
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from newsletter.checks.clients.simulation.email_app import Dark
from newsletter.checks.clients.simulation.losses import Basis, PublishedRule
from newsletter.checks.clients.simulation.simulate import SHEET_RATIO, Shade
from newsletter.errors import CannotRunError, InputError, MistakesError
from newsletter.web.studio.proofs import IssueProof
from newsletter.web.studio.studio import Studio
from newsletter.web.studio.templates import page
from newsletter.web.studio.views import DeviceScheme, view_from
from newsletter.workflows.compose.apps import AppSheet, AppView, open_sheet
from newsletter.workflows.compose.sample import mail_of

_SHADES: Mapping[Shade, str] = {Shade.LIGHT: "Light", Shade.DARK: "Dark", Shade.APP_DARK: "Only the app is dark"}
_NO_DARK: Mapping[Dark, str] = {
    Dark.STAYS: "Looks the same in dark mode.",
}
_BASES: Mapping[Basis, str] = {
    Basis.DOCUMENTED: "documented by the app’s maker",
    Basis.REPORTED: "reported by testers",
    Basis.GUESSED: "a guess that fits what was seen",
}


def routes(studio: Studio) -> list[BaseRoute]:
    """Return the routes of the contact sheet, the enlarged pictures and the pictures themselves."""
    pages = _AppPages(studio)
    return [
        Route("/{issue}/apps", pages.sheet),
        Route("/{issue}/apps/{app}/{shade}.jpg", pages.picture),
        Route("/{issue}/apps/{app}/{shade}", pages.enlarged),
    ]


class _AppPages:
    """The request handlers. They run in threads, because they simulate and draw.

    Only the sheet of the last email is kept: its pictures take about five megabytes.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._lock = Lock()
        self._last: tuple[object, AppSheet] | None = None
        studio.endings.append(self._end)

    def sheet(self, request: Request) -> Response:
        """Return the contact sheet."""
        proof = self._proof(request)
        view = view_from(request.query_params)
        sheet = self._sheet(request, proof)
        is_dark = view.scheme is DeviceScheme.DARK
        return page(
            self._studio,
            "apps.html.j2",
            proof=proof,
            query=view.query,
            schemes={each: replace(view, scheme=each).query for each in (DeviceScheme.LIGHT, DeviceScheme.DARK)},
            is_dark=is_dark,
            frames=[
                (each, _shown_shade(each, is_dark=is_dark), _no_picture(each, is_dark=is_dark)) for each in sheet.views
            ],
            ratio=SHEET_RATIO,
            why_not=sheet.why_not_drawn(),
            table_date=_told_date(sheet.table_date),
        )

    def enlarged(self, request: Request) -> Response:
        """Return the page of one app: the whole email beside what it loses there."""
        proof = self._proof(request)
        sheet = self._sheet(request, proof)
        view, shade = self._requested(request, sheet)
        number = sheet.views.index(view)
        lost = [loss for loss in view.simulated.losses if not loss.is_partial]
        in_part = [loss for loss in view.simulated.losses if loss.is_partial]
        return page(
            self._studio,
            "app.html.j2",
            proof=proof,
            query=view_from(request.query_params).query,
            view=view,
            shade=shade,
            shades={each: _SHADES[each] for each in view.shades},
            no_dark=_no_picture(view, is_dark=True),
            basis=_BASES[view.app.dark_basis],
            lost=lost,
            in_part=in_part,
            told=told_rule,
            before=sheet.views[number - 1] if number else None,
            after=sheet.views[number + 1] if number + 1 < len(sheet.views) else None,
            why_not=sheet.why_not_drawn(),
        )

    def picture(self, request: Request) -> Response:
        """Return a picture of the email in an app, or of its beginning."""
        sheet = self._sheet(request, self._proof(request))
        view, shade = self._requested(request, sheet)
        try:
            draw = sheet.whole_picture if "whole" in request.query_params else sheet.picture
            drawing = draw(view, shade)
        except CannotRunError as err:
            raise HTTPException(503, f"{err}\n") from err
        return Response(drawing.content, media_type="image/jpeg", headers={"Cache-Control": "no-cache"})

    def _end(self) -> None:
        with self._lock:
            sheet = self._last and self._last[1]
        if sheet is not None:
            sheet.end()

    def _proof(self, request: Request) -> IssueProof:
        try:
            return self._studio.proofs.proof(request.path_params["issue"])
        except InputError as err:
            raise HTTPException(404, f"{err}\n") from err

    def _sheet(self, request: Request, proof: IssueProof) -> AppSheet:
        """Return the sheet of the email that the view selects. It is made once, until the email changes."""
        if proof.composed is None:
            raise HTTPException(404, "The issue cannot be built yet. Fix its errors first.\n")
        view = view_from(request.query_params)
        seen = self._studio.lookups.whom(proof.config, proof.composed, view)
        mail = mail_of(proof.config, seen.variant, seen.reader)
        key = (proof.issue, mail, proof.config.settings.checks.clients)
        with self._lock:
            if self._last is None or self._last[0] != key:
                if self._last is not None:
                    self._last[1].stop()
                try:
                    self._last = key, open_sheet(proof.config, mail, proof.composed.rendered.pictures)
                except MistakesError as err:
                    raise HTTPException(404, f"{err}\n") from err
            return self._last[1]

    def _requested(self, request: Request, sheet: AppSheet) -> tuple[AppView, Shade]:
        """Return the app and the shade in the URL."""
        view = sheet.view(request.path_params["app"])
        shade = request.path_params["shade"]
        if view is None or shade not in view.shades:
            raise HTTPException(404, "There is no such picture.\n")
        return view, Shade(shade)


def told_rule(rule: PublishedRule) -> str:
    """Return how old a rule is and how far it can be trusted, without a full stop."""
    age = f"{_told_date(rule.dated)}, " if rule.dated else "date not stated, "
    stale = "; not tested since 2021" if rule.is_stale else ""
    return f"{age}{_BASES[rule.basis]}{stale}"


def _told_date(dated: str) -> str:
    """Return `2022-12-28` as December 2022. The day of a test means nothing to a reader."""
    year, _, rest = dated.partition("-")
    month = rest.partition("-")[0]
    return f"{month_name[int(month)]} {year}" if month else year


def _shown_shade(view: AppView, *, is_dark: bool) -> Shade | None:
    """Return the shade of an app's frame on the sheet, or None if it has no picture there."""
    if not is_dark or view.simulated.dark is Dark.STAYS:
        return Shade.LIGHT
    return Shade.DARK if Shade.DARK in view.shades else None


def _no_picture(view: AppView, *, is_dark: bool) -> str:
    """Return why an app has no dark picture, or an empty string if it has one."""
    if not is_dark or Shade.DARK in view.shades:
        return ""
    if view.app.dark is Dark.AUTHOR:
        words = "No dark picture: none of the email’s dark colors reach this app."
    else:
        words = _NO_DARK.get(view.simulated.dark, "No dark picture.")
    return " ".join(filter(None, (words, view.app.dark_note)))
