"""What a segment's expression means, and what is said of a wrong one."""

from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from newsletter.errors import MistakesError
from newsletter.model.audience import normal_text
from newsletter.model.finding import Place
from newsletter.model.segment import (
    AD_HOC,
    All,
    And,
    Compare,
    CompareNumber,
    Condition,
    Deed,
    Did,
    KnownNames,
    Left,
    Not,
    Occasion,
    OneOf,
    Operator,
    Or,
    Since,
    Tagged,
)
from newsletter.segments.expressions import parse_segment
from newsletter.segments.literals import Calendar

KNOWN = KnownNames(
    fields=("age", "consented_at", "country", "email", "joined_at", "language", "timezone"),
    tags=("donor", "teacher"),
    issues=("2026-01", "2026-02"),
    topics=("events", "news"),
)
PLACE = Place(path="newsletter.toml", line=7)
# In Los Angeles it is still the 30th of March.
CALENDAR = Calendar(now=datetime(2026, 3, 31, 5, 0, tzinfo=UTC), zone="America/Los_Angeles")


def condition_of(expression: str, known: KnownNames = KNOWN) -> Condition:
    return parse_segment("some", expression, known, CALENDAR, place=PLACE).condition


def complaint_about(expression: str, known: KnownNames = KNOWN, name: str = "some") -> str:
    with pytest.raises(MistakesError) as raised:
        parse_segment(name, expression, known, CALENDAR, place=PLACE)
    return str(raised.value)


def since(occasion: Occasion, day: str) -> Since:
    return Since(occasion, CALENDAR.beginning_of(date.fromisoformat(day)))


def test_segment_keeps_its_name_and_its_expression_as_written() -> None:
    segment = parse_segment("teachers", 'Tagged( "Teacher" )', KNOWN, CALENDAR, place=PLACE)

    assert (segment.name, segment.expression) == ("teachers", 'Tagged( "Teacher" )')


def test_words_and_fields_are_taken_in_any_case() -> None:
    assert condition_of('LANGUAGE = "es" AND Tagged("teacher")') == And(
        (Compare("language", Operator.EQUAL, "es"), Tagged("teacher"))
    )


def test_and_binds_more_tightly_than_or() -> None:
    one, two, three = (CompareNumber("age", Operator.EQUAL, number) for number in (1.0, 2.0, 3.0))

    assert condition_of("age = 1 or age = 2 and age = 3") == Or((one, And((two, three))))


def test_parentheses_come_first() -> None:
    one, two, three = (CompareNumber("age", Operator.EQUAL, number) for number in (1.0, 2.0, 3.0))

    assert condition_of("(age = 1 or age = 2) and age = 3") == And((Or((one, two)), three))


def test_not_in_is_the_opposite_of_in() -> None:
    assert condition_of("country not in ('US', \"CA\")") == Not(OneOf("country", ("US", "CA")))


def test_not_not_cancels_out() -> None:
    assert condition_of("not not not everyone") == Not(All())


def test_tags_are_compared_in_lower_case() -> None:
    assert condition_of('tagged(" Teacher ")') == Tagged("teacher")


@pytest.mark.parametrize(
    ("expression", "field", "value"),
    [
        ('language = "EN"', "language", "en"),
        ('language = "pt_br"', "language", "pt-BR"),
        ('language = ""', "language", ""),
        ('timezone = "europe/lisbon"', "timezone", "Europe/Lisbon"),
        ('timezone = "America/Los Angeles"', "timezone", "America/Los_Angeles"),
        ('email = "Ana@Example.ORG"', "email", "ana@example.org"),
        ('email = "ana@B\u00dcCHER.example"', "email", "ana@xn--bcher-kva.example"),
        ('country = "Me\u0301xico "', "country", "M\u00e9xico"),
        ('country = "US"', "country", "US"),
    ],
)
def test_value_is_compared_as_the_list_stores_it(expression: str, field: str, value: str) -> None:
    assert condition_of(expression) == Compare(field, Operator.EQUAL, value)
    assert condition_of(f"{field} in ({expression.partition(' = ')[2]})") == OneOf(field, (value,))


