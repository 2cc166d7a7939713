"""Merging a list into the audience: added, updated, unchanged, rejected, and never half of it."""

import io
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.audience.csv_export import write_subscribers
from newsletter.audience.csv_import import read_subscribers
from newsletter.errors import MistakesError
from newsletter.model.audience import ImportRow, RejectedRow, SubscriberRecord, SuppressionReason
from newsletter.store.database import Database
from newsletter.store.merge import merge_subscribers
from newsletter.store.opening import open_database
from newsletter.store.subscribers import export_subscribers, find_subscriber, known_fields, remove_subscriber
from newsletter.store.suppressions import add_suppression
from tests.store.builders import NOW, add, add_people, id_of
from tests.store.conftest import Location

EXAMPLE = Path(__file__).parents[2] / "recipients.example.csv"
ANA = ImportRow(
    0,
    "Ana@example.org",
    first_name="Ana",
    last_name="Lima",
    language="pt-BR",
    timezone="America/Sao_Paulo",
    tags=("donor", "teacher"),
    consented_at=datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC),
    consent_source="form",
    attributes={"country": "BR", "city": "Recife"},
)


def record_of(database: Database, email: str) -> SubscriberRecord:
    subscriber = find_subscriber(database, email)
    assert subscriber is not None
    return subscriber.record


def test_new_person_is_kept_as_the_row_says(database: Database) -> None:
    report = add(database, ANA)

    assert (report.added, report.rows) == (1, 1)
    assert record_of(database, "ana@example.org") == SubscriberRecord(
        email="Ana@example.org",
        first_name="Ana",
        last_name="Lima",
        language="pt-BR",
        timezone="America/Sao_Paulo",
        tags=("donor", "teacher"),
        consented_at=datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC),
        consent_source="form",
        attributes={"country": "BR", "city": "Recife"},
    )


def test_each_person_has_an_unguessable_token_that_stays(database: Database) -> None:
    add_people(database, 600)
    before = [subscriber.token for subscriber in export_subscribers(database)]

    add_people(database, 600, tags=("new",))

    assert len(set(before)) == 600
    assert all(len(bytes.fromhex(token)) == 16 for token in before)
    assert [subscriber.token for subscriber in export_subscribers(database)] == before


def test_same_list_again_is_unchanged(database: Database) -> None:
    add(database, ANA)

    report = add(database, ANA)

    assert (report.added, report.updated, report.unchanged) == (0, 0, 1)


def test_empty_cells_erase_nothing(database: Database) -> None:
    add(database, ANA)
    before = record_of(database, ANA.email)

    report = add(database, ImportRow(0, ANA.email))

    assert report.unchanged == 1
    assert record_of(database, ANA.email) == before


def test_tags_are_added_and_attributes_merged_by_name(database: Database) -> None:
    add(database, ANA)

    report = add(database, ImportRow(0, ANA.email, tags=("member",), attributes={"city": "Olinda", "shoe": "38"}))

    assert report.updated == 1
    assert record_of(database, ANA.email).tags == ("donor", "member", "teacher")
    assert record_of(database, ANA.email).attributes == {"country": "BR", "city": "Olinda", "shoe": "38"}


@pytest.mark.parametrize(
    "change",
    [
        {"first_name": "Anna"},
        {"last_name": "Lina"},
        {"language": "en"},
        {"timezone": "UTC"},
        {"tags": ("donor", "member")},
        {"consented_at": NOW},
        {"consent_source": "desk"},
        {"attributes": {"country": "PT"}},
        {"email": "ana@example.org"},
    ],
)
def test_any_change_counts_as_an_update_and_is_dated(database: Database, change: dict[str, Any]) -> None:
    add(database, ANA)

    report = merge_subscribers(database, [ANA._replace(**change)], now=NOW + timedelta(days=1))

    subscriber = find_subscriber(database, ANA.email)
    assert report.updated == 1
    assert subscriber is not None
    assert (subscriber.created_at, subscriber.updated_at) == (NOW, NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ana@example.org", "ANA@EXAMPLE.ORG"),
        ("ana@müller.example.org", "ana@xn--mller-kva.example.org"),
        ("ana@MÜLLER.example.org", "ana@müller.example.org"),
        ("ärzte@example.org", "Ärzte@example.org"),
        ("zoe\u0301@example.org", "zoé@example.org"),
    ],
)
def test_two_spellings_of_an_address_are_one_person(database: Database, one: str, other: str) -> None:
    add(database, ImportRow(0, one))
    add(database, ImportRow(0, other))

    assert len(list(export_subscribers(database))) == 1
    assert find_subscriber(database, one) == find_subscriber(database, other)


