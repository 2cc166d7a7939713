"""The sender's domain: D1 to D6, with what the provider itself asks to be published."""

from collections.abc import Iterator
from dataclasses import replace

from newsletter.checks.network.dmarc import organisation_of
from newsletter.checks.network.names import Names
from newsletter.checks.network.sender import RuleResult, Sender, sender_of, why_mail_stays
from newsletter.checks.network.sender_rules import SENDER_RULES, judge_sender
from newsletter.config import Config
from newsletter.errors import CannotRunError
from newsletter.model.diagnosis import Health, HealthItem, from_words, not_judged, ok
from newsletter.model.finding import Severity
from newsletter.providers.base import ProviderFacts


def sender_items(config: Config, provider: ProviderFacts, *, is_online: bool) -> Iterator[HealthItem]:
    """Judge the sender's domain, also by what the provider itself says of it."""
    if stays := why_mail_stays(config.settings):
        yield not_judged("D1-D6", stays)
        return
    if not is_online:
        yield not_judged("D1-D6", "done without network")
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
    for judgement in verdict.judgements:
        yield from _items(judgement)
    if verdict.policy in {"quarantine", "reject"}:
        yield ok("bimi", f"p={verdict.policy} allows BIMI, your logo beside each mail: bimigroup.org, if you want it")


def _as_provider_says(sender: Sender, provider: ProviderFacts) -> tuple[Sender, HealthItem]:
    """Return the sender with what the provider knows of its domain, and how the domain stands there."""
    seen, carrier, place = sender.from_domain, sender.carrier_name, provider.domains_at
    fitting = [each for each in provider.domains or () if organisation_of(each.domain) == organisation_of(seen)]
    found = min(fitting, key=lambda each: (each.domain != seen, not each.is_valid), default=None)
    if found is None:
        what = f"{carrier} does not sign for {seen}"
        remedy = f"authenticate it at {place}, and publish the records that are shown there"
        return sender, HealthItem(id="domain", health=Health.ERROR, what=what, remedy=remedy)
    selectors = tuple(
        record.name.partition("._domainkey.")[0] for record in found.records if "._domainkey." in record.name
    )
    known = replace(
        sender,
        selectors=selectors or sender.selectors,
        dkim_domain=found.domain,
        envelope_domain=found.envelope_domain or sender.envelope_domain,
        to_publish=found.records,
    )
    if found.is_valid:
        return known, ok("domain", f"{carrier} signs for {found.domain}, bounces go to {known.envelope_domain}")
    what = f"{carrier} has not seen the records of {found.domain} yet, and does not sign for it"
    remedy = f"publish these, then press Verify at {place}"
    return known, HealthItem(id="domain", health=Health.ERROR, what=what, remedy=remedy, records=found.records)


def _items(judgement: RuleResult) -> Iterator[HealthItem]:
    if judgement.not_judged:
        yield from_words(judgement.rule, Health.NOT_JUDGED, judgement.not_judged)
        return
    for fault in judgement.problems:
        health = Health.ERROR if fault.severity is Severity.ERROR else Health.WARNING
        yield HealthItem(id=judgement.rule, health=health, what=fault.what, remedy=fault.remedy, records=fault.records)
    if not judgement.problems:
        yield ok(judgement.rule, judgement.found)
