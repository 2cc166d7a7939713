"""E3: the test of links. Each link is requested with HEAD, or with GET if HEAD is refused. Redirects are followed."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from http.client import responses
from urllib.parse import urldefrag, urljoin

from msgspec import Struct

from newsletter import __version__
from newsletter.checks.base import CheckContext, Circumstances, Probed, Problem, warning
from newsletter.checks.network.link_answers import LinkAnswer, keep_links, recall_links
from newsletter.checks.network.names import Names
from newsletter.checks.network.web import Failure, HttpFailure, HttpReply, Web
from newsletter.checks.reading.document import MailLink, listed
from newsletter.errors import CannotRunError
from newsletter.language.counts import count_of
from newsletter.model.finding import NotRun, Place
from newsletter.model.slots import MERGE_TOKEN
from newsletter.settings.workspace import Settings
from newsletter.system.hosts import host_of, is_local
from newsletter.system.parallel import results_of
from newsletter.system.stream import TimeLimit

RULE = "E3"
_MOST_REDIRECTS = 10
_LANES_OF_A_HOST = 2  # simultaneous requests to one host
_LANES = 16
_BUDGET_SECONDS = 45.0  # for all links; those that remain are skipped
_TOO_MANY_REQUESTS = 429
_OF_A_PAGE = ("http://", "https://")
_REMEDY = "open the link in a browser, and write the address of the right page, or delete the link"
_TO_A_PRIVATE_ADDRESS = "redirects to a private address, which readers cannot reach"
# The answers of these hosts say nothing about a link, so links to them are reported as skipped.
ROBOT_WALLS = listed("robot_walls.txt")


class Unjudged(Struct, frozen=True, kw_only=True):
    """The reason why a link could not be checked. Links with the same reason have the same `why`."""

    why: str
    is_offline: bool = False  # whether the reason is a missing network


LinkPlaces = dict[str, list[tuple[MailLink, Place]]]  # by the address that is requested
LinkResult = str | Unjudged  # a string describes what is wrong with the link; it is empty if the link works


class LinkTest(Struct, frozen=True, kw_only=True):
    """What is known about the links of an email, by the address that is requested."""

    places: LinkPlaces
    answers: Mapping[str, LinkAnswer]
    unjudged: Mapping[str, Unjudged]


def examine(context: CheckContext, circumstances: Circumstances) -> Probed:
    """Run E3: request each address once, several at the same time.

    Raise CannotRunError if there is no network and therefore no link could be checked.
    """
    tested = test_links(context, circumstances)
    offline = [verdict for verdict in tested.unjudged.values() if verdict.is_offline]
    if offline and len(offline) == len(tested.places):
        raise CannotRunError(offline[0].why)
    return Probed(
        problems=tuple((RULE, problem) for problem in _problems(tested.places, tested.answers)),
        not_run=tuple(NotRun(rule=RULE, why=why) for why in _not_judged(tested.unjudged.values())),
    )


def test_links(context: CheckContext, circumstances: Circumstances) -> LinkTest:
    """Request each address that has no valid result yet, and store the results. This takes at most 45 seconds."""
    places = _links(context)
    known = recall_links(circumstances.memory_folder, circumstances.now)
    asked = [url for url in places if url not in known]
    verdicts = _verdicts(asked, context.subject.settings)
    # Only results are kept. A link that could not be checked is requested again next time.
    lasting = {url: said for url, said in verdicts.items() if isinstance(said, str)}
    answers = known | {url: LinkAnswer(trouble=said, asked_at=circumstances.now) for url, said in lasting.items()}
    if lasting:
        keep_links(circumstances.memory_folder, answers)
    unjudged = {url: said for url, said in verdicts.items() if isinstance(said, Unjudged)}
    return LinkTest(places=places, answers=answers, unjudged=unjudged)


def agent_of(settings: Settings) -> str:
    """Return the user agent for requests, which shows in a server's log who made the request and why."""
    return f"newsletter/{__version__} (checks the links of {settings.newsletter.website})"


def _links(context: CheckContext) -> LinkPlaces:
    """Return the links of all variants, by the address that is requested.

    Links that differ between subscribers are left out. So are links to the archive, because a page there exists only
    after the issue is published.
    """
    archive = context.subject.settings.archive
    found: LinkPlaces = defaultdict(list)
    for link in (link for document in context.documents for link in document.links):
        url = urldefrag(link.address).url
        # Another check (S10) reports addresses without a host, and those that exist only inside a network.
        if not url.lower().startswith(_OF_A_PAGE) or is_local(host_of(url)) or MERGE_TOKEN.search(link.address):
            continue
        if archive is not None and f"{url}/".startswith(f"{archive.url}/"):
            continue
        place = context.link_place(link.address, link.text)
        found[url].append((link, place))
    return found


