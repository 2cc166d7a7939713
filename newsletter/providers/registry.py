"""Every provider by its name, and how it is opened.

A provider's module is imported when it is opened, so that nobody loads a library that they do not use.
"""

from collections.abc import Callable, Mapping

from newsletter.config import Config
from newsletter.errors import ProviderError
from newsletter.providers.base import Clock, Provider, utc_now

_PASSWORD, _API_KEY = "NEWSLETTER_SMTP_PASSWORD", "SENDGRID_API_KEY"

Opener = Callable[[Config, Mapping[str, str], Clock], Provider]


def open_provider(config: Config, environ: Mapping[str, str], *, clock: Clock = utc_now) -> Provider:
    """The provider that `[provider] use` names, with its secret from the environment.

    Raises ProviderError where a secret is missing or cannot be one.
    """
    return OPENERS[config.settings.provider.use](config, environ, clock)


def smtp_password(config: Config, environ: Mapping[str, str]) -> str:
    """The password of the relay's user; empty where it has none. Raises ProviderError where it is missing."""
    settings = config.settings.provider.smtp
    if settings is None or settings.username is None:
        return ""
    if not settings.username.isascii():
        raise ProviderError("[provider.smtp] username holds a sign outside ASCII; write it as the relay knows it")
    return _secret(environ, _PASSWORD, "the password of [provider.smtp] username")


def sendgrid_key(environ: Mapping[str, str]) -> str:
    """The key of the SendGrid account; raises ProviderError where it is missing."""
    return _secret(environ, _API_KEY, "a key of your SendGrid account that may send mail")


def _open_outbox(config: Config, _environ: Mapping[str, str], clock: Clock) -> Provider:
    from newsletter.providers.outbox import Outbox

    folder = config.root / config.settings.provider.outbox.folder
    return Outbox(folder, shown=config.shown(folder), clock=clock)


def _open_smtp(config: Config, environ: Mapping[str, str], clock: Clock) -> Provider:
    from newsletter.providers.smtp import SmtpRelay

    settings = config.settings.provider.smtp
    if settings is None:
        raise ProviderError("smtp has no settings; add a table [provider.smtp] with at least host")
    return SmtpRelay(settings, password=smtp_password(config, environ), clock=clock)


def _open_sendgrid(config: Config, environ: Mapping[str, str], clock: Clock) -> Provider:
    from newsletter.providers.sendgrid.provider import SendGrid

    return SendGrid(config.settings.provider.sendgrid, api_key=sendgrid_key(environ), clock=clock)


def _secret(environ: Mapping[str, str], variable: str, what: str) -> str:
    """A secret from the environment; the message never holds it."""
    secret = environ.get(variable, "").strip()
    if not secret:
        raise ProviderError(f"{variable} is not set; set it in the environment to {what}, then try again")
    if not (secret.isascii() and secret.isprintable()):
        raise ProviderError(f"{variable} holds a sign that it cannot hold; copy {what} once more, then try again")
    return secret


OPENERS: dict[str, Opener] = {
    "outbox": _open_outbox,
    "smtp": _open_smtp,
    "sendgrid": _open_sendgrid,
}
