"""What carries the mail: `[provider]`."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from newsletter.model.values import Link, OneLine
from newsletter.settings.pace import PaceSettings
from newsletter.settings.part import Part

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class OutboxSettings(Part):
    """`[provider.outbox]`: mail as files."""

    folder: OneLine = "outbox"
    pace: PaceSettings = PaceSettings()


class SmtpSettings(Part):
    """`[provider.smtp]`: a relay; the password comes from NEWSLETTER_SMTP_PASSWORD."""

    host: OneLine
    port: int = Field(default=587, ge=1, le=65535)
    username: OneLine | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    timeout_seconds: float = Field(default=30, gt=0)
    concurrency: int = Field(default=4, ge=1, le=64)

    pace: PaceSettings = PaceSettings()

    @model_validator(mode="after")
    def _open_only_on_loopback(self) -> "SmtpSettings":
        if self.security == "none" and self.host not in _LOOPBACK:
            raise ValueError('mail would cross the network unencrypted; write security = "starttls" or "tls"')
        return self


class SendGridSettings(Part):
    """`[provider.sendgrid]`: the Web API; the key comes from SENDGRID_API_KEY."""

    region: Literal["global", "eu"] = "global"
    api_url: Link | None = Field(default=None, description="another server that speaks the same API")
    timeout_seconds: float = Field(default=30, gt=0)
    concurrency: int = Field(default=4, ge=1, le=64)
    sandbox: bool = Field(default=False, description="have requests validated, and nothing sent")

    pace: PaceSettings = PaceSettings()

    @field_validator("api_url")
    @classmethod
    def _key_only_over_tls(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ValueError("the key would cross the network unencrypted; write the address with https:// in front")
        return value.rstrip("/")


class ProviderSettings(Part):
    """`[provider]`: what carries the mail, and the settings of each."""

    use: Literal["outbox", "smtp", "sendgrid"] = "outbox"
    outbox: OutboxSettings = OutboxSettings()
    smtp: SmtpSettings | None = None
    sendgrid: SendGridSettings = SendGridSettings()

    @model_validator(mode="after")
    def _smtp_has_a_host(self) -> "ProviderSettings":
        if self.use == "smtp" and self.smtp is None:
            raise ValueError("smtp has no settings; add a table [provider.smtp] with at least host")
        return self
