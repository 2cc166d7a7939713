"""Opens providers as the program does: from a `newsletter.toml` and an environment."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from newsletter.config import load_config
from newsletter.providers.base import Provider
from newsletter.providers.registry import open_provider

NOW = datetime(2026, 2, 19, 16, 0, tzinfo=UTC)
_IDENTITY = """
[newsletter]
name = "The Gentle Letter"
organization = "Example"
from = "The Gentle Letter <letter@example.org>"
address = "1 Example Street, Exampleton"
website = "https://example.org"
reason = "You signed up at example.org."
timezone = "America/Los_Angeles"

[service]
url = "https://news.example.org"
"""


def opened(folder: Path, provider: str, environ: Mapping[str, str] | None = None) -> Provider:
    """The provider of a workspace whose settings end with these lines; its clock stands still."""
    (folder / "newsletter.toml").write_text(f"{_IDENTITY}\n{provider}", encoding="utf-8")
    return open_provider(load_config(folder), environ or {}, clock=lambda: NOW)


def smtp_settings(port: int, *, host: str = "127.0.0.1", security: str = "none", more: str = "") -> str:
    """`[provider]` for a relay on loopback."""
    return (
        f'[provider]\nuse = "smtp"\n[provider.smtp]\nhost = "{host}"\nport = {port}\n'
        f'security = "{security}"\ntimeout_seconds = 5\n{more}\n'
    )


def sendgrid_settings(url: str, *, more: str = "") -> str:
    """`[provider]` for a server that speaks SendGrid's API."""
    return f'[provider]\nuse = "sendgrid"\n[provider.sendgrid]\napi_url = "{url}"\n{more}\n'
