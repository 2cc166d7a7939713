"""The broadcasts that AI agents proposed. A person reviews the plan of each, then sends or declines it."""

from datetime import UTC, datetime
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.errors import InputError, NewsletterError
from newsletter.language.clock import say_moment, show_zoned_from
from newsletter.model.proposal import Proposal
from newsletter.store.ledger.recall import last_run
from newsletter.web.studio.questions import SendForm, send_question
from newsletter.web.studio.road import Fields, said_on_page, with_form
from newsletter.web.studio.studio import Studio, opened
from newsletter.web.studio.templates import page
from newsletter.workflows.proposals import decline, open_proposals, require_known
from newsletter.workflows.send.awake import usual_awake

_FOUND, _CONFLICT = 303, 409


def routes(studio: Studio) -> list[BaseRoute]:
    """Return the routes of the proposals."""
    pages = _ProposalPages(studio)
    return [
        Route("/-/proposals", pages.proposals),
        Route("/-/proposals/{number:int}/plan", with_form(pages.plan), methods=["POST"]),
        Route("/-/proposals/{number:int}/decline", with_form(pages.decline), methods=["POST"]),
    ]


class _ProposalPages:
    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def proposals(self, _request: Request) -> Response:
        """Return the list of open proposals."""
        return self._page()

    def plan(self, request: Request, _fields: Fields) -> Response:
        """Plan the broadcast with all checks, and ask whether to send it."""
        proposal, now = self._known(request), datetime.now(UTC)
        with opened(self._studio.config) as database:
            awake = usual_awake(last_run(database), now=now)
        form = SendForm(
            segment=proposal.segment,
            schedule=proposal.schedule,
            awake=awake if proposal.schedule else None,
            proposal=proposal,
        )
        try:
            question = send_question(self._studio, proposal.issue, form)
        except NewsletterError as err:
            return self._page(problem=said_on_page(err), status=_CONFLICT)
        key = self._studio.confirmations.ask(question)
        return RedirectResponse(f"/{quote(proposal.issue)}/sending/questions/{key}", status_code=_FOUND)

    def decline(self, request: Request, _fields: Fields) -> Response:
        """Decline a proposal, so that it cannot be sent."""
        proposal = self._known(request)
        try:
            with opened(self._studio.config) as database:
                decline(database, proposal.id)
        except InputError as err:
            return self._page(problem=said_on_page(err), status=_CONFLICT)
        return RedirectResponse("/-/proposals", status_code=_FOUND)

    def _page(self, *, problem: str = "", status: int = 200) -> Response:
        config, now, found = self._studio.config, datetime.now(UTC), tuple[Proposal, ...]()
        if config.has_database:
            with opened(config) as database:
                found = open_proposals(database, now=now)
        rows = [(each, _facts(each, config.settings.newsletter.timezone, now)) for each in found]
        return page(self._studio, "proposals.html.j2", status=status, proposals=rows, problem=problem)

    def _known(self, request: Request) -> Proposal:
        missing = HTTPException(404, f"There is no proposal {request.path_params['number']}.\n")
        if not self._studio.config.has_database:
            raise missing
        try:
            with opened(self._studio.config) as database:
                return require_known(database, request.path_params["number"])
        except InputError as err:
            raise missing from err


def _facts(proposal: Proposal, zone: str, now: datetime) -> list[tuple[str, str]]:
    schedule = proposal.schedule
    when = say_moment(schedule.moment_in(schedule.zone), schedule.zone, now=now) if schedule else "at once"
    return [
        ("people", f"{proposal.recipients:,} when it was proposed"),
        ("when", f"{when}, in each subscriber's own time zone" if proposal.is_local_time else when),
        ("by", proposal.proposed_by),
        ("proposed", show_zoned_from(proposal.proposed_at, zone, now)),
        ("expires", show_zoned_from(proposal.expires_at, zone, now)),
        ("number", str(proposal.id)),
    ]
