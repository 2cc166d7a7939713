"""The sender of the newsletter: its domains, the carrier of its email, and the results of checking them."""

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
    """Return the carriers by the ending of their host names: those in data/carriers.toml, and SendGrid."""
    told = tomllib.loads(files("newsletter").joinpath("checks", "data", "carriers.toml").read_text("utf-8"))
    carriers = {"smtp.sendgrid.net": SENDGRID}
    for each in told["carrier"]:
        selectors = tuple(each.get("selectors", ()))
        carrier = Carrier(name=each["name"], spf_include=each["spf_include"], selectors=selectors)
        carriers |= dict.fromkeys(each["hosts"], carrier)
    return carriers


class Sender(Struct, frozen=True, kw_only=True):
    """Everything that the checks of the sender's domain use."""

    from_domain: str
    reply_domain: str | None  # None if it is the same as from_domain
    carrier: Carrier | None  # None if the mail server belongs to no known carrier
    relay: SmtpSettings | None  # None if email is sent through a web API
    selectors: tuple[str, ...]
    dkim_domain: str | None  # None if the settings do not name it
    envelope_domain: str | None  # None if only the provider knows it
    spf_include: str | None
    to_publish: tuple[DnsRecord, ...] = ()  # the records that the provider gave, if it was asked

    @property
    def carrier_name(self) -> str:
        """The name of the carrier, for use in a sentence."""
        if self.carrier is not None:
            return self.carrier.name
        return self.relay.host if self.relay is not None else "the provider"

    def told(self, name: str) -> DnsRecord | None:
        """Return the record that the provider wants published under a name, or None if it gave none."""
        return next((record for record in self.to_publish if record.name == name), None)


class SenderProblem(Struct, frozen=True, kw_only=True):
    """A problem with the domain, and the records that fix it."""

    severity: Severity
    what: str
    remedy: str
    key: tuple[str, ...]  # the key of newsletter.toml that caused it
    records: tuple[DnsRecord, ...] = ()

    @property
    def advice(self) -> str:
        """The remedy and its records, in one line."""
        return ": ".join([self.remedy, *([" and ".join(map(str, self.records))] if self.records else [])])


class RuleResult(Struct, frozen=True, kw_only=True):
    """The result of one check: its problems, or why it could not run."""

    rule: str
    problems: tuple[SenderProblem, ...] = ()
    found: str = ""  # what is correct, as a sentence
    not_judged: str = ""


def broken(rule: str, what: str, remedy: str, key: tuple[str, ...], *records: DnsRecord) -> RuleResult:
    """Return the result of a check that found one error."""
    problem = SenderProblem(severity=Severity.ERROR, what=what, remedy=remedy, key=key, records=records)
    return RuleResult(rule=rule, problems=(problem,))


def why_mail_stays(settings: Settings) -> str:
    """Return why there is no sender to check if email stays on this machine, else an empty string."""
    provider = settings.provider
    return "" if provider.table_in_use.route else f'email stays on this machine ([provider] use = "{provider.use}")'


def sender_of(config: Config) -> Sender:
    """Return the sender from the settings, completed with what is known about large carriers."""
    settings = config.settings
    given, route = settings.authentication, settings.provider.table_in_use.route or MailRoute()
    relay = route.relay
    carrier = route.carrier or (carrier_of(relay.host) if relay else None)
    from_domain = _domain_of(settings.newsletter.from_email)
    reply_to = settings.newsletter.reply_to
    reply_domain = _domain_of(reply_to) if reply_to else from_domain
    bounce_domain = _domain_of(settings.mailbox.address) if settings.mailbox else from_domain
    return Sender(
        from_domain=from_domain,
        reply_domain=reply_domain if reply_domain != from_domain else None,
        carrier=carrier,
        relay=relay,
        selectors=given.dkim_selectors or (carrier.selectors if carrier else ()),
        dkim_domain=given.dkim_domain,
        # Over SMTP, this program sets the address for bounces: to its own mailbox, if it has one, or to the sender's.
        envelope_domain=given.envelope_domain or (bounce_domain if relay else None),
        spf_include=given.spf_include or (carrier.spf_include if carrier else None),
    )


def _domain_of(email: str) -> str:
    return email.rpartition("@")[2].lower()


def carrier_of(host: str) -> Carrier | None:
    """Return the carrier that a mail server belongs to, or None if it belongs to no known carrier."""
    labels = host.lower().split(".")
    return next((found for start in range(len(labels)) if (found := _carriers().get(".".join(labels[start:])))), None)
