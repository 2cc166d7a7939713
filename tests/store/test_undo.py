"""Undoing the last import: everything is as before, except what happened since."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from newsletter.errors import InputError
from newsletter.lists.exports import batch_of
from newsletter.model.address import person_of
from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.model.broadcast import Outcome, Verdict
from newsletter.model.columns import SubscriberRecord
from newsletter.model.edit import Edit
from newsletter.model.event import EventType, SoftBounce
from newsletter.model.imports import ImportReport, ImportTerms, LeavingRow
from newsletter.model.segment import All
from newsletter.model.undo import UndoReport
from newsletter.store.backup import back_up
from newsletter.store.database import Database
from newsletter.store.editing import edit_people
from newsletter.store.erasing import count_mentions
from newsletter.store.forgotten import forgotten_since
from newsletter.store.ledger.broadcasts import require_broadcast
from newsletter.store.ledger.record import record_outcome
from newsletter.store.merge import merge_subscribers, past_imports
from newsletter.store.restore import restore
from newsletter.store.segments import list_members
from newsletter.store.soft_bounces import add_soft_bounces
from newsletter.store.standing import keep_handed_over
from newsletter.store.subscribers import export_subscribers, find_subscriber, past_consents
from newsletter.store.suppressions import (
    add_suppression,
    add_suppressions,
    find_suppression,
    past_suppressions,
    remove_suppression,
    repeat_suppressions,
    suppressions_of,
)
from newsletter.store.undo import undo_last_import
from tests.store.builders import KEY, NOW, add, claim, forget, freeze, react, row, send_at
from tests.store.test_merge import DAY, PEOPLE, PERSON, property_test, start

ANA, BO, CY = "ana@example.org", "bo@example.org", "cy@example.org"
BEFORE, LATER = NOW - 10 * DAY, NOW + DAY
TABLES = ("subscriber", "suppression", "past_suppression", "past_consent", "forgotten")


def bring_in(
    database: Database,
    *people: SubscriberRecord,
    left: Sequence[LeavingRow] = (),
    now: datetime = NOW,
    **terms: Any,
) -> ImportReport:
    """Import a list with these people, and rows that say that others left."""
    batch = replace(batch_of(people), leaving=tuple(left))
    return merge_subscribers(database, [batch], terms=ImportTerms(file="l.csv", **terms), key=KEY, now=now)


def leaving(line: int, email: str, reason: SuppressionReason = SuppressionReason.UNSUBSCRIBED) -> LeavingRow:
    return LeavingRow(line=line, email=email, person=person_of(email), reason=reason, told="unsubscribed")


def undo(database: Database, *, is_dry_run: bool = False, now: datetime = LATER) -> UndoReport:
    return undo_last_import(database, shown=20, is_dry_run=is_dry_run, now=now)


def stored(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    with database.read() as connection:
        return {table: sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=str) for table in TABLES}


def mailable(database: Database) -> set[str]:
    return {
        member.subscriber.record.email
        for member in list_members(database, All())
        if member.suppressed is None and member.subscriber.record.may_be_mailed
    }


def kept(report: UndoReport) -> list[tuple[str, str]]:
    return [(change.email, change.why) for change in report.kept_changes]


@pytest.mark.parametrize("is_undone", [False, True])
def test_only_the_confirmed_import_is_undone(database: Database, is_undone: bool) -> None:
    bring_in(database, row(ANA))
    planned = undo(database, is_dry_run=True)
    if is_undone:
        undo(database)
    bring_in(database, row(BO), now=NOW)  # in the same second
    before = stored(database)

    with pytest.raises(InputError, match="another list was imported"):
        undo_last_import(database, shown=0, confirmed=planned, now=LATER)

    assert stored(database) == before
    undo_last_import(database, shown=0, confirmed=undo(database, is_dry_run=True), now=LATER)
    assert mailable(database) == (set() if is_undone else {ANA})


def test_people_whom_the_import_added_are_removed_and_values_go_back(database: Database) -> None:
    add(database, row(ANA, first_name="Ana", tags=("old",), attributes={"city": "Lima"}))
    before = stored(database)
    bring_in(database, row(ANA, first_name="Wrong", tags=("wrong",), attributes={"city": "X"}), row(BO), now=LATER)

    report = undo(database)

    assert stored(database) == before
    assert (report.file, report.removed, report.restored, report.kept) == ("l.csv", 1, 1, 0)
    assert past_imports(database)[0].undone_at == LATER


def test_first_list_is_removed_as_a_whole_and_no_id_is_used_twice(database: Database) -> None:
    bring_in(database, *(row(f"p{number}@example.org") for number in range(30)))
    last = max(subscriber.id for subscriber in export_subscribers(database))

    assert undo(database).removed == 30

    assert list(export_subscribers(database)) == []
    bring_in(database, row(ANA))
    assert [subscriber.id for subscriber in export_subscribers(database)] == [last + 1]


def test_dry_run_reports_the_same_and_changes_nothing(database: Database) -> None:
    bring_in(database, row(ANA), row(BO))
    before = stored(database)

    planned = undo(database, is_dry_run=True)

    assert stored(database) == before
    assert undo(database) == planned


def test_only_the_last_import_is_undone_and_only_once(database: Database) -> None:
    bring_in(database, row(ANA))
    bring_in(database, row(BO))

    undo(database)

    assert [subscriber.record.email for subscriber in export_subscribers(database)] == [ANA]
    with pytest.raises(InputError, match="can be undone, once"):
        undo(database)


@pytest.mark.parametrize("second", ["same rows", "no rows", "rejected row", "stranger who left", "known leavers"])
def test_import_that_changes_nothing_leaves_the_one_before_it_to_be_undone(database: Database, second: str) -> None:
    add(database, row(CY))
    before = stored(database)
    first = [leaving(3, CY)]
    bring_in(database, row(ANA, first_name="Ana"), left=first, now=NOW)
    again = {"same rows": [row(ANA, first_name="Ana")], "rejected row": [row(ANA), row(ANA)]}.get(second, [])
    left = {"stranger who left": [leaving(9, BO)], "known leavers": [known_leaving(CY)]}.get(second, [])

    report = bring_in(database, *again, left=left, now=NOW + DAY)

    assert (report.added, report.updated) == (0, 0)
    undone = undo(database)
    assert undone.removed == 1
    if second == "known leavers":  # the second list says so too
        assert (find_suppression(database, CY) is not None, undone.lifted) == (True, 0)
    else:
        assert stored(database) == before
    with pytest.raises(InputError, match="can be undone, once"):
        undo(database)


def known_leaving(email: str) -> LeavingRow:
    """A row that says nothing about leaving that is not known, because the person left earlier, according to it."""
    return replace(leaving(9, email), left_at="2020-01-01T00:00:00Z", until="2020-01-01T00:00:00Z")


@pytest.mark.parametrize(
    "second", [{"left": [leaving(9, ANA)]}, {"people": (row(BO),)}, {"people": (row(ANA, first_name="A"),)}]
)
def test_import_that_changes_something_is_the_one_that_can_be_undone(database: Database, second: Any) -> None:
    bring_in(database, row(ANA))
    before = stored(database)

    bring_in(database, *second.get("people", ()), left=second.get("left", ()), now=NOW + DAY)

    assert stored(database) != before
    undo(database, now=NOW + 2 * DAY)
    assert stored(database) == before


def test_without_an_import_there_is_nothing_to_undo(database: Database) -> None:
    with pytest.raises(InputError, match="nothing was imported yet"):
        undo(database)


def test_person_added_by_hand_since_stays_and_the_import_is_undone(database: Database) -> None:
    bring_in(database, row(ANA))
    merge_subscribers(database, [batch_of([row(BO)])], terms=ImportTerms(is_by_hand=True), now=NOW)

    undo(database)

    assert [subscriber.record.email for subscriber in export_subscribers(database)] == [BO]


def test_people_who_were_edited_since_stay_even_within_the_same_second(database: Database) -> None:
    add(database, row(CY, first_name="Cy"))
    bring_in(database, row(ANA), row(BO), row(CY, first_name="Wrong"))
    merge_subscribers(database, [batch_of([row(ANA, first_name="Ana")])], terms=ImportTerms(is_by_hand=True), now=NOW)
    edit_people(database, [CY], Edit(cells={"last_name": "Lima"}), shown=0, now=NOW)

    report = undo(database)

    assert kept(report) == [(ANA, "edited since"), (CY, "edited since")]
    assert [subscriber.record.first_name for subscriber in export_subscribers(database)] == ["Wrong", "Ana"]


def test_recipients_of_a_broadcast_since_stay(database: Database) -> None:
    add(database, row(CY))
    send_at(database, "2026-01", NOW)
    bring_in(database, row(ANA))
    send_at(database, "2026-02", NOW)
    ana = find_subscriber(database, ANA)

    report = undo(database)

    assert kept(report) == [(ANA, "a recipient of a broadcast since")]
    assert find_subscriber(database, ANA) == ana


def test_new_person_who_left_since_stays_and_stays_blocked(database: Database) -> None:
    bring_in(database, row(ANA))
    add_suppression(database, ANA, SuppressionReason.UNSUBSCRIBED, now=NOW)

    report = undo(database)

    assert kept(report) == [(ANA, "unsubscribed or blocked since")]
    assert mailable(database) == set()


def test_blocks_that_the_import_added_are_lifted(database: Database) -> None:
    add(database, row(ANA))
    before = stored(database)
    bring_in(database, left=[leaving(2, ANA), leaving(3, BO)], suppresses_leavers=True)
    assert mailable(database) == set()

    report = undo(database)

    assert report.lifted == 2
    assert stored(database) == before


def test_blocks_for_single_topics_that_the_import_added_are_lifted(database: Database) -> None:
    add(database, row(ANA))
    before = stored(database)
    bring_in(database, left=[replace(leaving(1, ANA), topic="events")])
    assert stored(database) != before

    undo(database)

    assert stored(database) == before


def blocked_again(database: Database) -> None:
    add_suppression(database, ANA, SuppressionReason.UNSUBSCRIBED, now=NOW)


def blocked_for_an_earlier_day(database: Database) -> None:
    left = Suppression(email=ANA, reason=SuppressionReason.BOUNCED, created_at=BEFORE)
    add_suppressions(database, [left])


def left_a_topic(database: Database) -> None:
    add_suppression(database, ANA, SuppressionReason.UNSUBSCRIBED, topic="events", now=NOW)


def handed_over(database: Database) -> None:
    keep_handed_over(database, [ANA], now=NOW)


def repeated_by_the_provider(database: Database) -> None:
    left = Suppression(email=ANA, reason=SuppressionReason.UNSUBSCRIBED, created_at=BEFORE)
    repeat_suppressions(database, [left])


def given_another_address(database: Database) -> None:
    edit_people(database, [ANA], Edit(cells={"email": BO}), shown=0, now=NOW)


def complained(database: Database) -> None:
    react(database, require_broadcast(database, 1), ANA, EventType.COMPLAINED, NOW)


@pytest.mark.parametrize(
    "happens",
    [
        blocked_again,
        blocked_for_an_earlier_day,
        handed_over,
        repeated_by_the_provider,
        given_another_address,
        complained,
    ],
)
def test_block_stays_if_anything_else_says_that_they_left(
    database: Database, happens: Callable[[Database], None]
) -> None:
    add(database, row(ANA))
    send_at(database, "2026-02", BEFORE)
    bring_in(database, left=[leaving(2, ANA)])
    happens(database)

    report = undo(database)

    assert (report.lifted, report.kept) == (0, 1)
    assert report.kept_changes[0].what == "stays blocked"
    assert mailable(database) == set()


def test_a_doubt_is_lifted_although_they_left_a_topic_since(database: Database) -> None:
    add(database, row(ANA))
    bring_in(database, left=[leaving(2, ANA, SuppressionReason.IN_DOUBT)])
    left_a_topic(database)

    report = undo(database)

    assert (report.lifted, report.kept) == (1, 0)
    assert [each.topic for each in suppressions_of(database, ANA)] == ["events"]


@pytest.mark.parametrize("topic", ["", "events"])
def test_a_topic_stays_left_if_they_left_it_or_everything_since(database: Database, topic: str) -> None:
    add(database, row(ANA))
    bring_in(database, left=[replace(leaving(2, ANA), topic="events")])
    add_suppression(database, ANA, SuppressionReason.UNSUBSCRIBED, topic=topic, now=NOW)

    undo(database)

    assert "events" in {each.topic for each in suppressions_of(database, ANA)}


@pytest.mark.parametrize("is_undone", [False, True])
def test_who_left_is_recorded_only_if_an_import_can_be_undone(database: Database, is_undone: bool) -> None:
    if is_undone:
        bring_in(database, row(ANA))
        undo(database)
    blocked_again(database)

    with database.read() as connection:
        assert connection.execute("SELECT person FROM left_since_import", {}).fetchall() == []


def added_by_hand(database: Database, person: SubscriberRecord) -> None:
    terms = ImportTerms(is_by_hand=True)
    report = merge_subscribers(database, [batch_of([person])], terms=terms, now=NOW)
    assert report.unchanged == 1


def edited_to_what_it_is(database: Database, person: SubscriberRecord) -> None:
    edit = Edit(cells={"first_name": person.first_name})
    assert edit_people(database, [person.email], edit, shown=0, now=NOW).changed == ()


def edited_with_everyone(database: Database, person: SubscriberRecord) -> None:
    edit = Edit(cells={"first_name": person.first_name})
    assert len(edit_people(database, All(), edit, shown=0, now=NOW).changed) == 1


@pytest.mark.parametrize("is_new", [False, True])
@pytest.mark.parametrize("confirms", [added_by_hand, edited_to_what_it_is, edited_with_everyone])
def test_whoever_is_confirmed_by_hand_stays_as_they_are(
    database: Database, is_new: bool, confirms: Callable[[Database, SubscriberRecord], None]
) -> None:
    add(database, row(BO, first_name="Bo"))
    if not is_new:
        add(database, row(ANA, first_name="Wrong"))
    ana = row(ANA, first_name="Ana")
    bring_in(database, ana)

    confirms(database, ana)

    assert kept(undo(database)) == [(ANA, "edited since")]
    found = find_subscriber(database, ANA)
    assert found is not None
    assert found.record.first_name == "Ana"


def test_whoever_came_back_with_the_import_is_blocked_again_at_their_new_address(database: Database) -> None:
    add(database, row(ANA, consented_at=NOW - 20 * DAY))
    add_suppression(database, ANA, SuppressionReason.UNSUBSCRIBED, now=BEFORE)
    assert bring_in(database, row(ANA)).revived == 1
    edit_people(database, [ANA], Edit(cells={"email": CY}), shown=0, now=NOW)

    assert undo(database).blocked == 1

    found = find_suppression(database, CY)
    assert found is not None
    assert (found.email, found.reason, found.created_at) == (CY, SuppressionReason.UNSUBSCRIBED, BEFORE)


def test_block_stays_if_the_address_was_found_invalid_since(database: Database) -> None:
    add(database, row(ANA))
    freeze(database, "2026-02", now=BEFORE)
    chunk = claim(database, require_broadcast(database, 1), now=BEFORE)
    bring_in(database, left=[leaving(2, ANA)])
    (ana,) = chunk.deliveries
    refusal = {ana.subscriber: "no such mailbox"}
    outcome = Outcome(verdict=Verdict.ACCEPTED, invalid=refusal, undeliverable=frozenset(refusal))
    record_outcome(database, chunk, outcome, now=NOW)

    assert undo(database).lifted == 0
    assert mailable(database) == set()


def test_block_that_the_import_lifted_is_put_back(database: Database) -> None:
    add_suppression(database, ANA, SuppressionReason.UNSUBSCRIBED, now=BEFORE)
    before = stored(database)
    assert bring_in(database, row(ANA, consented_at=BEFORE + DAY)).revived == 1

    report = undo(database)

    assert report.blocked == 1
    assert stored(database) == before


def test_whoever_consented_since_is_not_blocked_again(database: Database) -> None:
    add(database, row(ANA, consented_at=BEFORE - DAY))
    add_suppression(database, ANA, SuppressionReason.UNSUBSCRIBED, now=BEFORE)
    bring_in(database, row(ANA, consented_at=BEFORE + DAY))
    consent = row(ANA, consented_at=LATER)
    merge_subscribers(database, [batch_of([consent])], terms=ImportTerms(is_by_hand=True), now=LATER)

    report = undo(database, now=LATER + DAY)

    assert (ANA, "consented since") in kept(report)
    assert mailable(database) == {ANA}


def test_block_that_was_lifted_by_hand_since_stays_lifted(database: Database) -> None:
    add(database, row(ANA))
    bring_in(database, left=[leaving(2, ANA)])
    remove_suppression(database, ANA, because="asked", now=NOW)

    report = undo(database)

    assert (report.lifted, report.kept) == (0, 0)
    assert mailable(database) == {ANA}


def test_forgotten_person_who_came_back_is_forgotten_again(database: Database) -> None:
    add(database, row(ANA), row(BO))
    forget(database, ANA)
    before = stored(database)
    assert bring_in(database, row(ANA, consented_at=LATER), now=LATER + DAY).revived == 1

    undo(database, now=LATER + 2 * DAY)

    assert stored(database) == before


def let_return(database: Database, *, is_stranger: bool = False) -> None:
    """Erase Ana, and import her again with a new consent."""
    if is_stranger:
        add_suppression(database, ANA, SuppressionReason.UNSUBSCRIBED, now=BEFORE)
    else:
        add(database, row(ANA, consented_at=BEFORE))
    forget(database, ANA)
    bring_in(database, row(ANA, consented_at=NOW + DAY / 2), now=LATER)


@pytest.mark.parametrize("is_stranger", [False, True])
def test_forgotten_person_who_came_back_and_has_another_address_since_stays(
    database: Database, is_stranger: bool
) -> None:
    let_return(database, is_stranger=is_stranger)
    edit_people(database, [ANA], Edit(cells={"email": "new@example.org"}), key=KEY, shown=0, now=LATER)
    before = find_subscriber(database, "new@example.org")

    report = undo(database, now=LATER + DAY)

    assert kept(report) == [("new@example.org", "edited since")]
    assert find_subscriber(database, "new@example.org") == before
    assert stored(database)["forgotten"] == []
    # The old address is blocked by hand now. Without that, a consent would bring its person in under a new id.
    remove_suppression(database, ANA, because="it is someone else's now", now=LATER + DAY)
    bring_in(database, row(ANA, consented_at=LATER + DAY), now=LATER + 2 * DAY)
    assert mailable(database) == {ANA, "new@example.org"}


@pytest.mark.parametrize("is_stranger", [False, True])
def test_forgotten_person_is_erased_again_with_all_that_is_known_since(database: Database, is_stranger: bool) -> None:
    add(database, row(BO))
    let_return(database, is_stranger=is_stranger)
    add_suppression(database, ANA, SuppressionReason.UNSUBSCRIBED, topic="events", now=LATER)
    remove_suppression(database, ANA, topic="events", because="asked", now=LATER + DAY)
    add_soft_bounces(database, [SoftBounce(email=ANA, at=LATER, detail="full")])
    with database.transaction() as connection:  # not a report since the import, after which she would stay
        connection.execute("DELETE FROM left_since_import", {})
        connection.execute("UPDATE subscriber SET first_name = :ana WHERE person = :bo", {"ana": ANA, "bo": BO})

    undo(database, now=LATER + DAY)

    assert find_subscriber(database, ANA) is None
    assert past_suppressions(database, ANA) == ()
    with database.read() as connection:
        assert connection.execute("SELECT person FROM soft_bounce", {}).fetchall() == []
        assert count_mentions(connection, ANA) == 0
    assert forgotten_since(database, ANA, key=KEY) is not None


def test_whoever_was_forgotten_since_is_not_brought_back(database: Database) -> None:
    add(database, row(ANA, first_name="Ana"), row(BO))
    bring_in(database, row(ANA, first_name="Wrong"), row(CY), left=[leaving(9, BO)])
    for email in (ANA, BO, CY):
        forget(database, email)

    report = undo(database)

    assert (report.removed, report.restored, report.lifted) == (0, 0, 0)
    assert list(export_subscribers(database)) == []
    with database.read() as connection:
        for table in ("import_change", "import_suppression", "import_return", "left_since_import"):
            assert connection.execute(f"SELECT * FROM {table}").fetchall() == []


def test_forgetting_leaves_nothing_of_a_person_in_the_record(database: Database) -> None:
    add(database, row(ANA, first_name="Ana"))
    bring_in(database, row(ANA, first_name="Wrong"), left=[leaving(9, ANA)])
    add_suppression(database, ANA, SuppressionReason.UNSUBSCRIBED, now=NOW)
    forget(database, ANA)

    with database.read() as connection:
        for table in ("import_change", "import_suppression", "import_return", "left_since_import"):
            assert connection.execute(f"SELECT * FROM {table}").fetchall() == []


def test_import_is_not_undone_after_a_restore(database: Database, tmp_path: Path) -> None:
    bring_in(database, row(ANA))
    back_up(database, tmp_path / "copy", now=NOW, on_progress=lambda _: None)
    restore(database, tmp_path / "copy", key=None, now=NOW, on_progress=lambda _: None)

    with pytest.raises(InputError, match="not after a restore"):
        undo(database)


def test_import_of_a_version_with_other_columns_is_not_undone(database: Database) -> None:
    add(database, row(ANA))
    bring_in(database, row(ANA, first_name="Ana"))
    with database.transaction() as connection:
        connection.execute("UPDATE import_change SET cells = 'ana@example.org'")
    before = stored(database)

    with pytest.raises(InputError, match="an earlier version"):
        undo(database)
    assert stored(database) == before


def test_past_consents_of_the_import_alone_are_deleted(database: Database) -> None:
    add(database, row(ANA, consented_at=BEFORE, consent_source="a"))
    bring_in(database, row(ANA, consented_at=BEFORE + DAY, consent_source="b"), now=NOW + timedelta(hours=1))
    bring_in(database, row(ANA, consented_at=BEFORE + 2 * DAY, consent_source="c"), now=LATER)

    undo(database, now=LATER + DAY)

    ana = find_subscriber(database, ANA)
    assert ana is not None
    assert ana.record.consent_source == "b"
    assert [past.source for past in past_consents(database, ana.id)] == ["a"]


LEFT = st.lists(
    st.tuples(st.sampled_from([ANA, BO, CY, "di@example.org"]), st.sampled_from(list(SuppressionReason))),
    max_size=3,
    unique_by=lambda left: left[0],
).map(lambda rows: [leaving(1000 + number, email, reason) for number, (email, reason) in enumerate(rows)])


@property_test
@given(
    known=PEOPLE,
    people=PEOPLE,
    left=LEFT,
    everyone=st.booleans(),
    replaced=st.frozensets(st.sampled_from(["tags", "city"])),
)
def test_import_and_undo_leave_everything_as_it_was(
    database: Database,
    known: list[SubscriberRecord],
    people: list[SubscriberRecord],
    left: list[LeavingRow],
    everyone: bool,
    replaced: frozenset[str],
) -> None:
    start(database, known)
    before = stored(database)
    bring_in(database, *people, left=left, suppresses_leavers=everyone, replaces=replaced, basis="m", now=NOW + DAY)
    assume(stored(database) != before)  # otherwise an undo is about the import before it

    report = undo(database, now=NOW + 2 * DAY)

    assert stored(database) == before
    assert report.kept == 0


HAPPENINGS = st.lists(
    st.tuples(st.sampled_from(["left", "topic", "edit", "consent", "lift"]), st.sampled_from([ANA, BO, CY])),
    max_size=4,
)


@property_test
@given(known=PEOPLE, people=st.lists(PERSON, min_size=1, max_size=7), left=LEFT, happenings=HAPPENINGS)
def test_undo_lets_nobody_be_emailed_who_left_since(
    database: Database,
    known: list[SubscriberRecord],
    people: list[SubscriberRecord],
    left: list[LeavingRow],
    happenings: list[tuple[str, str]],
) -> None:
    start(database, known)
    before = mailable(database)
    bring_in(database, *people, left=left, suppresses_leavers=True, basis="m", now=NOW + DAY)
    gone: set[str] = set()
    agreed: set[str] = set()  # after the import, which may have blocked them by mistake
    for hours, (kind, email) in enumerate(happenings):
        at = NOW + DAY + timedelta(hours=hours)
        on_list = find_subscriber(database, email) is not None
        if kind in {"left", "topic"}:
            add_suppression(
                database, email, SuppressionReason.UNSUBSCRIBED, topic="" if kind == "left" else "t", now=at
            )
            gone |= {email} if kind == "left" else set()
        elif kind == "lift":
            remove_suppression(database, email, because="asked", now=at)
            gone.discard(email)
        elif kind == "edit" and on_list:
            edit_people(database, [email], Edit(added_tags=frozenset({"edited"})), shown=0, now=at)
        elif kind == "consent":
            record = row(email, consented_at=at)
            merge_subscribers(database, [batch_of([record])], terms=ImportTerms(is_by_hand=True), now=at)
            agreed.add(email)
            if find_suppression(database, email) is None:
                gone.discard(email)
    known_by_now = mailable(database)

    undo(database, now=NOW + 9 * DAY)

    after = {person_of(email) for email in mailable(database)}
    assert after <= {person_of(email) for email in before | known_by_now | agreed}
    assert not after & gone
    assert all(suppressions_of(database, email) for email in gone)