def test_part_of_an_address_is_compared_in_any_case() -> None:
    assert condition_of('email < "M"') == Compare("email", Operator.LESS, "m")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("""'it''s "new"'""", """it's "new\""""),
        ('''"it's ""new"""''', """it's "new\""""),
        ('"""it"""', '"it"'),
        ("''''", "'"),
        ('''"'"''', "'"),
        (r'"a\b"', r"a\b"),
    ],
)
def test_value_may_have_both_kinds_of_quotes(written: str, text: str) -> None:
    assert condition_of(f"country = {written}") == Compare("country", Operator.EQUAL, text)


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc",)), max_size=20), st.sampled_from("'\""))
def test_every_text_can_be_written(text: str, quote: str) -> None:
    written = f"{quote}{text.replace(quote, 2 * quote)}{quote}"

    assert condition_of(f"country = {written}") == Compare("country", Operator.EQUAL, normal_text(text))


@pytest.mark.parametrize("operator", [Operator.LESS, Operator.AT_MOST, Operator.MORE, Operator.AT_LEAST])
@pytest.mark.parametrize(("written", "number"), [("5", 5.0), ("-1.50", -1.5), ("05", 5.0), ('"5"', 5.0), ("'-0'", 0.0)])
def test_numbers_are_compared_as_numbers(operator: Operator, written: str, number: float) -> None:
    assert condition_of(f"age {operator} {written}") == CompareNumber("age", operator, number)


def test_number_without_quotes_is_equal_as_a_number_and_in_quotes_as_a_text() -> None:
    five = CompareNumber("age", Operator.EQUAL, 5.0)

    assert condition_of("age = 05") == five
    assert condition_of("age != 5") == Not(five)
    assert condition_of('age = "05"') == Compare("age", Operator.EQUAL, "05")
    assert condition_of('age in (5, "05", "6")') == Or((five, OneOf("age", ("05", "6"))))
    assert condition_of("age not in (5)") == Not(five)


def test_long_number_is_equal_digit_by_digit() -> None:
    assert condition_of("age = 9007199254740993") == Compare("age", Operator.EQUAL, "9007199254740993")
    assert condition_of("age < 9007199254740993") == CompareNumber("age", Operator.LESS, 9007199254740992.0)
    assert condition_of(f"age < {'1' * 400}") == Compare("age", Operator.LESS, "1" * 400)


@pytest.mark.parametrize("operator", list(Operator))
def test_every_operator_is_known(operator: Operator) -> None:
    assert condition_of(f'language {operator.value} "es"') == Compare("language", operator, "es")


@pytest.mark.parametrize(
    "word", ["order", "notes", "inside", "android", "everyone_else", "opened", "tagged", "days", "today", "ago"]
)
def test_field_may_begin_like_a_word_of_the_language(word: str) -> None:
    assert condition_of(f'{word} = "1"', replace(KNOWN, fields=(word,))) == Compare(word, Operator.EQUAL, "1")


@pytest.mark.parametrize("expression", ["", " \t"])
def test_an_empty_expression_is_told_without_a_caret(expression: str) -> None:
    message = complaint_about(expression)

    assert "the expression is empty; write a condition, for example" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("expression", "column", "remedy"),
    [
        ("language = es", 11, "in quotes"),
        ('language == "es"', 10, "write a single ="),
        ('language "es"', 9, "compare the field with ="),
        ('language = "es', 11, "close the quote, and write a quote inside the value twice"),
        ("country = \"it's", 10, "close the quote"),
        ("country = 'it's'", 14, "write a quote inside the value twice: 'it''s'"),
        ('country = "say "yes"', 16, "write a quote inside the value twice"),
        ("language = “es”", 11, "straight quotes"),
        ('(language = "es"', 16, "write ) here"),
        ('language = "es" tagged("donor")', 16, "join two conditions"),
        ('language = "es" && everyone', 16, "write `and`"),
        ('language = "es" || everyone', 16, "write `or`"),
        ('everyone and !tagged("donor")', 13, "write `not`"),
        ('language ! = "es"', 9, "compare the field with ="),
        ('country in ("US" "CA")', 17, "comma"),
        ("everyone)", 8, "delete it"),
        ("everyone and", 12, "write a condition"),
        ("opened(2026/01)", 11, "write a date as"),
        ("opened(everyone)", 7, "in quotes"),
        ("joined < 90 dayz ago", 12, "90 days ago"),
        ("joined < 90 days", 16, 'add "ago"'),
        ("joined < 2025-6-1", 13, "write a date as 2025-06-01"),
    ],
)
def test_syntax_error_is_marked_where_it_stands(expression: str, column: int, remedy: str) -> None:
    message, shown, caret = complaint_about(expression).split("\n")

    assert message.startswith("newsletter.toml:7: segment some: ")
    assert remedy in message
    assert "`and` or `or`" not in message or "join" in message
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
    assert "nested more than 15 levels deep" in complaint_about(nested(30))


