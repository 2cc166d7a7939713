"""`[languages]`: the languages in which readers can get an issue, besides the newsletter's own."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from newsletter.model.values import Fields, Language


class LanguageSettings(Fields):
    """`[languages]`: the languages offered, and what readers get where a translation is missing."""

    offered: tuple[Language, ...] = Field(default=(), description="the languages of translations, such as es and ja")
    fallback: Literal["issue", "section"] = Field(
        default="issue",
        description="what is not translated is replaced by the whole issue, or only that section, in its own language",
    )
    instead: Mapping[Language, tuple[Language, ...]] = Field(
        default={}, description="language = those that its readers get if it is not offered, best first"
    )
    line: Literal["offered", "any", "none"] = Field(
        default="any",
        description="the languages to which the line at the top leads: your own, or also a translating service",
    )
