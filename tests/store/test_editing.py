"""Corrections by hand: what is recorded then, and that no one who left can be emailed by one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import InputError
from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.model.columns import SubscriberRecord
from newsletter.model.edit import Edit, EditReport
from newsletter.model.segment import All, Tagged
from newsletter.store.database import Database
from newsletter.store.editing import edit_people, edited_cells
from newsletter.store.segments import count_segment
from newsletter.store.subscribers import export_subscribers, find_subscriber, history, known_tags, past_consents
from newsletter.store.suppressions import add_suppressions, find_suppression, suppressions_of
from tests.store.builders import KEY, NOW, add, forget, row, send_at
from tests.store.importing.test_merge_rules import stored
from tests.store.test_merge import DAY, PERSON, property_test

ANA, BO = "ana@example.org", "bo@example.org"
LATER = NOW + DAY


def edit(
    database: Database, *emails: str, key: bytes | None = KEY, is_dry_run: bool = False, **edit: Any
) -> EditReport:
    people = emails or All()
    return edit_people(database, people, Edit(**edit), key=key, is_dry_run=is_dry_run, shown=5, now=LATER)


def record_of(database: Database, email: str) -> SubscriberRecord:
    found = find_subscriber(database, email)
    assert found is not None
    return found.record


def suppress(database: Database, email: str, reason: SuppressionReason, topic: str = "") -> None:
    add_suppressions(database, [Suppression(email=email, reason=reason, created_at=NOW, topic=topic)])


def test_values_tags_and_attributes_are_set_and_cleared(database: Database) -> None:
    add(
        database,
        row(ANA, first_name="Wrong", last_name="Lima", tags=("a", "wrong"), attributes={"city": "X", "pet": "cat"}),
    )

    report = edit(
        database,
        "Ana@Example.org",
        cells={"first_name": "Ana", "last_name": ""},
        attributes={"city": "Lima", "pet": ""},
        added_tags=frozenset({"new"}),
        removed_tags=frozenset({"wrong", "never had"}),
    )

    ana = find_subscriber(database, ANA)
    assert ana is not None
    assert (ana.record.first_name, ana.record.last_name, ana.record.tags) == ("Ana", "", ("a", "new"))
    assert ana.record.attributes == {"city": "Lima"}
    assert ana.updated_at == LATER
    assert "new" in known_tags(database)
    assert (report.people, len(report.changed)) == (1, 1)
    assert report.edited[0].before["first_name"] == "Wrong"
    assert report.edited[0].after["first_name"] == "Ana"


def test_many_are_edited_and_those_who_have_it_already_are_left_alone(database: Database) -> None:
    add(database, *(row(f"p{number}@example.org", tags=("wrong",) if number % 2 else ()) for number in range(2500)))
    add(database, row("other@example.org"))  # an undo of this import is not about the others, so none is confirmed

    report = edit(database, removed_tags=frozenset({"wrong"}))

    assert (report.people, len(report.changed), len(report.edited)) == (2501, 1250, 5)
    assert {each.record.tags for each in export_subscribers(database)} == {()}
    changed = [each for each in export_subscribers(database) if each.updated_at == LATER]
    assert sum(each.record.email.startswith("p") for each in changed) == 1250


def test_dry_run_reports_and_changes_nothing(database: Database) -> None:
    add(database, row(ANA))
    before = list(export_subscribers(database))

    report = edit(database, ANA, cells={"email": "new@example.org", "first_name": "Ana"}, is_dry_run=True)

    assert len(report.changed) == 1
    assert list(export_subscribers(database)) == before
    assert suppressions_of(database, ANA) == ()


def test_only_people_whom_the_confirmed_report_names_are_edited(database: Database) -> None:
    add(database, row(ANA, tags=("x",)), row(BO, tags=("x",)))
    untag = Edit(removed_tags=frozenset({"x"}))
    planned = edit_people(database, Tagged("x"), untag, is_dry_run=True, shown=5, now=NOW)
    add(database, row("cy@example.org", tags=("x",)))
    edit(database, BO, removed_tags=frozenset({"x"}))  # no one else's business anymore

    report = edit_people(database, Tagged("x"), untag, confirmed=planned, shown=5, now=LATER)

    assert (len(planned.changed), report.people, len(report.changed)) == (2, 1, 1)
    assert record_of(database, "cy@example.org").tags == ("x",)
    assert record_of(database, ANA).tags == ()


def test_cleared_consent_is_kept_as_a_past_one_and_the_person_is_not_emailed(database: Database) -> None:
    add(database, row(ANA, consent_source="form", consent_wording="v1"))

    edit(database, ANA, cells={"consented_at": ""})

    ana = find_subscriber(database, ANA)
    assert ana is not None
    assert (ana.record.consent_source, ana.record.consent_wording) == ("", "")
    assert not ana.record.may_be_mailed
    assert [(past.source, past.wording) for past in past_consents(database, ana.id)] == [("form", "v1")]


def test_another_time_of_consent_has_only_its_own_details(database: Database) -> None:
    add(database, row(ANA, consent_source="form", consent_wording="v1"))

    edit(database, ANA, cells={"consented_at": "2026-01-01T00:00:00Z", "consent_source": "desk"})

    assert (record_of(database, ANA).consent_source, record_of(database, ANA).consent_wording) == ("desk", "")


@pytest.mark.parametrize("name", ["consent_source", "consent_wording", "consent_confirmed_at"])
def test_details_are_no_consent(database: Database, name: str) -> None:
    add(database, row(ANA, consented_at=None, consent_source=""))

    with pytest.raises(InputError, match=r"no consent of .* is recorded"):
        edit(database, ANA, cells={name: "2026-01-01T00:00:00Z"})


def test_basis_is_recorded_only_where_no_consent_is(database: Database) -> None:
    add(database, row(ANA), row(BO, consented_at=None, consent_source=""))

    edit(database, cells={"consent_basis": "members"})

    assert (record_of(database, ANA).consent_basis, record_of(database, BO).consent_basis) == ("", "members")


def test_new_address_keeps_the_history_and_the_old_one_is_not_emailed(database: Database) -> None:
    add(database, row(ANA))
    send_at(database, "2026-02", NOW)

    edit(database, ANA, cells={"email": "lima@example.com"})

    lima = find_subscriber(database, "lima@example.com")
    assert lima is not None
    assert len(history(database, lima.id)) == 1
    assert find_suppression(database, "lima@example.com") is None
    old = find_suppression(database, ANA)
    assert old is not None
    assert old.reason is SuppressionReason.MANUAL
    add(database, row(ANA, consented_at=LATER))
    assert count_segment(database, All()).mailable == 1


def test_whoever_left_has_left_under_the_new_address_too(database: Database) -> None:
    add(database, row(ANA))
    suppress(database, ANA, SuppressionReason.COMPLAINED)
    suppress(database, ANA, SuppressionReason.UNSUBSCRIBED, "events")

    edit(database, ANA, cells={"email": "lima@example.com"})

    found = [(each.email, each.topic, each.reason) for each in suppressions_of(database, "lima@example.com")]
    assert found == [
        ("lima@example.com", "", SuppressionReason.COMPLAINED),
        ("lima@example.com", "events", SuppressionReason.UNSUBSCRIBED),
    ]
    assert count_segment(database, All()).mailable == 0


def test_another_spelling_of_the_address_blocks_nothing(database: Database) -> None:
    add(database, row(ANA))

    edit(database, ANA, cells={"email": "Ana@example.org"})

    assert record_of(database, ANA).email == "Ana@example.org"
    assert suppressions_of(database, ANA) == ()


@pytest.mark.parametrize("topic", ["", "events"])
def test_blocked_address_is_not_taken_over(database: Database, topic: str) -> None:
    add(database, row(ANA))
    suppress(database, BO, SuppressionReason.UNSUBSCRIBED, topic)

    with pytest.raises(InputError, match="is blocked for"):
        edit(database, ANA, cells={"email": "Bo@example.org"})


def test_address_of_somebody_else_is_not_taken_over(database: Database) -> None:
    add(database, row(ANA), row(BO))

    with pytest.raises(InputError, match="belongs to another subscriber"):
        edit(database, ANA, cells={"email": "BO@example.org"})


def test_address_of_somebody_forgotten_is_not_written_down_again(database: Database) -> None:
    add(database, row(ANA), row(BO))
    forget(database, BO)

    with pytest.raises(InputError, match="asked to be erased"):
        edit(database, ANA, cells={"email": BO})
    with pytest.raises(InputError, match="NEWSLETTER_KEY"):
        edit(database, ANA, cells={"email": "new@example.org"}, key=None)
    with pytest.raises(InputError, match="NEWSLETTER_KEY"):
        edit(database, ANA, cells={"email": "new@example.org"}, key=b"another key of thirty-two bytes!")
    edit(database, ANA, cells={"first_name": "Ana"}, key=None)
    assert record_of(database, ANA).email == ANA


def test_people_who_are_not_on_the_list_are_said_and_nobody_is_edited(database: Database) -> None:
    add(database, row(ANA))

    with pytest.raises(InputError, match="is not on the list"):
        edit(database, ANA, BO, cells={"first_name": "Ana"})

    assert record_of(database, ANA).first_name == ""


EDITS = st.builds(
    Edit,
    cells=st.dictionaries(st.sampled_from(["first_name", "language", "consented_at", "consent_basis"]), st.just("")),
    attributes=st.dictionaries(st.sampled_from(["city", "shoe"]), st.sampled_from(["", "x"])),
    added_tags=st.frozensets(st.sampled_from(["a", "b"])),
    removed_tags=st.frozensets(st.sampled_from(["c", "d"])),
)


@given(known=PERSON.map(stored), edit=EDITS)
def test_edit_that_is_repeated_changes_nothing_more(known: tuple[str, ...], edit: Edit) -> None:
    once = edited_cells(known, edit)

    assert edited_cells(once, edit) == once


@property_test
@given(left=st.sets(st.sampled_from([ANA, BO])), edit=EDITS, address=st.sampled_from(["", "lima@example.com"]))
def test_nobody_who_left_can_be_emailed_after_an_edit(
    database: Database, left: set[str], edit: Edit, address: str
) -> None:
    with database.transaction() as connection:
        for table in ("subscriber", "suppression", "past_suppression", "past_consent"):
            connection.execute(f"DELETE FROM {table}")
    add(database, row(ANA), row(BO))
    for email in sorted(left):
        suppress(database, email, SuppressionReason.UNSUBSCRIBED)

    edit_people(database, All(), edit, shown=5, now=LATER)
    if address:
        edit_people(database, [ANA], Edit(cells={"email": address}), shown=5, now=LATER)

    assert count_segment(database, All()).suppressed == len(left)
