"""Whose mail it is, who carries it, by what domains that is proved, and what is judged of them."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from msgspec import Struct

from newsletter.config import Config
from newsletter.model.diagnosis import DnsRecord
from newsletter.model.finding import Severity
from newsletter.settings.provider import SENDGRID, Carrier, MailRoute, SmtpSettings
from newsletter.settings.workspace import Settings

FROM_KEY = ("newsletter", "from")


@cache
def _carriers() -> Mapping[str, Carrier]:
    """Return whose relay a host is, by the end of its name: data/carriers.toml, and SendGrid's."""
    told = tomllib.loads(files("newsletter").joinpath("checks", "data", "carriers.toml").read_text("utf-8"))
    carriers = {"smtp.sendgrid.net": SENDGRID}
    for each in told["carrier"]:
        selectors = tuple(each.get("selectors", ()))
        carrier = Carrier(name=each["name"], spf_include=each["spf_include"], selectors=selectors)
        carriers |= dict.fromkeys(each["hosts"], carrier)
    return carriers


class Sender(Struct, frozen=True, kw_only=True):
    """All that the rules about the sender's domain go by."""

    from_domain: str
    reply_domain: str | None  # where it is another one
    carrier: Carrier | None  # None where the relay is nobody's that is known
    relay: SmtpSettings | None  # None where mail leaves through a Web API
    selectors: tuple[str, ...]
    dkim_domain: str | None  # where the settings name one
    envelope_domain: str | None  # None where only the provider knows it
    spf_include: str | None
    to_publish: tuple[DnsRecord, ...] = ()  # what the provider itself asks for, where it was asked

    @property
    def carrier_name(self) -> str:
        """The carrier, as it is called in a sentence."""
        if self.carrier is not None:
            return self.carrier.name
        return self.relay.host if self.relay is not None else "the provider"

    def told(self, name: str) -> DnsRecord | None:
        """What the provider itself asks to be published under a name; None where it was not asked, or asks nothing."""
        return next((record for record in self.to_publish if record.name == name), None)


class SenderProblem(Struct, frozen=True, kw_only=True):
    """Something wrong with the domain, and the records that put it right."""

    severity: Severity
    what: str
    remedy: str
    key: tuple[str, ...]  # where in newsletter.toml it comes from
    records: tuple[DnsRecord, ...] = ()

    @property
    def advice(self) -> str:
        """The remedy with its records, in one line."""
        return ": ".join([self.remedy, *([" and ".join(map(str, self.records))] if self.records else [])])


class RuleResult(Struct, frozen=True, kw_only=True):
    """What came of one rule: what was found, or why it could not be judged."""

    rule: str
    problems: tuple[SenderProblem, ...] = ()
    found: str = ""  # what is in order, in words
    not_judged: str = ""


def broken(rule: str, what: str, remedy: str, key: tuple[str, ...], *records: DnsRecord) -> RuleResult:
    """Return the judgement that a rule is broken by one thing, which holds the mail back."""
    problem = SenderProblem(severity=Severity.ERROR, what=what, remedy=remedy, key=key, records=records)
    return RuleResult(rule=rule, problems=(problem,))


def why_mail_stays(settings: Settings) -> str:
    """Return why there is no sender to judge: mail stays on this machine. Empty where it leaves."""
    provider = settings.provider
    return "" if provider.table_in_use.route else f'mail stays on this machine, [provider] use = "{provider.use}"'


def sender_of(config: Config) -> Sender:
    """Return the sender as the settings have it, and as the larger carriers are known to work."""
    settings = config.settings
    given, route = settings.authentication, settings.provider.table_in_use.route or MailRoute()
    relay = route.relay
    carrier = route.carrier or (carrier_of(relay.host) if relay else None)
    from_domain = _domain_of(settings.newsletter.from_email)
    reply_to = settings.newsletter.reply_to
    reply_domain = _domain_of(reply_to) if reply_to else from_domain
    return Sender(
        from_domain=from_domain,
        reply_domain=reply_domain if reply_domain != from_domain else None,
        carrier=carrier,
        relay=relay,
        selectors=given.dkim_selectors or (carrier.selectors if carrier else ()),
        dkim_domain=given.dkim_domain,
        # Over SMTP we say ourselves where bounces go: to the sender.
        envelope_domain=given.envelope_domain or (from_domain if relay else None),
        spf_include=given.spf_include or (carrier.spf_include if carrier else None),
    )


def _domain_of(email: str) -> str:
    return email.rpartition("@")[2].lower()


def carrier_of(host: str) -> Carrier | None:
    """Return whose relay a host is; None where it is a small one, or one's own."""
    labels = host.lower().split(".")
    return next((found for start in range(len(labels)) if (found := _carriers().get(".".join(labels[start:])))), None)
