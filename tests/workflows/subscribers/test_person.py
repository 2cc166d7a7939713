"""One person: all that is known of them, and adding them by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from newsletter.errors import InputError
from newsletter.model.audience import SuppressionReason
from newsletter.model.event import EventType
from newsletter.model.imports import ImportReport
from newsletter.store.database import Database
from newsletter.store.subscribers import find_subscriber
from newsletter.store.suppressions import add_suppression, remove_suppression
from newsletter.workflows.subscribers.person import NewPerson, add_person, require_person
from tests.store.builders import KEY, NOW, add, add_people, forget, freeze, react, row, send_all
from tests.store.empty_file import open_test_database

ANA = "Ana@example.org"
DAY = timedelta(days=1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_test_database(tmp_path / "newsletter.db", wait_seconds=1) as opened:
        yield opened


def add_by_hand(database: Database, email: str = ANA, *, source: str = "phone", **more: Any) -> ImportReport:
    return add_person(database, NewPerson(email=email, consent_source=source, **more), key=KEY, now=NOW)


def test_everything_is_known_of_somebody_on_the_list(database: Database) -> None:
    add_people(database, 3)
    add(database, row(ANA, consented_at=NOW - DAY, attributes={"city": "Lisbon"}))
    add(database, row(ANA, consent_source="phone"))
    add_suppression(database, ANA, SuppressionReason.BOUNCED, now=NOW)
    remove_suppression(database, ANA, because="they wrote", now=NOW)
    add_suppression(database, ANA, SuppressionReason.UNSUBSCRIBED, topic="events", now=NOW)
    broadcast = freeze(database)
    send_all(database, broadcast)
    react(database, broadcast, ANA, EventType.OPENED, NOW)

    person = require_person(database, "ANA@EXAMPLE.org")

    assert person.email == ANA
    assert person.subscriber is not None
    assert person.subscriber.record.attributes == {"city": "Lisbon"}
    assert person.subscriber.record.consent_source == "phone"
    assert [past.source for past in person.past_consents] == ["website form"]
    assert person.suppression is None
    assert [left.topic for left in person.left_topics] == ["events"]
    assert [past.because for past in person.past_suppressions] == ["they wrote"]
    assert [(past.broadcast, past.status) for past in person.deliveries] == [(broadcast.id, "accepted")]
    assert [(past.type, past.issue) for past in person.events] == [(EventType.OPENED, "2026-02")]
    assert person.imports


def test_somebody_who_is_only_suppressed_is_known(database: Database) -> None:
    add_suppression(database, ANA, SuppressionReason.COMPLAINED, now=NOW)

    person = require_person(database, ANA)

    assert person.subscriber is None
    assert person.suppression is not None
    assert person.suppression.reason is SuppressionReason.COMPLAINED


def test_nobody_is_known_of_whom_nothing_is(database: Database) -> None:
    with pytest.raises(InputError, match=r"nothing is known about 'ana@example\.net'; check the spelling"):
        require_person(database, "ana@example.net", key=KEY)


def test_whoever_was_forgotten_is_told_with_the_key_alone(database: Database) -> None:
    add(database, row(ANA))
    forget(database, ANA)

    with pytest.raises(InputError, match="was erased on 2026-02-19"):
        require_person(database, ANA, key=KEY)
    with pytest.raises(InputError, match="only the key can show whether this person was erased"):
        require_person(database, ANA)


def test_a_person_is_added_with_their_consent(database: Database) -> None:
    report = add_by_hand(
        database,
        "Ana@EXAMPLE.org ",
        first_name=" Ana ",
        language="pt",
        timezone="Europe/Lisbon",
        tags=("Teacher", "member"),
        consented_at="2026-01-31",
        consent_wording="v2",
    )

    assert report.added == 1
    found = find_subscriber(database, ANA)
    assert found is not None
    record = found.record
    assert (record.email, record.first_name, record.tags) == (ANA, "Ana", ("member", "teacher"))
    assert (record.consented_at, record.consent_source) == (datetime(2026, 1, 31, tzinfo=UTC), "phone")
    assert (record.consent_wording, record.timezone, found.joined_at) == ("v2", "Europe/Lisbon", NOW)


def test_a_person_added_by_hand_is_kept_in_the_same_form_of_unicode_as_a_list(database: Database) -> None:
    add_by_hand(database, first_name="Ma\u0301ire", tags=("Cafe\u0301",))

    found = find_subscriber(database, ANA)
    assert found is not None
    assert (found.record.first_name, found.record.tags) == ("M\u00e1ire", ("caf\u00e9",))


def test_consent_is_of_now_where_no_date_is_given(database: Database) -> None:
    add_by_hand(database)

    found = find_subscriber(database, ANA)
    assert found is not None
    assert found.record.consented_at == NOW


def test_somebody_on_the_list_is_updated_and_keeps_what_is_not_said(database: Database) -> None:
    add(database, row(ANA, first_name="Ana", tags=("member",), consented_at=NOW - DAY))

    assert add_by_hand(database, last_name="Lima", tags=("teacher",)).updated == 1

    found = find_subscriber(database, ANA)
    assert found is not None
    assert (found.record.first_name, found.record.last_name) == ("Ana", "Lima")
    assert found.record.tags == ("member", "teacher")


def test_a_newer_consent_brings_back_who_left_and_an_older_one_does_not(database: Database) -> None:
    for email in (ANA, "bo@example.org"):
        add_suppression(database, email, SuppressionReason.UNSUBSCRIBED, now=NOW - DAY)

    assert add_by_hand(database).revived == 1
    kept = add_by_hand(database, "bo@example.org", consented_at="2026-01-01")

    assert (kept.revived, kept.suppressed) == (0, 1)


def test_an_older_consent_does_not_bring_back_who_was_forgotten(database: Database) -> None:
    add(database, row(ANA))
    forget(database, ANA)

    with pytest.raises(InputError, match=r"Ana@example\.org was not added: .*asked to be erased"):
        add_by_hand(database, consented_at="2026-01-01")


def test_all_that_is_wrong_is_told_at_once_and_nothing_is_kept(database: Database) -> None:
    with pytest.raises(InputError) as refused:
        add_by_hand(
            database,
            "ana at example",
            source=" ",
            language="Portuguese",
            timezone="Europe/Nowhere",
            tags=("a,b",),
            consented_at="soon",
        )

    told = str(refused.value).splitlines()
    assert [any(part in line for line in told) for part in ("'ana at example'", "'Portuguese'", "'Europe/Nowhere'")]
    assert len(told) == 6
    with pytest.raises(InputError, match="in the future"):
        add_by_hand(database, consented_at="2030-01-01")
    with pytest.raises(InputError, match="the address is missing"):
        add_by_hand(database, " ")
    assert find_subscriber(database, ANA) is None


def test_a_date_before_all_calendars_is_no_date(database: Database) -> None:
    with pytest.raises(InputError, match="is not a date"):
        add_by_hand(database, consented_at="9999-12-31T23:00-14:00")


@pytest.mark.parametrize("text", ["0000-00-00", "null", "0"])
def test_text_by_which_programs_mean_none_is_no_date(database: Database, text: str) -> None:
    with pytest.raises(InputError, match="is not a date"):
        add_by_hand(database, consented_at=text)


def test_dates_are_read_as_those_of_a_list(database: Database) -> None:
    add_by_hand(database, consented_at="31.01.2026")

    found = find_subscriber(database, ANA)
    assert found is not None
    assert found.record.consented_at == datetime(2026, 1, 31, tzinfo=UTC)
    with pytest.raises(InputError, match="could be 3 April or 4 March; write it as 2025-04-03"):
        add_by_hand(database, consented_at="03/04/2025")


def test_a_likely_typo_is_taken_and_said(database: Database) -> None:
    report = add_by_hand(database, "ana@gmial.com")

    assert report.added == 1
    assert [row.doubt.partition(";")[0] for row in report.doubtful_rows] == [
        "gmial.com looks like a typo for gmail.com"
    ]
