"""The pages for subscribers: whether people can leave by one click, and how long the certificate holds."""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from newsletter.checks.network.endpoint import RULE, judge_endpoint
from newsletter.checks.network.link_checker import agent_of
from newsletter.checks.network.names import Names
from newsletter.checks.network.sender import why_mail_stays
from newsletter.checks.network.web import HttpReply, Web, host_of, is_private_literal
from newsletter.config import Config
from newsletter.errors import CannotRunError
from newsletter.model.diagnosis import Health, HealthItem, error, from_words, not_judged, ok, warning
from newsletter.workflows.compose.sample import SAMPLE_TOKEN, envelope_of

_FEW_DAYS = 21
_SECONDS = 5.0
_HTTPS_PORT = 443


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """What was found out about the pages."""

    items: tuple[HealthItem, ...]
    clock: tuple[str, str] | None = None  # a host, and what it takes for the present


def examine_pages(config: Config, now: datetime, *, is_online: bool) -> PageFacts:
    """Leaves for nobody, and looks at the certificate."""
    if stays := why_mail_stays(config.settings):
        return PageFacts(items=(not_judged(RULE, stays),))
    if not is_online:
        return PageFacts(items=(not_judged(RULE, "done without network"),))
    url = envelope_of(config).unsubscribe_url(0, SAMPLE_TOKEN)
    try:
        names = Names(config.settings.authentication.nameserver_addresses)
    except CannotRunError as err:
        return PageFacts(items=(from_words(RULE, Health.NOT_JUDGED, err),))
    with Web(names, agent=agent_of(config.settings)) as web:
        leaving = _leaving(web, url)
        clock = _clock(web, config.settings.service.url)
    certificate = () if leaving.health is Health.NOT_JUDGED else _certificate(config.settings.service.url, now)
    return PageFacts(items=(leaving, *certificate), clock=clock)


def _leaving(web: Web, url: str) -> HealthItem:
    try:
        fault = judge_endpoint(web, url)
    except CannotRunError as err:
        return from_words(RULE, Health.NOT_JUDGED, err)
    if fault is None:
        return ok(RULE, f"one click is enough to leave, at {host_of(url)}")
    return error(RULE, fault.what, fault.remedy)


def _clock(web: Web, url: str) -> tuple[str, str] | None:
    host = host_of(url)
    reply = web.ask("HEAD", url, private_host=host if is_private_literal(host) else None)
    return (host, reply.date) if isinstance(reply, HttpReply) and reply.date else None


def _certificate(url: str, now: datetime) -> Iterator[HealthItem]:
    """How many days are left until the certificate of the pages ends."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _HTTPS_PORT
    try:
        context = ssl.create_default_context()
        with (
            socket.create_connection((host, port), timeout=_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            found = secure.getpeercert() or {}
    except ssl.SSLCertVerificationError as err:
        yield error("certificate", f"the certificate of {host} is not valid ({err.verify_message})", "renew it")
        return
    except OSError:
        return  # that nobody answers is told already
    days = (datetime.fromtimestamp(ssl.cert_time_to_seconds(str(found["notAfter"])), UTC) - now).days
    what = f"the certificate of {host} is valid for {days:,} more days"
    few = days < _FEW_DAYS
    yield (
        warning("certificate", what, "renew it, or see why that does not happen by itself")
        if few
        else ok("certificate", what)
    )
