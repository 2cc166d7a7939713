"""Which way words run."""

import pytest

from newsletter.language.direction import Direction, direction_of_language, direction_of_text, parts_by_direction

LEFT, RIGHT = Direction.LEFT_TO_RIGHT, Direction.RIGHT_TO_LEFT


@pytest.mark.parametrize(
    ("language", "direction"),
    [("en", LEFT), ("ar", RIGHT), ("he-IL", RIGHT), ("ps", RIGHT), ("az-Arab", RIGHT), ("ar-Latn", LEFT), ("ja", LEFT)],
)
def test_a_language_runs_as_its_script_does(language: str, direction: Direction) -> None:
    assert direction_of_language(language) is direction


@pytest.mark.parametrize(
    ("text", "around", "direction"),
    [
        ("Hello", LEFT, LEFT),
        ("مرحبا بكم", LEFT, RIGHT),
        ("«مرحبا بكم»", LEFT, RIGHT),
        ("12. שלום", LEFT, RIGHT),
        ("Hello there", RIGHT, LEFT),
        ("Gmail على الهاتف", RIGHT, RIGHT),
        ("كلمة in an English sentence", LEFT, LEFT),
        ("2035 – 12", RIGHT, RIGHT),
        ("", RIGHT, RIGHT),
        ("مرحبا mfq0123456789abcdefq", RIGHT, RIGHT),
        ("mfq0123456789abcdefq، مرحبا", LEFT, RIGHT),
    ],
)
def test_a_text_turns_round_only_where_nearly_all_of_it_runs_the_other_way(
    text: str, around: Direction, direction: Direction
) -> None:
    assert direction_of_text(text, around) is direction


@pytest.mark.parametrize(
    ("text", "around", "apart"),
    [
        ("They say «السلام عليكم» 3 times", LEFT, ["السلام عليكم"]),
        ("one שלום and two", LEFT, ["שלום"]),
        ("اتصل على +1 (555) 010-0199 الآن", RIGHT, ["+1 (555) 010-0199"]),
        (
            "اكتب إلى hello@example.org، أو زر https://www.example.org/a?b=c.",
            RIGHT,
            ["hello@example.org", "https://www.example.org/a?b=c"],
        ),
        ("برنامج من 8 أسابيع في 2010", RIGHT, []),
        ("nothing of the kind", LEFT, []),
    ],
)
def test_phrases_addresses_and_numbers_are_kept_apart(text: str, around: Direction, apart: list[str]) -> None:
    parts = list(parts_by_direction(text, around))
    assert "".join(part for part, _ in parts) == text
    assert [part for part, way in parts if way is around.other] == apart
