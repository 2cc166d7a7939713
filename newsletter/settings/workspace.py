"""All of `newsletter.toml`."""

from collections.abc import Mapping

from pydantic import Field

from newsletter.model.values import Mailbox, OneLine, Slug
from newsletter.settings.authentication import AuthenticationSettings
from newsletter.settings.brand import Brand
from newsletter.settings.checks import CheckSettings
from newsletter.settings.delivery import DatabaseSettings, DeliverySettings
from newsletter.settings.identity import Archive, Identity, Service
from newsletter.settings.part import Part
from newsletter.settings.provider import ProviderSettings
from newsletter.settings.suppressions import SuppressionSettings


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
