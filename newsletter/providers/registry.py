"""The table of providers, and the function that opens the one named in `newsletter.toml`.

A provider's module is imported only when that provider is opened, so its libraries are not loaded needlessly.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

from newsletter.config import CONFIG_FILE, Config, line_of_key
from newsletter.errors import Mistake, MistakesError
from newsletter.model.broadcast import Outcome
from newsletter.model.replies import Reply
from newsletter.providers.base import Clock, Provider, utc_now
from newsletter.settings.mistakes import suggestion

# The name in newsletter.toml → the module. Its `open_provider` takes the configuration, the environment and a clock. If
# the provider notes replies, the module's `outcome_of_replies` returns what they mean for the whole chunk.
PROVIDERS = {
    "outbox": "newsletter.providers.outbox",
    "smtp": "newsletter.providers.smtp",
    "sendgrid": "newsletter.providers.sendgrid.provider",
}


def open_provider(config: Config, environ: Mapping[str, str], *, clock: Clock = utc_now) -> Provider:
    """Return the provider that `[provider] use` names, using its secret from the environment.

    Raise MistakesError if there is no such provider, and ProviderError if a secret is missing or invalid.
    """
    use = with_known_provider(config).settings.provider.use
    opener: Callable[[Config, Mapping[str, str], Clock], Provider] = import_module(PROVIDERS[use]).open_provider
    return opener(config, environ, clock)


def outcome_of_replies(provider: str, replies: Sequence[Reply]) -> Outcome:
    """Return the outcome of a chunk that was interrupted, from the replies that the provider noted. Open nothing."""
    judge: Callable[[Sequence[Reply]], Outcome] = import_module(PROVIDERS[provider]).outcome_of_replies
    return judge(replies)


def with_known_provider(config: Config) -> Config:
    """Return the configuration unchanged. Raise MistakesError if `[provider]` names an unknown provider."""
    settings = config.settings.provider
    named = {"use": settings.use, **{table: table for table in settings.tables}}
    mistakes = [
        Mistake(
            path=CONFIG_FILE,
            line=line_of_key(config, "provider", key),
            what=f"provider › {key}: there is no provider {name!r}",
            remedy=suggestion(name, tuple(PROVIDERS)),
        )
        for key, name in named.items()
        if name not in PROVIDERS
    ]
    if mistakes:
        raise MistakesError(mistakes)
    return config
