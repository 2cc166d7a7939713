"""Approvals and tests: each holds for exactly one content of an issue."""

from datetime import timedelta

from msgspec.structs import replace

from newsletter.model.ledger import Approval
from newsletter.store import approvals
from newsletter.store.database import Database
from tests.store.builders import NOW

LATER = NOW + timedelta(hours=1)
ANA = Approval(issue="2026-02", content_hash="abc", by="Ana", at=NOW)
BEN = replace(ANA, by="Ben", at=LATER)


def test_approval_holds_for_one_content(database: Database) -> None:
    approvals.approve(database, BEN)
    approvals.approve(database, ANA)

    assert approvals.approvals_of(database, "2026-02", "abc") == (ANA, BEN)
    assert approvals.approvals_of(database, "2026-02", "edited") == ()
    assert approvals.approvals_of(database, "2026-03", "abc") == ()


def test_approval_that_is_given_again_counts_from_then(database: Database) -> None:
    approvals.approve(database, ANA)
    again = replace(ANA, at=LATER)
    approvals.approve(database, again)

    assert approvals.approvals_of(database, "2026-02", "abc") == (again,)


def test_last_approval_is_of_any_content(database: Database) -> None:
    assert approvals.last_approval(database, "2026-02") is None

    approvals.approve(database, replace(BEN, content_hash="edited"))
    approvals.approve(database, ANA)

    assert approvals.last_approval(database, "2026-02") == replace(BEN, content_hash="edited")


def test_test_holds_for_one_content(database: Database) -> None:
    assert approvals.tested_at(database, "2026-02", "abc") is None

    approvals.remember_test(database, "2026-02", "abc", copies=2, now=NOW)
    approvals.remember_test(database, "2026-02", "abc", copies=1, now=LATER)

    assert approvals.tested_at(database, "2026-02", "abc") == LATER
    assert approvals.tested_at(database, "2026-02", "edited") is None
