"""Where lines do not break: inside the words of a title, and inside dates and times."""

import pytest
from markupsafe import Markup

from newsletter.render.breaks import unbroken, whole_dates

NO_BREAK, HYPHEN = "\N{NO-BREAK SPACE}", "\N{NON-BREAKING HYPHEN}"


@pytest.mark.parametrize("word", ["5-Day", "Self-Compassion", "8-Wochen-Kurs", "Тай-чи"])
def test_a_compound_word_of_a_title_stays_whole(word: str) -> None:
    assert unbroken(f"A {word} for all") == f"A {word.replace('-', HYPHEN)} for all"


@pytest.mark.parametrize(
    "text", ["https://example.org/a-b", "hello@a-b.example", "www.a-b.org", "a - b", "well-", "x" * 12 + "-" + "y" * 12]
)
def test_addresses_dashes_and_words_longer_than_a_phone_stay_as_they_are(text: str) -> None:
    assert unbroken(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("May 7, 2026", "May_7, 2026"),
        ("7. Mai 2026", "7._Mai 2026"),
        ("30. Dez – 2. Jan", "30._Dez_– 2._Jan"),
        ("8:00 am – 1:00 pm PT", "8:00_am_– 1:00_pm PT"),
        ("April 15–20, 2026", 'April_<span class="whole">15–20</span>, 2026'),
        ("9:00–17:00 Uhr", '<span class="whole">9:00–17:00</span>_Uhr'),
    ],
)
def test_days_hours_and_ranges_stay_whole(text: str, expected: str) -> None:
    assert whole_dates(text) == expected.replace("_", NO_BREAK)


def test_text_is_escaped_and_markup_is_not() -> None:
    assert whole_dates("<b>") == "&lt;b&gt;"
    assert whole_dates(Markup("<b>May 7</b>")) == f"<b>May{NO_BREAK}7</b>"
