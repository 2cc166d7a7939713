"""How an issue is judged before it goes out: `[checks]`."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from newsletter.model.values import OneLine, RuleId
from newsletter.settings.part import Part

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


class CheckSettings(Part):
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
