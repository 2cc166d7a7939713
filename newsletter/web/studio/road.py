"""An issue's road to the inbox, beside the email, and the page on which you test, approve and send the issue."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, quote

from msgspec import Struct
from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.config import Config
from newsletter.errors import InputError, MistakesError, NewsletterError
from newsletter.model.segment import EVERYONE
from newsletter.store.ledger.recall import last_run
from newsletter.web.studio.confirmations import Question
from newsletter.web.studio.panels import problems_of
from newsletter.web.studio.proofs import IssueProof
from newsletter.web.studio.questions import (
    SendForm,
    approval_question,
    copies_question,
    listed_reviewers,
    plan_of,
    read_form,
    send_question,
)
from newsletter.web.studio.studio import Studio, opened
from newsletter.web.studio.templates import page
from newsletter.workflows.compose.editing import editable_files
from newsletter.workflows.proposals import open_proposals
from newsletter.workflows.send.account import identity, state_in_words
from newsletter.workflows.send.awake import Awake, usual_awake
from newsletter.workflows.send.plan_facts import notes_on_people
from newsletter.workflows.send.road import Draft, Road, road_of

_LARGEST_FORM_BYTES = 64 * 1024
_FOUND, _WRONG, _TOO_LARGE = 303, 422, 413
Fields = Mapping[str, Sequence[str]]


def with_form(handle: Callable[[Request, Fields], Response]) -> Callable[[Request], Awaitable[Response]]:
    """Return a handler of a form. It runs in a thread, because it may compose an issue or wait for a provider."""

    async def handled(request: Request) -> Response:
        body = await request.body()
        if len(body) > _LARGEST_FORM_BYTES:
            raise HTTPException(_TOO_LARGE, "This form is too large.\n")
        fields = parse_qs(body.decode(errors="replace"), keep_blank_values=True)
        return await run_in_threadpool(handle, request, fields)

    return handled


def routes(studio: Studio) -> list[BaseRoute]:
    """Return the routes of the road, and of the page with its forms."""
    pages = RoadPages(studio)
    return [
        Route("/{issue}/road", pages.road),
        Route("/{issue}/sending", pages.sending),
        Route("/{issue}/sending/audience", pages.audience),
        Route("/{issue}/sending/test", with_form(pages.test), methods=["POST"]),
        Route("/{issue}/sending/approval", with_form(pages.approval), methods=["POST"]),
        Route("/{issue}/sending/plan", with_form(pages.plan), methods=["POST"]),
    ]


class Filled(Struct, frozen=True, kw_only=True):
    """The values of a form, so that the page can show it again with the mistake in it."""

    form: str = ""  # `test`, `approval`, `plan` or `correction`; empty: none was sent
    problem: str = ""
    by: str = ""
    event: str = ""
    segment: str = EVERYONE
    at: str = ""
    is_local_time: bool = False
    awake: str = ""
    is_canary: bool = False
    chosen: tuple[str, ...] | None = None  # None: the first group of reviewers


class RoadPages:
    """The request handlers of the road, and of the page with the forms."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def road(self, request: Request) -> Response:
        """Return the road as part of a page: the stations, and what is missing."""
        proof = self._proof(request)
        return page(self._studio, "road.html.j2", road=road_on_page(proof), issue=proof.issue)

    def sending(self, request: Request) -> Response:
        """Return the page on which an issue is tested, approved and sent."""
        return self._page(self._proof(request), Filled())

    def audience(self, request: Request) -> Response:
        """Return, as part of a page, how many people a segment reaches, and who is left out and why."""
        proof = self._proof(request)
        segment = request.query_params.get("segment") or EVERYONE
        try:
            plan = plan_of(self._studio, proof.issue, SendForm(segment=segment), probes=False)
        except NewsletterError as err:
            return page(self._studio, "sending_audience.html.j2", plan=None, notes=(), problem=said_on_page(err))
        notes = (*plan.notes, *notes_on_people(plan))
        return page(self._studio, "sending_audience.html.j2", plan=plan, notes=notes, problem="")

    def test(self, request: Request, fields: Fields) -> Response:
        """Ask whether to send test emails to the chosen reviewers."""
        chosen = tuple(fields.get("to", ()))
        filled = Filled(form="test", chosen=chosen)
        return self.ask(request, filled, lambda issue: copies_question(self._studio, issue, chosen))

    def approval(self, request: Request, fields: Fields) -> Response:
        """Ask whether someone approves the issue."""
        by = _only(fields, "by")
        filled = Filled(form="approval", by=by)
        return self.ask(request, filled, lambda issue: approval_question(self._studio, issue, by))

    def plan(self, request: Request, fields: Fields) -> Response:
        """Plan a broadcast with all checks, and ask whether to send it."""
        at = _only(fields, "at") if _only(fields, "when") == "later" else ""
        segment, awake = _only(fields, "segment"), _only(fields, "awake")
        is_local, is_canary = "local" in fields, "canary" in fields
        filled = Filled(form="plan", segment=segment, at=at, is_local_time=is_local, awake=awake, is_canary=is_canary)

        def ask(issue: str) -> Question:
            if _only(fields, "when") == "later" and not at.strip():
                raise InputError('write the time to send at, for example "thursday 08:00"')
            form = read_form(
                self._studio, segment=segment, at=at, is_local_time=is_local, awake=awake, is_canary=is_canary
            )
            return send_question(self._studio, issue, form)

        return self.ask(request, filled, ask)

    def ask(self, request: Request, filled: Filled, ask: Callable[[str], Question]) -> Response:
        """Redirect to the question. If it cannot be asked, show the form again with the reason."""
        proof = self._proof(request)
        try:
            key = self._studio.confirmations.ask(ask(proof.issue))
        except NewsletterError as err:
            return self._page(proof, replace(filled, problem=said_on_page(err)), status=_WRONG)
        return RedirectResponse(f"/{quote(proof.issue)}/sending/questions/{key}", status_code=_FOUND)

    def _page(self, proof: IssueProof, filled: Filled, *, status: int = 200) -> Response:
        studio, config = self._studio, self._studio.config
        road, groups = road_on_page(proof), config.settings.reviewers
        chosen = filled.chosen if filled.chosen is not None else tuple(next(iter(groups.values()), ()))
        broadcasts = [
            (line, state_in_words(line.broadcast, line.tally), identity(line.tally)) for line in road.broadcasts
        ]
        return page(
            studio,
            "sending.html.j2",
            status=status,
            issue=proof.issue,
            title=proof.composed.issue.shown_title if proof.composed else proof.issue,
            road=road,
            problems=problems_of(proof.composed, proof.mistakes),
            files=editable_files(config, proof.folder),
            filled=filled,
            chosen=chosen,
            reviewers=listed_reviewers(config),
            segments=(EVERYONE, *config.settings.segments),
            has_list=config.has_database,
            timezone=config.settings.newsletter.timezone,
            runners=_runners(studio),
            usual=filled.awake or _usual(studio).value,
            through=config.settings.provider.use,
            proposed=_is_proposed(config, proof.issue),
            broadcasts=broadcasts,
            events=_events_told(proof, filled) if broadcasts else {},
        )

    def _proof(self, request: Request) -> IssueProof:
        try:
            return self._studio.proofs.proof(request.path_params["issue"])
        except InputError as err:
            raise HTTPException(404, f"{err}\n") from err


