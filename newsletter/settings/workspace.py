"""All of `newsletter.toml`: who writes, the look, how issues are judged, and when mail leaves."""

import re
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parseaddr
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, field_validator

from newsletter.model.event import SoftBouncePolicy
from newsletter.model.values import (
    Colour,
    EmailAddress,
    Fields,
    Language,
    Mailbox,
    OneLine,
    RuleId,
    Slug,
    TimeZone,
    WebAddress,
)
from newsletter.settings.authentication import AuthenticationSettings
from newsletter.settings.provider import ProviderSettings

SQLITE = "sqlite:///"
_POSTGRESQL = frozenset({"postgresql", "postgres"})


class DeliverySettings(Fields):
    """`[delivery]`: what holds a broadcast back, and how a schedule is kept."""

    require_approval: bool = Field(default=False, description="somebody approved exactly this content")
    require_test: bool = Field(default=False, description="a test copy of exactly this content was sent")
    lead_minutes: int = Field(default=60, ge=11, le=72 * 60, description="how long before its time mail is handed over")
    lateness_minutes: int = Field(default=360, ge=1, description="how late mail may still leave by itself")


class DatabaseSettings(Fields):
    """`[database]`: where the audience and the ledger are kept; a password comes from the environment (PGPASSWORD)."""

    url: OneLine = "sqlite:///newsletter.db"

    @field_validator("url")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value.startswith(SQLITE) and value != SQLITE:
            return value
        parts = urlsplit(value)
        if parts.scheme not in _POSTGRESQL:
            remedy = "write it as sqlite:///newsletter.db or postgresql://user@host/name"
            raise ValueError(f"{value!r} is not a database; {remedy}")
        if parts.password is not None or "password=" in parts.query:
            raise ValueError("a password never stands in a file; take it out, and set PGPASSWORD in the environment")
        return value


# What readers open mail with, in percent: published shares of opens, with Apple's put right (docs/clients.md).
USUAL_CLIENTS: Mapping[str, float] = {
    "gmail": 49,
    "apple-mail": 35,
    "outlook.windows": 5,
    "outlook": 4,
    "yahoo": 4,
    "samsung-email": 3,
}


def _with_dotted_names(value: object) -> object:
    """The weights by dotted names, since TOML reads `outlook.windows = 5` without quotes as a table in a table."""
    if not isinstance(value, Mapping):
        return value
    flat: dict[object, object] = {}
    for name, weight in value.items():
        if isinstance(weight, Mapping):
            flat |= {f"{name}.{platform}": inner for platform, inner in weight.items()}
        else:
            flat[name] = weight
    return flat


Percent = Annotated[float, Field(ge=0, le=100)]


class CheckSettings(Fields):
    """`[checks]`: what is not used, what is waived, what weighs more or less than usual, and by what readers read."""

    without: tuple[Literal["browser", "network", "spamassassin"], ...] = Field(
        default=(), description="what no check may use; the rules that need it are told as not run"
    )
    waive: Mapping[RuleId, OneLine] = Field(default={}, description="check = why it holds nothing back")
    severity: Mapping[RuleId, Literal["error", "warning"]] = Field(
        default={}, description="check = how much it matters here"
    )
    clients: Annotated[Mapping[str, Percent], BeforeValidator(_with_dotted_names)] = Field(
        default=USUAL_CLIENTS, description="mail program = how many of the readers use it, in percent"
    )
    accept: Mapping[str, OneLine] = Field(
        default={}, description="caniemail's feature = why a mail is whole without it"
    )

    @field_validator("clients")
    @classmethod
    def _at_most_all(cls, clients: Mapping[str, float]) -> Mapping[str, float]:
        if (total := sum(clients.values())) > 100:
            raise ValueError(f"the mail programs have {total:g} % of the readers together; write at most 100")
        return clients


class SocialLink(Fields):
    """`[[brand.social]]`: a place elsewhere, shown as a word in the footer."""

    name: OneLine
    url: WebAddress


class Palette(Fields):
    """`[brand.light]`, the eight colours of the theme by day: paper, ink and one warm accent."""

    outside: Colour = "#FBF7F1"
    inside: Colour = "#FFFFFF"
    ink: Colour = "#2A2724"
    quiet: Colour = "#5E5850"
    accent: Colour = "#9C3353"
    on_accent: Colour = "#FFFFFF"
    wash: Colour = "#F6ECE6"
    hairline: Colour = "#E8DFD4"


