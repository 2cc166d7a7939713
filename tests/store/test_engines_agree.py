"""A segment has the same people on both engines, and in plain Python, whatever is in their fields and their past."""

import csv
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.lists.csv_import import read_list
from newsletter.lists.exports import batch_of
from newsletter.model.audience import SegmentCount
from newsletter.model.columns import SubscriberRecord
from newsletter.model.finding import Place
from newsletter.model.segment import (
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
from newsletter.store.database import Database
from newsletter.store.merge import merge_subscribers
from newsletter.store.opening import open_database
from newsletter.store.queries import Change
from newsletter.store.segment_sql import compose
from newsletter.store.segments import count_segment
from tests.postgresql import PostgresServer
from tests.store.builders import NOW, row
from tests.store.plain_segments import Person, holds
from tests.store.worlds import ISSUES, MOMENTS, TOPICS, World, clear, worlds, write_world

NUMBERS = (
    "0",
    "-0",
    "7",
    "95",
    "100",
    "-3.5",
    "12.50",
    "1e3",
    "1E-2",
    "-1e+2",
    "2e99",
    " 12 ",
    "\t4",
    "1" * 150,
    "1" * 200,
    "05",
    "007.50",
    "+5",
    ".5",
    "5.",
    "5e-05",
    "5\v",
    "9007199254740993",
)
NO_NUMBERS = (
    "\u00a05",
    "- 5",
    "5e+",
    ".",
    "1,5",
    "0x10",
    "1_000",
    "Infinity",
    "NaN",
    "-",
    "1e",
    "1 2",
    "٣",
    "1e100",
    "1E+0007",
    "2e-308",
    "1" * 201,
)
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

numbers = st.floats(-1000, 1000) | st.sampled_from((0.0, -0.0, 5.0, 7.0, 7.5, 1e3, -3.5, 1e99, 0.01))
values = st.sampled_from(VALUES) | st.from_regex(r"-?[0-9]{1,4}(\.[0-9]{1,3})?", fullmatch=True)


def any_of(*leaves: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    """Conditions made of these, and of nothing else."""
    return st.recursive(
        st.one_of(st.just(All()), *leaves),
        lambda inner: (
            st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple))
            | st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple))
            | st.builds(Not, inner)
        ),
        max_leaves=6,
    )


conditions = any_of(
    st.builds(Compare, st.sampled_from(FIELDS), st.sampled_from(Operator), values),
    st.builds(CompareNumber, st.sampled_from(FIELDS), st.sampled_from(Operator), numbers),
    st.builds(OneOf, st.sampled_from(FIELDS), st.lists(values, min_size=1, max_size=4).map(tuple)),
    st.builds(Tagged, st.sampled_from(TAGS)),
)
conditions_on_the_past = any_of(
    st.builds(Did, st.sampled_from(Deed), st.none() | st.sampled_from((*ISSUES, "never sent"))),
    st.builds(Since, st.sampled_from(Occasion), st.sampled_from(MOMENTS)),
    st.builds(Left, st.sampled_from((*TOPICS, "never left"))),
    st.builds(Tagged, st.sampled_from(("teacher", "donor"))),
    st.builds(
        Compare, st.sampled_from(("language", "gifts")), st.sampled_from(Operator), st.sampled_from(("es", "95"))
    ),
    st.builds(CompareNumber, st.just("gifts"), st.sampled_from(Operator), st.sampled_from((7.0, 95.0, 1000.0))),
)


def people() -> Iterator[SubscriberRecord]:
    """Each value in several fields, and every field with all of them."""
    for number, value in enumerate(VALUES):
        yield row(
            f"Person{number}@example.org",
            first_name=value,
            consent_source=VALUES[(number * 7) % len(VALUES)],
            tags=tuple(sorted(TAGS[: number % (len(TAGS) + 1)])),
            attributes={
                name: each
                for step, name in enumerate(ATTRIBUTES, start=1)
                if (each := VALUES[(number * 5 + step * 11) % len(VALUES)])
            },
        )


@pytest.fixture(scope="module")
def empty_engines(
    postgresql_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Database, Database]]:
    url = postgresql_server.fresh_database()
    with open_database(tmp_path_factory.mktemp("sqlite") / "newsletter.db") as one, open_database(url) as other:
        yield one, other
    postgresql_server.drop_database(url)


@pytest.fixture(scope="module")
def engines(
    postgresql_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Database, Database]]:
    url = postgresql_server.fresh_database()
    with open_database(tmp_path_factory.mktemp("sqlite") / "newsletter.db") as one, open_database(url) as other:
        for database in (one, other):
            merge_subscribers(database, [batch_of(tuple(people()))], now=NOW)
        yield one, other
    postgresql_server.drop_database(url)


