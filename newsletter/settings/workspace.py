"""All of `newsletter.toml`: the sender, the design, how issues are checked, and when email is sent."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parseaddr
from functools import lru_cache
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, BeforeValidator, Field, field_validator, model_validator

from newsletter.errors import FaultError, FieldError, Location
from newsletter.model.event import SoftBouncePolicy
from newsletter.model.issue_fields import Phrase, Visibility
from newsletter.model.segment import in_one_line
from newsletter.model.values import (
    Color,
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
from newsletter.settings.canary import CanarySettings
from newsletter.settings.delivery import DeliverySettings
from newsletter.settings.languages import LanguageSettings
from newsletter.settings.mailbox import MailboxSettings
from newsletter.settings.provider import ProviderSettings
from newsletter.settings.retention import RetentionSettings
from newsletter.settings.signup import SignupSettings
from newsletter.settings.tracking import TrackingSettings

SQLITE = "sqlite:///"
# A segment that is empty or not text has a mistake of its own, which must not stop the commands that do not need it.
Expression = Annotated[
    str, BeforeValidator(lambda value: in_one_line(value if isinstance(value, str) else json.dumps(value, default=str)))
]
_POSTGRESQL = frozenset({"postgresql", "postgres"})

# The former names of keys, which are still accepted, and their names today.
RENAMED_KEYS: Mapping[Location, Location] = {("newsletter", "organisation"): ("newsletter", "organization")}


class DatabaseSettings(Fields):
    """`[database]`: where subscribers and broadcasts are stored. A password comes from the environment (PGPASSWORD)."""

    url: OneLine = "sqlite:///newsletter.db"

    @field_validator("url")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value.startswith(SQLITE) and value != SQLITE:
            return value
        parts = urlsplit(value)
        if parts.scheme not in _POSTGRESQL:
            remedy = "write it as sqlite:///newsletter.db or postgresql://user@host/name"
            raise FaultError(f"{value!r} is not a database", remedy)
        if parts.password is not None or "password=" in parts.query:
            raise FaultError(
                "this file must not contain a password", "delete it, and set PGPASSWORD in the environment"
            )
        return value


# The share of readers per email app, in percent: published shares of opens, with Apple's corrected (docs/clients.md).
USUAL_CLIENTS: Mapping[str, float] = {
    "gmail": 49,
    "apple-mail": 35,
    "outlook.windows": 5,
    "outlook": 4,
    "yahoo": 4,
    "samsung-email": 3,
}


def _with_dotted_names(value: object) -> object:
    """Return the shares by dotted name. Without quotes, TOML reads `outlook.windows = 5` as a nested table."""
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
    """`[checks]`: tools not to use, checks to override, changed severities, and the email apps of the readers."""

    without: tuple[Literal["browser", "network", "spamassassin"], ...] = Field(
        default=(), description="tools that no check may use; checks that need one are skipped"
    )
    waive: Mapping[RuleId, OneLine] = Field(default={}, description="check = why it does not block sending")
    severity: Mapping[RuleId, Literal["error", "warning"]] = Field(
        default={}, description="check = its severity in this workspace"
    )
    clients: Annotated[Mapping[str, Percent], BeforeValidator(_with_dotted_names)] = Field(
        default=USUAL_CLIENTS, description="email app = the share of readers who use it, in percent"
    )
    accept: Mapping[str, OneLine] = Field(
        default={}, description="feature at caniemail.com = why the email works without it"
    )

    words: Mapping[OneLine, str | Mapping[OneLine, str]] = Field(
        default={}, description="word to avoid = the better one; [checks.words.de]: only in that language"
    )

    def words_in(self, language: str) -> Mapping[str, str]:
        """Return the words to avoid in a language, each with the better one: those for all languages, and its own."""
        own = (self.words.get(name) for name in (language.partition("-")[0], language))
        return {
            **{word: better for word, better in self.words.items() if isinstance(better, str)},
            **{word: better for table in own if isinstance(table, Mapping) for word, better in table.items()},
        }

    @field_validator("clients")
    @classmethod
    def _at_most_all(cls, clients: Mapping[str, float]) -> Mapping[str, float]:
        if (total := sum(clients.values())) > 100:
            raise FaultError(
                f"the shares of the email apps add up to {total:g}%", "change them to add up to 100 or less"
            )
        return clients


class SocialLink(Fields):
    """`[[brand.social]]`: a page on another site, shown as a text link in the footer."""

    name: OneLine
    url: WebAddress


class Palette(Fields):
    """`[brand.light]`: the nine colors of the theme in light mode: paper, ink and one warm accent."""

    outside: Color = "#FBF7F1"
    inside: Color = "#FFFFFF"
    ink: Color = "#2A2724"
    quiet: Color = "#5E5850"
    accent: Color = "#9C3353"
    solid: Color = Field(default="#9C3353", description="the solid button; by default, your own `accent`")
    on_accent: Color = Field(default="#FFFFFF", description="the words on the solid button")
    wash: Color = "#F6ECE6"
    hairline: Color = "#D5C8BA"

    @model_validator(mode="before")
    @classmethod
    def _solid_like_accent(cls, data: object) -> object:
        if isinstance(data, Mapping) and "accent" in data and "solid" not in data:
            return {**data, "solid": data["accent"]}
        return data


class DarkPalette(Palette):
    """`[brand.dark]`: the same nine colors in dark mode."""

    outside: Color = "#161413"
    inside: Color = "#1F1C1A"
    ink: Color = "#EEE7DF"
    quiet: Color = "#B9AFA4"
    accent: Color = "#F2A7BA"
    solid: Color = Field(default="#D98AA0", description="the solid button; by default, your own `accent`")
    on_accent: Color = Field(default="#2A0F18", description="the words on the solid button")
    wash: Color = "#352E2A"
    hairline: Color = "#5A5049"


class Brand(Fields):
    """`[brand]`: the logo, fonts, colors and links of the design."""

    logo: OneLine | None = Field(default=None, description="an image in the workspace, for light backgrounds")
    logo_dark: OneLine | None = Field(default=None, description="the same for dark backgrounds")
    logo_width: int = Field(default=72, ge=16, le=536, description="in pixels, as shown")
    heading_font: OneLine = "Georgia, 'Iowan Old Style', 'Palatino Linotype', Palatino, 'Times New Roman', serif"
    body_font: OneLine = "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
    light: Palette = Palette()
    dark: DarkPalette = DarkPalette()
    social: tuple[SocialLink, ...] = ()

    @model_validator(mode="after")
    def _has_both_logos(self) -> "Brand":
        if self.logo_dark is not None and self.logo is None:
            what = "`logo_dark` is only shown in place of `logo`, which is missing"
            raise FieldError("logo_dark", what, "add a line `logo` with the image for light backgrounds")
        return self


class SuppressionSettings(Fields):
    """`[suppressions]`: after how many soft bounces an address is suppressed."""

    soft_bounces: int = Field(default=5, ge=0, description="soft bounces in a row; 0: never")
    soft_bounce_days: int = Field(default=14, ge=0, le=3650, description="over at least this many days")

    @property
    def soft_bounce_policy(self) -> SoftBouncePolicy:
        """Return both settings as a `SoftBouncePolicy`."""
        return SoftBouncePolicy(bounces=self.soft_bounces, span=timedelta(days=self.soft_bounce_days))


class Wording(Fields):
    """`[newsletter.wording.LANGUAGE]`: the newsletter's own words in the issues of one language."""

    name: OneLine | None = None
    organization: OneLine | None = None
    address: OneLine | None = None
    reason: OneLine | None = None


