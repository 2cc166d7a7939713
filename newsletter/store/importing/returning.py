"""Decide who comes back of the people in a list who had left or asked to be forgotten.

Only a newer consent of their own, with its source and not in the future, lifts a suppression or brings a forgotten
person back; never a basis that an import states, nor anything where an address is suppressed by hand or as invalid.
"""

from collections.abc import Callable

from newsletter.errors import InputError
from newsletter.store.database import Connection
from newsletter.store.forgotten import digest_of, require_key
from newsletter.store.queries import load_queries

_SQL = load_queries("import_merging")
_SHARED = load_queries("import_shared")
_PAGE = 10_000
_MAY_RETURN = {"unsubscribed", "bounced", "complained", "forgotten"}  # never who is invalid, or was put there by hand


def revive(connection: Connection, find_revivals: Callable[[], object], *, now: str) -> int:
    """Lift the suppressions of those who came back, keep why, and return how many they are.

    `find_revivals` puts them into the table `revival`.
    """
    _SHARED.create_revival(connection)
    find_revivals()
    _SHARED.keep_past_suppressions(connection, now=now)
    revived: int = _SHARED.lift(connection)
    if revived:
        _SHARED.remark_on_revivals(connection)
    _SHARED.drop_revival(connection)
    return revived


def is_anybody_forgotten(connection: Connection) -> bool:
    """Return whether somebody was forgotten, so that an import needs the key."""
    return bool(_SHARED.is_anybody_forgotten(connection))


def refuse_forgotten(connection: Connection, *, key: bytes | None, now: str) -> int:
    """Reject the newcomers who were forgotten, or give them their id again, and return to how many.

    Raises InputError where somebody was forgotten and the key is missing or another one: any row might be theirs.
    """
    if not is_anybody_forgotten(connection):
        return 0
    if key is None:
        raise InputError(
            "people were forgotten here, and without the key anybody who is added could be one of them; "
            "set NEWSLETTER_KEY in the environment to the key that was used then"
        )
    require_key(connection, key)
    _find_digests(connection, key)
    refused, returning = [], []
    for line, email, digest, subscriber, reason, forgotten_at, consented_at, source in _SQL.forgotten_newcomers(
        connection
    ):
        if reason in _MAY_RETURN and forgotten_at < consented_at <= now and source:
            returning.append({"line": line, "subscriber": subscriber, "digest": digest})
            told = f"was forgotten, came back: new consent of {consented_at} ({source})"
            connection.load("remark", [(line, email, 0, told)])
        else:
            refused.append((line, email, 1, "this person asked to be forgotten and has not given a new consent since"))
    connection.load("remark", refused)
    if refused:
        _SQL.reject_remarked(connection)
    _SQL.give_id_back(connection, returning)
    _SQL.remember_again(connection, returning)
    _SQL.drop_newcomer(connection)
    return len(returning)


def _find_digests(connection: Connection, key: bytes) -> None:
    _SQL.create_newcomer(connection)
    after = 0
    while page := list(_SQL.newcomers(connection, after=after, size=_PAGE)):
        connection.load("newcomer", [(line, digest_of(person, key)) for line, person in page])
        after = page[-1][0]
