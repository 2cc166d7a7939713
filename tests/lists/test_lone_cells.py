"""Who left according to members of JSON objects, and to rows that cannot be read as they are."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.lists.csv_import import read_list
from newsletter.model.audience import SuppressionReason
from newsletter.model.imports import ImportBatch, LeavingRow

NOW = datetime(2026, 11, 30, tzinfo=UTC)
ANA = "ana@example.org"
UNSUBSCRIBED, IN_DOUBT = SuppressionReason.UNSUBSCRIBED, SuppressionReason.IN_DOUBT


def read(path: Path, *lines: str) -> ImportBatch:
    path.write_text("\n".join([*lines, ""]))
    (batch,) = read_list(path, now=NOW)
    return batch


def leaving_in(path: Path, *lines: str) -> dict[int, LeavingRow]:
    return {row.line: row for row in read(path, *lines).leaving}


def with_attributes(path: Path, *cells: str) -> ImportBatch:
    """A list of listmonk, with one person per cell of attributes."""
    rows = [
        f'{number},p{number}@example.org,"{cell.replace(chr(34), chr(34) * 2)}",enabled'
        for number, cell in enumerate(cells)
    ]
    return read(path, "uuid,email,attributes,status", *rows)


@pytest.mark.parametrize(
    ("attributes", "reason", "at"),
    [
        ({"unsubscribed": True}, UNSUBSCRIBED, ""),
        ({"city": "Lima", "Email Opt Out": "yes"}, UNSUBSCRIBED, ""),
        ({"unsubscribed_at": "2025-01-02"}, UNSUBSCRIBED, "2025-01-02T00:00:00Z"),
        ({"unsubscribed": {"at": "2025-01-02"}}, UNSUBSCRIBED, "2025-01-02T00:00:00Z"),
        ({"prefs": [{"unsubscribed": 1}]}, UNSUBSCRIBED, ""),
        ({"email_status": "hard bounced"}, SuppressionReason.BOUNCED, ""),
        ({"subscribed": False}, UNSUBSCRIBED, ""),
        ({"abgemeldet": "ja"}, UNSUBSCRIBED, ""),
        ({"unsubscribed": "perhaps"}, IN_DOUBT, ""),
        ({"Left": "2020"}, IN_DOUBT, ""),
        ({"remark": "unsubscribed"}, IN_DOUBT, ""),
        ({"newsletter": "no"}, IN_DOUBT, ""),
        ('{"unsubscribed": true', IN_DOUBT, ""),
        ('["unsubscribed"]', IN_DOUBT, ""),
    ],
)
def test_member_of_a_json_object_is_judged_as_a_column(
    tmp_path: Path, attributes: object, reason: SuppressionReason, at: str
) -> None:
    cell = attributes if isinstance(attributes, str) else json.dumps(attributes)

    batch = with_attributes(tmp_path / "list.csv", '{"city": "Rome"}', cell)

    assert list(batch.columns["email"]) == ["p0@example.org"]
    (row,) = batch.leaving
    assert (row.email, row.reason, row.left_at) == ("p1@example.org", reason, at)
    assert "attributes" in row.told


@pytest.mark.parametrize(
    "attributes",
    [
        {"unsubscribed": False},
        {"unsubscribed": None},
        {"unsubscribed_at": "0001-01-01T00:00:00Z"},
        {"subscribed": True},
        {"city": "Left Bank", "seats_left": 2},
        {"status": "gold"},
        {"newsletter": "daily"},
        {},
    ],
)
def test_member_that_says_that_no_one_left_changes_nothing(tmp_path: Path, attributes: object) -> None:
    batch = with_attributes(tmp_path / "list.csv", json.dumps(attributes))

    assert list(batch.columns["email"]) == ["p0@example.org"]
    assert not batch.leaving


def test_member_that_surely_says_who_left_is_no_attribute(tmp_path: Path) -> None:
    batch = with_attributes(tmp_path / "list.csv", '{"unsubscribed": false, "city": "Lima"}')

    assert list(batch.columns["attributes"]) == ['{"city":"Lima"}']


def test_member_and_column_count_together(tmp_path: Path) -> None:
    row = 'u,ana@example.org,"{""bounced_at"": ""2025-03-04""}",blocklisted'

    (found,) = leaving_in(tmp_path / "list.csv", "uuid,email,attributes,status", row).values()

    assert (found.reason, found.left_at) == (SuppressionReason.BOUNCED, "2025-03-04T00:00:00Z")
    assert "status is 'blocklisted'" in found.told
    assert "attributes bounced_at is '2025-03-04'" in found.told


def test_metadata_of_buttondown_is_judged_too(tmp_path: Path) -> None:
    lines = ("email,creation_date,metadata", 'ana@example.org,2025-01-01,"{""unsubscribed"": true}"')

    assert leaving_in(tmp_path / "list.csv", *lines)[2].reason is UNSUBSCRIBED


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("email,Unsubscribed,Name", "ana@example.org,yes,Ann,Smith"),
        ("email,Name,Unsubscribed", "ana@example.org,Smith,Ann,yes"),
        ("email,Name,Unsubscribed", "ana@example.org,Smith,Ann,City"),
        ("email,Name,Unsubscribed", "ana@example.org,Smith,,2025-01-01"),
        ("Name,email,Unsubscribed", "Smith,Ann,ana@example.org,yes"),
        ("Unsubscribed,Name,email", "yes,Smith,Ann,ana@example.org"),
        ("email,Unsubscribed,Name", "ana@example.org,2025-01-01,Ann,Smith"),
        ("email,Unsubscribed,Name", "ana@example.org,perhaps,Ann,Smith"),
        ("email,status,Name", "ana@example.org,unsubscribed,Ann,Smith"),
        ("email,subscribed,Name", "ana@example.org,no,Ann,Smith"),
        ("email,Left,Name", "ana@example.org,2020,Ann,Smith"),
        ("email,Remark,Name", "ana@example.org,unsubscribed,Ann,Smith"),
        ("email,Name,Unsubscribed,City", "ana@example.org,Ann,Smith,,yes,Lima"),
        ("Name,City,email,Unsubscribed", "Ann,ana@example.org,yes"),
    ],
)
def test_row_that_does_not_fit_puts_its_person_in_doubt(tmp_path: Path, header: str, row: str) -> None:
    batch = read(tmp_path / "list.csv", header, row)

    (found,) = batch.leaving
    assert (found.line, found.email, found.person, found.reason) == (2, ANA, ANA, IN_DOUBT)
    assert found.told.startswith("cannot tell whether this person left: ")
    assert "the row has" in found.told
    assert not batch.rejected


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("email,Unsubscribed,Name", "ana@example.org,,Ann,Smith"),
        ("email,Name,Unsubscribed", "ana@example.org,Smith,no,"),
        ("email,Unsubscribed,Name", "ana@example.org,no,Ann,Smith"),
        ("email,Unsubscribed,Name", "nobody,yes,Ann,Smith"),
        ("email,Name", "ana@example.org,Ann,Smith"),
        ("email,status,Name", "ana@example.org,gold,Ann,Smith"),
        ("email,subscribed,Name", "ana@example.org,yes,Ann,Smith"),
        ("Name,email,City", "Ann,Smith,ana@example.org,Lima"),
    ],
)
def test_row_that_does_not_fit_and_says_nothing_about_leaving_is_only_rejected(
    tmp_path: Path, header: str, row: str
) -> None:
    batch = read(tmp_path / "list.csv", header, f"{row}City" if row.endswith(",") else row)

    assert not batch.leaving
    assert [rejected.line for rejected in batch.rejected] == [2]


@pytest.mark.parametrize("cell", ["yes\nby phone", "yes\x07", "perhaps\x0bnot", "x" * 10_001])
def test_cell_that_cannot_be_imported_is_judged(tmp_path: Path, cell: str) -> None:
    found = leaving_in(tmp_path / "list.csv", "email,Unsubscribed,Name", f'ana@example.org,"{cell}",Ann', f"{ANA},,Ann")

    assert [row.email for row in found.values()] == [ANA]
    assert next(iter(found.values())).reason in {IN_DOUBT, UNSUBSCRIBED}


def test_cell_that_cannot_be_imported_and_says_no_is_only_rejected(tmp_path: Path) -> None:
    batch = read(tmp_path / "list.csv", "email,Unsubscribed,Name", 'ana@example.org,"no\x07",Ann')

    assert not batch.leaving
    assert "control character" in batch.rejected[0].reason
