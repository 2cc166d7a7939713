"""All of `newsletter.toml`."""

import re
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parseaddr

from pydantic import Field, field_validator

from newsletter.model.event import SoftBouncePolicy
from newsletter.model.values import EmailAddress, Language, Mailbox, OneLine, Slug, TimeZone, WebAddress
from newsletter.settings.authentication import AuthenticationSettings
from newsletter.settings.brand import Brand
from newsletter.settings.checks import CheckSettings
from newsletter.settings.delivery import DatabaseSettings, DeliverySettings
from newsletter.settings.part import Part
from newsletter.settings.provider import ProviderSettings


class SuppressionSettings(Part):
    """`[suppressions]`: when an address that cannot take mail for now is not mailed any more."""

    soft_bounces: int = Field(default=5, ge=0, description="so many in a row; 0: never")
    soft_bounce_days: int = Field(default=14, ge=0, le=3650, description="over at least so many days")

    @property
    def soft_bounce_policy(self) -> SoftBouncePolicy:
        """The two together."""
        return SoftBouncePolicy(bounces=self.soft_bounces, span=timedelta(days=self.soft_bounce_days))


class Identity(Part):
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


class Service(Part):
    """`[service]`: where the pages for subscribers are reached."""

    url: WebAddress = Field(description="unsubscribe links begin with it")

    @field_validator("url")
    @classmethod
    def _plain(cls, value: str) -> str:
        # What is made of these signs stands in HTML, text and headers as it is.
        if not re.fullmatch(r"[A-Za-z0-9:/._~%-]+", value):
            raise ValueError(f"{value!r} is more than a page's address; write it without ?, # and other signs")
        return value


class Archive(Part):
    """`[archive]`: where published issues and their pictures are hosted."""

    url: WebAddress


class Settings(Part):
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
