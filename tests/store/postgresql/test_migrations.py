"""A database that an earlier version filled arrives whole in the schema of today."""

import psycopg

from newsletter.store.opening import open_database
from newsletter.store.postgresql.translation import opened
from tests.store.earlier import PEOPLE, assert_all_arrived, migrations


def test_people_tags_and_suppressions_of_the_schema_before_arrive_whole(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as earlier:
        earlier.execute("CREATE SCHEMA newsletter; SET search_path TO newsletter")
        earlier.execute("CREATE TABLE schema_version (version INTEGER NOT NULL); INSERT INTO schema_version VALUES (1)")
        for script in (migrations("postgresql")[0], PEOPLE):
            earlier.execute(opened(script).encode())
        for table, last in (("subscriber", 9), ("broadcast", 1)):
            earlier.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", (table, last))

    with open_database(url) as database:
        assert_all_arrived(database)
