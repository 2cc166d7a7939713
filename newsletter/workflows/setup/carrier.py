"""The questions about the service that sends the emails, and what is known about the usual ones.

Sources, read in November 2026: support.google.com/a/answer/176600, learn.microsoft.com/exchange (Authenticated client
SMTP submission), fastmail.com/help (Server names and ports), docs.aws.amazon.com/ses (Regions and endpoints),
postmarkapp.com/support/article/811, documentation.mailgun.com (SMTP).
"""

import re
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from newsletter.errors import FaultError
from newsletter.model.values import OneLine
from newsletter.providers.sendgrid.needs import NEEDED_PERMISSIONS
from newsletter.settings.provider import LOOPBACK, SmtpSettings
from newsletter.workflows.setup.asking import Option, SetupQuestion, checked, saving, setting
from newsletter.workflows.setup.settings_file import Changes
from newsletter.workflows.setup.situation import Situation

SMTP_SECRET, SENDGRID_SECRET = "NEWSLETTER_SMTP_PASSWORD", "SENDGRID_API_KEY"
_SMTP = ("provider", "smtp")
_USE = ("provider", "use")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.?)+|\[?[0-9A-Fa-f:.]+\]?")
_TLS_PORT, _PLAIN_PORT, _SUBMISSION_PORT = 465, 25, 587


class MailService(Struct, frozen=True, kw_only=True):
    """A service that takes email over SMTP."""

    name: str  # the answer
    label: str
    host: str
    port: int = _SUBMISSION_PORT
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = "address"  # "address": the sender's address; empty: no login; other text: what to look for
    guide: tuple[str, ...]  # where to find the password, and what to know
    has_regions: bool = False  # whether the host differs between customers


MAIL_SERVICES: tuple[MailService, ...] = (
    MailService(
        name="gmail",
        label="Gmail or Google Workspace",
        host="smtp.gmail.com",
        guide=(
            "Create an app password at https://myaccount.google.com/apppasswords. This needs 2-Step Verification.",
            "The sender must be this account or one of its aliases. Gmail allows about 500 emails a day, and Google "
            "Workspace about 2,000.",
        ),
    ),
    MailService(
        name="outlook",
        label="Microsoft 365",
        host="smtp.office365.com",
        guide=(
            "An administrator must turn on Authenticated SMTP for the mailbox: admin.microsoft.com → Users → Active "
            "users → the mailbox → Mail → Manage email apps.",
            "Microsoft is ending sign-in with a password, and personal Outlook.com accounts no longer have it. For a "
            "new newsletter, choose another service.",
        ),
    ),
    MailService(
        name="fastmail",
        label="Fastmail",
        host="smtp.fastmail.com",
        port=_TLS_PORT,
        security="tls",
        guide=("Create an app password under Settings → Privacy & Security → Manage app passwords and access.",),
    ),
    MailService(
        name="ses",
        label="Amazon SES",
        host="email-smtp.eu-west-1.amazonaws.com",
        username="the SMTP user name",
        guide=(
            "Create credentials under Amazon SES → SMTP settings → Create SMTP credentials. They are not your "
            "AWS keys.",
            "The host contains the name of your region. Verify your domain first, and ask for production access.",
        ),
        has_regions=True,
    ),
    MailService(
        name="postmark",
        label="Postmark",
        host="smtp-broadcasts.postmarkapp.com",
        username="the access key of the stream",
        guide=(
            "Open your server → Default Broadcast Stream → Settings, and create an SMTP token. Its access key is the "
            "username, and its secret key is the password.",
        ),
    ),
    MailService(
        name="mailgun",
        label="Mailgun",
        host="smtp.mailgun.org",
        username="postmaster@ and your sending domain",
        guide=(
            "Create a user under Sending → Domain settings → SMTP credentials.",
            "If your account is in the EU, the host is smtp.eu.mailgun.org.",
        ),
        has_regions=True,
    ),
    MailService(
        name="local",
        label="A mail server on this computer",
        host="localhost",
        port=_PLAIN_PORT,
        security="none",
        username="",
        guide=("The server must accept email from programs on this computer, as Postfix does by default.",),
    ),
)
_BY_NAME: Mapping[str, MailService] = {service.name: service for service in MAIL_SERVICES}
_OPTIONS = (
    Option(value="sendgrid", label="SendGrid"),
    *(Option(value=service.name, label=service.label) for service in MAIL_SERVICES),
    Option(value="outbox", label="None yet: emails are only written to files"),
)
_SENDGRID_GUIDE = (
    "Verify your domain at https://app.sendgrid.com/settings/sender_auth → Authenticate Your Domain. For a first test, "
    "Verify a Single Sender is enough.",
    "Create a key at https://app.sendgrid.com/settings/api_keys → Create API Key → Restricted Access, with full access "
    f"to: {', '.join(NEEDED_PERMISSIONS)}.",
)


def service_of(settings: SmtpSettings) -> MailService | None:
    """Return the known service that a mail server belongs to, or None."""
    if settings.host in LOOPBACK:
        return _BY_NAME["local"]
    return next(
        (
            service
            for service in MAIL_SERVICES
            if settings.host == service.host
            or (service.has_regions and settings.host.endswith(f".{_site(service.host)}"))
        ),
        None,
    )


def _site(host: str) -> str:
    return ".".join(host.split(".")[-2:])


def secret_needed(situation: Situation) -> str:
    """Return the name of the environment variable for the provider's secret, or an empty text if none is needed."""
    provider = situation.config.settings.provider
    if provider.use == "sendgrid":
        return SENDGRID_SECRET
    return SMTP_SECRET if provider.use == "smtp" and provider.smtp is not None and provider.smtp.username else ""


