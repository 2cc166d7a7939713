"""Decide which people in a list may return after they left or asked to be erased.

Only their own newer consent, with its source and not dated in the future, lifts a suppression or lets an erased
person return. A basis stated by an import never does, and nothing lifts a suppression that is `manual` or `invalid`.
"""

from collections.abc import Callable
from typing import NamedTuple

from newsletter.model.permission import Consent, is_firm
from newsletter.store.database import Connection
from newsletter.store.forgotten import digest_of, key_if_forgotten
from newsletter.store.importing.intake import Intake
from newsletter.store.queries import change, query_all


class NewcomerRow(NamedTuple):
    """A person in the import who is not on the list yet."""

    line: int
    person: str


class ForgottenNewcomer(NamedTuple):
    """A newcomer who was erased, and the consent in their row."""

    line: int
    email: str
    digest: bytes
    subscriber: int | None
    reason: str
    forgotten_at: str
    consented_at: str
    consent_source: str


_CREATE_REVIVAL = change("import_shared", "create_revival")
_KEEP_PAST_SUPPRESSIONS = change("import_shared", "keep_past_suppressions")
_LIFT = change("import_shared", "lift")
_REMARK_ON_REVIVALS = change("import_shared", "remark_on_revivals")
_DROP_REVIVAL = change("import_shared", "drop_revival")
REJECT_REMARKED = change("import_merging", "reject_remarked")
_CREATE_NEWCOMER = change("import_merging", "create_newcomer")
_NEWCOMERS = query_all("import_merging", "newcomers", NewcomerRow)
_FORGOTTEN_NEWCOMERS = query_all("import_merging", "forgotten_newcomers", ForgottenNewcomer)
_GIVE_ID_BACK = change("import_merging", "give_id_back")
REMEMBER_AGAIN = change("import_merging", "remember_again")
_DROP_NEWCOMER = change("import_merging", "drop_newcomer")
_PAGE = 10_000


def revive(connection: Connection, intake: Intake, find_revivals: Callable[[], object], *, now: str) -> int:
    """Lift the suppressions of people who return, and save the reason. Return the number of people.

    `find_revivals` puts these people into the table `revival`.
    """
    _CREATE_REVIVAL(connection)
    find_revivals()
    intake.record.keep_lifted()
    _KEEP_PAST_SUPPRESSIONS(connection, now=now)
    revived = _LIFT(connection)
    if revived:
        _REMARK_ON_REVIVALS(connection)
    _DROP_REVIVAL(connection)
    return revived


def refuse_forgotten(connection: Connection, intake: Intake, *, key: bytes | None, now: str) -> int:
    """Reject newcomers who were erased, or let them return under their old id. Return the number who return.

    Raise InputError if anyone was erased and the key is missing or different: any row might be theirs.
    """
    key = key_if_forgotten(connection, key)
    if key is None:
        return 0
    _keep_digests(connection, key)
    refused, returning = [], []
    for row in _FORGOTTEN_NEWCOMERS(connection):
        if may_return(
            row.reason,
            forgotten_at=row.forgotten_at,
            consented_at=row.consented_at,
            consent_source=row.consent_source,
            now=now,
        ):
            returning.append({"line": row.line, "subscriber": row.subscriber, "digest": row.digest})
            told = f"was erased and came back: new consent dated {row.consented_at} ({row.consent_source})"
            connection.load("remark", [(row.line, row.email, "", told)])
        else:
            told = "this person asked to be erased and has not consented again since then"
            refused.append((row.line, row.email, "rejected", told))
    connection.load("remark", refused)
    if refused:
        REJECT_REMARKED(connection)
    intake.record.keep_returns(returning)
    _GIVE_ID_BACK.for_each(connection, returning)
    REMEMBER_AGAIN.for_each(connection, returning)
    _DROP_NEWCOMER(connection)
    return len(returning)


def may_return(reason: str, *, forgotten_at: str, consented_at: str, consent_source: str, now: str) -> bool:
    """Return whether a consent lets an erased person return. `reason` is why they were not emailed."""
    return not is_firm(reason) and Consent(at=consented_at, source=consent_source).outweighs(forgotten_at, now=now)


def _keep_digests(connection: Connection, key: bytes) -> None:
    _CREATE_NEWCOMER(connection)
    after = 0
    while page := _NEWCOMERS(connection, after=after, size=_PAGE):
        connection.load("newcomer", [(line, digest_of(person, key)) for line, person in page])
        after = page[-1].line
