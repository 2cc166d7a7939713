"""People who asked to be forgotten and stand in a list again: only a consent given since then brings them back."""

from newsletter.errors import InputError
from newsletter.store.database import Connection
from newsletter.store.forgotten import digest_of, require_key
from newsletter.store.queries import load_queries

_SQL = load_queries("import_merging")
_REMARKS = load_queries("import_remarks")
_PAGE = 10_000
_MAY_RETURN = {"unsubscribed", "bounced", "complained", "forgotten"}  # never who is invalid, or was put there by hand


def is_anybody_forgotten(connection: Connection) -> bool:
    """Whether somebody was forgotten, so that an import needs the key."""
    return bool(_REMARKS.is_anybody_forgotten(connection))


def refuse_forgotten(connection: Connection, *, key: bytes | None, now: str) -> int:
    """Rejects the newcomers who were forgotten, or gives them their id again; to how many.

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
            _remark(connection, line, email, f"was forgotten, came back: new consent of {consented_at} ({source})")
        else:
            refused.append((line, email, 1, "this person asked to be forgotten and has not given a new consent since"))
    connection.load("remark", refused)
    if refused:
        _SQL.reject_remarked(connection)
    _SQL.give_id_back(connection, [{"line": each["line"], "subscriber": each["subscriber"]} for each in returning])
    _SQL.remember_again(connection, [{"digest": each["digest"]} for each in returning])
    _SQL.drop_newcomer(connection)
    return len(returning)


def _find_digests(connection: Connection, key: bytes) -> None:
    _SQL.create_newcomer(connection)
    after = 0
    while page := list(_SQL.newcomers(connection, after=after, size=_PAGE)):
        connection.load("newcomer", [(line, digest_of(person, key)) for line, person in page])
        after = page[-1][0]


def _remark(connection: Connection, line: int, email: str, text: str) -> None:
    connection.load("remark", [(line, email, 0, text)])