def is_secret_missing(situation: Situation) -> bool:
    """Return whether the provider's secret is needed and not in the environment."""
    name = secret_needed(situation)
    return bool(name) and not situation.environ.get(name, "").strip()


def guide(situation: Situation) -> tuple[str, ...]:
    """Return what to do at the provider that is in use, and how to set its secret."""
    provider = situation.config.settings.provider
    told: tuple[str, ...] = ()
    if provider.use == "sendgrid":
        told = _SENDGRID_GUIDE
    elif provider.use == "smtp" and provider.smtp is not None and (service := service_of(provider.smtp)):
        told = service.guide
    if is_secret_missing(situation):
        name = secret_needed(situation)
        told = (
            *told,
            f"Set {name} in the environment; setup never saves it. Stop this command, type the next line in the "
            "terminal, paste the secret, and start the command again:",
            f"`read -rs {name} && export {name}`",
        )
    return told


def _current(situation: Situation) -> str:
    provider = situation.config.settings.provider
    if provider.use != "smtp" or provider.smtp is None:
        return "" if provider.use == "outbox" else provider.use
    service = service_of(provider.smtp)
    return service.name if service else situation.own("provider", "smtp", "host")


def _carrier(situation: Situation, text: str) -> Changes:
    """Return the changes for a service, or for the host of a mail server, with `:port` if needed."""
    name = text.casefold()
    if name in {"sendgrid", "outbox"}:
        return {_USE: name}
    if service := _BY_NAME.get("local" if name in LOOPBACK else name):
        present = situation.config.settings.provider.smtp
        if present is not None and service_of(present) == service and name not in LOOPBACK - {present.host}:
            return {_USE: "smtp"}  # what was corrected by hand stays
        return {
            _USE: "smtp",
            (*_SMTP, "host"): name if name in LOOPBACK else service.host,
            (*_SMTP, "port"): service.port,
            (*_SMTP, "security"): service.security,
            (*_SMTP, "username"): None,
        }
    host, _, port = text.partition(":") if text.count(":") == 1 else (text, "", "")
    changes: Changes = {_USE: "smtp", (*_SMTP, "host"): _host(situation, host)}
    return {**changes, **_port(situation, port or str(_SUBMISSION_PORT), host=host), (*_SMTP, "username"): None}


def _host(_: Situation, text: str) -> str:
    if not _HOST.fullmatch(text) or ("." not in text and ":" not in text and text not in LOOPBACK):
        names = ", ".join(option.value for option in _OPTIONS)
        raise FaultError(
            f"{text!r} is not a service or a mail server", f"write {names}, or a host such as smtp.your-domain"
        )
    return str(checked(OneLine, text.strip("[]"), (*_SMTP, "host")))


def _port(situation: Situation, text: str, *, host: str | None = None) -> Changes:
    """Return the changes for a port. The usual ports imply how the connection is encrypted."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise FaultError(f"{text!r} is not a port", "write a number, usually 587, 465 or 25")
    settings = situation.config.settings.provider.smtp
    host = host or (settings.host if settings else "")
    security = "tls" if int(text) == _TLS_PORT else "none" if host in LOOPBACK else "starttls"
    return {(*_SMTP, "port"): int(text), (*_SMTP, "security"): security}


def _smtp(situation: Situation) -> SmtpSettings | None:
    provider = situation.config.settings.provider
    return provider.smtp if provider.use == "smtp" else None


def _asks_host(situation: Situation) -> bool:
    smtp = _smtp(situation)
    service = service_of(smtp) if smtp else None
    return smtp is not None and service is not None and service.has_regions


def _asks_port(situation: Situation) -> bool:
    smtp = _smtp(situation)
    return smtp is not None and (smtp.host in LOOPBACK or service_of(smtp) is None)


def _suggested_username(situation: Situation) -> str:
    smtp = _smtp(situation)
    service = service_of(smtp) if smtp else None
    return situation.sender if service is None or service.username == "address" else ""


def _about_username(situation: Situation) -> bool:
    smtp = _smtp(situation)
    return smtp is not None and smtp.host not in LOOPBACK


CARRIER_QUESTIONS: tuple[SetupQuestion, ...] = (
    SetupQuestion(
        name="service",
        asks="The service that sends your emails",
        about="One of these, or the host of another mail server, such as smtp.your-domain.",
        current=_current,
        apply=saving(_carrier),
        options=lambda _: _OPTIONS,
    ),
    SetupQuestion(
        name="host",
        asks="The host for your region",
        current=lambda situation: situation.own("provider", "smtp", "host"),
        apply=saving(lambda situation, text: {(*_SMTP, "host"): _host(situation, text)}),
        applies=_asks_host,
    ),
    SetupQuestion(
        name="port",
        asks="The port",
        about="Usually 587; 465 for TLS from the start; 25 on this computer.",
        current=lambda situation: situation.own("provider", "smtp", "port"),
        apply=saving(_port),
        applies=_asks_port,
    ),
    setting(
        "username",
        "The username",
        "provider",
        "smtp",
        "username",
        about="The name that you log in to the mail server with.",
        type_=OneLine,
        suggested=_suggested_username,
        is_optional=True,
        applies=_about_username,
    ),
    setting(
        "region",
        "The region of your SendGrid account",
        "provider",
        "sendgrid",
        "region",
        type_=Literal["global", "eu"],
        applies=lambda situation: situation.config.settings.provider.use == "sendgrid",
        options=lambda _: (Option(value="global", label="Global"), Option(value="eu", label="European Union")),
    ),
)