class Identity(Fields):
    """`[newsletter]`: the sender, the address for replies, and the details that the law requires."""

    name: OneLine = Field(description="the newsletter's name, shown above each issue")
    organization: OneLine = Field(
        validation_alias=AliasChoices("organization", "organisation"), description="the publisher"
    )
    from_: Mailbox = Field(alias="from", description="the sender: Name <address>")
    reply_to: EmailAddress | None = None
    address: OneLine = Field(description="the postal address, required by law in every email")
    website: WebAddress
    reason: OneLine = Field(description="one sentence: why the reader gets this email")
    language: Language = "en"
    timezone: TimeZone
    list_id: Slug | None = Field(
        default=None, description="a dotted name by which email apps recognize the list (RFC 2919)"
    )
    wording: Mapping[Language, Wording] = Field(default={}, description="the footer's words in other languages")

    @model_validator(mode="before")
    @classmethod
    def _one_name_per_key(cls, data: object) -> object:
        if isinstance(data, Mapping) and {"organization", "organisation"} <= data.keys():
            what = "`organization` is also written under its old name `organisation`"
            raise FieldError("organisation", what, "delete the line with `organisation`")
        return data

    @property
    def organisation(self) -> str:
        """The old name of `organization`, which templates of a workspace may still use."""
        return self.organization

    def said_in(self, language: str, key: str) -> Phrase:
        """Return `name`, `organization`, `address` or `reason` as the issues of a language say it.

        If there is no wording for the language, not even without its region, the text is in the newsletter's own.
        """
        for name in (language, language.partition("-")[0]):
            text = getattr(self.wording[name], key) if name in self.wording else None
            if text is not None:
                return Phrase(language=name, text=text)
        return Phrase(language=self.language, text=getattr(self, key))

    @property
    def from_name(self) -> str:
        """The sender's display name, or the newsletter's name if `from` has none."""
        return _sender(self.from_)[0] or self.name

    @property
    def from_email(self) -> str:
        """The sender's address without a name."""
        return _sender(self.from_)[1]


