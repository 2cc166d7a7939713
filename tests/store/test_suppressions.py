"""Addresses that must not be mailed."""

from datetime import timedelta

from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.store.database import Database
from newsletter.store.suppressions import add_suppression, find_suppression, list_suppressions, remove_suppression
from tests.store.builders import NOW


def test_suppression_is_found_however_the_address_is_spelt(database: Database) -> None:
    assert add_suppression(database, "Ana@Example.org", SuppressionReason.BOUNCED, now=NOW)

    assert find_suppression(database, "ANA@EXAMPLE.ORG") == Suppression(
        email="Ana@example.org", reason=SuppressionReason.BOUNCED, created_at=NOW
    )
    assert find_suppression(database, "bo@example.org") is None


def test_first_reason_stands(database: Database) -> None:
    add_suppression(database, "ana@example.org", SuppressionReason.COMPLAINED, now=NOW)

    assert not add_suppression(database, "ANA@example.org", SuppressionReason.MANUAL, now=NOW + timedelta(days=1))
    assert [each.reason for each in list_suppressions(database)] == [SuppressionReason.COMPLAINED]


def test_suppression_can_be_lifted(database: Database) -> None:
    add_suppression(database, "ana@example.org", SuppressionReason.MANUAL, now=NOW)

    assert remove_suppression(database, "ANA@example.org")
    assert not remove_suppression(database, "ana@example.org")
    assert list(list_suppressions(database)) == []


def test_list_goes_over_several_pages(database: Database) -> None:
    with database.transaction() as connection:
        connection.load(
            "suppression",
            ((f"person{number:05}@example.org",) * 2 + ("manual", "2026-02-19T08:00:00Z") for number in range(2500)),
        )

    emails = [suppression.email for suppression in list_suppressions(database)]

    assert emails == sorted(set(emails))
    assert len(emails) == 2500
