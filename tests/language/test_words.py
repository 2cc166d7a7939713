"""What languages call days, months and themselves."""

import pytest
from babel import Locale

from newsletter.language.words import colon_after, comma_between, language_name, locale_of, typed_forms, weekly


@pytest.mark.parametrize(
    ("language", "found"), [("pt-BR", "pt_BR"), ("de-XX", "de"), ("xx", None), ("no language", None)]
)
def test_a_language_is_known_with_or_without_its_region(language: str, found: str | None) -> None:
    locale = locale_of(language)
    assert (locale and str(locale)) == found


@pytest.mark.parametrize(("language", "name"), [("de", "German"), ("pt-BR", "Portuguese (Brazil)"), ("xx", "xx")])
def test_a_language_has_a_name_in_english(language: str, name: str) -> None:
    assert language_name(language) == name


@pytest.mark.parametrize(
    ("language", "day", "said"),
    [
        ("en", "Friday", "Fridays, "),
        ("de", "Freitag", "jeden Freitag, "),
        ("ja", "金曜日", "毎週金曜日 "),
        ("fi", "perjantai", "perjantai, "),
    ],
)
def test_each_week_is_said_in_the_language(language: str, day: str, said: str) -> None:
    assert weekly(day, Locale(language)) + comma_between(language) == said


@pytest.mark.parametrize(
    ("label", "language", "labeled"),
    [
        ("Play", "en", "Play: it"),
        ("Lire", "fr-CA", "Lire\N{NO-BREAK SPACE}: it"),
        ("再生", "ja", "再生\N{FULLWIDTH COLON}it"),
        ("播放", "zh-Hans", "播放\N{FULLWIDTH COLON}it"),
        ("Who?", "en", "Who? it"),
        ("Pour qui\N{NO-BREAK SPACE}?", "fr", "Pour qui\N{NO-BREAK SPACE}? it"),
        ("誰\N{FULLWIDTH QUESTION MARK}", "ja", "誰\N{FULLWIDTH QUESTION MARK}it"),
    ],
)
def test_each_language_has_its_colon_after_a_label(label: str, language: str, labeled: str) -> None:
    assert f"{label}{colon_after(label, language)}it" == labeled


def test_names_are_found_however_they_are_typed() -> None:
    german = Locale("de")
    weekdays = typed_forms(german.days["format"])
    assert {weekdays[name] for name in ("Freitag", "FREITAG", "Fr", "Fr.")} == {4}
    assert "Fr" not in typed_forms(german.days["format"], "wide")
    assert typed_forms(german.months["format"])["März"] == 3
    assert typed_forms(Locale("fr").days["format"])["Vendredi"] == 4
