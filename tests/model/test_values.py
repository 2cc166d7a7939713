"""Texts of one line, as settings, keys and names are."""

import pytest
from pydantic import TypeAdapter, ValidationError

from newsletter.model.values import OneLine

LINE: TypeAdapter[str] = TypeAdapter(OneLine)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("A \u202etxet", "turns the order"),
        ("\u202dA text\u202c", "turns the order"),
        ("\u2067A name", "turns the order"),
        ("A name\u2069", "turns the order"),
        ("\u2068one\u2069 and \u2066two", "turns the order"),
        ("A \ud83d text", "half of a character"),
    ],
)
def test_invisible_signs_that_change_what_stands_around_are_refused(text: str, what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        LINE.validate_python(text)


@pytest.mark.parametrize(
    "text",
    [
        "שלום \u2066Ana\u2069!",
        "\u2068one\u2069 \u2067two \u2066three\u2069\u2069",
        "می\u200cخواهم",
        "👩\u200d👩\u200d👧",
        "א\u200f!",
    ],
)
def test_signs_that_a_script_needs_are_fine(text: str) -> None:
    assert LINE.validate_python(text) == text