class DarkPalette(Palette):
    """`[brand.dark]`: the same voice at night."""

    outside: Colour = "#161413"
    inside: Colour = "#1F1C1A"
    ink: Colour = "#EEE7DF"
    quiet: Colour = "#B9AFA4"
    accent: Colour = "#F2A7BA"
    on_accent: Colour = "#2A0F18"
    wash: Colour = "#2A2522"
    hairline: Colour = "#3A332E"


class Brand(Fields):
    """`[brand]`: logo, fonts, colours and links of the look."""

    logo: OneLine | None = Field(default=None, description="a picture in the workspace, for a light ground")
    logo_dark: OneLine | None = Field(default=None, description="the same for a dark ground")
    logo_width: int = Field(default=72, ge=16, le=536, description="in pixels, as shown")
    heading_font: OneLine = "Georgia, 'Iowan Old Style', 'Palatino Linotype', Palatino, 'Times New Roman', serif"
    body_font: OneLine = "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
    light: Palette = Palette()
    dark: DarkPalette = DarkPalette()
    social: tuple[SocialLink, ...] = ()


class SuppressionSettings(Fields):
    """`[suppressions]`: when an address that cannot take mail for now is not mailed any more."""

    soft_bounces: int = Field(default=5, ge=0, description="so many in a row; 0: never")
    soft_bounce_days: int = Field(default=14, ge=0, le=3650, description="over at least so many days")

    @property
    def soft_bounce_policy(self) -> SoftBouncePolicy:
        """Return both settings as a `SoftBouncePolicy`."""
        return SoftBouncePolicy(bounces=self.soft_bounces, span=timedelta(days=self.soft_bounce_days))


class Identity(Fields):
    """`[newsletter]`: who writes, to whom answers go, what the law asks to be said."""

    name: OneLine = Field(description="the newsletter's name, as it stands above each issue")
    organisation: OneLine = Field(description="who publishes it")
    from_: Mailbox = Field(alias="from", description="the sender: Name <address>")
    reply_to: EmailAddress | None = None
    address: OneLine = Field(description="the postal address, required by law in every mail")
    website: WebAddress
    reason: OneLine = Field(description="one sentence: why a reader gets this mail")
    language: Language = "en"
    timezone: TimeZone
    list_id: Slug | None = Field(
        default=None, description="a dotted name that mail programs know the list by (RFC 2919)"
    )

    @property
    def from_name(self) -> str:
        """The sender's display name; the newsletter's name where the mailbox has none."""
        return parseaddr(self.from_)[0] or self.name

    @property
    def from_email(self) -> str:
        """The sender's bare address."""
        return parseaddr(self.from_)[1]


class Service(Fields):
    """`[service]`: where the pages for subscribers are reached."""

    url: WebAddress = Field(description="unsubscribe links begin with it")

    @field_validator("url")
    @classmethod
    def _plain(cls, value: str) -> str:
        # What is made of these signs stands in HTML, text and headers as it is.
        if not re.fullmatch(r"[A-Za-z0-9:/._~%-]+", value):
            raise ValueError(f"{value!r} is more than a page's address; write it without ?, # and other signs")
        return value


class Archive(Fields):
    """`[archive]`: where published issues and their pictures are hosted."""

    url: WebAddress


class Settings(Fields):
    """All of `newsletter.toml`."""

    newsletter: Identity
    brand: Brand = Brand()
    service: Service
    archive: Archive | None = None
    segments: Mapping[Slug, OneLine] = Field(default={}, description="name = boolean expression")
    topics: Mapping[Slug, OneLine] = Field(default={}, description="name = title; each can be left by itself")
    reviewers: Mapping[Slug, tuple[Mailbox, ...]] = Field(default={}, description="name = mailboxes")
    provider: ProviderSettings = ProviderSettings()
    authentication: AuthenticationSettings = AuthenticationSettings()
    database: DatabaseSettings = DatabaseSettings()
    delivery: DeliverySettings = DeliverySettings()
    suppressions: SuppressionSettings = SuppressionSettings()
    checks: CheckSettings = CheckSettings()
