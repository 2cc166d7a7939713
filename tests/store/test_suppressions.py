"""Addresses that must not be mailed, at all or about a topic."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from newsletter.errors import InputError
from newsletter.lists.exports import batch_of
from newsletter.model.audience import PastSuppression, Suppression, SuppressionReason
from newsletter.model.edit import Edit
from newsletter.model.imports import ImportReport
from newsletter.store.database import Database
from newsletter.store.editing import edit_people
from newsletter.store.merge import merge_subscribers
from newsletter.store.standing import standing_of
from newsletter.store.suppressions import (
    add_suppression,
    add_suppressions,
    count_suppressions,
    find_suppression,
    list_suppressions,
    past_suppressions,
    remove_suppression,
    suppressions_of,
)
from newsletter.system.moments import text_of
from newsletter.workflows.subscribers.import_ import ImportRequest, import_list
from tests.store.builders import KEY, NOW, add, forget, row

ANA = "ana@example.org"
HOUR = timedelta(hours=1)
LEFT, BOUNCED = SuppressionReason.UNSUBSCRIBED, SuppressionReason.BOUNCED
COMPLAINED, MANUAL, DOUBT = SuppressionReason.COMPLAINED, SuppressionReason.MANUAL, SuppressionReason.IN_DOUBT


def suppression(email: str = ANA, reason: SuppressionReason = LEFT, **fields: object) -> Suppression:
    return Suppression(**{"email": email, "reason": reason, "created_at": NOW, **fields})  # type: ignore[arg-type]


def test_suppression_is_found_however_the_address_is_spelled(database: Database) -> None:
    assert add_suppression(database, "Ana@Example.org", BOUNCED, detail="550 no such user", now=NOW)

    assert find_suppression(database, "ANA@EXAMPLE.ORG") == suppression(
        "Ana@example.org", BOUNCED, detail="550 no such user"
    )
    assert find_suppression(database, "bo@example.org") is None


def test_first_reason_stands(database: Database) -> None:
    add_suppression(database, ANA, COMPLAINED, now=NOW)

    assert not add_suppression(database, "ANA@example.org", LEFT, now=NOW + HOUR)
    assert list(list_suppressions(database)) == [suppression(reason=COMPLAINED, repeated_at=NOW + HOUR)]


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("when", [NOW - HOUR, NOW, NOW + HOUR])
def test_by_hand_overrules_a_reason_that_a_new_consent_would_lift(
    database: Database, at_once: bool, when: datetime
) -> None:
    add_suppression(database, ANA, COMPLAINED, now=NOW)

    if at_once:
        assert not add_suppressions(database, [suppression(reason=MANUAL, created_at=when), suppression()])
    else:
        assert not add_suppression(database, ANA, MANUAL, now=when)
        assert not add_suppression(database, ANA, LEFT, now=when)
    said_yes = row(ANA, consented_at=NOW + 2 * HOUR, consent_source="form")
    merge_subscribers(database, [batch_of([said_yes])], now=NOW + 3 * HOUR)

    (found,) = list_suppressions(database)
    assert (found.reason, found.created_at) == (MANUAL, NOW)
    assert found.repeated_at == (when if when > NOW else None)


def test_each_topic_and_all_mail_are_suppressions_of_their_own(database: Database) -> None:
    assert add_suppression(database, ANA, LEFT, topic="events", now=NOW)
    assert not add_suppression(database, ANA, COMPLAINED, topic="events", now=NOW + HOUR)
    assert find_suppression(database, ANA) is None
    assert add_suppression(database, ANA, COMPLAINED, now=NOW)
    assert add_suppression(database, ANA, LEFT, topic="news", now=NOW)

    assert suppressions_of(database, "Ana@EXAMPLE.org") == (
        suppression(reason=COMPLAINED),
        suppression(reason=COMPLAINED, topic="events", repeated_at=NOW + HOUR),
        suppression(topic="news"),
    )
    assert find_suppression(database, ANA) == suppression(reason=COMPLAINED)


def test_what_is_lifted_is_kept_with_its_reason(database: Database) -> None:
    add_suppression(database, ANA, MANUAL, now=NOW)
    add_suppression(database, ANA, LEFT, topic="events", now=NOW)

    assert remove_suppression(database, "ANA@example.org", because="asked by phone", now=NOW + HOUR)
    assert not remove_suppression(database, ANA, because="again", now=NOW + 2 * HOUR)
    assert suppressions_of(database, ANA) == (suppression(topic="events"),)
    assert remove_suppression(database, ANA, topic="events", because="misses them", now=NOW + 2 * HOUR)

    assert past_suppressions(database, "Ana@example.org") == (
        PastSuppression(reason=LEFT, created_at=NOW, lifted_at=NOW + 2 * HOUR, because="misses them", topic="events"),
        PastSuppression(reason=MANUAL, created_at=NOW, lifted_at=NOW + HOUR, because="asked by phone"),
    )


def test_somebody_may_leave_and_return_again_and_again(database: Database) -> None:
    for number in range(3):
        add_suppression(database, ANA, LEFT, now=NOW + 2 * number * HOUR)
        remove_suppression(database, ANA, because=f"return {number}", now=NOW + (2 * number + 1) * HOUR)

    assert [past.because for past in past_suppressions(database, ANA)] == ["return 2", "return 1", "return 0"]


def test_two_returns_within_a_second_are_no_failure(database: Database) -> None:
    for _ in range(2):
        add_suppression(database, ANA, LEFT, now=NOW)
        assert remove_suppression(database, ANA, because="came back", now=NOW)

    assert len(past_suppressions(database, ANA)) == 1


def test_many_are_added_at_once_with_the_first_time_and_the_firmest_reason(database: Database) -> None:
    add_suppression(database, "known@example.org", COMPLAINED, now=NOW)

    added = add_suppressions(
        database,
        [
            suppression("known@example.org", created_at=NOW - HOUR),
            suppression("Bo@EXAMPLE.org", COMPLAINED),
            suppression("bo@example.org", LEFT, created_at=NOW - HOUR, detail="first"),
            suppression("bo@example.org", topic="events"),
            suppression("bo@example.org", BOUNCED, topic="events"),
        ],
    )

    assert added == 2
    assert suppressions_of(database, "bo@example.org") == (
        suppression("bo@example.org", COMPLAINED, created_at=NOW - HOUR, detail="first", repeated_at=NOW),
        suppression("bo@example.org", BOUNCED, topic="events"),
    )
    assert find_suppression(database, "known@example.org") == suppression("known@example.org", COMPLAINED)


def test_many_are_added_again_without_a_change(database: Database) -> None:
    many = [suppression(f"person{number}@example.org") for number in range(5000)]

    assert (add_suppressions(database, many), add_suppressions(database, many)) == (5000, 0)
    assert count_suppressions(database) == {LEFT: 5000}


def test_a_failure_in_their_middle_adds_none(database: Database) -> None:
    def broken() -> Iterator[Suppression]:
        yield suppression()
        raise InputError("the file ends")

    with pytest.raises(InputError):
        add_suppressions(database, broken())

    assert list(list_suppressions(database)) == []
    assert add_suppressions(database, [suppression()]) == 1


def test_list_goes_over_several_pages(database: Database) -> None:
    many = [suppression(f"person{number:05}@example.org") for number in range(1500)]
    add_suppressions(database, [*many, *(suppression(each.email, topic="events") for each in many)])

    found = [(each.email, each.topic) for each in list_suppressions(database)]

    assert found == sorted(set(found))
    assert len(found) == 3000


@pytest.mark.parametrize(
    ("topic", "reason", "expected"),
    [
        (None, None, ["ana@example.org", "ana@example.org", "bo@example.org", "cy@example.org"]),
        ("", None, ["ana@example.org", "bo@example.org"]),
        ("events", None, ["ana@example.org", "cy@example.org"]),
        ("news", None, []),
        (None, BOUNCED, ["bo@example.org"]),
        ("events", BOUNCED, []),
        ("", LEFT, ["ana@example.org"]),
    ],
)
def test_list_and_counts_leave_only_a_topic_and_a_reason(
    database: Database, topic: str | None, reason: SuppressionReason | None, expected: list[str]
) -> None:
    add_suppressions(
        database,
        [
            suppression("ana@example.org"),
            suppression("ana@example.org", topic="events"),
            suppression("bo@example.org", BOUNCED),
            suppression("cy@example.org", topic="events"),
        ],
    )

    assert [each.email for each in list_suppressions(database, topic=topic, reason=reason)] == expected
    assert count_suppressions(database, topic=topic, reason=reason).total() == len(expected)


def test_those_who_were_forgotten_are_not_written_down_again(database: Database) -> None:
    add_suppression(database, ANA, LEFT, now=NOW)
    forget(database, ANA)

    assert add_suppressions(database, [suppression("ANA@example.org"), suppression("bo@example.org")], key=KEY) == 1

    assert [each.email for each in list_suppressions(database)] == ["bo@example.org"]


def test_another_key_than_that_of_the_forgotten_adds_nobody(database: Database) -> None:
    add_suppression(database, ANA, LEFT, now=NOW)
    forget(database, ANA)

    with pytest.raises(InputError, match="NEWSLETTER_KEY is not the key"):
        add_suppressions(database, [suppression("bo@example.org")], key=b"another key of thirty-two bytes!")

    assert list(list_suppressions(database)) == []


def test_standing_tells_who_is_suppressed_who_was_and_who_is_forgotten(database: Database) -> None:
    for email in ("ana@example.org", "bo@example.org", "cy@example.org", "di@example.org"):
        add_suppression(database, email, LEFT, now=NOW)
    add_suppression(database, "ed@example.org", LEFT, topic="events", now=NOW)
    remove_suppression(database, "bo@example.org", because="asked", now=NOW + HOUR)
    add_suppression(database, "cy@example.org", LEFT, topic="events", now=NOW)
    remove_suppression(database, "cy@example.org", topic="events", because="asked", now=NOW + HOUR)
    forget(database, "di@example.org")
    asked = [f"{name}@example.org" for name in ("ana", "bo", "cy", "di", "ed", "flo")]

    standing = standing_of(database, asked, key=KEY)

    assert standing.suppressed.keys() == {"ana@example.org", "cy@example.org"}
    assert standing.allowed_since == {"bo@example.org": NOW + HOUR}
    assert standing.forgotten == {"di@example.org"}


def test_who_came_back_by_a_consent_may_be_mailed_since_they_gave_it(database: Database) -> None:
    add_suppression(database, ANA, LEFT, now=NOW - 3 * HOUR)
    add(database, row(ANA, consented_at=NOW - 2 * HOUR))

    assert find_suppression(database, ANA) is None
    assert standing_of(database, [ANA], key=None).allowed_since == {ANA: NOW - 2 * HOUR}


def test_who_was_let_back_by_hand_may_be_mailed_since_then(database: Database) -> None:
    add(database, row(ANA, consented_at=NOW - 5 * HOUR))
    add_suppression(database, ANA, LEFT, now=NOW)
    remove_suppression(database, ANA, because="asked", now=NOW + HOUR)
    add(database, row(ANA, consented_at=NOW - 4 * HOUR))

    assert standing_of(database, [ANA], key=None).allowed_since == {ANA: NOW + HOUR}


def test_nobody_is_looked_up_without_the_key_where_people_were_forgotten(database: Database) -> None:
    add_suppression(database, ANA, LEFT, now=NOW)
    forget(database, ANA)

    with pytest.raises(InputError, match="set NEWSLETTER_KEY"):
        standing_of(database, ["bo@example.org"], key=None)


def test_consent_from_before_they_left_for_the_last_time_brings_nobody_back_after_a_lift(database: Database) -> None:
    """The last leaving is the one that was lifted, and an older one becomes known after that."""
    add_suppressions(database, [suppression(created_at=NOW - 10 * HOUR, repeated_at=NOW - 5 * HOUR)])
    remove_suppression(database, ANA, because="asked by phone", now=NOW - 4 * HOUR)
    add_suppressions(database, [suppression(created_at=NOW - 12 * HOUR)])

    assert add(database, row(ANA, consented_at=NOW - 7 * HOUR)).revived == 0
    assert add(database, row(ANA, consented_at=NOW - 4 * HOUR)).revived == 1


def test_first_doubt_stands_with_the_latest_consent(database: Database) -> None:
    add_suppression(database, ANA, DOUBT, now=NOW - 5 * HOUR)
    add_suppressions(database, [suppression(reason=DOUBT, created_at=NOW - 4 * HOUR, consent_on_record=NOW - 2 * HOUR)])

    assert find_suppression(database, ANA) == suppression(
        reason=DOUBT,
        created_at=NOW - 5 * HOUR,
        repeated_at=NOW - 4 * HOUR,
        consent_on_record=NOW - 2 * HOUR,
    )


def import_rows(database: Database, folder: Path, *rows: str, suppresses_leavers: bool = False) -> ImportReport:
    path = folder / "list.csv"
    path.write_text("\n".join(["email,consented_at,consent_source,unsubscribed_at", *rows]))
    request = ImportRequest(path=path, mapping={}, suppresses_leavers=suppresses_leavers)
    return import_list(database, request, now=NOW)


def test_consent_that_a_list_knew_of_somebody_who_left_counts_even_if_the_leaving_is_known(
    database: Database, tmp_path: Path
) -> None:
    add_suppression(database, ANA, LEFT, now=NOW - 3 * HOUR)
    import_rows(database, tmp_path, f"{ANA},2026-02-19T07:00Z,form,2026-02-18T07:00Z", suppresses_leavers=True)

    assert import_rows(database, tmp_path, f"{ANA},2026-02-19T07:00Z,form,").revived == 0


@pytest.mark.parametrize("suppresses_leavers", [True, False])
@pytest.mark.parametrize("on_list", ["nobody", "others", "the person"])
def test_row_with_a_newer_consent_outweighs_a_row_of_the_same_list_that_says_they_left(
    database: Database, tmp_path: Path, on_list: str, suppresses_leavers: bool
) -> None:
    known = {"nobody": [], "others": [row("bo@example.org")], "the person": [row(ANA, consented_at=NOW - 99 * HOUR)]}
    add(database, *known[on_list])

    report = import_rows(
        database,
        tmp_path,
        f"{ANA},,,2026-02-18T07:00Z",
        f"{ANA},2026-02-19T07:00Z,form,",
        suppresses_leavers=suppresses_leavers,
    )

    assert find_suppression(database, ANA) is None
    assert (report.added + report.updated, report.rows, report.suppressed) == (1, 2, 0)


@pytest.mark.parametrize("left", [[-9], [-9, -7], [-9, 0]])
def test_own_export_of_suppressions_changes_nothing_whatever_consent_is_on_record_now(
    database: Database, left: list[int]
) -> None:
    add(database, row("ana@example.org", consented_at=NOW - timedelta(days=20)))
    for days in left:
        reason = SuppressionReason.UNSUBSCRIBED
        add_suppression(database, "ana@example.org", reason, now=NOW + timedelta(days=days))
    cells = {"consented_at": text_of(NOW - timedelta(days=1)), "consent_source": "letter"}
    edit_people(database, ["ana@example.org"], Edit(cells=cells), shown=0, now=NOW)
    exported = list(list_suppressions(database))

    add_suppressions(database, exported)

    assert list(list_suppressions(database)) == exported


def test_a_later_report_takes_the_consent_that_is_on_record_then(database: Database) -> None:
    add(database, row("ana@example.org", consented_at=NOW - timedelta(days=20)))
    for at in (NOW - timedelta(days=9), NOW):
        add_suppression(database, "ana@example.org", SuppressionReason.UNSUBSCRIBED, now=at)
        cells = {"consented_at": text_of(NOW - timedelta(days=1)), "consent_source": "letter"}
        edit_people(database, ["ana@example.org"], Edit(cells=cells), shown=0, now=NOW)

    (found,) = list_suppressions(database)

    assert found.consent_on_record == NOW - timedelta(days=1)


@pytest.mark.parametrize("topic", ["", "events"])
@pytest.mark.parametrize("reason", [SuppressionReason.UNSUBSCRIBED, SuppressionReason.IN_DOUBT])
def test_a_suppression_is_as_late_as_the_last_time_they_left_and_came_back(
    database: Database, topic: str, reason: SuppressionReason
) -> None:
    later, earlier = NOW - timedelta(days=1), NOW - timedelta(days=9)
    add_suppression(database, "ana@example.org", SuppressionReason.UNSUBSCRIBED, topic=topic, now=later)
    remove_suppression(database, "ana@example.org", topic=topic, because="asked", now=NOW)

    add_suppression(database, "ana@example.org", reason, topic=topic, now=earlier)

    (found,) = list_suppressions(database)
    assert (found.created_at, found.repeated_at) == (earlier, later)
