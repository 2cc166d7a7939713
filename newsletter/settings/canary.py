"""The first part of a broadcast that leaves before the others and can stop them: `[canary]`."""

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

from newsletter.model.values import Fields
from newsletter.settings.delivery import span_from


class CanarySettings(Fields):
    """`[canary]`: whether some of the recipients get a broadcast before the others, and how long they are watched."""

    above: int | None = Field(
        default=None,
        ge=100,
        description="always have a first part for more recipients than this; default: only if asked",
    )
    share: float = Field(default=2, ge=0.5, le=2, description="how many percent of the recipients get it first")
    watch: Annotated[timedelta, BeforeValidator(span_from)] = Field(
        default=timedelta(hours=24),
        ge=timedelta(minutes=15),
        description="how long what comes back is watched before the others get it, for example 4h",
    )
