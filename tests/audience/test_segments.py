"""What a segment's expression means, and what is said of a wrong one."""

import pytest

from newsletter.audience.segments import parse_segment
from newsletter.errors import InputError
from newsletter.model.segment import All, And, Compare, Condition, Not, OneOf, Operator, Or, Tagged

FIELDS = ("language", "country", "age")


def condition_of(expression: str) -> Condition:
    return parse_segment("some", expression, FIELDS).condition


def complaint_about(expression: str) -> str:
    with pytest.raises(InputError) as raised:
        parse_segment("some", expression, FIELDS)
    return str(raised.value)


def test_segment_keeps_its_name_and_its_expression_as_written() -> None:
    segment = parse_segment("teachers", 'Tagged( "Teacher" )', FIELDS)

    assert (segment.name, segment.expression) == ("teachers", 'Tagged( "Teacher" )')


def test_words_and_fields_are_taken_in_any_case() -> None:
    assert condition_of('LANGUAGE = "es" AND Tagged("teacher")') == And(
        (Compare("language", Operator.EQUAL, "es"), Tagged("teacher"))
    )


def test_and_binds_more_tightly_than_or() -> None:
    one, two, three = (Compare("age", Operator.EQUAL, str(number)) for number in (1, 2, 3))

    assert condition_of("age = 1 or age = 2 and age = 3") == Or((one, And((two, three))))


def test_parentheses_come_first() -> None:
    one, two, three = (Compare("age", Operator.EQUAL, str(number)) for number in (1, 2, 3))

    assert condition_of("(age = 1 or age = 2) and age = 3") == And((Or((one, two)), three))


def test_not_in_is_the_opposite_of_in() -> None:
    assert condition_of("country not in ('US', \"CA\")") == Not(OneOf("country", ("US", "CA")))


def test_not_not_cancels_out() -> None:
    assert condition_of("not not not everyone") == Not(All())


def test_tags_are_compared_in_lower_case() -> None:
    assert condition_of('tagged(" Teacher ")') == Tagged("teacher")


@pytest.mark.parametrize("operator", list(Operator))
def test_every_operator_is_known(operator: Operator) -> None:
    assert condition_of(f'language {operator.value} "es"') == Compare("language", operator, "es")


@pytest.mark.parametrize("word", ["order", "notes", "inside", "android", "everyone_else"])
def test_field_may_begin_like_a_word_of_the_language(word: str) -> None:
    assert parse_segment("some", f'{word} = "1"', [word]).condition == Compare(word, Operator.EQUAL, "1")


@pytest.mark.parametrize(
    ("expression", "column", "remedy"),
    [
        ("", 0, "empty"),
        ("language = es", 11, "stands in quotes"),
        ('language == "es"', 10, "single ="),
        ('language "es"', 9, "after a field comes"),
        ('language = "es', 11, "close the quote"),
        ("language = “es”", 11, "straight quotes"),
        ('(language = "es"', 16, "close the parenthesis"),
        ('language = "es" tagged("x")', 16, "join two conditions"),
        ('language = "es" && everyone', 16, "write and, or"),
        ('country in ("US" "CA")', 17, "comma"),
        ("everyone)", 8, "take it away"),
        ("everyone and", 12, "write a condition"),
    ],
)
def test_syntax_error_is_marked_where_it_stands(expression: str, column: int, remedy: str) -> None:
    message, shown, caret = complaint_about(expression).split("\n")

    assert message.startswith("segment some: ")
    assert remedy in message
    assert shown == f"  {expression}"
    assert caret.index("^") == column + 2


def test_every_unknown_field_is_reported_with_a_suggestion() -> None:
    message = complaint_about('languag = "es" and countri = "US"')

    assert "did you mean language?" in message
    assert "did you mean country?" in message


def test_tags_as_a_field_leads_to_tagged() -> None:
    assert 'write tagged("teacher")' in complaint_about('tags = "teacher"')


def test_expression_too_long_to_be_meant_is_refused() -> None:
    assert "longer than" in complaint_about("not " * 1000 + "everyone")


def test_conditions_nested_too_deep_are_refused() -> None:
    def nested(levels: int) -> str:
        return "(age = 1 or (age = 2 and " * levels + "everyone" + "))" * levels

    assert condition_of(nested(7))
    assert "nested more than 15 deep" in complaint_about(nested(30))
