"""A restore erases again who was erased since the backup, and keeps those who came back."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.errors import InputError
from newsletter.lists.exports import batch_of
from newsletter.model.audience import SuppressionReason
from newsletter.store.database import Database
from newsletter.store.forgotten import clear_forgotten, count_forgotten, forget_person, forgotten_since
from newsletter.store.merge import merge_subscribers
from newsletter.store.opening import open_database
from newsletter.store.subscribers import find_subscriber
from newsletter.store.suppressions import add_suppression, find_suppression, past_suppressions, remove_suppression
from tests.store.builders import (
    KEY,
    NOW,
    add,
    add_people,
    forget,
    freeze,
    row,
    send_all,
)
from tests.store.test_backup import LATER, Location, bring_back, contents, save

NEW_KEY = b"another key of thirty-two bytes."


def test_who_left_and_who_was_forgotten_since_stays_so(database: Database, file: Path) -> None:
    add(database, *(row(f"{name}@example.org") for name in ("ana", "bo", "cy", "di")))
    add_suppression(database, "stranger@example.org", SuppressionReason.BOUNCED, now=NOW)
    add_suppression(database, "di@example.org", SuppressionReason.BOUNCED, now=NOW)
    save(database, file)
    add_suppression(database, "ana@example.org", SuppressionReason.UNSUBSCRIBED, now=LATER)
    add_suppression(database, "di@example.org", SuppressionReason.MANUAL, now=LATER)
    add_suppression(database, "ana@example.org", SuppressionReason.UNSUBSCRIBED, now=LATER + timedelta(hours=1))
    assert forget(database, "bo@example.org")
    assert forget(database, "stranger@example.org")
    left = [find_suppression(database, email) for email in ("ana@example.org", "di@example.org")]

    bring_back(database, file)

    assert [find_suppression(database, email) for email in ("ana@example.org", "di@example.org")] == left
    assert [each and (each.reason, each.repeated_at is None, each.consent_on_record) for each in left] == [
        ("unsubscribed", False, NOW),
        ("manual", False, NOW),
    ]
    assert find_subscriber(database, "bo@example.org") is None
    assert find_suppression(database, "stranger@example.org") is None
    assert count_forgotten(database) == 2
    for email in ("bo@example.org", "stranger@example.org"):
        assert forgotten_since(database, email, key=KEY) == NOW
    assert send_all(database, freeze(database)) == ["cy@example.org"]


def test_without_the_key_those_on_the_list_are_erased_again_all_the_same(database: Database, file: Path) -> None:
    add(database, row("bo@example.org"), row("cy@example.org"))
    save(database, file)
    forget(database, "bo@example.org")

    bring_back(database, file, key=None)

    assert find_subscriber(database, "bo@example.org") is None
    assert forgotten_since(database, "bo@example.org", key=KEY) == NOW


def test_people_erased_with_a_new_key_stay_erased_though_the_backup_is_of_a_key_given_up(
    database: Database, file: Path
) -> None:
    add(database, row("ana@example.org"), row("bo@example.org"), row("cy@example.org"))
    forget(database, "ana@example.org")
    save(database, file)
    clear_forgotten(database)
    forget_person(database, "bo@example.org", key=NEW_KEY, now=LATER)

    for key in (None, NEW_KEY):
        bring_back(database, file, key=key)

        assert find_subscriber(database, "bo@example.org") is None
        assert forgotten_since(database, "bo@example.org", key=NEW_KEY) == LATER
        assert count_forgotten(database) == 1, "the record that was given up came back"


def test_records_of_the_backup_stay_where_no_one_was_erased_since(
    database: Database, fresh_location: Callable[[], Location], file: Path
) -> None:
    add(database, row("ana@example.org"), row("bo@example.org"))
    forget(database, "ana@example.org")
    save(database, file)

    with open_database(fresh_location()) as other:
        bring_back(other, file, key=NEW_KEY)
        assert forgotten_since(other, "ana@example.org", key=KEY) == NOW


def test_with_another_key_than_that_of_the_present_database_nothing_is_restored(database: Database, file: Path) -> None:
    add(database, row("ana@example.org"), row("bo@example.org"))
    save(database, file)
    forget(database, "bo@example.org")
    before = contents(database)

    with pytest.raises(InputError, match="not the key with which people were erased here; set it to that key"):
        bring_back(database, file, key=NEW_KEY)

    assert contents(database) == before


def test_without_the_key_nothing_is_restored_if_only_the_key_finds_who_was_erased(
    database: Database, file: Path
) -> None:
    add(database, row("ana@example.org"))
    add_suppression(database, "stranger@example.org", SuppressionReason.BOUNCED, now=NOW)
    save(database, file)
    forget(database, "stranger@example.org")
    before = contents(database)

    with pytest.raises(InputError, match="set NEWSLETTER_KEY in the environment"):
        bring_back(database, file, key=None)

    assert contents(database) == before


def test_who_was_erased_under_another_number_than_the_backup_knows_is_found_by_the_key(
    database: Database, file: Path
) -> None:
    add(database, row("bo@example.org"), row("cy@example.org"))
    save(database, file)
    forget(database, "bo@example.org")
    clear_forgotten(database)
    add(database, row("bo@example.org"))
    forget(database, "bo@example.org")

    with pytest.raises(InputError, match="NEWSLETTER_KEY"):
        bring_back(database, file, key=None)
    bring_back(database, file)

    assert find_subscriber(database, "bo@example.org") is None
    assert forgotten_since(database, "bo@example.org", key=KEY) == NOW


def test_who_is_known_only_by_a_lifted_suppression_is_erased_again(database: Database, file: Path) -> None:
    add_suppression(database, "bo@example.org", SuppressionReason.MANUAL, now=NOW)
    remove_suppression(database, "bo@example.org", because="a mistake", now=NOW)
    save(database, file)
    assert forget(database, "bo@example.org")

    bring_back(database, file)

    assert not past_suppressions(database, "bo@example.org")


def come_back(database: Database, email: str, **fields: object) -> None:
    """A person who was erased consents again."""
    again = row(email, **{"consented_at": NOW + timedelta(hours=1), **fields})
    merge_subscribers(database, [batch_of([again])], key=KEY, now=LATER)


def test_who_came_back_and_was_mailed_since_is_no_longer_forgotten(database: Database, file: Path) -> None:
    add_suppression(database, "bo@example.org", SuppressionReason.BOUNCED, now=NOW)
    forget(database, "bo@example.org")
    save(database, file)
    come_back(database, "bo@example.org")
    send_all(database, freeze(database))

    bring_back(database, file)

    assert find_subscriber(database, "bo@example.org") is not None
    assert forgotten_since(database, "bo@example.org", key=KEY) is None


def test_who_came_back_is_not_erased_by_a_record_that_an_earlier_restore_left(database: Database, file: Path) -> None:
    add_people(database, 1)
    save(database, file)
    add(database, row("bo@example.org"))
    forget(database, "bo@example.org")
    with database.read() as connection:
        left = connection.execute("SELECT digest, subscriber, reason, created_at FROM forgotten", {}).fetchall()
    come_back(database, "bo@example.org")
    send_all(database, freeze(database))
    with database.transaction() as connection:
        connection.load("forgotten", left)

    bring_back(database, file)

    assert find_subscriber(database, "bo@example.org") is not None
    assert count_forgotten(database) == 0


def test_who_was_put_back_on_the_list_without_a_consent_stays_erased(database: Database, file: Path) -> None:
    add_people(database, 1)
    add(database, row("bo@example.org"))
    forget(database, "bo@example.org")
    save(database, file)
    clear_forgotten(database)
    add(database, row("bo@example.org"))
    send_all(database, freeze(database))

    bring_back(database, file)

    assert find_subscriber(database, "bo@example.org") is None
    assert forgotten_since(database, "bo@example.org", key=KEY) == NOW


def test_who_was_erased_a_second_time_needs_a_consent_newer_than_that(database: Database, file: Path) -> None:
    add(database, row("bo@example.org"), row("cy@example.org"))
    forget(database, "bo@example.org")
    save(database, file)
    come_back(database, "bo@example.org")
    forget_person(database, "bo@example.org", key=KEY, now=LATER)

    bring_back(database, file)

    assert forgotten_since(database, "bo@example.org", key=KEY) == LATER