@pytest.mark.parametrize("deed", list(Deed))
def test_engagement_is_with_an_issue_or_with_any(deed: Deed) -> None:
    assert condition_of(f'{deed.value}("2026-01")') == Did(deed, "2026-01")
    assert condition_of(f"not {deed.value.upper()}()") == Not(Did(deed, None))


def test_topic_is_left() -> None:
    assert condition_of("left('events')") == Left("events")


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        (">=", since(Occasion.JOINED, "2025-06-01")),
        (">", since(Occasion.JOINED, "2025-06-02")),
        ("<", Not(since(Occasion.JOINED, "2025-06-01"))),
        ("<=", Not(since(Occasion.JOINED, "2025-06-02"))),
        ("=", And((since(Occasion.JOINED, "2025-06-01"), Not(since(Occasion.JOINED, "2025-06-02"))))),
        ("!=", Or((Not(since(Occasion.JOINED, "2025-06-01")), since(Occasion.JOINED, "2025-06-02")))),
    ],
)
def test_moment_is_compared_with_a_whole_day(comparison: str, expected: Condition) -> None:
    assert condition_of(f"joined {comparison} 2025-06-01") == expected
    assert condition_of(f'joined {comparison} "2025-06-01"') == expected


@pytest.mark.parametrize("field", ["joined", "consented", "consent_confirmed_at", "last_opened"])
@pytest.mark.parametrize(
    "written",
    [
        *("2025-06-01T10:05Z", '"2025-06-01T10:05:00Z"', '"2025-06-01 03:05-07:00"', '"Jun 1, 2025, 10:05 AM"'),
        *('"01.06.2025 10:05"', '"2025-06-01 10:05:00 UTC"', "1748772300", "2025-06-01T12:05+02:00"),
    ],
)
def test_moment_is_compared_with_a_moment_in_any_form_of_a_list(field: str, written: str) -> None:
    at = datetime(2025, 6, 1, 10, 5, tzinfo=UTC)
    since, after = Since(Occasion(field), at), Since(Occasion(field), at.replace(second=1))

    assert condition_of(f"{field} >= {written}") == since
    assert condition_of(f"{field} > {written}") == after
    assert condition_of(f"{field} < {written}") == Not(since)
    assert condition_of(f"{field} = {written}") == And((since, Not(after)))


@pytest.mark.parametrize("written", ['"20250601"', '"June 1, 2025"', '"1 Jun 2025"', '"01.06.2025"', '" 2025-06-01 "'])
def test_day_may_be_written_as_in_a_list(written: str) -> None:
    assert condition_of(f"joined >= {written}") == since(Occasion.JOINED, "2025-06-01")


def test_date_may_be_one_of_several_days() -> None:
    first, second = (condition_of(f"joined = {day}") for day in ("2025-06-01", "yesterday"))

    assert condition_of("joined in (2025-06-01, yesterday)") == Or((first, second))
    assert condition_of("joined not in (2025-06-01)") == Not(first)


def test_empty_text_is_no_date() -> None:
    ever = condition_of('consented != ""')

    assert isinstance(ever, Since)
    assert ever.moment.year == 1
    assert condition_of('consented = ""') == Not(ever)


def test_days_begin_by_the_clock_of_the_newsletter() -> None:
    condition = condition_of("last_opened >= 2025-06-01")

    assert condition == Since(Occasion.LAST_OPENED, datetime(2025, 6, 1, 7, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("today", "2026-03-30"),
        ("yesterday", "2026-03-29"),
        ("1 day ago", "2026-03-29"),
        ("90 days ago", "2025-12-30"),
        ("2 Weeks Ago", "2026-03-16"),
        ("1 month ago", "2026-02-28"),
        ("13 months ago", "2025-02-28"),
        ("1 year ago", "2025-03-30"),
        ("0 days ago", "2026-03-30"),
    ],
)
def test_span_of_time_names_a_day(words: str, day: str) -> None:
    assert condition_of(f"last_clicked >= {words}") == since(Occasion.LAST_CLICKED, day)


def test_day_that_an_attribute_is_compared_with_is_text() -> None:
    assert condition_of("age < 2025-06-01") == Compare("age", Operator.LESS, "2025-06-01")
    assert condition_of("age in (2025-06-01, yesterday)") == OneOf("age", ("2025-06-01", "2026-03-29"))


