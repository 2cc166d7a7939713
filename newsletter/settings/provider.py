"""The service that sends the email, and how fast it may send: `[provider]`.

A provider's table contains what must be known before the provider is opened: its pace, the route of its email, and
whether it keeps suppression lists. A provider without a record here uses `ProviderTable`.
"""

import re
from collections.abc import Mapping
from datetime import date, time
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from msgspec import Struct
from pydantic import ConfigDict, Field, field_validator, model_validator

from newsletter.errors import FaultError
from newsletter.model.pace import Weekday
from newsletter.model.values import Fields, Link, OneLine

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*[-–]\s*(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")
_MIDNIGHT = time(0, 0)


class WarmUpSettings(Fields):
    """`[provider.….pace.warm_up]`: a new sender begins with a few emails and sends more each day."""

    starts: date
    first_day: int = Field(default=500, ge=1, description="how many emails on the first day")
    growth: float = Field(default=1.5, gt=1, le=10, description="the factor from one day to the next")


class PaceSettings(Fields):
    """`[provider.….pace]`: the limits on speed. A limit that is not set does not apply."""

    per_second: int | None = Field(default=None, ge=1)
    per_minute: int | None = Field(default=None, ge=1)
    per_hour: int | None = Field(default=None, ge=1)
    per_day: int | None = Field(default=None, ge=1)
    hours: OneLine | None = Field(default=None, description="for example 08:00-20:00, in the newsletter's time zone")
    weekdays: tuple[Weekday, ...] = Field(default=(), description="for example mon, tue; default: every day")
    warm_up: WarmUpSettings | None = None

    @field_validator("hours")
    @classmethod
    def _is_a_span(cls, value: str | None) -> str | None:
        if value is not None:
            opens, closes = span_of(value)
            if opens >= closes != _MIDNIGHT:
                remedy = "write the earlier time first, for example 08:00-20:00"
                raise FaultError(f"{value!r} ends before it begins", remedy)
        return value


def span_of(hours: str) -> tuple[time, time]:
    """Return the two times of `08:00-20:00`; `24:00` becomes midnight. Raise ValueError for any other text."""
    match = _HOURS.fullmatch(hours.strip())
    if match is None:
        raise FaultError(f"{hours!r} is not a range of hours", "write it as 08:00-20:00")
    first_hour, first_minute, last_hour, last_minute = (int(part or 0) for part in match.groups())
    return time(first_hour, first_minute), time(last_hour, last_minute)


_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Carrier(Struct, frozen=True, kw_only=True):
    """A sending service, and how email proves that it came from there."""

    name: str
    spf_include: str  # the domain for `include:` in the SPF record
    selectors: tuple[str, ...] = ()  # DKIM selectors, if every account has the same
    dkim_alias: str = (
        ""  # the target of the alias (CNAME) `{selector}._domainkey`; empty if the key itself is published
    )


SENDGRID = Carrier(
    name="SendGrid",
    spf_include="sendgrid.net",
    selectors=("s1", "s2"),
    dkim_alias="{selector}.domainkey.u<number of your account>.wl<number>.sendgrid.net",
)


class MailRoute(Struct, frozen=True, kw_only=True):
    """The route by which email leaves this machine, for the checks of the sender's domain."""

    carrier: Carrier | None = None  # None if it can only be told from the mail server's host name
    relay: "SmtpSettings | None" = None  # None if email is sent through a web API


class ProviderTable(Fields):
    """`[provider.NAME]`: the keys that every provider can have."""

    keeps_suppressions: ClassVar[bool] = False

    pace: PaceSettings = PaceSettings()

    @property
    def route(self) -> MailRoute | None:
        """The route by which email leaves this machine, or None if it stays here."""
        return None


class OutboxSettings(ProviderTable):
    """`[provider.outbox]`: write each email to a file, and send none."""

    folder: OneLine = "outbox"


class SmtpSettings(ProviderTable):
    """`[provider.smtp]`: a mail server. Its password comes from NEWSLETTER_SMTP_PASSWORD."""

    host: OneLine
    port: int = Field(default=587, ge=1, le=65535)
    username: OneLine | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    timeout_seconds: float | None = Field(
        default=None, gt=0, description="the longest wait for a reply; default: the limits of RFC 5321"
    )
    concurrency: int = Field(default=4, ge=1, le=64)

    @property
    def route(self) -> MailRoute:
        """The route through the mail server."""
        return MailRoute(relay=self)

    @model_validator(mode="after")
    def _open_only_on_loopback(self) -> "SmtpSettings":
        if self.security == "none" and self.host not in _LOOPBACK:
            raise FaultError("email would cross the network unencrypted", 'write security = "starttls" or "tls"')
        return self


class SendGridSettings(ProviderTable):
    """`[provider.sendgrid]`: SendGrid's web API. Its key comes from SENDGRID_API_KEY."""

    keeps_suppressions: ClassVar[bool] = True

    region: Literal["global", "eu"] = "global"
    api_url: Link | None = Field(default=None, description="another server with the same API")
    timeout_seconds: float = Field(default=120, gt=0, description="the longest wait for a request and its answer")
    concurrency: int = Field(default=4, ge=1, le=64)
    sandbox: bool = Field(default=False, description="test mode: requests are checked, but nothing is sent")
    webhook_keys: tuple[OneLine, ...] = Field(default=(), description="the public keys of the signed Event Webhook")

    @property
    def route(self) -> MailRoute:
        """The route through the web API."""
        return MailRoute(carrier=SENDGRID)

    @field_validator("api_url")
    @classmethod
    def _key_only_over_tls(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise FaultError("the key would cross the network unencrypted", "begin the address with https://")
        return value.rstrip("/")


class ProviderSettings(Fields):
    """`[provider]`: the provider in use, and one table per provider.

    `newsletter.providers.registry` defines the possible names for `use` and for the tables.
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
            raise FaultError(
                "smtp has no settings", 'add these two lines: [provider.smtp] and host = "smtp.example.org"'
            )
        return self

    @property
    def tables(self) -> Mapping[str, ProviderTable]:
        """The settings of each provider that has a table, by name."""
        return {name: value for name, value in self if isinstance(value, ProviderTable)}

    @property
    def table_in_use(self) -> ProviderTable:
        """The settings of the provider in use."""
        return self.tables.get(self.use, ProviderTable())
