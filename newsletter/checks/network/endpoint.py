"""H4: one-click unsubscribe, the request that a mailbox provider makes for a reader (RFC 8058), and the page itself."""

import re
from email import message_from_bytes
from email.policy import default as modern

from msgspec import Struct

from newsletter.checks.base import CheckContext, Circumstances, Probed, error
from newsletter.checks.network.link_checker import agent_of
from newsletter.checks.network.names import Names
from newsletter.checks.network.sender import why_mail_stays
from newsletter.checks.network.web import Failure, HttpFailure, HttpReply, Web
from newsletter.errors import CannotRunError
from newsletter.system.hosts import host_of, is_private_literal

RULE = "H4"
_ONE_CLICK = {"List-Unsubscribe": "One-Click"}
_NOT_ASKED = frozenset({Failure.NO_NETWORK, Failure.PRIVATE})
_START = "start the service at this address, or correct url under [service] in newsletter.toml"
_HANDLE = "make the service at this address accept the POST request of RFC 8058 directly and return 200"


class EndpointProblem(Struct, frozen=True, kw_only=True):
    """A problem with the unsubscribe endpoint, and what to do."""

    what: str
    remedy: str


def examine(context: CheckContext, _: Circumstances) -> Probed:
    """Run H4 with the link in the sample message, whose token matches no subscriber."""
    settings = context.subject.settings
    if stays := why_mail_stays(settings):
        raise CannotRunError(stays)
    header = str(message_from_bytes(context.subject.message, policy=modern)["List-Unsubscribe"] or "")
    link = re.search(r"<(https?://[^>]+)>", header)
    if link is None:
        raise CannotRunError("the email has no unsubscribe address; see H2")
    names = Names(settings.authentication.nameserver_addresses)
    problem = judge_endpoint(Web(names, agent=agent_of(settings)), link[1])
    place = context.config_place("service", "url")
    return Probed(problems=() if problem is None else ((RULE, error(place, problem.what, problem.remedy)),))


def judge_endpoint(web: Web, url: str) -> EndpointProblem | None:
    """Send a test unsubscribe request as a mailbox provider would: without a login, a cookie or a redirect.

    Then ask for the page, as a reader who follows the link in the email. Return None if both work. Raise CannotRunError
    if no request to the address can be made from here.
    """
    host = host_of(url)
    private_host = host if is_private_literal(host) else None
    reply = web.ask("POST", url, form=_ONE_CLICK, private_host=private_host)
    if isinstance(reply, HttpFailure):
        return _unanswered(reply, host)
    if problem := _problem_of(reply, host):
        return problem
    page = web.ask("GET", url, private_host=private_host)
    return _unanswered(page, host) if isinstance(page, HttpFailure) else _problem_of_page(page, host)


def _unanswered(failure: HttpFailure, host: str) -> EndpointProblem:
    what = f"the unsubscribe page on {host} {failure.words}"
    if failure.failure in _NOT_ASKED:
        raise CannotRunError(what if failure.failure is Failure.PRIVATE else failure.words)
    is_insecure = failure.failure is Failure.INSECURE
    return EndpointProblem(what=what, remedy="give the host a valid certificate" if is_insecure else _START)


def _problem_of_page(reply: HttpReply, host: str) -> EndpointProblem | None:
    if reply.status == 200:
        return None
    is_elsewhere = 300 <= reply.status < 400
    does = "sends readers to another address" if is_elsewhere else "shows readers no page"
    what = f"the unsubscribe link on {host} {does} ({reply.status})"
    return EndpointProblem(what=what, remedy="make this address show the unsubscribe page itself, with status 200")


def _problem_of(reply: HttpReply, host: str) -> EndpointProblem | None:
    if 200 <= reply.status < 300:
        return None
    click = f"the one-click unsubscribe request (a POST to {host})"
    if 300 <= reply.status < 400:
        what = f"{click} is redirected ({reply.status}), but mailbox providers do not follow redirects"
    elif reply.status in {401, 403, 407}:
        what = f"{click} is refused ({reply.status}): it requires a login or a cookie"
    elif reply.status == 405:
        what = f"{click} is refused (405): the address only shows a page"
    else:
        what = f"{click} fails with {reply.status}"
    return EndpointProblem(what=what, remedy=_HANDLE)
