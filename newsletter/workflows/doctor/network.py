"""What others see on the network: the sender's domain, and the pages for subscribers.

The domain is checked by rules D1 to D6, and for the DNS records that the provider asks you to publish. For the pages,
one-click unsubscribe is tested, and the certificate's remaining validity is reported.
"""

import ssl
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from newsletter.checks.network.dmarc import organization_of
from newsletter.checks.network.endpoint import RULE, judge_endpoint
from newsletter.checks.network.link_checker import agent_of
from newsletter.checks.network.names import Names
from newsletter.checks.network.sender import RuleResult, Sender, sender_of, why_mail_stays
from newsletter.checks.network.sender_rules import SENDER_RULES, judge_sender
from newsletter.checks.network.web import HttpReply, Web
from newsletter.config import Config
from newsletter.errors import CannotRunError
from newsletter.model.diagnosis import Health, HealthItem, error, from_words, not_judged, ok, warning
from newsletter.model.finding import Severity
from newsletter.providers.base import ProviderFacts
from newsletter.system.hosts import host_of, is_private_literal
from newsletter.system.stream import TimeLimit, open_stream, trusted_authorities
from newsletter.workflows.compose.sample import SAMPLE_TOKEN, envelope_of
from newsletter.workflows.doctor.replies import reply_items
from newsletter.workflows.doctor.web_server import service_items

_FEW_DAYS = 21
_SECONDS = 5.0
_HTTPS_PORT = 443


class PageFacts(Struct, frozen=True, kw_only=True):
    """The result of examining the pages."""

    items: tuple[HealthItem, ...]
    clock: tuple[str, str] | None = None  # a host and its time (from the HTTP Date header)


def sender_items(config: Config, provider: ProviderFacts, *, is_online: bool) -> Iterator[HealthItem]:
    """Check the sender's domain, including what the provider itself reports about it."""
    if stays := why_mail_stays(config.settings):
        yield not_judged("D1-D6", stays)
        return
    if not is_online:
        yield not_judged("D1-D6", "the sender's domain was not checked (--without network)")
        return
    sender = sender_of(config)
    if provider.domains is not None:
        sender, said = _as_provider_says(sender, provider)
        yield said
    try:
        names = Names(config.settings.authentication.nameserver_addresses)
    except CannotRunError as err:
        yield from (from_words(rule, Health.NOT_JUDGED, err) for rule in SENDER_RULES)
        return
    verdict = judge_sender(sender, names)
    for judgment in verdict.judgments:
        yield from _items(judgment)
    yield from reply_items(config, names)
    if verdict.policy in {"quarantine", "reject"}:
        logo = "BIMI, which can show your logo beside each email: see bimigroup.org"
        yield ok("bimi", f"the DMARC policy p={verdict.policy} allows {logo}")


def _as_provider_says(sender: Sender, provider: ProviderFacts) -> tuple[Sender, HealthItem]:
    """Add the provider's data about the sender's domain. Return the sender, and the domain's state at the provider."""
    seen, carrier, place = sender.from_domain, sender.carrier_name, provider.domains_at
    fitting = [each for each in provider.domains or () if organization_of(each.domain) == organization_of(seen)]
    found = min(fitting, key=lambda each: (each.domain != seen, not each.is_valid), default=None)
    if found is None:
        remedy = f"authenticate the domain at {place}, and publish the records shown there"
        return sender, error("domain", f"{carrier} does not sign email for {seen}", remedy)
    named = [record.name.partition("._domainkey.") for record in found.records]
    selectors = tuple(selector for selector, mark, _ in named if mark)
    known = replace(
        sender,
        selectors=selectors or sender.selectors,
        dkim_domain=found.domain,
        envelope_domain=found.envelope_domain or sender.envelope_domain,
        to_publish=found.records,
    )
    if found.is_valid:
        bounces = f"bounces go to {known.envelope_domain}"
        return known, ok("domain", f"{carrier} signs email for {found.domain}, and {bounces}")
    what = f"{carrier} has not verified the records of {found.domain} yet, so it does not sign email for this domain"
    remedy = f"publish the records, then press Verify at {place}"
    return known, HealthItem(id="domain", health=Health.ERROR, what=what, remedy=remedy, records=found.records)


def _items(judgment: RuleResult) -> Iterator[HealthItem]:
    if judgment.not_judged:
        yield from_words(judgment.rule, Health.NOT_JUDGED, judgment.not_judged)
        return
    for fault in judgment.problems:
        health = Health.ERROR if fault.severity is Severity.ERROR else Health.WARNING
        yield HealthItem(id=judgment.rule, health=health, what=fault.what, remedy=fault.remedy, records=fault.records)
    if not judgment.problems:
        yield ok(judgment.rule, judgment.found)


def examine_pages(config: Config, now: datetime, *, is_online: bool) -> PageFacts:
    """Send a test unsubscribe request that matches no subscriber, and check the TLS certificate."""
    if stays := why_mail_stays(config.settings):
        return PageFacts(items=(not_judged(RULE, stays),))
    if not is_online:
        return PageFacts(items=(not_judged(RULE, "the unsubscribe page was not checked (--without network)"),))
    url = envelope_of(config).unsubscribe_url(0, SAMPLE_TOKEN)
    try:
        names = Names(config.settings.authentication.nameserver_addresses)
    except CannotRunError as err:
        return PageFacts(items=(from_words(RULE, Health.NOT_JUDGED, err),))
    web = Web(names, agent=agent_of(config.settings))
    leaving = _leaving(web, url)
    clock = _clock(web, config.settings.service.url)
    certificate = () if leaving.health is Health.NOT_JUDGED else _certificate(config.settings.service.url, now)
    return PageFacts(items=(leaving, *certificate, *service_items(config, web, now=now)), clock=clock)


def _leaving(web: Web, url: str) -> HealthItem:
    try:
        fault = judge_endpoint(web, url)
    except CannotRunError as err:
        return from_words(RULE, Health.NOT_JUDGED, err)
    if fault is None:
        return ok(RULE, f"one-click unsubscribe works at {host_of(url)}")
    return error(RULE, fault.what, fault.remedy)


def _clock(web: Web, url: str) -> tuple[str, str] | None:
    host = host_of(url)
    reply = web.ask("HEAD", url, private_host=host if is_private_literal(host) else None)
    return (host, reply.date) if isinstance(reply, HttpReply) and reply.date else None


def _certificate(url: str, now: datetime) -> Iterator[HealthItem]:
    """Yield the number of days for which the certificate of the pages is still valid."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _HTTPS_PORT
    deadline = TimeLimit(_SECONDS)
    try:
        stream = open_stream(host, port, deadline)
        with closing(stream):
            stream.encrypt(trusted_authorities(), host, deadline)
            found = stream.certificate
    except ssl.SSLCertVerificationError as err:
        yield error("certificate", f"the certificate of {host} is not valid ({err.verify_message})", "renew it")
        return
    except (OSError, UnicodeError):
        return  # `_leaving` has already reported that the host does not answer
    days = (datetime.fromtimestamp(ssl.cert_time_to_seconds(str(found["notAfter"])), UTC) - now).days
    what = f"the certificate of {host} is valid for {days:,} more days"
    late = "renew it, or find out why it was not renewed automatically"
    yield warning("certificate", what, late) if days < _FEW_DAYS else ok("certificate", what)
