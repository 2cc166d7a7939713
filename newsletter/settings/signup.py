"""`[signup]`: the form with which people join, and what they get once they have."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from pydantic import Field, field_validator

from newsletter.errors import FaultError
from newsletter.model.values import Fields, Language, OneLine


class SignupSettings(Fields):
    """`[signup]`: the form with which people join, and what they get once they have."""

    about: Mapping[Language, OneLine] = Field(
        default={}, description="language = a sentence on the form, such as how often email comes"
    )
    asks_tracking: bool = Field(default=False, description="whether the form has a box for consent to tracking")
    welcome: OneLine | None = Field(
        default=None, description="the name of the issue that people get once they have joined"
    )
    disposable: OneLine | None = Field(
        default=None, description="a file of domains for throwaway addresses, one per line, which cannot join"
    )

    @field_validator("welcome")
    @classmethod
    def _is_a_folder(cls, value: str | None) -> str | None:
        if value is not None and PurePosixPath(value).name != value:
            raise FaultError(f"{value!r} is not the name of an issue", "write the name of its folder in issues/")
        return value

    def about_in(self, language: str, *, otherwise: str) -> str:
        """Return the sentence in a language, or else in `otherwise`, or an empty string."""
        names = (language, language.partition("-")[0], otherwise)
        return next((self.about[name] for name in names if name in self.about), "")