@pytest.mark.parametrize(
    ("expression", "column", "what", "remedy"),
    [
        ('tagged("techer")', 7, "the tag 'techer'", "did you mean teacher?"),
        ('received("2026-1")', 9, "there is no issue '2026-1'", "did you mean 2026-01?"),
        ('left("event")', 5, "there is no topic 'event'", "did you mean events?"),
        ('openned("2026-01")', 0, "openned(…) does not exist", 'did you mean opened("…")?'),
        ("last_opend < today", 0, "the field 'last_opend'", "did you mean last_opened?"),
        ("tagged()", 0, "tagged() needs a tag", 'write tagged("teacher")'),
        ('consented_at >= "2025"', 0, "'consented_at' has a different name", "write consented"),
        ("joined_at < today", 0, "'joined_at' has a different name", "write joined"),
        ('opened = "2026-01"', 0, "field 'opened'", 'write opened("2026-01")'),
        ('joined >= "May"', 10, "'May' is not a date", "write it as"),
        ("joined >= 2025", 10, "'2025' is not a date", "write it as"),
        ("joined >= 2025-02-30", 10, "'2025-02-30' is not a date", "write it as"),
        ("joined >= 5000 years ago", 10, "5000 years ago is too far in the past", "smaller"),
        ("joined >= 1.5 days ago", 10, "1.5 is not a whole number", "90 days ago"),
        ("joined >= 2025-06-01T25:00Z", 10, "the time of day in '2025-06-01T25:00Z' is not valid", "write it as"),
        ("joined = 2025-06-01T10:99Z", 9, "the time of day in '2025-06-01T10:99Z' is not valid", "write it as"),
        ('joined = "2025-06-01 24:30"', 9, "the time of day in '2025-06-01 24:30' is not valid", "write it as"),
        ('joined >= "3/4/2025"', 10, "could be 3 April or 4 March", "write it as 2025-04-03"),
        ('joined >= "0000-00-00"', 10, "'0000-00-00' is not a date", "write it as"),
        ("joined >= 1890-01-01", 10, "the year of 1890-01-01 is not possible", "1900 to 2199"),
        ('joined >= "1492-10-12"', 10, "the year of 1492-10-12 is not possible", "1900 to 2199"),
        ('joined < ""', 9, "an empty value can only be used with = and !=", 'write a value, or joined = ""'),
        ('country >= ""', 11, "an empty value can only be used with = and !=", 'write a value, or country = ""'),
        ('language <= ""', 12, "an empty value can only be used with = and !=", 'write a value, or language = ""'),
        ('joined > "90 days ago"', 9, "'90 days ago' is a text because of its quotes", "write 90 days ago without"),
        ('last_opened < "Today"', 14, "'Today' is a text because of its quotes", "write Today without"),
        ('joined in ("yesterday")', 11, "'yesterday' is a text because of its quotes", "write yesterday without"),
        ('name = "x"', 0, "the field 'name'", "write first_name or last_name"),
        ('language = "Spanish"', 11, "'Spanish' is not a language", "write a code"),
        ('language in ("es", "xx")', 19, "'xx' is not a language", "write a code"),
        ('timezone != "Mars/Olympus"', 12, "'Mars/Olympus' is not a time zone", "write a continent and a city"),
    ],
)
def test_name_or_day_that_cannot_be_meant_is_marked(expression: str, column: int, what: str, remedy: str) -> None:
    message, shown, caret = complaint_about(expression).split("\n")

    assert what in message
    assert remedy in message
    assert shown == f"  {expression}"
    assert caret == f"  {' ' * column}^"


@pytest.mark.parametrize(
    ("expression", "condition"),
    [
        ("joined > 1970-01-01", since(Occasion.JOINED, "1970-01-02")),
        ('joined > "Jan 1, 1900"', since(Occasion.JOINED, "1900-01-02")),
        ("country < 1970-01-01", Compare("country", Operator.LESS, "1970-01-01")),
        ("country > 1900-01-01", Compare("country", Operator.MORE, "1900-01-01")),
        ("country < 1890-01-01", Compare("country", Operator.LESS, "1890-01-01")),
        ("country = 0000-00-00", Compare("country", Operator.EQUAL, "0000-00-00")),
    ],
)
def test_day_by_which_programs_mean_none_is_an_ordinary_day(expression: str, condition: Condition) -> None:
    assert condition_of(expression) == condition


