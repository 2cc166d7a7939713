"""The table of a subscriber's columns, and the record that has a field for each."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import get_type_hints

import pytest
from msgspec.structs import fields, replace

from newsletter.lists.exports import cell_of
from newsletter.model.columns import COLUMN_NAMES, COLUMNS, ColumnType, SubscriberColumn, SubscriberRecord
from newsletter.store.importing.merge_rules import MergeRules

NOW = datetime(2026, 2, 19, 8, 0, tzinfo=UTC)
HELD: dict[ColumnType, object] = {
    ColumnType.MOMENT: datetime | None,
    ColumnType.TAGS: tuple[str, ...],
    ColumnType.ATTRIBUTES: Mapping[str, str],
}


def test_record_has_a_field_for_each_column_in_the_same_order() -> None:
    assert tuple(field.name for field in fields(SubscriberRecord)) == COLUMN_NAMES


@pytest.mark.parametrize("column", COLUMNS, ids=COLUMN_NAMES)
def test_field_holds_what_the_type_of_the_column_says(column: SubscriberColumn) -> None:
    assert get_type_hints(SubscriberRecord)[column.name] == HELD.get(column.type, str)


def test_values_stand_in_the_order_of_the_columns() -> None:
    record = SubscriberRecord(email="ana@example.org", last_name="Lima", tags=("member",), consented_at=NOW)

    values = dict(zip(COLUMN_NAMES, record.values, strict=True))

    assert (values["email"], values["last_name"], values["tags"]) == ("ana@example.org", "Lima", ("member",))
    assert (values["consented_at"], values["consent_basis"], values["attributes"]) == (NOW, "", {})


def test_keys_of_a_persons_json_are_unique_in_each_part() -> None:
    for is_consent in (True, False):
        keys = [column.key for column in COLUMNS if column.is_consent is is_consent]
        assert len(keys) == len(set(keys))


def test_a_row_adds_no_basis_beside_a_consent_on_record() -> None:
    """Read by the rules of the table: a basis is what stands in for a consent, and never beside one."""
    said = SubscriberRecord(email="ana@example.org", joined_at=NOW, consented_at=NOW, consent_source="form")
    known = tuple(map(cell_of, said.values))
    row = tuple(map(cell_of, replace(said, consent_basis="customers").values))

    assert MergeRules().merged(known, row) == known


@pytest.mark.parametrize(
    ("consented_at", "basis", "may_be_mailed"),
    [(None, "", False), (NOW, "", True), (None, "they are members", True), (NOW, "they are members", True)],
)
def test_a_consent_or_a_basis_lets_somebody_be_mailed(
    consented_at: datetime | None, basis: str, may_be_mailed: bool
) -> None:
    record = SubscriberRecord(email="ana@example.org", consented_at=consented_at, consent_basis=basis)
    assert record.may_be_mailed is may_be_mailed
