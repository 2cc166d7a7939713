"""The pieces of SQL that come from the table of columns."""

import re
from pathlib import Path

import newsletter.store
from newsletter.model.columns import COLUMN_NAMES
from newsletter.store.database import Database
from newsletter.store.queries import with_columns
from newsletter.store.subscribers import find_subscriber
from tests.store.builders import add, row

QUERIES = Path(newsletter.store.__file__).parent / "sql"
OF_THE_STORE = {"id", "person", "token", "updated_at"}  # what the store adds to what a row of a list can say


def test_no_query_names_a_piece_that_does_not_exist() -> None:
    for path in QUERIES.glob("*.sql"):
        assert re.findall(r"\{[^}]+\}", with_columns(path.read_text(encoding="utf-8"))) == []


def test_table_of_the_database_has_the_columns_of_the_table_and_no_others(database: Database) -> None:
    with database.read() as connection:
        connection.execute(with_columns("SELECT {columns} FROM subscriber"))
    others = ", ".join(f":{name}" for name in sorted(OF_THE_STORE))
    with database.transaction() as connection:
        connection.execute(
            with_columns(
                f"INSERT INTO subscriber ({', '.join(sorted(OF_THE_STORE))}, {{columns}}) "
                f"VALUES ({others}, {', '.join(f':{name}' for name in COLUMN_NAMES)})"
            ),
            {
                **dict.fromkeys(COLUMN_NAMES, ""),
                "id": 7,
                "person": "ana@example.org",
                "token": "0f",
                "email": "ana@example.org",
                "attributes": "{}",
                "joined_at": "2026-02-19T08:00:00Z",
                "updated_at": "2026-02-19T08:00:00Z",
            },
        )
        width = len(connection.execute("SELECT * FROM subscriber").fetchone())

    assert width == len(OF_THE_STORE) + len(COLUMN_NAMES)


def test_every_column_is_read_as_it_was_written(database: Database) -> None:
    person = row("ana@example.org", tags=("donor", "member"), attributes={"city": "Recife"}, consent_wording="v2")
    add(database, person)

    subscriber = find_subscriber(database, "ana@example.org")

    assert subscriber is not None
    assert subscriber.record.values[:4] == person.values[:4]
    assert (subscriber.record.tags, subscriber.record.attributes) == (person.tags, person.attributes)
    assert (subscriber.record.consented_at, subscriber.record.consent_wording) == (person.consented_at, "v2")
