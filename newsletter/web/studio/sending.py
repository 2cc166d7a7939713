"""Answer the studio's questions before something is sent, and show a broadcast while it is sent and afterward."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.errors import InputError, NewsletterError
from newsletter.language.clock import say_wait
from newsletter.model.broadcast import Broadcast, BroadcastKind, BroadcastState, Tally
from newsletter.web.studio.confirmations import Asked, Question, is_typed
from newsletter.web.studio.panels import listed_finding
from newsletter.web.studio.road import Fields, said_on_page, with_form
from newsletter.web.studio.studio import Studio, opened
from newsletter.web.studio.templates import page
from newsletter.web.studio.unfinished import cancel_question, resume_question, winner_question
from newsletter.workflows.compose.editing import editable_files
from newsletter.workflows.send.account import (
    Fact,
    Step,
    identity,
    next_steps,
    parts,
    runner_missing,
    state_in_words,
    times_of,
    waived,
)
from newsletter.workflows.send.courier import Trip
from newsletter.workflows.send.grace import grace_left
from newsletter.workflows.send.status import BroadcastStatus, status_of

_FOUND, _CONFLICT, _GONE, _WRONG = 303, 409, 410, 422
_CAN_CONTINUE = frozenset({BroadcastState.RUNNING, BroadcastState.WATCHING, BroadcastState.PAUSED})
_CHANGES_SOON = frozenset(
    {BroadcastState.SCHEDULED, BroadcastState.RUNNING, BroadcastState.WATCHING, BroadcastState.CANCELLING}
)


def routes(studio: Studio) -> list[BaseRoute]:
    """Return the routes of the questions and of the broadcasts of an issue."""
    pages = _SendingPages(studio)
    return [
        Route("/{issue}/sending/questions/{key}", pages.question),
        Route("/{issue}/sending/questions/{key}", with_form(pages.answer), methods=["POST"]),
        Route("/{issue}/sending/{number:int}", pages.broadcast),
        Route("/{issue}/sending/{number:int}/account", pages.account),
        Route("/{issue}/sending/{number:int}/cancel", with_form(pages.cancel), methods=["POST"]),
        Route("/{issue}/sending/{number:int}/resume", with_form(pages.resume), methods=["POST"]),
        Route("/{issue}/sending/{number:int}/winner", with_form(pages.choose), methods=["POST"]),
    ]


class Account(Struct, frozen=True, kw_only=True):
    """A broadcast as the page shows it."""

    broadcast: Broadcast
    tally: Tally
    state: str
    identity: str
    facts: tuple[Fact, ...]
    steps: tuple[Step, ...]  # commands for the terminal
    trip: Trip | None  # how this studio sends it
    grace: str  # how long nothing is sent yet, in words
    warning: str  # why nothing may be sent at its time
    is_live: bool  # whether the numbers may change at any moment
    can_continue: bool
    can_cancel: bool
    versions: tuple[str, ...]  # the versions of which a person may choose one for all others

    @property
    def sent(self) -> int:
        """The number of emails that were sent, or may have been."""
        return self.tally.accepted + self.tally.unknown

    @property
    def people(self) -> int:
        """The number of people it is for, without those who were left out."""
        return self.tally.frozen - self.tally.excluded


class _SendingPages:
    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def question(self, request: Request) -> Response:
        """Return a question, or its result."""
        asked = self._asked(request)
        return self._closed(request) if asked is None else self._question(asked)

    def answer(self, request: Request, fields: Fields) -> Response:
        """Do what was asked, once, if the number of people was typed. Redirect to the page that shows the result."""
        asked = self._asked(request)
        if asked is None:
            return self._closed(request)
        question, typed = asked.question, next(iter(fields.get("people", ())), "")
        is_open = asked.settlement is None and not asked.again
        if is_open and question.blocking:
            return self._question(asked, status=_CONFLICT)
        if is_open and not is_typed(question, typed):
            return self._question(asked, typed=typed, status=_WRONG)
        self._studio.confirmations.answer(asked)
        root = f"/{quote(question.issue)}/"
        if asked.again:
            return RedirectResponse(f"{root}sending/questions/{asked.again}", status_code=_FOUND)
        if asked.settlement is not None and asked.settlement.leads_to and not asked.settlement.failure:
            return RedirectResponse(f"{root}{asked.settlement.leads_to}", status_code=_FOUND)
        return RedirectResponse(request.url.path, status_code=_FOUND)

    def broadcast(self, request: Request) -> Response:
        """Return the page of a broadcast."""
        account = self._account(request)
        return page(self._studio, "sending_broadcast.html.j2", issue=request.path_params["issue"], account=account)

    def account(self, request: Request) -> Response:
        """Return the progress and the account of a broadcast as a part of its page."""
        account = self._account(request)
        return page(self._studio, "sending_account.html.j2", issue=request.path_params["issue"], account=account)

    def cancel(self, request: Request, _fields: Fields) -> Response:
        """Ask whether to cancel a broadcast."""
        return self._ask(request, cancel_question)

    def resume(self, request: Request, _fields: Fields) -> Response:
        """Ask whether to continue a broadcast."""
        return self._ask(request, resume_question)

    def choose(self, request: Request, fields: Fields) -> Response:
        """Ask whether all others shall get a version of the issue."""
        version = next(iter(fields.get("version", ())), "")
        return self._ask(request, partial(winner_question, version=version))

    def _ask(self, request: Request, ask: Callable[[Studio, str, int], Question]) -> Response:
        account, issue = self._account(request), request.path_params["issue"]
        broadcast = account.broadcast
        try:
            key = self._studio.confirmations.ask(ask(self._studio, issue, broadcast.id))
        except NewsletterError as err:
            problem = said_on_page(err)
            return page(
                self._studio,
                "sending_broadcast.html.j2",
                status=_CONFLICT,
                issue=issue,
                account=account,
                problem=problem,
            )
        return RedirectResponse(f"/{quote(issue)}/sending/questions/{key}", status_code=_FOUND)

    def _asked(self, request: Request) -> Asked | None:
        return self._studio.confirmations.find(request.path_params["issue"], request.path_params["key"])

    def _question(self, asked: Asked, *, typed: str = "", status: int = 200) -> Response:
        folder = self._studio.proofs.issues().get(asked.question.issue)  # None if it was renamed or deleted
        files = editable_files(self._studio.config, folder) if folder else {}
        return page(
            self._studio,
            "sending_question.html.j2",
            status=status,
            issue=asked.question.issue,
            question=asked.question,
            blocking=[listed_finding(finding) for finding in asked.question.blocking],
            files=files,
            settlement=asked.settlement,
            failure=[_placed(line, files) for line in asked.settlement.failure.splitlines()]
            if asked.settlement
            else (),
            again=asked.again,
            typed=typed,
            is_wrong=status == _WRONG,
        )

    def _closed(self, request: Request) -> Response:
        """Return a page that says that a question can no longer be answered. Nothing is done."""
        issue = request.path_params["issue"]
        if issue not in self._studio.proofs.issues():
            raise HTTPException(404, f"There is no issue {issue}.\n")
        return page(self._studio, "sending_closed.html.j2", status=_GONE, issue=issue)

    def _account(self, request: Request) -> Account:
        """Return the account of a broadcast of the issue in the URL."""
        config, number = self._studio.config, request.path_params["number"]
        missing = HTTPException(404, f"There is no broadcast {number} of this issue.\n")
        if not config.has_database:
            raise missing
        try:
            with opened(config) as database:
                found = status_of(database, number)
        except InputError as err:
            raise missing from err
        # A correction has a name of its own in the ledger. Its page belongs to the issue that it was sent from.
        is_correction = found.broadcast.kind is BroadcastKind.CORRECTION
        if found.broadcast.issue != request.path_params["issue"] and not is_correction:
            raise missing
        return self._told(found)

    def _told(self, found: BroadcastStatus) -> Account:
        now, zone = datetime.now(UTC), self._studio.config.settings.newsletter.timezone
        broadcast, tally, trip = found.broadcast, found.tally, self._studio.courier.trip(found.broadcast.id)
        is_ours = trip is not None and trip.is_under_way
        compared = found.comparison
        versions = tuple(each.version for each in compared.versions) if compared and compared.can_choose else ()
        left, is_open = grace_left(broadcast, now=now), tally.waiting + tally.inflight + tally.deferred
        facts = (*times_of(found, zone, now), *parts(found.settled, found.chunks), *waived(broadcast))
        return Account(
            broadcast=broadcast,
            tally=tally,
            state=state_in_words(broadcast, tally),
            identity=identity(tally),
            facts=tuple(fact for fact in facts if fact[1]),
            steps=tuple(next_steps(found, now)),
            trip=trip,
            grace=say_wait(left) if left else "",
            warning=runner_missing(found.last_run, now=now) if found.needs_run(now) and not is_ours else "",
            is_live=broadcast.state in _CHANGES_SOON or (is_ours and broadcast.continues_at is not None),
            versions=versions,
            can_continue=not versions
            and broadcast.state in _CAN_CONTINUE
            and not is_ours
            and not found.is_at_work
            and not left,
            can_cancel=broadcast.state is BroadcastState.CANCELLING
            or (broadcast.state is not BroadcastState.STOPPED and bool(is_open or found.held_after(now))),
        )


def _placed(line: str, files: Collection[str]) -> tuple[str, str, str]:
    """Return a line of a message without its place, the place, and its file. Both are empty if it names no file."""
    place, _, words = line.partition(": ")
    path, _, number = place.rpartition(":")
    path = path if number.isdecimal() else place
    return (words, place, path) if path in files else (line, "", "")
