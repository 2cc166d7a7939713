"""Who asked to be forgotten: the person erased, and a keyed digest kept so that nobody mails them again.

The key is not in the database: whoever gets hold of a copy of it cannot find out whether an address is among the
forgotten by trying.
"""

import re
from collections.abc import Collection
from datetime import datetime
from hashlib import blake2b

from newsletter.errors import InputError
from newsletter.model.address import person_of
from newsletter.store.database import Connection, Database
from newsletter.store.queries import load_queries
from newsletter.system.moments import moment_of, text_of

_SQL = load_queries("forgotten")
_NOBODY = ""  # the person whose digest tells whether the key is the right one
_NO_REASON = "forgotten"


def forget_person(database: Database, email: str, *, key: bytes, now: datetime) -> bool:
    """Erases all that is known of a person but the digest; whether anything was known.

    What the ledger counts stays, under an id that nothing leads from to the person. Raises InputError where others
    were forgotten with another key. `Database.scrub` sees to what the engine itself still holds afterwards.
    """
    person = person_of(email)
    with database.transaction() as connection:
        require_key(connection, key)
        if not _SQL.is_known(connection, person=person):
            return False
        subscriber = _SQL.find_id(connection, person=person)
        addresses = {person, email, _SQL.find_email(connection, person=person) or email}
        _remember(connection, person, subscriber, key=key, now=now)
        for erase in (
            _SQL.erase_past_consents,
            _SQL.empty_events,
            _SQL.erase_subscriber,
            _SQL.erase_suppressions,
            _SQL.erase_past_suppressions,
            _SQL.erase_soft_bounces,
        ):
            erase(connection, person=person)
        _erase_from_ledger(connection, addresses, instead=f"somebody forgotten ({digest_of(person, key).hex()[:8]})")
    return True


def forgotten_since(database: Database, email: str, *, key: bytes) -> datetime | None:
    """When the person with this address was forgotten; None where they were not, or with another key."""
    with database.read() as connection:
        moment = _SQL.find_forgotten(connection, digest=digest_of(person_of(email), key))
    return None if moment is None else moment_of(moment)


def count_forgotten(database: Database) -> int:
    """How many people are forgotten."""
    with database.read() as connection:
        count: int = _SQL.count_forgotten(connection)
    return count


def clear_forgotten(database: Database) -> int:
    """Gives up knowing who was forgotten, for where the key is lost; how many they were.

    An import may then bring them back.
    """
    with database.transaction() as connection:
        count: int = _SQL.count_forgotten(connection)
        _SQL.clear_forgotten(connection)
        _SQL.drop_key(connection)
    return count


def require_key(connection: Connection, key: bytes) -> None:
    """Raises InputError where people were forgotten with another key than this one."""
    known = _SQL.find_key(connection)
    if known is not None and bytes(known) != digest_of(_NOBODY, key):
        raise InputError(
            "NEWSLETTER_KEY is not the key with which people were forgotten here; set that one, or, if it is lost, "
            "see `newsletter suppressions remove --forgotten`"
        )


def digest_of(person: str, key: bytes) -> bytes:
    """What is kept of a person who was forgotten (RFC 7693, keyed)."""
    return blake2b(person.encode(), key=key, digest_size=16).digest()


def _remember(connection: Connection, person: str, subscriber: int | None, *, key: bytes, now: datetime) -> None:
    reason = _SQL.find_reason(connection, person=person)
    _SQL.drop_key(connection)
    _SQL.remember_key(connection, digest=digest_of(_NOBODY, key))
    _SQL.remember(
        connection,
        digest=digest_of(person, key),
        subscriber=subscriber,
        reason=reason or _NO_REASON,
        now=text_of(now),
    )


def _erase_from_ledger(connection: Connection, addresses: Collection[str], *, instead: str) -> None:
    """Takes the addresses out of what was written down in words.

    What a server said is masked before it is kept; what people wrote, and what earlier versions kept, is not. The
    words put instead differ from one person to the next, because no two settlements of a broadcast are alike.
    """
    any_of_them = "|".join(map(re.escape, addresses))
    pattern = re.compile(rf"(?<![\w.+-])(?:{any_of_them})(?!\.?[\w-])", re.IGNORECASE)
    # SQLite knows capitals of ASCII alone: words with any address are looked at where one of these holds other letters.
    for address in {each.lower() if each.isascii() else "@" for each in addresses}:
        for broadcast, *words in list(_SQL.broadcast_words(connection, address=address)):
            segment, expression, reason, waivers = (pattern.sub(instead, text) for text in words)
            _SQL.set_broadcast_words(
                connection, id=broadcast, segment=segment, expression=expression, reason=reason, waivers=waivers
            )
        for find, change in (
            (_SQL.journal_words, _SQL.set_journal_words),
            (_SQL.chunk_words, _SQL.set_chunk_words),
            (_SQL.settlement_words, _SQL.set_settlement_words),
        ):
            for broadcast, number, text in list(find(connection, address=address)):
                change(connection, broadcast=broadcast, number=number, words=pattern.sub(instead, text))
