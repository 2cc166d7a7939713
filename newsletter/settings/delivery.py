"""What must hold before mail leaves, and when it leaves: `[delivery]` and `[database]`."""

from urllib.parse import urlsplit

from pydantic import Field, field_validator

from newsletter.model.values import OneLine
from newsletter.settings.part import Part

SQLITE = "sqlite:///"
_POSTGRESQL = frozenset({"postgresql", "postgres"})


class DeliverySettings(Part):
    """`[delivery]`: what holds a broadcast back, and how a schedule is kept."""

    require_approval: bool = Field(default=False, description="somebody approved exactly this content")
    require_test: bool = Field(default=False, description="a test copy of exactly this content was sent")
    lead_minutes: int = Field(default=60, ge=11, le=72 * 60, description="how long before its time mail is handed over")
    lateness_minutes: int = Field(default=360, ge=1, description="how late mail may still leave by itself")


class DatabaseSettings(Part):
    """`[database]`: where the audience and the ledger are kept; a password comes from the environment (PGPASSWORD)."""

    url: OneLine = "sqlite:///newsletter.db"

    @field_validator("url")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value.startswith(SQLITE) and value != SQLITE:
            return value
        parts = urlsplit(value)
        if parts.scheme not in _POSTGRESQL:
            raise ValueError(
                f"{value!r} is not a database; write it as sqlite:///newsletter.db or postgresql://user@host/name"
            )
        if parts.password is not None or "password=" in parts.query:
            raise ValueError("a password never stands in a file; take it out, and set PGPASSWORD in the environment")
        return value
