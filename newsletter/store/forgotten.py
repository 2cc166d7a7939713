"""Forget people: erase them, and store a keyed digest of the address so that they are never emailed again.

The key is not in the database. Someone who obtains a copy of the database therefore cannot find out, by trying
addresses, who was erased.
"""

import re
from collections.abc import Collection
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from newsletter.errors import InputError
from newsletter.model.address import person_of
from newsletter.store.database import Connection, Database
from newsletter.store.queries import change, query_all, query_one, query_value
from newsletter.system.moments import text_of


class BroadcastWords(NamedTuple):
    """The text that people wrote for a broadcast."""

    id: int
    segment: str
    expression: str
    reason: str
    waivers: str


class Words(NamedTuple):
    """The text of a journal entry, a chunk or a settlement of a broadcast."""

    broadcast: int
    number: int
    words: str


FIND_SUBSCRIBER = query_one("forgotten", "find_id", int)
_FIND_EMAIL = query_one("forgotten", "find_email", str)
_FIND_REASON = query_one("forgotten", "find_reason", str)
_IS_KNOWN = query_value("forgotten", "is_known", bool)
_FIND_KEY = query_one("forgotten", "find_key", bytes)
_DROP_KEY = change("forgotten", "drop_key")
_REMEMBER_KEY = change("forgotten", "remember_key")
_REMEMBER = change("forgotten", "remember")
_FIND_FORGOTTEN = query_one("forgotten", "find_forgotten", datetime)
_COUNT_FORGOTTEN = query_value("forgotten", "count_forgotten", int)
_CLEAR_FORGOTTEN = change("forgotten", "clear_forgotten")
_ERASURES = tuple(
    change("forgotten", name)
    for name in (
        "erase_past_consents",
        "empty_events",
        "erase_subscriber",
        "erase_suppressions",
        "erase_past_suppressions",
        "erase_soft_bounces",
    )
)
_BROADCAST_WORDS = query_all("forgotten", "broadcast_words", BroadcastWords)
_SET_BROADCAST_WORDS = change("forgotten", "set_broadcast_words")
_WORDS = tuple(
    (query_all("forgotten", f"{part}_words", Words), change("forgotten", f"set_{part}_words"))
    for part in ("journal", "chunk", "settlement")
)
_NOBODY = ""  # no person has this address; its digest is stored to recognize the right key
_NO_REASON = "forgotten"


def forget_person(database: Database, email: str, *, key: bytes, now: datetime) -> bool:
    """Erase everything about a person except the digest. Return whether anything was known about them.

    Their deliveries still count in the ledger, under an id that no longer leads to the person. Raise InputError if
    others were erased with a different key. Call `Database.scrub` afterwards, because the engine's own files may
    still contain deleted data.
    """
    person = person_of(email)
    with database.transaction() as connection:
        require_key(connection, key)
        if not _IS_KNOWN(connection, person=person):
            return False
        subscriber = FIND_SUBSCRIBER(connection, person=person)
        _remember(connection, person, subscriber, key=key, now=now)
        erase_person(connection, email, instead=f"an erased person ({digest_of(person, key).hex()[:8]})")
    return True


def erase_person(connection: Connection, email: str, *, instead: str) -> None:
    """Erase everything about a person. The text `instead` replaces their address wherever it was written."""
    person = person_of(email)
    addresses = {person, email, _FIND_EMAIL(connection, person=person) or email}
    for erase in _ERASURES:
        erase(connection, person=person)
    _erase_from_ledger(connection, addresses, instead=instead)


def find_key(connection: Connection) -> bytes | None:
    """Return the stored digest that identifies the key, or None if no one has been erased."""
    return _FIND_KEY(connection)


def keep_key(connection: Connection, mark: bytes) -> None:
    """Store the digest that identifies the key."""
    _DROP_KEY(connection)
    _REMEMBER_KEY(connection, digest=mark)


def forgotten_since(database: Database, email: str, *, key: bytes) -> datetime | None:
    """Return when the person with this address was erased, or None if they were not.

    A person who was erased with a different key is not found.
    """
    return _FIND_FORGOTTEN.ask(database, digest=digest_of(person_of(email), key))


def count_forgotten(database: Database) -> int:
    """Return the number of erased people."""
    return _COUNT_FORGOTTEN.ask(database)


def clear_forgotten(database: Database) -> int:
    """Delete the record of who was erased, for use if the key is lost. Return the number of people.

    An import may then add them again.
    """
    with database.transaction() as connection:
        return delete_forgotten(connection)


def delete_forgotten(connection: Connection) -> int:
    """Delete the record of who was forgotten, and with which key. Return the number of people."""
    _DROP_KEY(connection)
    return _CLEAR_FORGOTTEN(connection)


def require_key(connection: Connection, key: bytes) -> None:
    """Raise InputError if people were erased with a different key."""
    known = find_key(connection)
    if known is not None and not is_key_of(known, key):
        raise InputError(
            "NEWSLETTER_KEY is not the key with which people were erased here; set it to that key, or, if the key "
            "is lost, see `newsletter suppressions remove --erased`"
        )


def is_key_of(mark: bytes, key: bytes) -> bool:
    """Return whether the stored digest, as `find_key` returns it, identifies this key."""
    return mark == _mark_of(key)


def digest_of(person: str, key: bytes) -> bytes:
    """Return the digest that is stored for an erased person: keyed BLAKE2b, 16 bytes (RFC 7693)."""
    return blake2b(person.encode(), key=key, digest_size=16).digest()


def _remember(connection: Connection, person: str, subscriber: int | None, *, key: bytes, now: datetime) -> None:
    reason = _FIND_REASON(connection, person=person)
    keep_key(connection, _mark_of(key))
    _REMEMBER(
        connection, digest=digest_of(person, key), subscriber=subscriber, reason=reason or _NO_REASON, now=text_of(now)
    )


def _mark_of(key: bytes) -> bytes:
    return digest_of(_NOBODY, key)


def _erase_from_ledger(connection: Connection, addresses: Collection[str], *, instead: str) -> None:
    """Replace the addresses in all free text of the ledger.

    Server messages are masked before they are stored. Text that people wrote, and text that earlier versions stored, is
    not. The replacement must differ from person to person, because a broadcast cannot have two settlements with the
    same status and reason.
    """
    any_of_them = "|".join(map(re.escape, addresses))
    pattern = re.compile(rf"(?<![\w.+-])(?:{any_of_them})(?!\.?[\w-])", re.IGNORECASE)
    # SQLite's lower() changes only ASCII letters. For an address with other letters, every text with an @ is searched.
    for address in {each.lower() if each.isascii() else "@" for each in addresses}:
        for row in _BROADCAST_WORDS(connection, address=address):
            segment, expression, reason, waivers = (pattern.sub(instead, text) for text in row[1:])
            _SET_BROADCAST_WORDS(
                connection, id=row.id, segment=segment, expression=expression, reason=reason, waivers=waivers
            )
        for find, set_words in _WORDS:
            for part in find(connection, address=address):
                set_words(
                    connection, broadcast=part.broadcast, number=part.number, words=pattern.sub(instead, part.words)
                )
