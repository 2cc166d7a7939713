"""A segment has the same people on both engines, in the same order, whatever is in their fields."""

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.model.audience import ImportRow
from newsletter.model.segment import All, And, Compare, Condition, Not, OneOf, Operator, Or, Tagged
from newsletter.store.database import Database
from newsletter.store.merge import merge_subscribers
from newsletter.store.opening import open_database
from newsletter.store.segment_sql import compose
from newsletter.store.segments import count_segment, missing_values
from tests.postgresql import PostgresServer
from tests.store.builders import NOW

NUMBERS = ("0", "-0", "7", "95", "100", "-3.5", "12.50", "1e3", "1E-2", "-1e+2", "2e99", " 12 ", "\t4", "1" * 150)
NO_NUMBERS = ("007", "+5", ".5", "5.", "1,5", "0x10", "1_000", "Infinity", "NaN", "-", "1e", "1 2", "٣")
TEXTS = (
    "",
    "a",
    "A",
    "b",
    "B",
    "ab",
    "a b",
    "a-b",
    "é",
    "e\u0301",
    "É",
    "ß",
    "ss",
    "ı",
    "I",
    "日本",
    "💗",
    "\uffff",
    "~",
)
DATES = ("2025-01-01", "2025", "2026-02-19T08:00:00Z", "2026-02-19")
SYNTAX = (
    "%",
    "%s",
    "%(x)s",
    ":now",
    "::text",
    "\\",
    "\\.",
    "'",
    '"',
    "{}",
    "[]",
    "null",
    "true",
    "?",
    "$1",
    "/*+ x */",
)
VALUES = (*NUMBERS, *NO_NUMBERS, *TEXTS, *DATES, *SYNTAX)
ATTRIBUTES = ("gifts", "country", "a name: with 'marks'", "%(x)s")
FIELDS = ("first_name", "consent_source", "email", "language", *ATTRIBUTES, "nobody_has_this")
TAGS = ("teacher", "Teacher", "é", "%", "'")

values = st.sampled_from(VALUES) | st.from_regex(r"-?[0-9]{1,4}(\.[0-9]{1,3})?", fullmatch=True)
conditions = st.recursive(
    st.just(All())
    | st.builds(Compare, st.sampled_from(FIELDS), st.sampled_from(Operator), values)
    | st.builds(OneOf, st.sampled_from(FIELDS), st.lists(values, min_size=1, max_size=4).map(tuple))
    | st.builds(Tagged, st.sampled_from(TAGS)),
    lambda inner: (
        st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Not, inner)
    ),
    max_leaves=6,
)


def people() -> Iterator[ImportRow]:
    """Each value in several fields, and every field with all of them."""
    for number, value in enumerate(VALUES):
        yield ImportRow(
            number,
            f"Person{number}@example.org",
            first_name=value,
            consent_source=VALUES[(number * 7) % len(VALUES)],
            tags=TAGS[: number % (len(TAGS) + 1)],
            attributes={
                name: each
                for step, name in enumerate(ATTRIBUTES, start=1)
                if (each := VALUES[(number * 5 + step * 11) % len(VALUES)])
            },
        )


@pytest.fixture(scope="module")
def engines(
    postgresql_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Database, Database]]:
    url = postgresql_server.fresh_database()
    with open_database(tmp_path_factory.mktemp("sqlite") / "newsletter.db") as one, open_database(url) as other:
        for database in (one, other):
            merge_subscribers(database, people(), now=NOW)
        yield one, other
    postgresql_server.drop_database(url)


def members(database: Database, condition: Condition) -> list[str]:
    with database.read() as connection:
        query = compose(
            "SELECT s.email FROM subscriber AS s WHERE :segment ORDER BY s.email", connection.dialect, segment=condition
        )
        return [email for (email,) in connection.execute(query.sql, query.parameters)]


@settings(max_examples=300, deadline=None)
@given(condition=conditions)
@example(condition=Compare("gifts", Operator.LESS, "1" * 400))
@example(condition=Compare("gifts", Operator.AT_LEAST, "0." + "0" * 400 + "1"))
def test_segment_has_the_same_people_on_both_engines(engines: tuple[Database, Database], condition: Condition) -> None:
    one, other = engines

    assert members(one, condition) == members(other, condition)


@settings(max_examples=50, deadline=None)
@given(condition=conditions, field=st.sampled_from(FIELDS))
def test_counts_are_the_same_on_both_engines(
    engines: tuple[Database, Database], condition: Condition, field: str
) -> None:
    one, other = engines

    assert count_segment(one, condition) == count_segment(other, condition)
    assert missing_values(one, field, condition) == missing_values(other, field, condition)
