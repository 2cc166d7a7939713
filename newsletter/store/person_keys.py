"""Give people new keys in a migration: what is stored about an old key counts for everyone who had it."""

from typing import NamedTuple

from newsletter.model.address import person_of
from newsletter.store.database import Connection
from newsletter.store.queries import change, query_all

PERSON_KEYS = "person_keys"  # ends the name of the migration whose step this is


class StoredKey(NamedTuple):
    """An address, and the key under which it is stored."""

    email: str
    person: str


_BEYOND_ASCII = query_all("person_keys", "beyond_ascii", StoredKey)
_CREATE_CHANGED_KEY = change("person_keys", "create_changed_key")
_CHANGES = tuple(
    change("person_keys", name)
    for name in ("change_keys", "copy_suppressions", "copy_past_suppressions", "copy_soft_bounces", "drop_changed_key")
)


def change_person_keys(connection: Connection) -> None:
    """Give everyone the key that `person_of` returns now."""
    _CREATE_CHANGED_KEY(connection)
    connection.load(
        "changed_key",
        [(email, old, person) for email, old in _BEYOND_ASCII(connection) if (person := person_of(email)) != old],
    )
    for each in _CHANGES:
        each(connection)