@pytest.mark.parametrize(
    ("expression", "remedy"),
    [
        ("received(2026-01)", 'in quotes: received("2026-01")'),
        ("opened( 2026-01-x )", 'in quotes: opened("2026-01-x")'),
        ("tagged(teacher)", 'in quotes: tagged("teacher")'),
        ("joined = 2025-06-01 10:05", "put a date with a time in quotes"),
        ("joined < 2025-06-01 9:05 and everyone", "put a date with a time in quotes"),
        ('country <> "US"', "write !="),
        ('country ≠ "US"', "write !="),
        ("joined ≥ 2025-01-01", "write >="),
        ("joined => 2025-01-01", "write >="),
        ("age =< 5", "write <="),
        ('country = "US";', "delete the semicolon"),
        ('country = "DE" or "AT"', 'write country in ("DE", "AT")'),
        ("age = 1 OR 2 or 3", "write age in (1, 2, 3)"),
        ('everyone and country = "DE" or "AT"', 'write country in ("DE", "AT")'),
        ('country != "DE" and "AT"', 'write country not in ("DE", "AT")'),
        ('country in "DE", "AT"', 'put the values in parentheses: country in ("DE", "AT")'),
        ('country not in "DE"', 'put the values in parentheses: country not in ("DE")'),
        ("joined between 2025-01-01 and 2025-02-01", "compare the field with =, !=, <, <=, >, >=, in (…) or not in"),
        ('country contains "x"', "compare the field with =, !=, <, <=, >, >=, in (…) or not in"),
    ],
)
def test_mistake_that_its_neighbors_explain_is_answered_with_what_to_write(expression: str, remedy: str) -> None:
    assert remedy in complaint_about(expression)


@pytest.mark.parametrize("written", ['country =\n"US"\r\nor everyone', 'country = "New\nYork"', "everyone\n"])
def test_line_break_counts_as_a_space(written: str) -> None:
    in_one_line = " ".join(written.split())

    assert parse_segment("some", written, KNOWN, CALENDAR, place=PLACE).expression == in_one_line
    assert condition_of(written) == condition_of(in_one_line)


def test_name_that_an_import_saves_as_another_field_is_answered_with_that_field() -> None:
    known = replace(KNOWN, field_of=lambda name: {"sprache": "language"}.get(name, ""))

    assert "an import saves a column of that name as language, so write language" in complaint_about(
        'sprache = "de"', known
    )
    assert "no subscriber has the field 'stadt'" in complaint_about('stadt = "Ulm"', known)


def test_all_that_is_wrong_is_said_at_once_in_the_order_of_the_expression() -> None:
    told = complaint_about('tagged("x") or opened("y") or left("z") or nothing = 1')

    assert [line.split()[-1] for line in told.splitlines()[2::3]] == ["^"] * 4
    assert told.index("the tag 'x'") < told.index("issue 'y'") < told.index("topic 'z'") < told.index("field 'nothing'")


def test_while_nobody_is_on_the_list_its_fields_and_tags_are_not_judged() -> None:
    unknown = replace(KNOWN, fields=None, tags=None)

    assert condition_of('country = "US" or tagged("member")', unknown)
    assert "no issue" in complaint_about('country = "US" and received("2025-01")', unknown)


def test_expression_that_was_typed_has_no_name_in_its_mistakes() -> None:
    assert complaint_about("nothing = 1", name=AD_HOC).startswith(
        "newsletter.toml:7: no subscriber has the field 'nothing'"
    )


def test_long_expression_is_shown_around_the_fault() -> None:
    before = " or ".join(f"age = {number}" for number in range(40))
    _, shown, caret = complaint_about(f'{before} or tagged("x") or age = 41').split("\n")

    assert len(shown) <= 78
    assert shown[caret.index("^") :].startswith('"x")')


def test_caret_stands_below_the_fault_beyond_wide_letters() -> None:
    _, shown, caret = complaint_about('country = "日本" and x = 1').split("\n")

    assert caret.index("^") == shown.index("x =") + 2  # a terminal gives each of the two letters two columns


WORDS = ("not", "(", ")", "tagged", '"x"', "joined", "<", "90", "days", "ago", "and", "in", ",")


@given(st.text(max_size=60) | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_whatever_is_typed_is_an_expression_or_a_mistake(expression: str) -> None:
    with suppress(MistakesError):
        assert condition_of(expression)


def test_value_holds_no_sign_that_a_database_cannot_keep() -> None:
    assert "is not valid after" in complaint_about('language = "e\0s"')