def test_later_row_of_the_same_person_is_rejected_with_the_line_of_the_first(database: Database) -> None:
    report = add(
        database,
        ImportRow(0, "ana@example.org", first_name="First"),
        ImportRow(0, "bo@example.org"),
        ImportRow(0, "ANA@example.org", first_name="Second"),
        ImportRow(0, "Ana@example.org", first_name="Third"),
    )

    assert (report.added, report.rows) == (2, 4)
    assert report.rejected == (
        RejectedRow(line=4, email="ANA@example.org", reason="the address stands already on line 2"),
        RejectedRow(line=5, email="Ana@example.org", reason="the address stands already on line 2"),
    )
    assert record_of(database, "ana@example.org").first_name == "First"


def test_rejected_rows_are_reported_in_the_order_of_their_lines(database: Database) -> None:
    rows = [
        ImportRow(2, "ana@example.org"),
        ImportRow(3, "ana@example.org"),
        RejectedRow(line=4, email="x", reason="bad"),
        ImportRow(5, "ana@example.org"),
    ]

    report = merge_subscribers(database, rows, now=NOW)

    assert [row.line for row in report.rejected] == [3, 4, 5]
    assert report.added + report.updated + report.unchanged + len(report.rejected) == 4


def test_suppressed_addresses_are_taken_and_counted(database: Database) -> None:
    add_suppression(database, "ana@example.org", SuppressionReason.UNSUBSCRIBED, now=NOW)

    report = add(database, ANA, ImportRow(0, "bo@example.org"))

    assert (report.added, report.suppressed) == (2, 1)


def test_attribute_names_become_known_fields(database: Database) -> None:
    add(database, ANA)

    assert known_fields(database) == (
        *("consent_source", "consented_at", "email", "first_name", "language", "last_name", "timezone"),
        *("city", "country"),
    )


def test_progress_is_told_on_the_way(database: Database) -> None:
    heard: list[int] = []
    rows = (ImportRow(number, f"person{number}@example.org") for number in range(12_000))

    merge_subscribers(database, rows, now=NOW, on_progress=heard.append)

    assert heard == [5000, 10_000]


def test_list_that_breaks_off_leaves_the_audience_as_before(database: Database) -> None:
    add(database, ANA)

    def broken() -> Iterator[ImportRow]:
        yield ImportRow(2, "bo@example.org")
        yield ImportRow(3, ANA.email, first_name="Changed")
        raise MistakesError([])

    with pytest.raises(MistakesError):
        merge_subscribers(database, broken(), now=NOW)

    assert [subscriber.record.first_name for subscriber in export_subscribers(database)] == ["Ana"]
    assert add(database, ImportRow(0, "bo@example.org")).added == 1


KILLED = """
import os, pathlib, signal, sys
from datetime import UTC, datetime
from newsletter.model.audience import ImportRow
from newsletter.store.opening import open_database
from newsletter.store.merge import merge_subscribers

def rows():
    for number in range(20_000):
        yield ImportRow(number, f"person{number}@example.org")
    os.kill(os.getpid(), signal.SIGKILL)

location = sys.argv[1]
database = open_database(location if "://" in location else pathlib.Path(location))
merge_subscribers(database, rows(), now=datetime.now(UTC))
"""


