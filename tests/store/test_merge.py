"""Merging a list into the audience: all of it or nothing, every row accounted for, and no one brought back who left."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from newsletter.errors import InputError, MistakesError
from newsletter.lists.exports import batch_of, batches_of
from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.model.columns import SubscriberRecord
from newsletter.model.imports import (
    DoubtfulRow,
    Fate,
    ImportBatch,
    ImportReport,
    ImportTerms,
    PastConsent,
    RejectedRow,
    RowFate,
)
from newsletter.model.permission import LIFTED_BY_CONSENT
from newsletter.store.database import Database
from newsletter.store.merge import merge_subscribers, past_imports
from newsletter.store.opening import open_database
from newsletter.store.subscribers import (
    export_subscribers,
    find_subscriber,
    known_fields,
    known_tags,
    past_consents,
)
from newsletter.store.suppressions import add_suppression, add_suppressions, find_suppression
from tests.store.builders import KEY, NOW, add, add_people, forget, id_of, row
from tests.store.conftest import Location

DAY = timedelta(days=1)
THEN = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
ANA = row(
    "Ana@example.org",
    first_name="Ana",
    last_name="Lima",
    language="pt-BR",
    timezone="America/Sao_Paulo",
    tags=("donor", "teacher"),
    joined_at=THEN,
    consented_at=THEN,
    consent_source="form",
    consent_wording="v1",
    attributes={"country": "BR", "city": "Recife"},
)


def merge(database: Database, *people: SubscriberRecord, now: datetime = NOW, **options: Any) -> ImportReport:
    return merge_subscribers(database, [batch_of(people)], now=now, **options)


def merge_telling(database: Database, *people: SubscriberRecord, **options: Any) -> list[RowFate]:
    fates: list[RowFate] = []
    merge(database, *people, on_fate=fates.append, **options)
    return fates


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.added, report.updated, report.unchanged, report.rejected


def record_of(database: Database, email: str) -> SubscriberRecord:
    subscriber = find_subscriber(database, email)
    assert subscriber is not None
    return subscriber.record


def audience(database: Database) -> dict[str, SubscriberRecord]:
    return {subscriber.record.email.lower(): subscriber.record for subscriber in export_subscribers(database)}


def everything(database: Database) -> list[list[tuple[Any, ...]]]:
    """All that an import may write."""
    tables = (
        "subscriber",
        "suppression",
        "past_suppression",
        "past_consent",
        "forgotten",
        "tag",
        "attribute",
        "import",
    )
    with database.read() as connection:
        return [sorted(connection.execute(f"SELECT * FROM {table}").fetchall()) for table in tables]


@pytest.fixture(params=["empty", "not empty"])
def stage(request: pytest.FixtureRequest, database: Database) -> Database:
    """A database whose list is empty, which is then filled, or not empty, into which is merged."""
    if request.param == "not empty":
        add(database, row("somebody@example.org"))
    return database


def test_new_person_is_kept_as_the_row_says(stage: Database) -> None:
    assert counts(merge(stage, ANA)) == (1, 0, 0, 0)
    assert record_of(stage, "ana@example.org") == ANA


def test_whoever_has_no_moment_of_joining_joined_with_the_import(stage: Database) -> None:
    merge(stage, row("bo@example.org"))

    assert record_of(stage, "bo@example.org").joined_at == NOW


def test_each_person_has_an_unguessable_token_that_stays(database: Database) -> None:
    add_people(database, 600)
    before = [subscriber.token for subscriber in export_subscribers(database)]

    add_people(database, 700, tags=("new",))

    after = [subscriber.token for subscriber in export_subscribers(database)]
    assert after[:600] == before
    assert len(set(after)) == 700
    assert all(len(bytes.fromhex(token)) == 16 for token in after)


def test_same_list_again_is_unchanged_and_writes_no_row(database: Database) -> None:
    merge(database, ANA, row("bo@example.org"))
    before = everything(database)

    assert counts(merge(database, ANA, row("bo@example.org"), now=NOW + DAY)) == (0, 0, 2, 0)
    assert everything(database)[0] == before[0]


def test_same_list_in_another_order_is_unchanged(database: Database) -> None:
    people = [row(f"person{number}@example.org", first_name=f"{number}") for number in range(9)]
    merge(database, *people)

    assert counts(merge(database, *reversed(people))) == (0, 0, 9, 0)


def test_empty_cells_erase_nothing(database: Database) -> None:
    merge(database, ANA)

    assert counts(merge(database, SubscriberRecord(email=ANA.email))) == (0, 0, 1, 0)
    assert record_of(database, ANA.email) == ANA


def test_tags_are_added_and_attributes_merged_by_name(database: Database) -> None:
    merge(database, ANA)

    report = merge(database, replace(ANA, tags=("member",), attributes={"city": "Olinda", "shoe": "38"}))

    assert counts(report) == (0, 1, 0, 0)
    assert record_of(database, ANA.email).tags == ("donor", "member", "teacher")
    assert record_of(database, ANA.email).attributes == {"country": "BR", "city": "Olinda", "shoe": "38"}


def test_some_of_the_tags_and_attributes_on_record_are_nothing_new(database: Database) -> None:
    merge(database, ANA)

    report = merge(database, replace(ANA, tags=("donor",), attributes={"city": "Recife"}))

    assert counts(report) == (0, 0, 1, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"first_name": "Anna"},
        {"last_name": "Lina"},
        {"language": "en"},
        {"timezone": "UTC"},
        {"tags": ("donor", "member")},
        {"joined_at": THEN - DAY},
        {"consented_at": NOW},
        {"consent_source": "desk"},
        {"consent_wording": "v2"},
        {"consent_confirmed_at": THEN + DAY},
        {"attributes": {"country": "PT"}},
        {"email": "ana@example.org"},
    ],
)
def test_any_change_counts_as_an_update_and_is_dated(database: Database, change: dict[str, Any]) -> None:
    merge(database, ANA)

    report = merge(database, replace(ANA, **change), now=NOW + DAY)

    subscriber = find_subscriber(database, ANA.email)
    assert counts(report) == (0, 1, 0, 0)
    assert subscriber is not None
    assert subscriber.updated_at == NOW + DAY


def test_the_earlier_moment_of_joining_holds(database: Database) -> None:
    merge(database, row("ana@example.org", joined_at=THEN))

    assert counts(merge(database, row("ana@example.org", joined_at=THEN + DAY))) == (0, 0, 1, 0)
    assert record_of(database, "ana@example.org").joined_at == THEN


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ana@example.org", "ANA@EXAMPLE.ORG"),
        ("ana@müller.example.org", "ana@xn--mller-kva.example.org"),
        ("ana@MÜLLER.example.org", "ana@müller.example.org"),
        ("ärzte@example.org", "Ärzte@example.org"),
        ("zoe\u0301@example.org", "zoé@example.org"),
    ],
)
def test_two_spellings_of_an_address_are_one_person(database: Database, one: str, other: str) -> None:
    add(database, row(one))
    add(database, row(other))

    assert len(list(export_subscribers(database))) == 1
    assert find_subscriber(database, one) == find_subscriber(database, other)


# --- consent


def test_newer_consent_replaces_the_older_which_is_kept(database: Database) -> None:
    merge(database, ANA)

    merge(database, replace(ANA, consented_at=THEN + DAY, consent_source="", consent_wording="v2"), now=NOW + DAY)

    record = record_of(database, ANA.email)
    assert (record.consented_at, record.consent_source, record.consent_wording) == (THEN + DAY, "", "v2")
    assert past_consents(database, id_of(database, ANA.email)) == (
        PastConsent(replaced_at=NOW + DAY, consented_at=THEN, source="form", wording="v1", confirmed_at=None),
    )


def test_older_consent_never_replaces_a_newer_one(database: Database) -> None:
    merge(database, ANA)

    report = merge(database, replace(ANA, consented_at=THEN - DAY, consent_source="an old list"))

    assert counts(report) == (0, 0, 1, 0)
    assert record_of(database, ANA.email) == ANA


def test_same_consent_is_completed_and_what_is_corrected_is_kept(database: Database) -> None:
    merge(database, ANA)

    merge(database, replace(ANA, consent_confirmed_at=THEN + DAY))
    assert past_consents(database, id_of(database, ANA.email)) == ()
    merge(database, replace(ANA, consent_source="desk"))

    record = record_of(database, ANA.email)
    assert (record.consent_source, record.consent_wording, record.consent_confirmed_at) == ("desk", "v1", THEN + DAY)
    assert [past.source for past in past_consents(database, id_of(database, ANA.email))] == ["form"]


def test_source_without_a_moment_says_nothing_of_a_consent_on_record(database: Database) -> None:
    merge(database, ANA)

    merge(database, replace(ANA, consented_at=None, consent_source="a bought list"))

    assert record_of(database, ANA.email).consent_source == "form"


def test_basis_is_stated_for_those_without_consent_alone(stage: Database) -> None:
    nobody = row("bo@example.org", consented_at=None, consent_source="")

    report = merge(stage, ANA, nobody, terms=ImportTerms(file="list.csv", basis="members of the society"))

    assert report.without_consent == 0
    assert record_of(stage, ANA.email).consent_basis == ""
    assert record_of(stage, "bo@example.org").consent_basis == "members of the society"
    assert past_imports(stage)[0].basis == "members of the society"


def test_basis_says_nothing_about_somebody_whose_consent_is_on_record(database: Database) -> None:
    merge(database, ANA)

    report = merge(database, SubscriberRecord(email=ANA.email), terms=ImportTerms(basis="members"))

    assert counts(report) == (0, 0, 1, 0)
    assert record_of(database, ANA.email).consent_basis == ""


def test_basis_is_stated_of_a_known_person_without_consent(database: Database) -> None:
    merge(database, SubscriberRecord(email="bo@example.org"))

    report = merge(database, SubscriberRecord(email="bo@example.org"), terms=ImportTerms(basis="members"))

    assert (report.updated, report.without_consent) == (1, 0)


def test_rows_of_people_whom_nothing_allows_to_mail_are_counted(stage: Database) -> None:
    people = (ANA, SubscriberRecord(email="bo@example.org"), SubscriberRecord(email="cy@example.org"))

    assert merge(stage, *people).without_consent == 2
    assert merge(stage, *people).without_consent == 2
    assert merge(stage, row("bo@example.org")).without_consent == 0


# --- people who left


@pytest.mark.parametrize("reason", [*SuppressionReason])
def test_whoever_left_stays_away_without_a_new_consent(stage: Database, reason: SuppressionReason) -> None:
    add_suppression(stage, "ana@example.org", reason, now=THEN + DAY)

    report = merge(stage, ANA, row("bo@example.org"), terms=ImportTerms(basis="members"))

    assert (report.added, report.suppressed, report.revived) == (2, 1, 0)
    assert find_suppression(stage, ANA.email) is not None


@pytest.mark.parametrize("reason", [*SuppressionReason])
def test_newer_consent_brings_back_those_who_left_by_themselves(stage: Database, reason: SuppressionReason) -> None:
    add_suppression(stage, "ana@example.org", reason, now=THEN)

    report = merge(stage, replace(ANA, consented_at=THEN + DAY), row("bo@example.org"))

    is_revived = reason in LIFTED_BY_CONSENT
    assert (report.revived, report.suppressed) == (int(is_revived), int(not is_revived))
    assert (find_suppression(stage, ANA.email) is None) == is_revived
    with stage.read() as connection:
        past = connection.execute("SELECT person, reason, lifted_at, because FROM past_suppression").fetchall()
    because = "new consent dated 2025-01-03T03:04:05Z (form)"
    assert past == ([("ana@example.org", reason.value, "2026-02-19T08:00:00Z", because)] if is_revived else [])


@pytest.mark.parametrize(
    "change",
    [{"consented_at": NOW + DAY}, {"consent_source": ""}, {"consented_at": THEN}, {"consented_at": THEN - DAY}],
)
def test_consent_that_proves_nothing_brings_nobody_back(stage: Database, change: dict[str, Any]) -> None:
    add_suppression(stage, "ana@example.org", SuppressionReason.UNSUBSCRIBED, now=THEN)

    report = merge(stage, replace(ANA, **{"consented_at": THEN + DAY, **change}))

    assert (report.revived, report.suppressed) == (0, 1)


@pytest.mark.parametrize("at_once", [True, False])
def test_consent_from_before_somebody_left_again_brings_nobody_back(stage: Database, at_once: bool) -> None:
    reason, again = SuppressionReason.UNSUBSCRIBED, THEN + 2 * DAY
    add_suppression(stage, "ana@example.org", reason, now=THEN)
    if at_once:
        add_suppressions(stage, [Suppression(email="Ana@example.org", reason=reason, created_at=again)])
    else:
        add_suppression(stage, "ana@example.org", reason, now=again)

    assert merge(stage, replace(ANA, consented_at=THEN + DAY)).revived == 0
    assert merge(stage, replace(ANA, consented_at=THEN + 3 * DAY)).revived == 1


def test_row_that_is_rejected_brings_nobody_back(stage: Database) -> None:
    add_suppression(stage, "ana@example.org", SuppressionReason.UNSUBSCRIBED, now=NOW - 9 * DAY)

    future, past = (replace(ANA, consented_at=NOW + days * DAY, consent_source="x") for days in (5, -5))

    assert merge(stage, past, future).revived == 0


# --- people who were forgotten


def test_forgotten_person_is_rejected(database: Database) -> None:
    merge(database, ANA)
    forget(database, ANA.email)

    (fate,) = merge_telling(database, ANA, key=KEY)

    assert fate.fate is Fate.REJECTED
    assert "asked to be erased" in fate.remark
    assert find_subscriber(database, ANA.email) is None


def test_forgotten_person_returns_under_their_old_id_by_a_new_consent(database: Database) -> None:
    merge(database, ANA, row("bo@example.org"))
    before = id_of(database, ANA.email)
    forget(database, ANA.email)

    report = merge(
        database,
        row("cy@example.org"),
        replace(ANA, consented_at=NOW + DAY, tags=(), attributes={}),
        key=KEY,
        now=NOW + 2 * DAY,
    )

    assert (report.added, report.revived, report.rejected) == (2, 1, 0)
    assert id_of(database, ANA.email) == before
    assert record_of(database, ANA.email).tags == ()
    assert counts(merge(database, ANA, key=KEY)) == (0, 1, 0, 0)


def test_somebody_forgotten_for_a_reason_that_stands_does_not_return(database: Database) -> None:
    merge(database, ANA)
    add_suppression(database, ANA.email, SuppressionReason.MANUAL, now=NOW)
    forget(database, ANA.email)

    assert merge(database, replace(ANA, consented_at=NOW + DAY), key=KEY, now=NOW + 2 * DAY).rejected == 1


@pytest.mark.parametrize(
    ("key", "told"),
    [(None, "their addresses could be stored again; set NEWSLETTER_KEY"), (b"x" * 32, "NEWSLETTER_KEY is not")],
)
def test_without_the_key_of_the_forgotten_nothing_is_imported(database: Database, key: bytes | None, told: str) -> None:
    merge(database, ANA)
    forget(database, ANA.email)

    with pytest.raises(InputError, match=told):
        merge(database, row("bo@example.org"), key=key)

    assert list(export_subscribers(database)) == []


def test_an_id_is_never_given_twice(database: Database) -> None:
    merge(database, row("ana@example.org"), row("bo@example.org"))
    last = id_of(database, "bo@example.org")
    forget(database, "ana@example.org")
    forget(database, "bo@example.org")

    merge(database, row("cy@example.org"), key=KEY)

    assert id_of(database, "cy@example.org") > last


# --- several rows of one person


def test_of_several_rows_of_a_person_the_newest_consent_counts_then_the_row_that_says_most(stage: Database) -> None:
    rows = [
        row("ana@example.org", first_name="A long name that says much", consented_at=THEN),
        row("ANA@example.org", first_name="Ana", consented_at=THEN + DAY),
        row("Ana@example.org", first_name="An", consented_at=THEN + DAY),
        row("bo@example.org"),
    ]

    fates = merge_telling(stage, *rows)

    told = "line 2 has the same person, and that row is used"
    assert [fate.fate for fate in fates] == [Fate.REJECTED, Fate.ADDED, Fate.REJECTED, Fate.ADDED]
    assert [fate.remark for fate in fates] == [told, "", told, ""]
    assert record_of(stage, "ana@example.org").first_name == "Ana"


def test_of_rows_that_say_the_same_words_in_other_cells_the_same_one_counts_in_any_order(stage: Database) -> None:
    rows = [row("ana@example.org", first_name="Lima"), row("ana@example.org", last_name="Lima")]
    names = []
    for order in (rows, rows[::-1]):
        with stage.transaction() as connection:
            connection.execute("DELETE FROM subscriber WHERE person = 'ana@example.org'")
        merge(stage, *order)
        names.append(record_of(stage, "ana@example.org").first_name)

    assert names[0] == names[1]


def test_somebody_known_may_stand_twice_as_well(database: Database) -> None:
    merge(database, ANA, row("bo@example.org"))

    report = merge(database, ANA, row("bo@example.org"), replace(ANA, first_name="Anna-Maria"))

    assert counts(report) == (0, 1, 1, 1)
    assert report.rejected_rows == (
        RejectedRow(line=1, email=ANA.email, reason="line 3 has the same person, and that row is used"),
    )
    assert record_of(database, ANA.email).first_name == "Anna-Maria"


# --- terms, reports, fates


def test_tags_of_the_terms_are_given_to_everybody(stage: Database) -> None:
    merge(stage, ANA, row("bo@example.org"), terms=ImportTerms(tags=("spring", "donor")))

    assert record_of(stage, ANA.email).tags == ("donor", "spring", "teacher")
    assert record_of(stage, "bo@example.org").tags == ("donor", "spring")
    assert set(known_tags(stage)) == {"donor", "spring", "teacher"}
    assert past_imports(stage)[0].tags == ("donor", "spring")


def test_past_imports_are_on_record_with_their_counts(database: Database) -> None:
    merge(database, ANA, terms=ImportTerms(file="one.csv"))
    merge(database, ANA, row("bo@example.org"), terms=ImportTerms(file="two.csv"), now=NOW + DAY)

    newest, oldest = past_imports(database)
    assert (newest.file, newest.at, newest.added, newest.unchanged) == ("two.csv", NOW + DAY, 1, 1)
    assert (oldest.file, oldest.added) == ("one.csv", 1)


def test_dry_run_reports_the_same_and_keeps_nothing(stage: Database) -> None:
    before = everything(stage)
    people = (ANA, row("bo@example.org"), replace(ANA, first_name="Anna"))

    told: list[RowFate] = []
    rehearsed = merge(stage, *people, is_dry_run=True, on_fate=told.append)

    assert everything(stage) == before
    fates: list[RowFate] = []
    assert rehearsed == merge(stage, *people, on_fate=fates.append)
    assert told == fates


def test_attribute_names_become_known_fields(stage: Database) -> None:
    merge(stage, ANA)

    assert {"city", "country"} <= set(known_fields(stage))


def test_fates_are_told_in_the_order_of_the_lines_with_all_remarks(stage: Database) -> None:
    add_suppression(stage, "cy@example.org", SuppressionReason.COMPLAINED, now=NOW + DAY)
    add_suppression(stage, "di@example.org", SuppressionReason.BOUNCED, now=THEN)
    batches = [
        ImportBatch(
            lines=(2, 5),
            columns={"person": ["ana@example.org", "bo@gmial.com"], "email": ["ana@example.org", "bo@gmial.com"]},
            rejected=(RejectedRow(line=3, email="x", reason="no address"),),
            doubtful=(DoubtfulRow(line=5, email="bo@gmial.com", doubt="gmail.com?"),),
        ),
        replace(batch_of([row("cy@example.org"), row("di@example.org")]), lines=[7, 8]),
    ]
    fates: list[RowFate] = []

    report = merge_subscribers(stage, batches, now=NOW, on_fate=fates.append)

    assert [(fate.line, fate.fate, fate.remark) for fate in fates] == [
        (2, Fate.ADDED, "not emailed: no consent on record"),
        (3, Fate.REJECTED, "no address"),
        (5, Fate.ADDED, "gmail.com?; not emailed: no consent on record"),
        (7, Fate.ADDED, "not emailed: complained on 2026-02-20"),
        (8, Fate.ADDED, "came back (bounced): new consent dated 2026-02-19T08:00:00Z (website form)"),
    ]
    assert (report.rows, report.doubtful, report.rejected) == (5, 1, 1)


def test_only_the_first_rejected_rows_are_held_and_all_are_counted(database: Database) -> None:
    bad = tuple(RejectedRow(line=line, email="x", reason="bad") for line in range(2, 3002))
    batch = ImportBatch(lines=(), columns={"person": (), "email": ()}, rejected=bad)
    told: list[RowFate] = []

    report = merge_subscribers(database, [batch], now=NOW, on_fate=told.append)

    assert (report.rejected, report.rows) == (3000, 3000)
    assert report.rejected_rows == bad[:1000]
    assert len(told) == 3000


def test_progress_is_told_on_the_way(database: Database) -> None:
    heard: list[int] = []
    batches = [replace(batch_of([row(f"{at}@example.org")]), lines=[at], bytes_read=at * 10) for at in (1, 2)]

    merge_subscribers(database, batches, now=NOW, on_progress=heard.append)

    assert heard == [10, 20]


def test_list_that_breaks_off_leaves_everything_as_before(stage: Database) -> None:
    before = everything(stage)

    def broken() -> Iterator[ImportBatch]:
        yield batch_of([ANA, row("bo@example.org")])
        raise MistakesError([])

    with pytest.raises(MistakesError):
        merge_subscribers(stage, broken(), now=NOW)

    assert everything(stage) == before
    assert counts(merge(stage, ANA)) == (1, 0, 0, 0)
    assert counts(merge(stage, ANA)) == (0, 0, 1, 0)


def test_large_list_in_another_order_with_changes_is_merged_exactly(database: Database) -> None:
    def people(numbers: Iterator[int], name: str) -> Iterator[ImportBatch]:
        every = list(numbers)
        for start in range(0, len(every), 10_000):
            emails = [f"person{number}@example.org" for number in every[start : start + 10_000]]
            names = [name if number % 1000 == 0 else "same" for number in every[start : start + 10_000]]
            yield ImportBatch(
                lines=range(start + 2, start + 2 + len(emails)),
                columns={"person": emails, "email": emails, "first_name": names, "consented_at": [""] * len(emails)},
            )

    first = merge_subscribers(database, people(iter(range(120_000)), "same"), now=NOW)
    same = merge_subscribers(database, people(iter(range(120_000)), "same"), now=NOW)
    changed = merge_subscribers(database, people(iter(range(130_000)), "other"), now=NOW)
    turned = merge_subscribers(database, people(iter(reversed(range(130_000))), "other"), now=NOW)

    assert counts(first) == (120_000, 0, 0, 0)
    assert counts(same) == (0, 0, 120_000, 0)
    assert counts(changed) == (10_000, 120, 119_880, 0)
    assert counts(turned) == (0, 0, 130_000, 0)


def test_many_people_who_are_known_one_by_one_are_numbered_throughout(database: Database) -> None:
    people = (row(f"person{number}@example.org") for number in range(10_002))

    report = merge_subscribers(database, batches_of(people), now=NOW)

    assert counts(report) == (10_002, 0, 0, 0)


def test_export_goes_over_several_pages(database: Database) -> None:
    add_people(database, 2500, tags=("a", "b"))

    exported = list(export_subscribers(database))

    assert len({subscriber.record.email for subscriber in exported}) == 2500
    assert {subscriber.record.tags for subscriber in exported} == {("a", "b")}


# --- properties

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=6).map(str.strip)
MOMENT = st.none() | st.integers(0, 5).map(lambda days: THEN + days * DAY)
EMAIL = st.sampled_from(
    ["ana@example.org", "ANA@example.org", "bo@example.org", "Bo@example.org", "cy@example.org", "é@example.org"]
)
PERSON = st.builds(
    SubscriberRecord,
    email=EMAIL,
    first_name=TEXT,
    last_name=st.sampled_from(["", "Lima"]),
    language=st.sampled_from(["", "en", "pt-BR"]),
    timezone=st.sampled_from(["", "UTC"]),
    tags=st.sets(st.sampled_from(["teacher", "donor", "long term", "ü"])).map(lambda tags: tuple(sorted(tags))),
    joined_at=MOMENT,
    consented_at=MOMENT,
    consent_source=st.sampled_from(["", "form", "desk"]),
    consent_wording=st.sampled_from(["", "v1"]),
    consent_confirmed_at=MOMENT,
    consent_basis=st.sampled_from(["", "members"]),
    attributes=st.dictionaries(st.sampled_from(["country", "city"]), TEXT.filter(bool)),
)
PEOPLE = st.lists(PERSON, max_size=7)
TERMS = st.sampled_from([ImportTerms(), ImportTerms(basis="everybody", tags=("spring",))])
SOMEBODY = row("somebody@example.org")
property_test = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


def start(database: Database, people: list[SubscriberRecord]) -> None:
    """Only these people on the list. Two of the addresses are suppressed."""
    with database.transaction() as connection:
        for table in ("subscriber", "suppression", "past_suppression", "past_consent"):
            connection.execute(f"DELETE FROM {table}")
    add_suppression(database, "bo@example.org", SuppressionReason.UNSUBSCRIBED, now=THEN + 2 * DAY)
    add_suppression(database, "cy@example.org", SuppressionReason.MANUAL, now=THEN)
    if people:
        merge(database, *people)


@property_test
@given(known=PEOPLE, people=PEOPLE, terms=TERMS)
def test_import_is_idempotent(
    database: Database, known: list[SubscriberRecord], people: list[SubscriberRecord], terms: ImportTerms
) -> None:
    start(database, known)
    first = merge(database, *people, terms=terms)
    before = everything(database)

    again = merge(database, *people, terms=terms, now=NOW + DAY)

    assert everything(database)[:4] == before[:4]
    assert (again.added, again.updated, again.rejected, again.rows) == (0, 0, first.rejected, len(people))


@property_test
@given(known=PEOPLE, people=PEOPLE, terms=TERMS, data=st.data())
def test_the_order_of_the_rows_does_not_matter(
    database: Database,
    known: list[SubscriberRecord],
    people: list[SubscriberRecord],
    terms: ImportTerms,
    data: st.DataObject,
) -> None:
    results = []
    for order in (people, data.draw(st.permutations(people))):
        start(database, known)
        report = merge(database, *order, terms=terms)
        results.append((replace(report, rejected_rows=()), audience(database), everything(database)[1:3]))

    assert results[0] == results[1]


@property_test
@given(people=PEOPLE, terms=TERMS)
def test_filling_an_empty_list_gives_what_merging_gives(
    database: Database, people: list[SubscriberRecord], terms: ImportTerms
) -> None:
    results = []
    for known in ([], [SOMEBODY]):
        start(database, known)
        fates: list[RowFate] = []
        report = merge(database, *people, terms=terms, on_fate=fates.append)
        records = audience(database)
        records.pop(SOMEBODY.email, None)
        results.append((report, fates, records, everything(database)[1:3]))

    assert results[0] == results[1]


@property_test
@given(known=PEOPLE, people=PEOPLE, terms=TERMS)
def test_every_row_has_one_fate_and_the_report_adds_up(
    database: Database, known: list[SubscriberRecord], people: list[SubscriberRecord], terms: ImportTerms
) -> None:
    start(database, known)
    fates: list[RowFate] = []

    report = merge(database, *people, terms=terms, on_fate=fates.append)

    told = [
        sum(fate.fate is each for fate in fates) for each in (Fate.ADDED, Fate.UPDATED, Fate.UNCHANGED, Fate.REJECTED)
    ]
    assert tuple(told) == counts(report)
    assert [fate.line for fate in fates] == list(range(1, len(people) + 1))


@settings(property_test, max_examples=15)
@given(people=st.lists(PERSON, max_size=6, unique_by=lambda person: person.email.lower()))
def test_audience_that_is_brought_into_a_fresh_database_is_the_same(
    fresh_location: Callable[[], Location], people: list[SubscriberRecord]
) -> None:
    with open_database(fresh_location()) as one, open_database(fresh_location()) as other:
        merge(one, *people)
        merge(other, *(subscriber.record for subscriber in export_subscribers(one)), now=NOW + DAY)

        assert audience(other) == audience(one)
