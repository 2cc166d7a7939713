"""The newsletter's own words in each language, and the two logos."""

import pytest
from pydantic import ValidationError

from newsletter.settings.workspace import Brand, Identity

IDENTITY = {
    "name": "Letters", "organization": "Small Press", "from": "Small Press <news@example.org>",
    "address": "1 Example Street", "website": "https://www.example.org", "reason": "You signed up.",
    "timezone": "UTC",
    "wording": {"de": {"reason": "Sie haben ihn bestellt."}, "pt-BR": {"reason": "Você pediu.", "address": "Rua 1"}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("language", "key", "said"),
    [
        ("de", "reason", ("de", "Sie haben ihn bestellt.")),
        ("de-AT", "reason", ("de", "Sie haben ihn bestellt.")),
        ("de", "address", ("en", "1 Example Street")),
        ("pt-BR", "address", ("pt-BR", "Rua 1")),
        ("pt", "reason", ("en", "You signed up.")),
        ("en", "organization", ("en", "Small Press")),
    ],
)
def test_the_footer_speaks_the_issues_language_where_it_can(language: str, key: str, said: tuple[str, str]) -> None:
    phrase = Identity.model_validate(IDENTITY).said_in(language, key)
    assert (phrase.language, phrase.text) == said


def test_a_logo_for_the_night_alone_is_a_mistake() -> None:
    with pytest.raises(ValidationError, match="`logo_dark` is only shown in place of `logo`, which is missing"):
        Brand.model_validate({"logo_dark": "brand/dark.png"})
    assert Brand.model_validate({"logo": "brand/logo.png"}).logo_dark is None