def _verdicts(urls: Iterable[str], settings: Settings) -> dict[str, LinkResult]:
    """Return the result for each address. Each host gets only a few requests at a time, even if it has many links."""
    verdicts: dict[str, LinkResult] = {}
    by_host: dict[str, list[str]] = defaultdict(list)
    for url in urls:
        if wall := wall_of(host_of(url)):
            verdicts[url] = Unjudged(why=_walled(wall))
        else:
            by_host[host_of(url)].append(url)
    starts = range(_LANES_OF_A_HOST)
    lanes = [lane for urls in by_host.values() for start in starts if (lane := urls[start::_LANES_OF_A_HOST])]
    if not lanes:
        return verdicts
    names = Names(settings.authentication.nameserver_addresses, budget_seconds=_BUDGET_SECONDS)
    deadline = TimeLimit(_BUDGET_SECONDS)
    web = Web(names, agent=agent_of(settings))
    asking = [partial(_judge_lane, web, lane, verdicts, deadline) for lane in lanes]
    verdicts |= {url: Unjudged(why="checking all links took too long") for lane in lanes for url in lane}
    for _ in results_of(asking, threads=_LANES, deadline=deadline):
        pass
    return dict(verdicts)


def _judge_lane(web: Web, lane: Iterable[str], verdicts: dict[str, LinkResult], deadline: TimeLimit) -> None:
    """Set the results for the links of a lane, one by one, until the deadline."""
    with suppress(TimeoutError):
        for url in lane:
            deadline.left()
            verdicts[url] = judge_page(web, url)


def judge_page(web: Web, url: str) -> LinkResult:
    """Request a page, follow its redirects, and return the result."""
    home = host_of(url)
    current, been = url, {url}
    while len(been) <= _MOST_REDIRECTS + 1:
        reply = _ask(web, current)
        if isinstance(reply, HttpFailure):
            return _of_failure(reply, home, is_redirected=current != url)
        if reply.location is None:
            return _of_status(reply.status, home)
        current = _target(current, reply.location)
        if (verdict := _of_redirect(current, been)) is not None:
            return verdict
        been.add(current)
    return f"redirects more than {_MOST_REDIRECTS} times"


def _target(url: str, location: str) -> str:
    """Return the target of a redirect, or the location unchanged if it is not a valid address."""
    try:
        return urldefrag(urljoin(url, location)).url
    except ValueError:
        return location


def _of_redirect(target: str, been: Container[str]) -> LinkResult | None:
    """Return why a redirect is not followed, or None if it is followed."""
    if target in been:
        return "redirects in a loop"
    if not target.lower().startswith(_OF_A_PAGE) or not host_of(target):
        return f"redirects to {target}, which is not a web page"
    if is_local(host_of(target)):
        return _TO_A_PRIVATE_ADDRESS
    if wall := wall_of(host_of(target)):
        return Unjudged(why=_walled(wall))
    return None


def _ask(web: Web, url: str) -> HttpReply | HttpFailure:
    """Return a page's response. If HEAD fails, GET is tried, because many servers answer HEAD wrongly or not at all."""
    reply = web.ask("HEAD", url)
    is_refused = reply.status >= 400 and reply.status != _TOO_MANY_REQUESTS if isinstance(reply, HttpReply) else False
    is_unheard = isinstance(reply, HttpFailure) and reply.failure is Failure.BROKEN
    return web.ask("GET", url) if is_refused or is_unheard else reply


def _of_status(status: int, host: str) -> LinkResult:
    if status < 400:
        return ""
    if status == _TOO_MANY_REQUESTS:
        return Unjudged(why=f"{host} received too many requests; check again later")
    return f"returns {status} ({responses[status]})" if status in responses else f"returns {status}"


def _of_failure(reply: HttpFailure, host: str, *, is_redirected: bool) -> LinkResult:
    if reply.failure is Failure.NO_NETWORK:
        return Unjudged(why=reply.words, is_offline=True)
    if reply.failure is not Failure.PRIVATE:
        return reply.words
    if is_redirected:
        return _TO_A_PRIVATE_ADDRESS
    return Unjudged(why=f"{host} {reply.words}, so it is not checked")


def _walled(wall: str) -> str:
    return f"{wall} blocks automated checks; open the link in a browser"


def _problems(places: LinkPlaces, answers: Mapping[str, LinkAnswer]) -> Iterator[Problem]:
    for url, links in places.items():
        for link, place in links if url in answers and answers[url].trouble else ():
            yield warning(place, f"the link to {link.address} {answers[url].trouble}", _REMEDY)


def _not_judged(verdicts: Iterable[Unjudged]) -> Iterator[str]:
    """Yield one reason per group of skipped links, with the number of links."""
    reasons = Counter(verdict.why for verdict in verdicts)
    for why, count in sorted(reasons.items()):
        yield f"{count_of(count, 'link')}: {why}"


def wall_of(host: str) -> str | None:
    """Return the entry of robot_walls.txt that a host belongs to, or None if its answers can be trusted."""
    labels = host.split(".")
    parents = (".".join(labels[start:]) for start in range(len(labels) - 1))
    return next((parent for parent in parents if parent in ROBOT_WALLS), None)
