"""The provider: whether its secret is there, and what may be done with it."""

import smtplib
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from newsletter.config import Config
from newsletter.errors import ProviderError
from newsletter.model.diagnosis import Health, Item, error, from_words, not_judged, ok, warning
from newsletter.providers.base import quoted, utc_now
from newsletter.providers.registry import sendgrid_key, smtp_password
from newsletter.providers.sendgrid.account import AuthenticatedDomain, read_domains, read_permissions
from newsletter.providers.sendgrid.client import SendGridAccount, host_of
from newsletter.providers.smtp_connection import connect
from newsletter.settings.provider import SmtpSettings

_SCOPES_AT = "https://app.sendgrid.com/settings/api_keys"
_SECONDS = 10.0  # for an answer: somebody sits and waits
# What cannot be done without a permission, by its name in the account and the scopes behind it.
_NEEDS = (
    ("Mail Send", ("mail.send",), Health.ERROR, "no mail can be sent"),
    (
        "Mail Send: Scheduled Sends",
        ("mail.batch.create", "user.scheduled_sends.create", "user.scheduled_sends.read"),
        Health.WARNING,
        "mail for a certain time cannot be held at SendGrid, nor taken back",
    ),
    (
        "Suppressions",
        ("suppression.read", "suppression.create", "suppression.delete"),
        Health.WARNING,
        "`newsletter suppressions sync` cannot work, and who complained is mailed again",
    ),
    ("Email Activity", ("messages.read",), Health.WARNING, "chunks of an unknown outcome cannot be looked up"),
    ("Sender Authentication: read", ("whitelabel.read",), Health.WARNING, "the DNS records to publish are not known"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFacts:
    """What was found out about the provider, and what it knows itself."""

    items: tuple[Item, ...]
    domains: tuple[AuthenticatedDomain, ...] | None = None  # None where it was not, or could not be, asked
    clock: tuple[str, str] | None = None  # its host, and what it takes for the present


def examine_provider(config: Config, environ: Mapping[str, str], *, is_online: bool) -> ProviderFacts:
    """Asks the provider, where there is one that can be asked."""
    use = config.settings.provider.use
    if use == "outbox":
        folder = config.settings.provider.outbox.folder
        what = f"outbox: mail is written to {folder}/ and does not leave this machine"
        return ProviderFacts(items=(ok("provider", what),))
    if use == "smtp":
        return ProviderFacts(items=tuple(_smtp(config, environ, is_online=is_online)))
    return _sendgrid(config, environ, is_online=is_online)


def _smtp(config: Config, environ: Mapping[str, str], *, is_online: bool) -> Iterator[Item]:
    settings = config.settings.provider.smtp
    if settings is None:
        return
    try:
        password = smtp_password(config, environ)
    except ProviderError as err:
        yield from_words("key", Health.ERROR, err)
        return
    yield ok("key", "NEWSLETTER_SMTP_PASSWORD is set" if settings.username else "the relay asks for no password")
    yield _login(settings, password) if is_online else not_judged("login", "done without network")


def _login(settings: SmtpSettings, password: str) -> Item:
    """Connects as for a broadcast, and says good-bye."""
    where = f"{settings.host}:{settings.port}"
    try:
        connect(settings, password).quit()
    except smtplib.SMTPAuthenticationError as err:
        said = quoted(err.smtp_error, without=(password,))
        remedy = "check username in [provider.smtp] and NEWSLETTER_SMTP_PASSWORD"
        return error("login", f"{where} refuses the login ({err.smtp_code} {said})", remedy)
    except smtplib.SMTPNotSupportedError as err:
        return error("login", f"{where}: {quoted(str(err))}", "write the security and the port that its operator names")
    except ssl.SSLError as err:
        return error("login", f"{where}: no encrypted connection ({quoted(str(err))})", "see D6 below")
    except (OSError, UnicodeError) as err:
        said = quoted(str(getattr(err, "strerror", None) or err), without=(password,))
        remedy = "check host and port in [provider.smtp], and the network"
        return error("login", f"{where} cannot be used ({said})", remedy)
    how = {"starttls": "with STARTTLS", "tls": "with TLS", "none": "on this machine"}[settings.security]
    return ok("login", f"{where} takes the login, {how}" if settings.username else f"{where} answers, {how}")


def _sendgrid(config: Config, environ: Mapping[str, str], *, is_online: bool) -> ProviderFacts:
    items: list[Item] = []
    settings = config.settings.provider.sendgrid
    if settings.sandbox:
        what = "sandbox is on: SendGrid validates mail and sends none"
        items.append(warning("sandbox", what, "take sandbox out of [provider.sendgrid] before a broadcast"))
    try:
        patient = settings.model_copy(update={"timeout_seconds": min(settings.timeout_seconds, _SECONDS)})
        account = SendGridAccount(settings=patient, api_key=sendgrid_key(environ), clock=utc_now)
    except ProviderError as err:
        return ProviderFacts(items=(from_words("key", Health.ERROR, err), *items))
    items.insert(0, ok("key", "SENDGRID_API_KEY is set"))
    if not is_online:
        return ProviderFacts(items=(*items, not_judged("scopes", "done without network")))
    try:
        permissions = read_permissions(account)
    except ProviderError as err:
        return ProviderFacts(items=(*items, from_words("scopes", Health.ERROR, err)))
    items += _scopes(permissions.scopes)
    clock = (host_of(settings).partition("://")[2], permissions.date) if permissions.date else None
    domains: tuple[AuthenticatedDomain, ...] | None = None
    if "whitelabel.read" in permissions.scopes:
        try:
            domains = read_domains(account)
        except ProviderError as err:
            items.append(from_words("domain", Health.NOT_JUDGED, err))
    return ProviderFacts(items=tuple(items), domains=domains, clock=clock)


def _scopes(scopes: frozenset[str]) -> Iterator[Item]:
    lacking = [need for need in _NEEDS if not scopes.issuperset(need[1])]
    for name, needed, health, consequence in lacking:
        missing = ", ".join(scope for scope in needed if scope not in scopes)
        what = f"the key may not do {missing}: {consequence}"
        yield Item(id="scopes", health=health, what=what, remedy=f"give the key the permission {name} at {_SCOPES_AT}")
    if not lacking:
        yield ok("scopes", "the key may do all that is needed")
