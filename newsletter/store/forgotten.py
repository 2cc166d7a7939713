"""Forget people: erase them, and store a keyed digest of the address so that they are never emailed again.

The key is not in the database. Someone who obtains a copy of the database therefore cannot find out, by trying
addresses, who was erased.
"""

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import datetime
from hashlib import blake2b
from urllib.parse import unquote

from newsletter.errors import InputError
from newsletter.model.address import broad_form, person_of
from newsletter.store.database import Connection, Database
from newsletter.store.erasing import FIND_SUBSCRIBER, erase_person, is_known
from newsletter.store.queries import change, query_all, query_one, query_value
from newsletter.system.moments import text_of

_FIND_REASON = query_one("forgotten", "find_reason", str)
_FIND_KEY = query_one("forgotten", "find_key", bytes)
_DROP_KEY = change("forgotten", "drop_key")
_REMEMBER_KEY = change("forgotten", "remember_key")
_REMEMBER = change("forgotten", "remember")
_FIND_FORGOTTEN = query_one("forgotten", "find_forgotten", datetime)
_COUNT_FORGOTTEN = query_value("forgotten", "count_forgotten", int)
_COUNT_DIGESTS = query_value("forgotten", "count_digests", int)
_IS_ANYBODY_FORGOTTEN = query_value("forgotten", "is_anybody_forgotten", bool)
_DIGESTS = query_all("forgotten", "digests", bytes)
_CLEAR_RETURNS = change("import_record", "clear_returns")
_CLEAR_FORGOTTEN = change("forgotten", "clear_forgotten")
_NOBODY = ""  # no person has this address; its digest is stored to recognize the right key
_NO_REASON = "forgotten"
_BREAK = re.compile(r"[^\w]|_")
# What looks like an address in a text. It may be longer than the address that is meant.
_ADDRESS = re.compile(r"(?P<local>[^\s<>()\[\],;:\"@|]+)(?:@|%40)(?P<domain>[\w.-]+)")


def forget_person(database: Database, email: str, *, key: bytes, now: datetime) -> bool:
    """Erase everything about a person except the digest. Return whether their address was stored anywhere.

    Their deliveries still count in the ledger, under an id that no longer leads to the person. Raise InputError if
    others were erased with a different key. Call `Database.scrub` afterwards, because the engine's own files may
    still contain deleted data.
    """
    person = person_of(email)
    with database.transaction() as connection:
        require_key(connection, key)
        was_known = is_known(connection, person)
        reason = _FIND_REASON(connection, person=person)
        subscriber = FIND_SUBSCRIBER(connection, person=person)
        texts = erase_person(connection, email, instead=name_of_forgotten(digest_of(person, key)))
        if not was_known and not texts:
            return False
        _remember(connection, person, subscriber, reason, key=key, now=now)
    return True


def name_of_forgotten(digest: bytes) -> str:
    """Return the words that replace the address of an erased person in texts."""
    return f"an erased person ({digest.hex()[:8]})"


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


def count_digests(database: Database) -> int:
    """Return the number of digests: of erased people, and of those who came back with the last import."""
    return _COUNT_DIGESTS.ask(database)


def clear_forgotten(database: Database) -> int:
    """Delete the record of who was erased, for use if the key is lost. Return the number of digests.

    An import may then add them again.
    """
    with database.transaction() as connection:
        return delete_forgotten(connection)


def delete_forgotten(connection: Connection) -> int:
    """Delete the record of who was erased, and with which key. Return the number of digests.

    People who came back with the last import then stay on the list if it is undone.
    """
    _DROP_KEY(connection)
    return _CLEAR_RETURNS(connection) + _CLEAR_FORGOTTEN(connection)


def is_anybody_forgotten(connection: Connection) -> bool:
    """Return whether anyone was erased. Everything that stores an address then needs the key."""
    return _IS_ANYBODY_FORGOTTEN(connection)


def key_if_forgotten(connection: Connection, key: bytes | None) -> bytes | None:
    """Return the key by which the erased people are recognized, or None if no one was erased.

    Everything that stores an address calls this first. Raise InputError if anyone was erased and the key is missing
    or different: the address might be theirs.
    """
    return _required(find_key(connection), key) if is_anybody_forgotten(connection) else None


