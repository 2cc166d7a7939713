"""Merging: a row that says nothing new about a person's consent brings no one back."""

import pytest

from newsletter.model.audience import SuppressionReason
from newsletter.model.columns import SubscriberRecord
from newsletter.model.edit import Edit
from newsletter.store.database import Database
from newsletter.store.editing import edit_people
from newsletter.store.suppressions import add_suppression, find_suppression
from newsletter.system.moments import text_of
from tests.store.builders import NOW, add, row
from tests.store.test_merge import DAY

ANA = "ana@example.org"


def merge(database: Database, record: SubscriberRecord) -> tuple[int, int, bool]:
    """Import one row. Return how many came back and were unchanged, and whether the person is suppressed."""
    report = add(database, record)
    return report.revived, report.unchanged, find_suppression(database, ANA) is not None


@pytest.mark.parametrize(
    ("given", "source", "name", "expected"),
    [
        (-3, "form", "", (0, 1, True)),  # older than the consent on record
        (-3, "form", "Ana", (0, 0, True)),
        (-2, "form", "", (0, 1, True)),  # on record already
        (-2, "form", "Ana", (0, 0, True)),
        (-2, "letter", "", (0, 0, True)),
        (-1, "form", "", (1, 0, False)),
    ],
)
def test_only_a_consent_that_is_not_on_record_brings_anyone_back(
    database: Database,
    given: int,
    source: str,
    name: str,
    expected: tuple[int, int, bool],
) -> None:
    add(database, row(ANA, consented_at=NOW - 9 * DAY))
    add_suppression(database, ANA, SuppressionReason.UNSUBSCRIBED, now=NOW - 5 * DAY)
    cells = {"consented_at": text_of(NOW - 2 * DAY), "consent_source": "form"}
    edit_people(database, [ANA], Edit(cells=cells), shown=0, now=NOW)

    record = row(ANA, consented_at=NOW + given * DAY, consent_source=source, first_name=name)

    assert merge(database, record) == expected


def test_a_source_that_was_missing_completes_a_consent_that_brings_someone_back(
    database: Database,
) -> None:
    add_suppression(database, ANA, SuppressionReason.UNSUBSCRIBED, now=NOW - 5 * DAY)

    assert merge(database, row(ANA, consented_at=NOW - DAY, consent_source="")) == (0, 0, True)
    assert merge(database, row(ANA, consented_at=NOW - DAY, consent_source="form")) == (1, 0, False)
