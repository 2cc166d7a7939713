"""When an address is suppressed by itself: `[suppressions]`."""

from datetime import timedelta

from pydantic import Field

from newsletter.model.soft_bounce import SoftBouncePolicy
from newsletter.settings.part import Part


class SuppressionSettings(Part):
    """`[suppressions]`: when an address that cannot take mail for now is not mailed any more."""

    soft_bounces: int = Field(default=5, ge=0, description="so many in a row; 0: never")
    soft_bounce_days: int = Field(default=14, ge=0, le=3650, description="over at least so many days")

    @property
    def soft_bounce_policy(self) -> SoftBouncePolicy:
        """The two together."""
        return SoftBouncePolicy(bounces=self.soft_bounces, span=timedelta(days=self.soft_bounce_days))
