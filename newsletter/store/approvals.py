"""Approvals of an issue's exact content, and the test emails sent of it."""

from datetime import datetime

from newsletter.model.ledger import Approval
from newsletter.store.database import Connection, Database
from newsletter.store.queries import change, query_all, query_one
from newsletter.system.moments import text_of

_APPROVE = change("approvals", "approve")
_OF_CONTENT = query_all("approvals", "of_content", Approval)
_LAST_OF = query_one("approvals", "last_of", Approval)
_REMEMBER_TEST = change("approvals", "remember_test")
_TESTED_AT = query_one("approvals", "tested_at", datetime)
_LAST_TEST = query_one("approvals", "last_test", datetime)


def approve(database: Database, approval: Approval) -> None:
    """Save an approval. If the same person approves the same content again, the latest time is kept."""
    with database.transaction() as connection:
        approve_in(connection, approval)


def approve_in(connection: Connection, approval: Approval) -> None:
    """Save an approval as `approve` does, in a transaction that does more."""
    _APPROVE(
        connection,
        issue=approval.issue,
        content_hash=approval.content_hash,
        approved_by=approval.by,
        now=text_of(approval.at),
    )


def approvals_of(database: Database, issue: str, content_hash: str) -> tuple[Approval, ...]:
    """Return the approvals of exactly this content, earliest first, including those that have become void."""
    with database.read() as connection:
        return approvals_in(connection, issue, content_hash)


def approvals_in(connection: Connection, issue: str, content_hash: str) -> tuple[Approval, ...]:
    """Return the approvals of exactly this content as `approvals_of` does, in a transaction that reads more."""
    return tuple(_OF_CONTENT(connection, issue=issue, content_hash=content_hash))


def last_approval(database: Database, issue: str) -> Approval | None:
    """Return the latest approval of an issue, whatever its content was then, or None if there is none."""
    return _LAST_OF.ask(database, issue=issue)


def remember_test(database: Database, issue: str, content_hash: str, *, copies: int, now: datetime) -> None:
    """Save how many test emails of exactly this content the provider accepted."""
    with database.transaction() as connection:
        _REMEMBER_TEST(connection, issue=issue, content_hash=content_hash, copies=copies, now=text_of(now))


def tested_at(database: Database, issue: str, content_hash: str) -> datetime | None:
    """Return when test emails of exactly this content were last sent, or None if none were."""
    return _TESTED_AT.ask(database, issue=issue, content_hash=content_hash)


def last_test(database: Database) -> datetime | None:
    """Return when a test email of any issue was last accepted, or None if none ever was."""
    return _LAST_TEST.ask(database)
