"""The words of the pages for subscribers: the same keys and the same places to fill in, in every language."""

import re

import pytest

from newsletter.language.service_words import service_languages, service_words, spoken

_PLACE = re.compile(r"\{(\w*)\}")
_LANGUAGES = service_languages()


def test_all_languages_of_the_theme_have_words() -> None:
    assert {"ar", "de", "en", "es", "fr", "he", "it", "ja", "nl", "pt", "sv", "zh"} <= set(_LANGUAGES)


@pytest.mark.parametrize("language", _LANGUAGES)
def test_a_language_has_the_keys_and_places_of_english(language: str) -> None:
    def places(name: str) -> dict[tuple[str, str], list[str]]:
        pages = service_words(name).items()
        return {(page, key): sorted(_PLACE.findall(text)) for page, words in pages for key, text in words.items()}

    assert places(language) == places("en")
    assert all(text.strip() == text != "" for words in service_words(language).values() for text in words.values())


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [(["de"], "de"), (["pt-BR"], "pt"), (["tlh", "fr-CA", "en"], "fr"), (["xx"], "en"), ([], "en"), (["../en"], "en")],
)
def test_the_first_language_with_words_is_spoken(wanted: list[str], chosen: str) -> None:
    assert spoken(wanted) == chosen
