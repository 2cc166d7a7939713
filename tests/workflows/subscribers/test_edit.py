"""What may be written to correct people, and what is wrong with the rest."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.errors import InputError
from newsletter.lists.exports import batch_of
from newsletter.model.columns import SubscriberRecord
from newsletter.model.edit import Edit
from newsletter.store.database import Database
from newsletter.store.merge import merge_subscribers
from newsletter.workflows.subscribers.edit import EditRequest, edit_of
from tests.store.empty_file import open_test_database

NOW = datetime(2026, 2, 19, 8, 0, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_test_database(tmp_path / "newsletter.db") as opened:
        people = [SubscriberRecord(email="ana@example.org", tags=("wrong",), attributes={"shoe_size": "38"})]
        merge_subscribers(opened, [batch_of(people)], now=NOW)
        yield opened


def read(database: Database, *, is_for_one: bool = True, **request: tuple[str, ...]) -> Edit:
    return edit_of(database, EditRequest(**request), is_for_one=is_for_one, now=NOW)


@pytest.mark.parametrize(
    ("option", "name", "cell"),
    [
        ("First name=Ana = Lima", "first_name", "Ana = Lima"),
        ("language=PT_br", "language", "pt-BR"),
        ("timezone=europe/paris", "timezone", "Europe/Paris"),
        ("joined_at=31.01.2026", "joined_at", "2026-01-31T00:00:00Z"),
        ("tags=B; a", "tags", "|a|b|"),
        ("email=Ana@Example.ORG", "email", "Ana@example.org"),
    ],
)
def test_values_are_read_as_in_a_list(database: Database, option: str, name: str, cell: str) -> None:
    assert read(database, values=(option,)).cells == {name: cell}


def test_attributes_and_tags_are_told_apart_from_columns(database: Database) -> None:
    edit = read(database, values=("Shoe size=39",), added_tags=("A;b",), removed_tags=("Wrong",))

    assert edit == Edit(
        attributes={"shoe_size": "39"}, added_tags=frozenset({"a", "b"}), removed_tags=frozenset({"wrong"})
    )


@pytest.mark.parametrize(
    ("request_", "fault"),
    [
        ({"values": ("shoesize=39", "fist_name=Ana")}, "there is no column 'fist_name'; did you mean first_name"),
        ({"cleared": ("shoe_sise",)}, "did you mean shoe_size"),
        ({"cleared": ("email",)}, "an address cannot be cleared"),
        ({"cleared": ("joined_at",)}, "cannot be cleared"),
        ({"values": ("first_name",)}, "not in the form first_name=Ana"),
        ({"values": ("first_name=",)}, "write --clear first_name"),
        ({"values": ("first_name=A\nB",)}, "line break"),
        ({"values": ("first_name=" + "x" * 10_001,)}, "shorten it"),
        ({"values": ("language=xx-yy-zz",)}, "is not a language"),
        ({"values": ("email=ana",)}, "ana"),
        ({"values": ("first_name=Ana",), "cleared": ("first_name",)}, "named twice"),
        ({"removed_tags": ("wrng",)}, "no subscriber has the tag 'wrng'; did you mean wrong"),
        ({"added_tags": ("wrong",), "removed_tags": ("wrong",)}, "added and removed"),
        ({"added_tags": ("a",), "cleared": ("tags",)}, "leave out --tag"),
        ({"values": ("consented_at=2026-01-31",)}, "a consent needs its source"),
        ({"values": ("consented_at=2026-01-31", "consent_source=desk", "consent_basis=m")}, "leave it out"),
        ({"values": ("consented_at=2026-02-20", "consent_source=desk")}, "in the future"),
        ({}, "nothing to change"),
    ],
)
def test_what_cannot_be_is_refused_with_the_remedy(
    database: Database, request_: dict[str, tuple[str, ...]], fault: str
) -> None:
    with pytest.raises(InputError, match=fault):
        read(database, **request_)


@pytest.mark.parametrize("values", [("email=bo@example.org",), ("consented_at=2026-01-31", "consent_source=fair")])
def test_address_and_consent_are_set_for_one_person_only(database: Database, values: tuple[str, ...]) -> None:
    assert read(database, values=values)
    with pytest.raises(InputError, match="one"):
        read(database, values=values, is_for_one=False)


def test_consent_is_cleared_for_many(database: Database) -> None:
    assert read(database, cleared=("consented_at",), is_for_one=False).cells == {"consented_at": ""}
