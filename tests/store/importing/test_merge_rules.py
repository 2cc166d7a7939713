"""The rules of merging: what each says, and that the queries, which know one thing of them alone, do as they say."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from newsletter.lists.exports import batch_of, cell_of
from newsletter.model.columns import COLUMN_NAMES, SubscriberRecord
from newsletter.model.imports import ImportTerms
from newsletter.store.database import Database
from newsletter.store.importing.merge_rules import MergeRules
from newsletter.store.merge import merge_subscribers
from newsletter.store.queries import with_columns
from tests.store.builders import NOW
from tests.store.test_merge import PERSON, property_test

OLD, NEW = "2025-01-02T03:04:05Z", "2026-01-02T03:04:05Z"
KNOWN = {
    "email": "ana@example.org",
    "first_name": "Ana",
    "tags": "|donor|",
    "attributes": '{"city":"Recife","shoe":"38"}',
    "joined_at": OLD,
    "consented_at": OLD,
    "consent_source": "form",
    "consent_wording": "v1",
}


REPLACEABLE = ("first_name", "last_name", "language", "timezone", "tags", "joined_at", "city", "shoe")


def cells(said: dict[str, str]) -> tuple[str, ...]:
    return tuple(said.get(name, "") for name in COLUMN_NAMES)


@pytest.mark.parametrize(
    ("said", "then"),
    [
        ({"first_name": "Anna"}, {"first_name": "Anna"}),
        ({"email": "Ana@example.org"}, {"email": "Ana@example.org"}),
        ({"tags": "|member|"}, {"tags": "|donor|member|"}),
        ({"attributes": '{"city":"Olinda"}'}, {"attributes": '{"city":"Olinda","shoe":"38"}'}),
        ({"joined_at": NEW}, {}),
        ({"joined_at": "2024-01-01T00:00:00Z"}, {"joined_at": "2024-01-01T00:00:00Z"}),
        ({"consented_at": NEW}, {"consented_at": NEW, "consent_source": "", "consent_wording": ""}),
        ({"consented_at": OLD, "consent_source": "desk"}, {"consent_source": "desk"}),
        ({"consented_at": "2024-01-01T00:00:00Z", "consent_source": "desk"}, {}),
        ({"consent_source": "a bought list"}, {}),
        ({"consent_basis": "members"}, {}),
    ],
)
def test_each_rule_says_what_is_on_record_then(said: dict[str, str], then: dict[str, str]) -> None:
    assert MergeRules().merged(cells(KNOWN), cells(said)) == cells({**KNOWN, **then})


@pytest.mark.parametrize(
    ("replaced", "said", "then"),
    [
        ("first_name", {}, {"first_name": ""}),
        ("first_name", {"tags": "|donor|"}, {"first_name": ""}),
        ("first_name", {"first_name": "Anna"}, {"first_name": "Anna"}),
        ("tags", {}, {"tags": ""}),
        ("tags", {"tags": "|member|"}, {"tags": "|member|"}),
        ("city", {}, {"attributes": '{"shoe":"38"}'}),
        ("city", {"attributes": '{"city":"Olinda"}'}, {"attributes": '{"shoe":"38","city":"Olinda"}'}),
        ("city", {"attributes": '{"city":"Recife"}'}, {}),
        ("joined_at", {}, {}),
        ("joined_at", {"joined_at": NEW}, {"joined_at": NEW}),
        ("last_name", {"first_name": ""}, {}),
    ],
)
def test_replaced_column_is_what_the_row_says(replaced: str, said: dict[str, str], then: dict[str, str]) -> None:
    assert MergeRules({replaced}).merged(cells(KNOWN), cells(said)) == cells({**KNOWN, **then})


def test_basis_counts_where_no_consent_is_on_record() -> None:
    known = {"email": "ana@example.org", "joined_at": OLD, "attributes": "{}", "consent_basis": "members"}

    assert MergeRules().merged(cells(known), cells({"consent_basis": "donors"})) == cells(
        {**known, "consent_basis": "donors"}
    )


def stored(record: SubscriberRecord) -> tuple[str, ...]:
    """Return the cells of a person who has been on the list since now."""
    said = dict(zip(COLUMN_NAMES, map(cell_of, record.values), strict=True))
    return cells({**said, "joined_at": said["joined_at"] or cell_of(NOW), "attributes": said["attributes"] or "{}"})


@given(known=PERSON.map(stored), is_empty=st.lists(st.booleans(), min_size=len(COLUMN_NAMES), max_size=99))
def test_empty_cells_and_those_that_repeat_what_is_on_record_say_nothing(
    known: Sequence[str], is_empty: list[bool]
) -> None:
    row = ["" if empty else cell for cell, empty in zip(known, is_empty, strict=False)]

    assert MergeRules().merged(known, row) == known


@property_test
@given(known=PERSON, row=PERSON, replaced=st.frozensets(st.sampled_from(REPLACEABLE)))
def test_what_the_database_holds_after_a_row_is_what_the_rules_say(
    database: Database, known: SubscriberRecord, row: SubscriberRecord, replaced: frozenset[str]
) -> None:
    with database.transaction() as connection:
        for table in ("subscriber", "suppression", "past_suppression", "past_consent"):
            connection.execute(f"DELETE FROM {table}")
    before = replace(known, email="ana@example.org")
    after = replace(row, email="Ana@example.org")

    merge_subscribers(database, [batch_of([before])], now=NOW)
    merge_subscribers(database, [batch_of([after])], terms=ImportTerms(replaces=replaced), now=NOW)

    with database.read() as connection:
        (found,) = connection.execute(with_columns("SELECT {columns} FROM subscriber")).fetchall()
    assert tuple(found) == MergeRules(replaced).merged(stored(before), tuple(map(cell_of, after.values)))
