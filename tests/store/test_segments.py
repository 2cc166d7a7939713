"""Segments as SQL: who is in them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.model.audience import SegmentCount, SuppressionReason
from newsletter.model.columns import FIELD_COLUMNS
from newsletter.model.edit import Edit
from newsletter.model.event import EventType
from newsletter.model.segment import (
    All,
    And,
    Compare,
    CompareNumber,
    Condition,
    Deed,
    Did,
    Left,
    Not,
    Occasion,
    OneOf,
    Operator,
    Or,
    Segment,
    Since,
    Tagged,
)
from newsletter.store.database import Database, Dialect
from newsletter.store.editing import edit_people
from newsletter.store.postgresql.connection import PostgresDialect
from newsletter.store.queries import Change, query_all
from newsletter.store.segment_sql import compose
from newsletter.store.segments import (
    count_both,
    count_segment,
    count_suppressed,
    has_member,
    has_reaction,
    issues_sent,
    list_members,
    sample_segment,
    segments_sent,
    values_of_field,
)
from newsletter.store.sqlite.connection import SqliteDialect
from newsletter.store.suppressions import add_suppression
from newsletter.system.moments import text_of
from tests.store.builders import NOW, add, add_people, claim, freeze, hold, react, record, row, send_all

PEOPLE = (
    row("ana@example.org", first_name="Ana", language="es", tags=("teacher",), attributes={"gifts": "95"}),
    row("bo@example.org", language="en", tags=("donor", "teacher"), attributes={"gifts": "100"}),
    row("cy@example.org", first_name="Cy", attributes={"gifts": "many", "country": "US"}),
    row("di@example.org", language="en", attributes={"country": "CA"}),
)


EMAILS = query_all("segments", "issue_names", str).rewritten("SELECT s.email FROM subscriber AS s WHERE :segment")


def names(database: Database, condition: Condition) -> str:
    with database.read() as connection:
        query, values = compose(EMAILS, connection.dialect, segment=condition)
        return "".join(sorted(email[0] for email in query(connection, **values)))


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


def test_numbers_are_compared_with_numbers_only(database: Database) -> None:
    add(database, *PEOPLE)

    assert names(database, CompareNumber("gifts", Operator.AT_LEAST, 100)) == "b"
    assert names(database, CompareNumber("gifts", Operator.LESS, 100)) == "a"
    assert names(database, Not(CompareNumber("gifts", Operator.LESS, 100))) == "bcd"  # "many", and no gifts
    assert names(database, CompareNumber("nobody_has_this", Operator.LESS, 100)) == ""


@pytest.mark.parametrize("text", ["5", "05", " 5 ", "5.0", "+5", "5.", "0.5e1", "50e-1"])
def test_number_is_the_same_however_it_is_written(database: Database, text: str) -> None:
    add(database, row("ana@example.org", attributes={"score": text}))

    assert names(database, CompareNumber("score", Operator.EQUAL, 5)) == "a"
    assert names(database, CompareNumber("score", Operator.LESS, 5.5)) == "a"
    assert names(database, CompareNumber("score", Operator.MORE, 4.5)) == "a"


@pytest.mark.parametrize("text", ["five", "5 or 6", "5,5", "0x5", "1e999", "Infinity", "-", "5-"])
def test_what_is_no_number_is_neither_less_nor_more(database: Database, text: str) -> None:
    add(database, row("ana@example.org", attributes={"score": text}))

    assert names(database, CompareNumber("score", Operator.AT_MOST, 0)) == ""
    assert names(database, CompareNumber("score", Operator.AT_LEAST, 0)) == ""


def test_minus_zero_is_zero(database: Database) -> None:
    add(database, row("ana@example.org", attributes={"score": "-0"}))

    assert names(database, CompareNumber("score", Operator.EQUAL, 0)) == "a"
    assert names(database, CompareNumber("score", Operator.LESS, 0)) == ""


def test_missing_text_is_not_less(database: Database) -> None:
    add(database, *PEOPLE)

    assert names(database, Compare("country", Operator.LESS, "US")) == "d"
    assert names(database, Compare("country", Operator.AT_MOST, "US")) == "cd"


def test_address_is_found_in_any_spelling(database: Database) -> None:
    add(database, row("Ana@Example.org"), row("bo@b\u00fccher.example"))

    assert names(database, Compare("email", Operator.EQUAL, "ana@example.org")) == "A"
    assert names(database, OneOf("email", ("bo@xn--bcher-kva.example", "x@example.org"))) == "b"
    assert names(database, Compare("email", Operator.LESS, "b")) == "A"


def test_day_of_confirmation_is_any_time_of_that_day(database: Database) -> None:
    add(
        database,
        row("ana@example.org", consent_confirmed_at=NOW),
        row("bo@example.org", consent_confirmed_at=NOW + timedelta(seconds=1)),
        row("cy@example.org"),
    )
    since = Since(Occasion.CONFIRMED, NOW)

    assert names(database, since) == "ab"
    assert names(database, And((since, Not(Since(Occasion.CONFIRMED, NOW + timedelta(seconds=1)))))) == "a"
    assert names(database, Not(since)) == "c"


def test_dates_are_compared_as_dates(database: Database) -> None:
    add(
        database,
        row("ana@example.org", consented_at=NOW.replace(year=2024)),
        row("bo@example.org", consented_at=NOW),
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
    def composed(name: str, value: str) -> tuple[Change, dict[str, str | int]]:
        condition = And(
            (
                Compare(name, Operator.EQUAL, value),
                OneOf(name, (value,)),
                Tagged(value),
                Left(value),
                *(Did(deed, value) for deed in Deed),
            )
        )
        return compose(Change(("", ""), "SELECT :segment"), dialect, segment=condition)

    statement, values = composed(name, value)

    if name not in FIELD_COLUMNS:
        assert statement.sql == composed("x", "")[0].sql
    assert value in values.values()


def test_hostile_names_and_values_are_only_compared(database: Database) -> None:
    add(database, *PEOPLE)
    hostile = "x') OR 1=1; DROP TABLE subscriber; --"

    assert names(database, Compare(hostile, Operator.EQUAL, hostile)) == ""
    assert names(database, Compare('$."gifts"', Operator.EQUAL, ":segment")) == ""
    assert names(database, Tagged(hostile)) == ""
    assert names(database, All()) == "abcd"


def test_condition_as_deep_as_an_expression_may_be_is_compiled(database: Database) -> None:
    add(database, *PEOPLE)
    condition: Condition = CompareNumber("gifts", Operator.AT_LEAST, 100)
    for _ in range(7):
        condition = Or((And((All(), condition)), Tagged("none")))

    assert names(database, condition) == "b"


def test_count_tells_members_from_suppressed(database: Database) -> None:
    add(database, *PEOPLE)
    add_suppression(database, "ANA@example.org", SuppressionReason.BOUNCED, now=NOW)
    add_suppression(database, "stranger@example.org", SuppressionReason.BOUNCED, now=NOW)

    assert count_segment(database, All()) == SegmentCount(members=4, suppressed=1)
    assert count_segment(database, Tagged("teacher")) == SegmentCount(members=2, suppressed=1)
    assert count_segment(database, Tagged("donor")).mailable == 1


def test_whom_nothing_on_record_allows_to_mail_is_not_mailable(database: Database) -> None:
    add(
        database,
        row("ana@example.org", consented_at=None),
        row("bo@example.org", consented_at=None, consent_basis="customers since 2019"),
        row("cy@example.org", consented_at=None),
    )
    add_suppression(database, "cy@example.org", SuppressionReason.COMPLAINED, now=NOW)

    count = count_segment(database, All())

    assert count == SegmentCount(members=3, suppressed=1, without_consent=1)
    assert count.mailable == 1
    assert [member.standing for member in list_members(database, All())] == ["no consent", "mailed", "complained"]


def test_who_has_paused_is_counted_once_and_only_until_the_pause_ends(database: Database) -> None:
    names = ("ana", "bo", "cy", "di", "eo")
    people = [f"{name}@example.org" for name in names]
    add(
        database, *(row(email, first_name=email[:2], consented_at=None if email[0] == "c" else NOW) for email in people)
    )
    add_suppression(database, "bo@example.org", SuppressionReason.COMPLAINED, now=NOW)
    pause = Edit(cells={"paused_until": text_of(NOW + timedelta(days=9))})
    edit_people(database, people[:4], pause, shown=0, now=NOW)  # Ana and Di could be emailed otherwise
    of_ana = Compare("first_name", Operator.EQUAL, "an")

    paused = {
        days: [count_segment(database, each, at=NOW + timedelta(days=days)) for each in (All(), of_ana, Not(of_ana))]
        for days in (0, 8, 9)
    }

    assert [[each.paused for each in counts] for counts in paused.values()] == [[2, 1, 1], [2, 1, 1], [0, 0, 0]]
    assert [each.mailable for each in paused[0]] == [1, 0, 1]
    assert count_segment(database, All()).mailable == 3


def test_counts_of_the_opposite_are_of_everybody_else(database: Database) -> None:
    add(database, *PEOPLE)
    add_suppression(database, "ana@example.org", SuppressionReason.BOUNCED, now=NOW)

    assert count_segment(database, Not(Tagged("teacher"))) == SegmentCount(members=2, suppressed=0)
    assert count_segment(database, Not(Tagged("donor"))) == SegmentCount(members=3, suppressed=1)


def test_people_in_two_segments_are_counted(database: Database) -> None:
    add(database, *PEOPLE)

    assert count_both(database, Tagged("teacher"), Compare("language", Operator.EQUAL, "en")) == 1
    assert count_both(database, Tagged("teacher"), All()) == 2


def test_reasons_of_the_suppressed_are_told_apart_and_those_who_left_a_topic_are_not_among_them(
    database: Database,
) -> None:
    add_people(database, 4)
    for number, reason in enumerate((SuppressionReason.BOUNCED, SuppressionReason.MANUAL, SuppressionReason.BOUNCED)):
        add_suppression(database, f"person{number:05}@example.org", reason, now=NOW)
    add_suppression(database, "person00003@example.org", SuppressionReason.UNSUBSCRIBED, topic="events", now=NOW)

    assert count_suppressed(database, All()) == ((SuppressionReason.BOUNCED, 2), (SuppressionReason.MANUAL, 1))
    assert names(database, Left("events")) == "p"
    assert count_segment(database, Left("events")) == SegmentCount(members=1, suppressed=0)


def test_members_come_page_by_page_in_their_order_and_no_more_than_asked(database: Database) -> None:
    add_people(database, 2005)

    everybody = [member.subscriber.record.email for member in list_members(database, All())]

    assert everybody == [f"person{number:05}@example.org" for number in range(2005)]
    assert len(list(list_members(database, All(), most=1500))) == 1500
    assert not list(list_members(database, Tagged("nobody")))


def test_anyone_in_a_segment_is_enough(database: Database) -> None:
    assert not has_member(database, All())
    add(database, *PEOPLE)

    assert has_member(database, Tagged("donor"))
    assert not has_member(database, Compare("language", Operator.EQUAL, "fr"))


def test_different_values_of_a_field_are_found(database: Database) -> None:
    add(database, *PEOPLE)

    assert sorted(values_of_field(database, "language", All(), most=9)) == ["", "en", "es"]
    assert sorted(values_of_field(database, "country", OneOf("country", ("US", "CA", "x")), most=3)) == ["CA", "US"]
    assert len(values_of_field(database, "email", All(), most=2)) == 2


def test_opens_and_clicks_of_any_broadcast_are_known(database: Database) -> None:
    add(database, *PEOPLE)
    send_all(database, freeze(database, "2026-01"))
    broadcast = freeze(database, "2026-02", to=Segment(name="spanish", expression="", condition=Tagged("teacher")))
    send_all(database, broadcast)
    react(database, broadcast, "ana@example.org", EventType.CLICKED, NOW)

    assert has_reaction(database, Deed.CLICKED)
    assert not has_reaction(database, Deed.OPENED)
    assert segments_sent(database) == ("everyone", "spanish")


def test_sample_is_from_all_over_the_segment_and_always_the_same(database: Database) -> None:
    add_people(database, 100)

    sample = sample_segment(database, All(), size=5)

    assert sample == sample_segment(database, All(), size=5)
    assert len({member.subscriber.id // 20 for member in sample}) >= 3
    assert len(sample_segment(database, Compare("email", Operator.LESS, "person00002"), size=5)) == 2


def test_mail_that_the_provider_holds_is_received_when_it_lets_it_go(database: Database) -> None:
    add_people(database, 1)
    due_at = NOW + timedelta(hours=10)
    broadcast = hold(database, due_at)
    record(database, claim(database, broadcast, hold_within=timedelta(days=3)))

    assert names(database, Did(Deed.RECEIVED, "2026-02")) == "p"
    assert names(database, Since(Occasion.LAST_RECEIVED, due_at)) == "p"
    assert names(database, Since(Occasion.LAST_RECEIVED, due_at + timedelta(seconds=1))) == ""


def test_somebody_who_was_excluded_did_not_receive_the_issue(database: Database) -> None:
    add(database, *PEOPLE)
    add_suppression(database, "ana@example.org", SuppressionReason.BOUNCED, now=NOW)
    send_all(database, freeze(database, "2026-02"))

    assert names(database, Did(Deed.RECEIVED, "2026-02")) == "bcd"
    assert names(database, Not(Did(Deed.RECEIVED, None))) == "a"
    assert issues_sent(database) == ("2026-02",)