def test_import_that_is_killed_leaves_the_audience_as_before(database: Database, location: Location) -> None:
    add(database, ANA)

    killed = subprocess.run([sys.executable, "-c", KILLED, str(location)], env=os.environ, check=False)

    assert killed.returncode == -signal.SIGKILL
    assert [subscriber.record.email for subscriber in export_subscribers(database)] == [ANA.email]


def test_person_who_was_removed_and_returns_keeps_their_id(database: Database) -> None:
    add(database, ANA, ImportRow(0, "bo@example.org"))
    before = id_of(database, ANA.email)

    assert remove_subscriber(database, "ANA@example.org")
    assert find_subscriber(database, ANA.email) is None
    add(database, ImportRow(0, "cy@example.org"), ImportRow(0, "ana@EXAMPLE.org"))

    assert id_of(database, ANA.email) == before
    assert record_of(database, ANA.email).tags == ()
    assert len({subscriber.id for subscriber in export_subscribers(database)}) == 3


def test_removal_leaves_nothing_readable_behind(database: Database) -> None:
    add(database, ANA)

    remove_subscriber(database, ANA.email)

    with database.read() as connection:
        for table in ("subscriber", "tag", "attribute", "former_subscriber", "suppression"):
            assert "ana@" not in str(connection.execute(f"SELECT * FROM {table}").fetchall()).lower()
            assert "donor" not in str(connection.execute(f"SELECT * FROM {table}").fetchall())
    assert not remove_subscriber(database, ANA.email)


def test_export_goes_over_several_pages(database: Database) -> None:
    add_people(database, 2500, tags=("a", "b"))

    exported = list(export_subscribers(database))

    assert len({subscriber.record.email for subscriber in exported}) == 2500
    assert {subscriber.record.tags for subscriber in exported} == {("a", "b")}


def export_text(database: Database) -> str:
    text = io.StringIO(newline="")
    attributes = [name for name in known_fields(database) if name not in SubscriberRecord.__slots__]
    write_subscribers((each.record for each in export_subscribers(database)), text, attributes=attributes)
    return text.getvalue()


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=12).map(str.strip)
ROWS = st.lists(
    st.builds(
        ImportRow,
        st.just(0),
        st.from_regex(r"[a-zA-Z0-9]{1,8}(\.[a-z0-9]{1,4})?@(sub\.)?example\.(org|com)", fullmatch=True),
        TEXT,
        TEXT,
        st.sampled_from(["", "en", "pt-BR", "zh-Hant-TW"]),
        st.sampled_from(["", "UTC", "Europe/Paris"]),
        st.sets(st.sampled_from(["teacher", "donor", "long term", "ü"])).map(lambda tags: tuple(sorted(tags))),
        st.none() | st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0)),
        TEXT,
        st.dictionaries(st.sampled_from(["country", "city", "_x1"]), TEXT.filter(bool)),
    ),
    unique_by=lambda row: row.email.lower(),
    max_size=6,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_import_of_an_export_changes_nothing(fresh_location: Callable[[], Location], rows: list[ImportRow]) -> None:
    with tempfile.TemporaryDirectory() as folder, open_database(fresh_location()) as database:
        add(database, *rows)
        path = Path(folder) / "list.csv"
        path.write_text(export_text(database), encoding="utf-8", newline="")

        report = merge_subscribers(database, read_subscribers(path), now=NOW)

        assert (report.unchanged, report.rejected, report.rows) == (len(rows), (), len(rows))
        assert export_text(database) == path.read_bytes().decode()


def test_export_into_an_empty_audience_gives_the_same_people(
    fresh_location: Callable[[], Location], tmp_path: Path
) -> None:
    with open_database(fresh_location()) as one, open_database(fresh_location()) as other:
        merge_subscribers(one, read_subscribers(EXAMPLE), now=NOW)
        (tmp_path / "list.csv").write_text(export_text(one), encoding="utf-8", newline="")
        merge_subscribers(other, read_subscribers(tmp_path / "list.csv"), now=NOW)

        people = [[replace(each.record) for each in export_subscribers(database)] for database in (one, other)]

    assert people[0] == people[1]
    assert len(people[0]) >= 20