@lru_cache(maxsize=16)  # asked for a dozen times in each build, and the library takes long for it
def _sender(from_: str) -> tuple[str, str]:
    """Return the name and the address of a sender."""
    return parseaddr(from_)


class ServiceSettings(Fields):
    """`[service]`: the address of the pages for subscribers."""

    url: WebAddress = Field(description="unsubscribe links start with it")
    host: OneLine = Field(default="127.0.0.1", description="the address that `newsletter serve` listens on")
    port: int = Field(default=8080, ge=1, le=65535, description="the port that `newsletter serve` listens on")
    metrics_port: int | None = Field(
        default=None, ge=1, le=65535, description="the port of this machine for Prometheus; without it, no metrics"
    )
    proxies: tuple[OneLine, ...] = Field(
        default=("127.0.0.1", "::1"), description="the addresses of the web servers in front of it, which it trusts"
    )

    @field_validator("url")
    @classmethod
    def _plain(cls, value: str) -> str:
        # Links made of these characters need no escaping in HTML, text or headers.
        if not re.fullmatch(r"[A-Za-z0-9:/._~%-]+", value):
            remedy = "write it without characters such as ? and #"
            raise FaultError(f"{value!r} is more than the address of a page", remedy)
        return value


class Archive(Fields):
    """`[archive]`: the public pages of issues, and the images of their emails."""

    url: WebAddress = Field(description="the address of the archive, where readers find its pages and images")
    to: OneLine | None = Field(
        default=None, description="where `newsletter publish` puts the files: a folder, or s3://, gs:// or sftp://"
    )
    visibility: Visibility = Field(
        default=Visibility.AFTER_SENDING, description="of issues that do not name their own `visibility`"
    )


class Settings(Fields):
    """All of `newsletter.toml`."""

    newsletter: Identity
    brand: Brand = Brand()
    service: ServiceSettings
    signup: SignupSettings = SignupSettings()
    archive: Archive | None = None
    languages: LanguageSettings = LanguageSettings()
    segments: Mapping[Slug, Expression] = Field(default={}, description="name = boolean expression")
    topics: Mapping[Slug, OneLine] = Field(
        default={}, description="name = title; readers can leave one and keep the others"
    )
    reviewers: Mapping[Slug, tuple[Mailbox, ...]] = Field(default={}, description="name = mailboxes")
    provider: ProviderSettings = ProviderSettings()
    authentication: AuthenticationSettings = AuthenticationSettings()
    database: DatabaseSettings = DatabaseSettings()
    delivery: DeliverySettings = DeliverySettings()
    canary: CanarySettings = CanarySettings()
    suppressions: SuppressionSettings = SuppressionSettings()
    mailbox: MailboxSettings | None = None
    retention: RetentionSettings = RetentionSettings()
    checks: CheckSettings = CheckSettings()
    tracking: TrackingSettings = TrackingSettings()
