"""What carries the mail, and how fast: `[provider]`.

The table of each provider says what must be known of it before it is opened: its pace, how its mail travels, and
whether it keeps suppression lists. A provider without a record here has `ProviderTable`.
"""

import re
from collections.abc import Mapping
from datetime import date, time
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from msgspec import Struct
from pydantic import ConfigDict, Field, field_validator, model_validator

from newsletter.model.pace import Weekday
from newsletter.model.values import Fields, Link, OneLine

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*[-–]\s*(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")
_MIDNIGHT = time(0, 0)


class WarmUpSettings(Fields):
    """`[provider.….pace.warm_up]`: a new sender begins with few, and sends more each day."""

    starts: date
    first_day: int = Field(default=500, ge=1, description="how many deliveries on the first day")
    growth: float = Field(default=1.5, gt=1, le=10, description="each day so many times the day before")


class PaceSettings(Fields):
    """`[provider.….pace]`: what is left out limits nothing."""

    per_second: int | None = Field(default=None, ge=1)
    per_minute: int | None = Field(default=None, ge=1)
    per_hour: int | None = Field(default=None, ge=1)
    per_day: int | None = Field(default=None, ge=1)
    hours: OneLine | None = Field(default=None, description="as 08:00-20:00, in the newsletter's time zone")
    weekdays: tuple[Weekday, ...] = Field(default=(), description="as mon, tue; every day where it is left out")
    warm_up: WarmUpSettings | None = None

    @field_validator("hours")
    @classmethod
    def _is_a_span(cls, value: str | None) -> str | None:
        if value is not None:
            opens, closes = span_of(value)
            if opens >= closes != _MIDNIGHT:
                raise ValueError(f"{value!r} ends before it begins; write it as 08:00-20:00")
        return value


def span_of(hours: str) -> tuple[time, time]:
    """The two times of `08:00-20:00`, the second one midnight for `24:00`; raises ValueError where it is none."""
    match = _HOURS.fullmatch(hours.strip())
    if match is None:
        raise ValueError(f"{hours!r} is not a span of hours; write it as 08:00-20:00")
    first_hour, first_minute, last_hour, last_minute = (int(part or 0) for part in match.groups())
    return time(first_hour, first_minute), time(last_hour, last_minute)


_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Carrier(Struct, frozen=True, kw_only=True):
    """A service that carries mail for others, and how mail proves that it came from there."""

    name: str
    spf_include: str  # what `include:` names
    selectors: tuple[str, ...] = ()  # of DKIM, where it gives every account the same
    dkim_alias: str = ""  # what `{selector}._domainkey` is an alias (CNAME) of; empty where the key itself is published


SENDGRID = Carrier(
    name="SendGrid",
    spf_include="sendgrid.net",
    selectors=("s1", "s2"),
    dkim_alias="{selector}.domainkey.u<number of your account>.wl<number>.sendgrid.net",
)


class MailRoute(Struct, frozen=True, kw_only=True):
    """How mail leaves this machine, for the checks of the sender's domain."""

    carrier: Carrier | None = None  # None where the relay's host tells
    relay: "SmtpSettings | None" = None  # None where mail leaves through a Web API


class ProviderTable(Fields):
    """`[provider.NAME]`: what every provider may have."""

    keeps_suppressions: ClassVar[bool] = False

    pace: PaceSettings = PaceSettings()

    @property
    def route(self) -> MailRoute | None:
        """How mail leaves this machine. None where it stays here."""
        return None


class OutboxSettings(ProviderTable):
    """`[provider.outbox]`: mail as files."""

    folder: OneLine = "outbox"


class SmtpSettings(ProviderTable):
    """`[provider.smtp]`: a relay; the password comes from NEWSLETTER_SMTP_PASSWORD."""

    host: OneLine
    port: int = Field(default=587, ge=1, le=65535)
    username: OneLine | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    timeout_seconds: float = Field(default=30, gt=0)
    concurrency: int = Field(default=4, ge=1, le=64)

    @property
    def route(self) -> MailRoute:
        """Through the relay."""
        return MailRoute(relay=self)

    @model_validator(mode="after")
    def _open_only_on_loopback(self) -> "SmtpSettings":
        if self.security == "none" and self.host not in _LOOPBACK:
            raise ValueError('mail would cross the network unencrypted; write security = "starttls" or "tls"')
        return self


class SendGridSettings(ProviderTable):
    """`[provider.sendgrid]`: the Web API; the key comes from SENDGRID_API_KEY."""

    keeps_suppressions: ClassVar[bool] = True

    region: Literal["global", "eu"] = "global"
    api_url: Link | None = Field(default=None, description="another server that speaks the same API")
    timeout_seconds: float = Field(default=30, gt=0)
    concurrency: int = Field(default=4, ge=1, le=64)
    sandbox: bool = Field(default=False, description="have requests validated, and nothing sent")

    @property
    def route(self) -> MailRoute:
        """Through the Web API."""
        return MailRoute(carrier=SENDGRID)

    @field_validator("api_url")
    @classmethod
    def _key_only_over_tls(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ValueError("the key would cross the network unencrypted; write the address with https:// in front")
        return value.rstrip("/")


class ProviderSettings(Fields):
    """`[provider]`: what carries the mail, and a table for each provider.

    Which names `use` and the tables may have is known to `newsletter.providers.registry`.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, ProviderTable]

    use: OneLine = "outbox"
    outbox: OutboxSettings = OutboxSettings()
    smtp: SmtpSettings | None = None
    sendgrid: SendGridSettings = SendGridSettings()

    @model_validator(mode="after")
    def _smtp_has_a_host(self) -> "ProviderSettings":
        if self.use == "smtp" and self.smtp is None:
            raise ValueError("smtp has no settings; add a table [provider.smtp] with at least host")
        return self

    @property
    def tables(self) -> Mapping[str, ProviderTable]:
        """The table of each provider that has one."""
        return {name: value for name, value in self if isinstance(value, ProviderTable)}

    @property
    def table_in_use(self) -> ProviderTable:
        """The table of the provider in use."""
        return self.tables.get(self.use, ProviderTable())