def forgotten_test(connection: Connection, key: bytes | None) -> Callable[[str], bool]:
    """Return a function that tells whether a person was erased. Raise InputError as `key_if_forgotten` does."""
    needed = key_if_forgotten(connection, key)
    if needed is None:
        return lambda _: False
    digests = set(_DIGESTS(connection))
    return lambda person: digest_of(person, needed) in digests


def text_cleaner(connection: Connection, key: bytes | None) -> Callable[[str], str] | None:
    """Return a function that returns a text without the addresses of erased people, or None if no one was erased.

    Everything that stores a text which a person wrote calls this. The function raises InputError as `key_if_forgotten`
    does, but only for a text with an address. It does not use the connection.
    """
    if not is_anybody_forgotten(connection):
        return None
    mark, digests = find_key(connection), frozenset(_DIGESTS(connection))

    def clean(text: str) -> str:
        if not has_address(text):
            return text
        known = _required(mark, key)
        return _ADDRESS.sub(lambda match: _unnamed(match, digests, known), text)

    return clean


def without_forgotten(connection: Connection, text: str, *, key: bytes | None) -> str:
    """Return a text that a person wrote without the addresses of erased people. Raise InputError as `text_cleaner`."""
    clean = text_cleaner(connection, key)
    return clean(text) if clean else text


def has_address(text: str) -> bool:
    """Return whether a text may have an address, perhaps encoded as in a link."""
    return "@" in text or "%40" in text


def require_key(connection: Connection, key: bytes) -> None:
    """Raise InputError if people were erased with a different key."""
    _require_same(find_key(connection), key)


def _require_same(mark: bytes | None, key: bytes) -> None:
    if mark is not None and not is_key_of(mark, key):
        raise InputError(
            "NEWSLETTER_KEY is not the key with which people were erased here; set it to that key, or, if the key "
            "is lost, see `newsletter suppressions remove --erased`"
        )


def _required(mark: bytes | None, key: bytes | None) -> bytes:
    if key is None:
        raise InputError(
            "some people have been erased, and without the key their addresses could be stored again; "
            "set NEWSLETTER_KEY in the environment to the key with which they were erased"
        )
    _require_same(mark, key)
    return key


def is_key_of(mark: bytes, key: bytes) -> bool:
    """Return whether the stored digest, as `find_key` returns it, identifies this key."""
    return mark == _mark_of(key)


def digest_of(person: str, key: bytes) -> bytes:
    """Return the digest that is stored for an erased person: keyed BLAKE2b, 16 bytes (RFC 7693).

    It is made from the broad form, because it was in earlier versions, and a digest cannot be converted.
    """
    return blake2b(broad_form(person).encode(), key=key, digest_size=16).digest()


def _remember(
    connection: Connection, person: str, subscriber: int | None, reason: str | None, *, key: bytes, now: datetime
) -> None:
    keep_key(connection, _mark_of(key))
    _REMEMBER(
        connection, digest=digest_of(person, key), subscriber=subscriber, reason=reason or _NO_REASON, now=text_of(now)
    )


def _mark_of(key: bytes) -> bytes:
    return digest_of(_NOBODY, key)


def _unnamed(found: re.Match[str], digests: AbstractSet[bytes], key: bytes) -> str:
    """Return what looks like an address, without the address of an erased person that it is or begins or ends with.

    A file may be called `ana@example.org.csv` or `list_ana@example.org.csv`, and a link has `ana%2Bx@example.org`.
    """
    local, domain = found["local"], found["domain"]
    starts = [0, *(match.end() for match in _BREAK.finditer(local))]
    ends = [len(domain), *(match.start() for match in _BREAK.finditer(domain))]
    for start in starts:
        for end in sorted(ends, reverse=True):
            for name in {local[start:], unquote(local[start:])}:
                digest = digest_of(person_of(f"{name}@{domain[:end]}"), key)
                if digest in digests:
                    return f"{local[:start]}{name_of_forgotten(digest)}{domain[end:]}"
    return found[0]
