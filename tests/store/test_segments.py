"""Segments as SQL: who is in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.model.audience import ImportRow, SegmentCount, SuppressionReason
from newsletter.model.segment import All, And, Compare, Condition, Not, OneOf, Operator, Or, Tagged
from newsletter.store.database import Database, Dialect
from newsletter.store.postgresql.dialect import PostgresDialect
from newsletter.store.segment_sql import TEXT_COLUMNS, ComposedQuery, compose
from newsletter.store.segments import count_segment, missing_values
from newsletter.store.sqlite.dialect import SqliteDialect
from newsletter.store.suppressions import add_suppression
from tests.store.builders import NOW, add

PEOPLE = (
    ImportRow(0, "ana@example.org", first_name="Ana", language="es", tags=("teacher",), attributes={"gifts": "95"}),
    ImportRow(0, "bo@example.org", language="en", tags=("donor", "teacher"), attributes={"gifts": "100"}),
    ImportRow(0, "cy@example.org", first_name="Cy", attributes={"gifts": "many", "country": "US"}),
    ImportRow(0, "di@example.org", language="en", attributes={"country": "CA"}),
)


def names(database: Database, condition: Condition) -> str:
    with database.read() as connection:
        query = compose("SELECT s.email FROM subscriber AS s WHERE :segment", connection.dialect, segment=condition)
        return "".join(sorted(email[0] for (email,) in connection.execute(query.sql, query.parameters)))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (All(), "abcd"),
        (Compare("language", Operator.EQUAL, "en"), "bd"),
        (Compare("language", Operator.UNEQUAL, "en"), "ac"),
        (Compare("language", Operator.EQUAL, ""), "c"),
        (Compare("country", Operator.EQUAL, ""), "ab"),
        (Compare("country", Operator.MORE, "CA"), "c"),
        (OneOf("country", ("US", "CA")), "cd"),
        (Not(OneOf("country", ("US", ""))), "d"),
        (Tagged("teacher"), "ab"),
        (And((Tagged("teacher"), Not(Tagged("donor")))), "a"),
        (Or((Tagged("donor"), Compare("first_name", Operator.EQUAL, "Cy"))), "bc"),
        (Compare("nobody_has_this", Operator.EQUAL, "x"), ""),
        (Compare("nobody_has_this", Operator.UNEQUAL, "x"), "abcd"),
    ],
)
def test_condition_finds_its_people(database: Database, condition: Condition, expected: str) -> None:
    add(database, *PEOPLE)

    assert names(database, condition) == expected


def test_numbers_are_compared_as_numbers_and_anything_else_as_text(database: Database) -> None:
    add(database, *PEOPLE)

    assert names(database, Compare("gifts", Operator.AT_LEAST, "100")) == "bc"  # "many" comes after "100" as text
    assert names(database, Compare("gifts", Operator.LESS, "100")) == "ad"  # no gifts are empty text


def test_dates_are_compared_as_dates(database: Database) -> None:
    add(
        database,
        ImportRow(0, "ana@example.org", consented_at=NOW.replace(year=2024)),
        ImportRow(0, "bo@example.org", consented_at=NOW),
    )

    assert names(database, Compare("consented_at", Operator.AT_LEAST, "2025-01-01")) == "b"
    assert names(database, Compare("consented_at", Operator.AT_LEAST, "2025")) == "b"
    assert names(database, Compare("consented_at", Operator.LESS, "2026-02-19T08:00:00Z")) == "a"


@pytest.mark.parametrize("name", ["id", "person", "token", "created_at"])
def test_inner_columns_are_out_of_reach(database: Database, name: str) -> None:
    add(database, *PEOPLE)

    assert names(database, Compare(name, Operator.EQUAL, "")) == "abcd"


@pytest.mark.parametrize("dialect", [SqliteDialect(), PostgresDialect()])
@given(name=st.text(st.characters(codec="utf-8", exclude_characters="\0")), value=st.text())
def test_no_name_or_value_becomes_sql(dialect: Dialect, name: str, value: str) -> None:
    def composed(name: str, value: str) -> ComposedQuery:
        condition = And((Compare(name, Operator.EQUAL, value), OneOf(name, (value,)), Tagged(value)))
        return compose("SELECT :segment", dialect, segment=condition)

    query = composed(name, value)

    if name not in TEXT_COLUMNS:
        assert query.sql == composed("x", "").sql
    assert value in query.parameters.values()


def test_hostile_names_and_values_are_only_compared(database: Database) -> None:
    add(database, *PEOPLE)
    hostile = "x') OR 1=1; DROP TABLE subscriber; --"

    assert names(database, Compare(hostile, Operator.EQUAL, hostile)) == ""
    assert names(database, Compare('$."gifts"', Operator.EQUAL, ":segment")) == ""
    assert names(database, Tagged(hostile)) == ""
    assert names(database, All()) == "abcd"


def test_condition_as_deep_as_an_expression_may_be_is_compiled(database: Database) -> None:
    add(database, *PEOPLE)
    condition: Condition = Compare("gifts", Operator.AT_LEAST, "100")
    for _ in range(7):
        condition = Or((And((All(), condition)), Tagged("none")))

    assert names(database, condition) == "bc"
    assert missing_values(database, "gifts", condition) == 0


def test_count_tells_members_from_suppressed(database: Database) -> None:
    add(database, *PEOPLE)
    add_suppression(database, "ANA@example.org", SuppressionReason.BOUNCED, now=NOW)
    add_suppression(database, "stranger@example.org", SuppressionReason.BOUNCED, now=NOW)

    assert count_segment(database, All()) == SegmentCount(members=4, suppressed=1)
    assert count_segment(database, Tagged("teacher")) == SegmentCount(members=2, suppressed=1)
    assert count_segment(database, Tagged("donor")).mailable == 1


def test_missing_values_are_counted_within_the_segment(database: Database) -> None:
    add(database, *PEOPLE)

    assert missing_values(database, "first_name", All()) == 2
    assert missing_values(database, "country", All()) == 2
    assert missing_values(database, "country", Or((Tagged("teacher"), Compare("country", Operator.EQUAL, "US")))) == 2
    assert missing_values(database, "no_such_field", All()) == 4