MEMBERS = Change(("", ""), "SELECT s.email FROM subscriber AS s WHERE :segment ORDER BY s.email")


def members(database: Database, condition: Condition) -> list[str]:
    with database.read() as connection:
        query, values = compose(MEMBERS, connection.dialect, segment=condition)
        return [email for (email,) in connection.execute(query.sql, values)]


def plainly(condition: Condition, known: dict[str, Person]) -> list[str]:
    return sorted(email for email, person in known.items() if holds(condition, person))


@settings(max_examples=300)
@given(condition=conditions)
@example(condition=CompareNumber("gifts", Operator.LESS, 1e300))
@example(condition=CompareNumber("gifts", Operator.AT_LEAST, 1e-300))
@example(condition=CompareNumber("gifts", Operator.EQUAL, 5.0))
@example(condition=CompareNumber("gifts", Operator.LESS, 100.0))
@example(condition=Compare("gifts", Operator.AT_MOST, "b"))
def test_segment_has_the_same_people_whatever_is_in_their_fields(
    engines: tuple[Database, Database], condition: Condition
) -> None:
    one, other = engines
    known = {record.email: Person(record=record) for record in people()}

    assert members(one, condition) == members(other, condition) == plainly(condition, known)


@settings(max_examples=60)
@given(world=worlds, some=st.lists(conditions_on_the_past, min_size=3, max_size=6))
def test_segment_has_the_same_people_whatever_is_in_their_past(
    empty_engines: tuple[Database, Database], world: World, some: list[Condition]
) -> None:
    knowns = [write_world(database, world) for database in empty_engines]

    for condition in some:
        for database, known in zip(empty_engines, knowns, strict=True):
            assert members(database, condition) == plainly(condition, known)
            assert count_segment(database, condition) == plain_count(condition, known)


def plain_count(condition: Condition, known: dict[str, Person]) -> SegmentCount:
    found = [person for person in known.values() if holds(condition, person)]
    lacking = sum(not person.record.may_be_mailed for person in found)
    return SegmentCount(members=len(found), suppressed=0, without_consent=lacking)


@settings(max_examples=50)
@given(condition=conditions)
def test_counts_are_the_same_on_both_engines(engines: tuple[Database, Database], condition: Condition) -> None:
    one, other = engines

    assert count_segment(one, condition) == count_segment(other, condition)


def in_any_case(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from((text, text.upper(), text.lower(), text.title(), text.swapcase()))


cells = st.fixed_dictionaries(
    {
        "email": in_any_case("ana@example.org") | in_any_case("zoë@bücher.example"),
        "language": st.sampled_from(("en", "pt-BR", "zh-Hant", "es-419")).flatmap(in_any_case),
        "timezone": st.sampled_from(("Europe/Lisbon", "America/Los Angeles", "UTC")).flatmap(in_any_case),
        "city": st.text("aA1 \u00e9e\u0301\u00dfß日\"'\\%_<", max_size=6),
        "score": st.from_regex(r"[+-]?[0-9]{1,3}(\.[0-9]{1,2})?(e[0-9])?", fullmatch=True),
        "consent_confirmed_at": st.sampled_from(
            ("2025-06-01", "2025-06-01T10:05Z", "2025-06-01 10:05-07:00", "Jun 1, 2025, 10:05 PM", "01.06.2025")
        ),
    }
)


@settings(max_examples=60)
@given(row=cells, tag=st.text("aAé\u0301E ß", min_size=1, max_size=4).filter(str.strip))
def test_person_is_found_by_each_value_as_their_list_has_it(
    empty_engines: tuple[Database, Database], tmp_path_factory: pytest.TempPathFactory, row: dict[str, str], tag: str
) -> None:
    path = tmp_path_factory.mktemp("list") / "list.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*row, "consented_at", "consent_source", "tags"])
        writer.writeheader()
        writer.writerow({**row, "consented_at": "2025-05-01", "consent_source": "form", "tags": tag})
    known = KnownNames(fields=None, tags=None, issues=(), topics=())
    compared = {name: cell for name, cell in row.items() if name != "score"}
    expressions = [f"{name} = {quoted(cell)}" for name, cell in compared.items()]
    expressions += [f"{name} in ({quoted(cell)})" for name, cell in compared.items()]
    expressions += [f"tagged({quoted(tag)})", f"score >= {float(row['score'])} and score <= {float(row['score'])}"]

    for database in empty_engines:
        clear(database)
        merge_subscribers(database, read_list(path), now=NOW)
        for expression in expressions:
            calendar = Calendar(now=NOW, zone="UTC")
            condition = parse_segment("one", expression, known, calendar, place=Place(path="x")).condition
            assert len(members(database, condition)) == 1, expression
            assert members(database, Not(condition)) == [], expression


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
