"""Text in another script or language, where it shows plainly."""

import pytest

from newsletter.language.other import language_beside, script_beside

SPANISH = "Los días son más largos, y con ellos también nuestros paseos por la orilla del mar."
GERMAN = "Die Tage werden länger, und mit ihnen auch unsere Wege am Wasser bis zu dem alten Hafen."
ENGLISH = "The days grow longer, and with them our walks along the water to the old harbour."


@pytest.mark.parametrize(
    ("text", "language", "script"),
    [
        ("هذه فقرة كاملة", "en", "Arabic"),
        ("שלום לכולם", "de", "Hebrew"),
        ("これは日本語の段落です", "en", "Japanese"),
        ("这一段没有空格", "fr", "Chinese"),
        ("Это целый абзац", "es", "Cyrillic"),
        (ENGLISH, "ja", "Latin"),
        (ENGLISH, "ar", "Latin"),
        ("これは日本語の段落です", "zh", "Japanese"),
    ],
)
def test_another_script_is_named(text: str, language: str, script: str) -> None:
    assert script_beside(text, language) == script


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("A greeting, «السلام عليكم», in an English sentence", "en"),
        ("2026 · 10:00–12:00 💗", "ar"),
        ("Mindful Self-Compassion (MSC) 2026", "ja"),
        ("自分への思いやりを育む講座", "ja"),
        ("한국어 문장입니다", "ko"),
        ("Ово је на српском језику", "sr"),
        ("Ovo je na srpskom jeziku, i to sasvim jasno i glasno", "sr-Latn"),
        ("Any text at all in a language nobody knows", "xx"),
        ("", "en"),
    ],
)
def test_what_may_be_the_language_itself_is_not(text: str, language: str) -> None:
    assert script_beside(text, language) is None


@pytest.mark.parametrize(
    ("text", "other", "language"),
    [(SPANISH, "es", "en"), (GERMAN, "de", "en"), (ENGLISH, "en", "de-AT"), (ENGLISH, "en", "sv")],
)
def test_another_language_in_the_same_letters_is_named(text: str, other: str, language: str) -> None:
    assert language_beside(text, language) == other


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (SPANISH, "es"),
        (GERMAN, "de"),
        (SPANISH, "ca"),  # a language whose small words are not known
        ("Muchas gracias, amigas", "en"),  # too short to be plain
        ("Kristin Neff, Christopher Germer, Ana Lima, Noor Haddad, Elijah Zimmerman, Yuki Harada, Olga Ivanova", "en"),
        (
            "La La Land, El Niño, Der Spiegel, Le Monde, Die Zeit, Il Postino and a few others are on the list",
            "en",
        ),
    ],
)
def test_what_is_not_plain_is_not_named(text: str, language: str) -> None:
    assert language_beside(text, language) is None