def _events_told(proof: IssueProof, filled: Filled) -> Mapping[str, str]:
    """Return the title of each event to come that people may have been told about, by its id, the chosen one first."""
    now = datetime.now(UTC)
    sections = proof.composed.issue.sections if proof.composed else ()
    items = [item for section in sections for item in section.items if (end := item.ends_at()) and end > now]
    return {item.slug: item.fields.title for item in sorted(items, key=lambda item: item.slug != filled.event)}


def road_on_page(proof: IssueProof) -> Road:
    """Return the road of an issue as it is now."""
    draft = Draft(issue=proof.issue, composed=proof.composed, mistakes=len(proof.mistakes))
    if not proof.config.has_database:
        return road_of(proof.config, None, draft)
    with opened(proof.config) as database:
        return road_of(proof.config, database, draft)


def said_on_page(err: NewsletterError) -> str:
    """Return an error message without the options of the command line, which a page does not have."""
    if isinstance(err, MistakesError):
        return str(err)
    words = str(err)
    for option, name in (("the time in --at", "the time"), ('is --at "', 'is "'), ("--at", "the time")):
        words = words.replace(option, name)
    for option, name in (("--local-time", "local time"), ("--by: ", ""), (', for example --by "Ana Lima"', "")):
        words = words.replace(option, name)
    return f"{words[:1].upper()}{words[1:]}"


def _is_proposed(config: Config, issue: str) -> bool:
    """Return whether an agent has proposed to send an issue, and a person can still decide."""
    if not config.has_database:
        return False
    with opened(config) as database:
        return any(each.issue == issue for each in open_proposals(database, now=datetime.now(UTC)))


def _only(fields: Fields, name: str) -> str:
    return next(iter(fields.get(name, ())), "")


# What can be running at a scheduled time, as the page names it. Workers need PostgreSQL.
_RUNNERS = {
    Awake.SERVE: "The service, which serves your subscribers’ pages",
    Awake.TIMER: "A timer that runs newsletter run-due every few minutes",
    Awake.WORKER: "A worker",
    Awake.HERE: "This studio. Leave it running, and keep the computer awake",
}


def _runners(studio: Studio) -> Mapping[str, str]:
    is_file = isinstance(studio.config.database, Path)
    return {each.value: name for each, name in _RUNNERS.items() if not (is_file and each is Awake.WORKER)}


def _usual(studio: Studio) -> Awake:
    if not studio.config.has_database:
        return Awake.TIMER
    with opened(studio.config) as database:
        return usual_awake(last_run(database), now=datetime.now(UTC))
