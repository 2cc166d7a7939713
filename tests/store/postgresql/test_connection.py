"""SQL of both engines becomes what psycopg sends."""

import pytest

from newsletter.store.postgresql.connection import opened, translate


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("WHERE id = :id AND size >= :size_2", "WHERE id = %(id)s AND size >= %(size_2)s"),
        ("VALUES (:one,:one)", "VALUES (%(one)s,%(one)s)"),
        ("attributes::jsonb ->> :name::text", "attributes::jsonb ->> %(name)s::text"),
        ("place % :size = 0", "place %% %(size)s = 0"),
        ("reason = ':id 100%' AND id = :id", "reason = ':id 100%%' AND id = %(id)s"),
        ("reason = 'it''s :id' OR :id", "reason = 'it''s :id' OR %(id)s"),
        ('"odd:name" = :id', '"odd:name" = %(id)s'),
        ("id -- or :this\n= :id", "id -- or :this\n= %(id)s"),
        ("id /* or :this */ = :id", "id /* or :this */ = %(id)s"),
        ("LIMIT 1 /*+ FOR UPDATE OF c SKIP LOCKED */;", "LIMIT 1  FOR UPDATE OF c SKIP LOCKED ;"),
        ("/*+ x = :x\n% 2 */", " x = %(x)s\n%% 2 "),
    ],
)
def test_only_parameters_are_rewritten(sql: str, expected: str) -> None:
    assert translate(sql) == expected


def test_without_parameters_only_what_is_for_postgresql_is_opened() -> None:
    assert opened("SELECT 5 % 3 /*+ , ':x' */ /* not this */") == "SELECT 5 % 3  , ':x'  /* not this */"
