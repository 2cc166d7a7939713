"""What every table of `newsletter.toml` has in common."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A table of `newsletter.toml`: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
