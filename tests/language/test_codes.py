"""Codes of languages and names of time zones in any spelling."""

import pytest

from newsletter.language.codes import checked_language, language_of, time_zone_of


@pytest.mark.parametrize(
    ("given", "code"), [("EN", "en"), ("pt_br", "pt-BR"), ("zh-hant-tw", "zh-Hant-TW"), ("ES-419", "es-419")]
)
def test_language_is_written_as_usual(given: str, code: str) -> None:
    assert language_of(given) == code


@pytest.mark.parametrize("given", ["Spanish", "xx", "e", "“es”"])
def test_what_is_no_language_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="write"):
        language_of(given)


def test_code_that_is_typed_must_be_as_usual() -> None:
    assert checked_language("pt-BR") == "pt-BR"
    with pytest.raises(ValueError, match="'pt_br' is not a language"):
        checked_language("pt_br")


@pytest.mark.parametrize("given", ["america/los_angeles", "America/Los Angeles", "AMERICA/LOS_ANGELES"])
def test_time_zone_is_spelled_as_in_its_database(given: str) -> None:
    assert time_zone_of(given) == "America/Los_Angeles"


def test_what_is_no_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="'Mars/Olympus' is not a time zone"):
        time_zone_of("Mars/Olympus")
