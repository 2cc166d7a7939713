"""The links of the email with their status. They are checked in the background, so that the page never waits."""

import logging
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from threading import Lock, Thread

from msgspec import Struct, field
from msgspec.structs import replace
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from newsletter.errors import InputError
from newsletter.web.studio.studio import Studio
from newsletter.web.studio.templates import page
from newsletter.web.studio.views import view_from
from newsletter.workflows.compose.compose import Composed
from newsletter.workflows.compose.link_status import (
    LinkState,
    LinkStatus,
    Tested,
    link_statuses,
    may_test_links,
    test_issue_links,
)

_TURNED_OFF = "Checks that use the network are turned off in newsletter.toml."
_AGAIN_AFTER = timedelta(minutes=10)  # for links that could not be checked
_log = logging.getLogger(__name__)


class _IssueLinks(Struct):
    """The last test of the links of one issue."""

    tested: Tested = field(default_factory=Tested)
    asked: frozenset[str] = frozenset()  # the addresses about which nothing was known
    began_at: datetime = datetime.min.replace(tzinfo=UTC)
    is_running: bool = False


class LinkTests:
    """The tests of links since the studio was started, at most one at a time for each issue."""

    def __init__(self) -> None:
        self._issues: dict[str, _IssueLinks] = {}
        self._lock = Lock()

    def last(self, issue: str) -> _IssueLinks:
        """Return the last test of an issue."""
        return self._issues.setdefault(issue, _IssueLinks())

    def start(self, composed: Composed, urls: Collection[str], *, now: datetime) -> None:
        """Test the links of an issue in the background, unless a test is running or has just had these addresses."""
        state = self.last(composed.issue.name)
        with self._lock:
            is_new = now - state.began_at > _AGAIN_AFTER or not state.asked.issuperset(urls)
            if not urls or state.is_running or not is_new:
                return
            state.is_running, state.began_at, state.asked = True, now, frozenset(urls)
        Thread(target=self._test, args=(composed, state, now), daemon=True).start()

    def _test(self, composed: Composed, state: _IssueLinks, now: datetime) -> None:
        try:
            state.tested = test_issue_links(composed, now=now)
        except (OSError, InputError) as err:
            _log.info("the links cannot be tested", exc_info=err)
        finally:
            state.is_running = False


def routes(studio: Studio) -> list[BaseRoute]:
    """Return the route of the list of links."""
    tests = LinkTests()

    def links(request: Request) -> Response:
        """Return the links of the email in the view, and begin to check those about which nothing is known."""
        try:
            proof = studio.proofs.proof(request.path_params["issue"])
        except InputError as err:
            raise HTTPException(404, f"{err}\n") from err
        if proof.composed is None:
            raise HTTPException(404, "The issue cannot be built yet. Fix its errors first.\n")
        composed, view, now = proof.composed, view_from(request.query_params), datetime.now(UTC)
        variant = studio.lookups.whom(proof.config, composed, view).variant
        state = tests.last(composed.issue.name)
        statuses = link_statuses(composed, variant, state.tested, now=now)
        waiting = {status.url for status in statuses if status.state is LinkState.WAITING}
        if may_test_links(composed):
            tests.start(composed, waiting, now=now)
        if not state.is_running:
            statuses = tuple(map(_settled, statuses))
        return page(
            studio,
            "links.html.j2",
            issue=composed.issue.name,
            query=view.query,
            links=statuses,
            broken=[status for status in statuses if status.state is LinkState.BROKEN],
            others=[status for status in statuses if status.state is not LinkState.BROKEN],
            summary=_summary(statuses),
            note="" if may_test_links(composed) else _TURNED_OFF,
            is_running=state.is_running,
        )

    return [Route("/{issue}/links", links)]


def _settled(status: LinkStatus) -> LinkStatus:
    """Return the status when no test is running: a link that waits for one is not checked."""
    return replace(status, state=LinkState.UNKNOWN) if status.state is LinkState.WAITING else status


def _summary(statuses: Iterable[LinkStatus]) -> str:
    """Return how many links there are in each state: `1 broken, 3 not checked, 12 work`."""
    counts = Counter(status.state for status in statuses)
    works = "work" if counts[LinkState.WORKS] > 1 else "works"
    named = {state: works if state is LinkState.WORKS else state.value for state in LinkState}
    return ", ".join(f"{counts[state]} {name}" for state, name in named.items() if counts[state])
