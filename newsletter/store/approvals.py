"""Who said yes to exactly which content of an issue, and of which content test copies were sent."""

from datetime import datetime

from newsletter.model.ledger import Approval
from newsletter.store.database import Database
from newsletter.store.queries import load_queries
from newsletter.system.moments import moment_of, text_of

_SQL = load_queries("approvals")


def approve(database: Database, approval: Approval) -> None:
    """Keeps somebody's yes; given again to the same content, the last time counts."""
    with database.transaction() as connection:
        _SQL.approve(
            connection,
            issue=approval.issue,
            content_hash=approval.content_hash,
            approved_by=approval.by,
            now=text_of(approval.at),
        )


def approvals_of(database: Database, issue: str, content_hash: str) -> tuple[Approval, ...]:
    """Who said yes to exactly this content, the earliest first."""
    with database.read() as connection:
        return tuple(_approval(*row) for row in _SQL.of_content(connection, issue=issue, content_hash=content_hash))


def last_approval(database: Database, issue: str) -> Approval | None:
    """The latest yes to any content of an issue; None where nobody gave one."""
    with database.read() as connection:
        row = _SQL.last_of(connection, issue=issue)
    return None if row is None else _approval(*row)


def remember_test(database: Database, issue: str, content_hash: str, *, copies: int, now: datetime) -> None:
    """Keeps that the provider took so many test copies of exactly this content."""
    with database.transaction() as connection:
        _SQL.remember_test(connection, issue=issue, content_hash=content_hash, copies=copies, now=text_of(now))


def tested_at(database: Database, issue: str, content_hash: str) -> datetime | None:
    """When test copies of exactly this content were last sent; None where none were."""
    with database.read() as connection:
        text = _SQL.tested_at(connection, issue=issue, content_hash=content_hash)
    return None if text is None else moment_of(text)


def _approval(issue: str, content_hash: str, approved_by: str, approved_at: str, voided: str) -> Approval:
    return Approval(issue=issue, content_hash=content_hash, by=approved_by, at=moment_of(approved_at), voided=voided)
