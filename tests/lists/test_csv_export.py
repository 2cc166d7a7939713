"""The list as CSV: what stands in it, and that a spreadsheet program finds no formula in it."""

import csv
from datetime import UTC, datetime
from io import StringIO

from hypothesis import given
from hypothesis import strategies as st

from newsletter.lists.cells import unguarded
from newsletter.lists.csv_export import write_subscribers
from newsletter.model.audience import SUBSCRIBER_COLUMNS, SubscriberRecord

NOW = datetime(2026, 2, 19, 8, 0, tzinfo=UTC)
TEXTS = st.text(st.sampled_from("'=+-@ab\" ,;é")).map(str.strip)
RECORDS = st.builds(
    SubscriberRecord,
    email=TEXTS,
    first_name=TEXTS,
    consent_source=TEXTS,
    attributes=st.fixed_dictionaries({"city": TEXTS}),
)


def cells_of(*records: SubscriberRecord, attributes: tuple[str, ...] = ()) -> list[list[str]]:
    file = StringIO(newline="")
    assert write_subscribers(records, file, attributes=attributes) == len(records)
    return list(csv.reader(StringIO(file.getvalue(), newline="")))


def test_every_column_and_attribute_is_written() -> None:
    record = SubscriberRecord(
        email="ana@example.org",
        first_name="Ana",
        last_name="Lima",
        language="pt",
        timezone="Europe/Lisbon",
        tags=("member", "teacher"),
        joined_at=NOW,
        consented_at=NOW,
        consent_source="website form",
        consent_wording="v2",
        consent_confirmed_at=NOW,
        consent_basis="members",
        attributes={"city": "Lisbon"},
    )
    head, row = cells_of(record, attributes=("city", "country"))

    assert dict(zip(head, row, strict=True)) == {
        "email": "ana@example.org",
        "first_name": "Ana",
        "last_name": "Lima",
        "language": "pt",
        "timezone": "Europe/Lisbon",
        "tags": "member;teacher",
        "joined_at": "2026-02-19T08:00:00Z",
        "consented_at": "2026-02-19T08:00:00Z",
        "consent_source": "website form",
        "consent_wording": "v2",
        "consent_confirmed_at": "2026-02-19T08:00:00Z",
        "consent_basis": "members",
        "city": "Lisbon",
        "country": "",
    }
    assert tuple(head[: len(SUBSCRIBER_COLUMNS)]) == SUBSCRIBER_COLUMNS


@given(RECORDS)
def test_no_cell_is_a_formula_and_none_is_lost(record: SubscriberRecord) -> None:
    head, row = cells_of(record, attributes=("city",))

    assert [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    found = dict(zip(head, map(unguarded, row), strict=True))
    assert (found["email"], found["first_name"]) == (record.email, record.first_name)
    assert (found["consent_source"], found["city"]) == (record.consent_source, record.attributes["city"])


def test_progress_is_told_as_rows_are_written() -> None:
    told: list[int] = []
    records = (SubscriberRecord(email=f"person{number}@example.org") for number in range(2500))

    write_subscribers(records, StringIO(), attributes=(), on_progress=told.append)

    assert told == [1000, 1000, 500]
