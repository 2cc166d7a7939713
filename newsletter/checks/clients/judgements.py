"""What is known beforehand about features: which of them a mail is whole without, and what to do instead of others."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgements:
    """What is known beforehand, by caniemail's names of features."""

    anywhere: Mapping[str, str]  # why no mail loses anything by it
    built_in: Mapping[str, str]  # why a mail of the built-in theme does not
    other_checks: Mapping[str, str]  # the check that tells it already
    remedies: Mapping[str, str]  # what to do instead


@cache
def judgements() -> Judgements:
    """What data/judgements.toml says."""
    data = tomllib.loads(
        files("newsletter").joinpath("checks", "clients", "data", "judgements.toml").read_text("utf-8")
    )
    return Judgements(**data)
