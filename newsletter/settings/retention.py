"""How long data is kept that is not needed forever: `[retention]`."""

from pydantic import Field

from newsletter.model.values import Fields

_TEN_YEARS = 3660


class RetentionSettings(Fields):
    """`[retention]`: after how many days data is deleted. The workflow that deletes it has a line for each key."""

    posts: int = Field(default=35, ge=2, le=_TEN_YEARS, description="what your provider reported, as it was posted")
    logs: int = Field(default=35, ge=1, le=_TEN_YEARS, description="lines of the logs, and error reports")
    remarks: int = Field(default=730, ge=1, le=_TEN_YEARS, description="why people left, in their words")
    soft_bounces: int = Field(default=365, ge=1, le=_TEN_YEARS, description="when a mailbox refused email for now")
    proofs: int = Field(default=1095, ge=1, le=_TEN_YEARS, description="consents that newer ones replaced")
    # The limits on emails to one address count the last 30 days.
    requests: int = Field(
        default=30, ge=30, le=_TEN_YEARS, description="what people asked for with forms and did not confirm"
    )
    reviews: int = Field(
        default=365, ge=14, le=_TEN_YEARS, description="what reviewers were shown, who they were, and what they said"
    )
