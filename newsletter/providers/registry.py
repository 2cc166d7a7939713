"""The table of providers, and how the one that `newsletter.toml` names is opened.

A provider's module is imported only when it is opened, so that nobody loads a library that they do not use.
"""

from collections.abc import Callable, Mapping
from importlib import import_module

from newsletter.config import CONFIG_FILE, Config, line_of_key
from newsletter.errors import Mistake, MistakesError
from newsletter.providers.base import Clock, Provider, utc_now
from newsletter.settings.mistakes import suggestion

# The name in newsletter.toml → the module, whose `open_provider` takes the configuration, the environment and a clock.
PROVIDERS = {
    "outbox": "newsletter.providers.outbox",
    "smtp": "newsletter.providers.smtp",
    "sendgrid": "newsletter.providers.sendgrid.provider",
}


def open_provider(config: Config, environ: Mapping[str, str], *, clock: Clock = utc_now) -> Provider:
    """Return the provider that `[provider] use` names, with its secret from the environment.

    Raise MistakesError where there is no such provider, ProviderError where a secret is missing or cannot be one.
    """
    use = with_known_provider(config).settings.provider.use
    opener: Callable[[Config, Mapping[str, str], Clock], Provider] = import_module(PROVIDERS[use]).open_provider
    return opener(config, environ, clock)


def with_known_provider(config: Config) -> Config:
    """Return the configuration. Raise MistakesError where `[provider]` names a provider that does not exist."""
    settings = config.settings.provider
    named = {"use": settings.use, **{table: table for table in settings.tables}}
    mistakes = [
        Mistake(
            path=CONFIG_FILE,
            line=line_of_key(config, "provider", key),
            what=f"provider › {key}: {name!r} is not possible",
            remedy=suggestion(name, tuple(PROVIDERS)),
        )
        for key, name in named.items()
        if name not in PROVIDERS
    ]
    if mistakes:
        raise MistakesError(mistakes)
    return config
