"""The list as a file that is imported again: nothing changes here, and no one comes back elsewhere."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.lists.exports import batch_of
from newsletter.model.audience import ExportedPerson, Suppression, SuppressionReason
from newsletter.model.columns import SubscriberRecord
from newsletter.model.imports import ImportReport
from newsletter.store.database import Database
from newsletter.store.merge import merge_subscribers
from newsletter.store.subscribers import export_subscribers
from newsletter.store.suppressions import add_suppressions, suppressions_of, with_suppressions
from newsletter.workflows.subscribers.export import export_to_file
from newsletter.workflows.subscribers.import_ import ImportRequest, import_list
from newsletter.workflows.suppressions.suppress import SuppressionTerms, listed_suppressions
from tests.store.builders import NOW
from tests.store.conftest import Location, engine, fresh_location  # noqa: F401 - fixtures
from tests.store.empty_file import open_test_database

NAMES = ("ana", "bo", "cy", "di")
DAYS = st.integers(0, 9).map(lambda days: NOW - timedelta(days=days))
PEOPLE = st.lists(
    st.builds(
        SubscriberRecord,
        email=st.sampled_from(NAMES).map("{}@example.org".format),
        joined_at=st.just(NOW - timedelta(days=20)),
        tags=st.sets(st.sampled_from(["vip", "=1"])).map(lambda tags: tuple(sorted(tags))),
        consented_at=st.none() | DAYS,
        consent_source=st.sampled_from(["", "form"]),
        consent_basis=st.sampled_from(["", "members"]),
        attributes=st.dictionaries(
            st.sampled_from(["city", "status", "left_at", "unsubscribed", "left_topics"]),
            st.sampled_from(["gold", "-1", "no", "2026-01-01", "a;=1"]),
        ),
    ),
    max_size=6,
)
SUPPRESSIONS = st.lists(
    st.builds(
        Suppression,
        email=st.sampled_from(NAMES).map("{}@example.org".format),
        reason=st.sampled_from(SuppressionReason),
        created_at=DAYS,
        topic=st.sampled_from(["", "", "news", "events"]),
    ),
    max_size=6,
)
STEPS = st.lists(st.tuples(PEOPLE, SUPPRESSIONS), min_size=1, max_size=3)
OUR_TABLES = ("subscriber", "suppression", "past_suppression", "past_consent", "tag", "attribute", "soft_bounce")
Steps = Sequence[tuple[list[SubscriberRecord], list[Suppression]]]


def carry_out(database: Database, steps: Steps) -> None:
    for people, suppressions in steps:
        merge_subscribers(database, [batch_of(people)], now=NOW)
        add_suppressions(database, suppressions)


def bring_in(database: Database, path: Path, **options: object) -> ImportReport:
    request = ImportRequest(**{"path": path, "mapping": {}, "topics": {"news": "News", "events": "Events"}, **options})  # type: ignore[arg-type]
    return import_list(database, request, now=NOW + timedelta(days=30))


def contents(database: Database) -> list[str]:
    with database.read() as connection:
        return [
            f"{table} {row}"
            for table in OUR_TABLES
            for row in sorted(connection.execute(f"SELECT * FROM {table}", {}).fetchall(), key=repr)
        ]


def exported(database: Database) -> dict[str, ExportedPerson]:
    records = (subscriber.record for subscriber in export_subscribers(database))
    return {person.record.email: person for person in with_suppressions(database, records)}


def import_again_changes_nothing(database: Database, steps: Steps, folder: Path) -> None:
    carry_out(database, steps)
    before = contents(database)
    export_to_file(database, folder / "list.csv")

    report = bring_in(database, folder / "list.csv")

    assert contents(database) == before
    assert (report.rejected, report.added, report.updated) == (0, 0, 0), report.rejected_rows


@given(STEPS)
@settings(max_examples=60, deadline=None)
def test_an_export_that_is_imported_again_changes_nothing(steps: Steps) -> None:
    with TemporaryDirectory() as name, open_test_database(Path(name) / "one.db") as database:
        import_again_changes_nothing(database, steps, Path(name))


@pytest.fixture
def two(fresh_location: Callable[[], Location]) -> Iterator[tuple[Database, Database]]:  # noqa: F811
    with open_test_database(fresh_location()) as here, open_test_database(fresh_location()) as there:
        yield here, there


def steps_of_every_kind() -> Steps:
    """One person of every status, also with a consent that came later, and one who left topics."""
    people = [
        SubscriberRecord(email=f"p{number}@example.org", consented_at=NOW - timedelta(days=9), consent_source="form")
        for number in range(len(SuppressionReason) + 1)
    ]
    left = [
        Suppression(email=f"p{number}@example.org", reason=reason, created_at=NOW - timedelta(days=2))
        for number, reason in enumerate(SuppressionReason)
    ]
    topics = [
        Suppression(email=person.email, reason=SuppressionReason.UNSUBSCRIBED, created_at=NOW, topic="news")
        for person in people[-2:]
    ]
    later = [replaced(person) for person in people]
    return [(people, [*left, *topics]), ([*later, SubscriberRecord(email="none@example.org")], left[:2])]


def replaced(person: SubscriberRecord) -> SubscriberRecord:
    return SubscriberRecord(email=person.email, consented_at=NOW - timedelta(days=5), consent_source="phone")


def test_people_of_every_status_stay_as_they_are(two: tuple[Database, Database], tmp_path: Path) -> None:
    import_again_changes_nothing(two[0], steps_of_every_kind(), tmp_path)


@pytest.mark.parametrize("suppresses", [False, True])
@pytest.mark.parametrize("is_empty", [False, True])
def test_nobody_who_left_comes_back_elsewhere(
    two: tuple[Database, Database], tmp_path: Path, *, suppresses: bool, is_empty: bool
) -> None:
    here, there = two
    carry_out(here, steps_of_every_kind())
    export_to_file(here, tmp_path / "list.csv")
    if not is_empty:
        merge_subscribers(there, [batch_of([SubscriberRecord(email="p0@example.org", consent_basis="b")])], now=NOW)

    bring_in(there, tmp_path / "list.csv", suppresses_leavers=suppresses)

    before, after = exported(here), exported(there)
    assert {email for email, person in after.items() if person.is_mailed} == {
        email for email, person in before.items() if person.is_mailed
    }
    for email, person in before.items():
        if suppresses and person.suppression and person.suppression.reason is not SuppressionReason.IN_DOUBT:
            (found, *topics) = suppressions_of(there, email)
            assert (found.reason, found.created_at) == (person.suppression.reason, person.left_at)
            assert tuple(each.topic for each in topics) == person.left_topics
        elif person.is_mailed:
            assert after[email].left_topics == person.left_topics


@given(STEPS, STEPS, st.booleans())
@settings(max_examples=40, deadline=None)
def test_nobody_becomes_mailable_elsewhere(steps: Steps, others: Steps, suppresses: bool) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        with open_test_database(folder / "one.db") as here, open_test_database(folder / "two.db") as there:
            carry_out(here, steps)
            carry_out(there, others)
            export_to_file(here, folder / "list.csv")

            bring_in(there, folder / "list.csv", suppresses_leavers=suppresses, basis="")

            unmailed = {email for email, person in exported(here).items() if person.suppression}
            assert [email for email, person in exported(there).items() if person.is_mailed and email in unmailed] == []


def test_a_topic_that_does_not_exist_is_to_be_checked(two: tuple[Database, Database], tmp_path: Path) -> None:
    here, there = two
    carry_out(here, steps_of_every_kind())
    export_to_file(here, tmp_path / "list.csv")

    report = bring_in(there, tmp_path / "list.csv", topics={"other": "Other"})

    (doubtful,) = report.doubtful_rows
    assert "they left 'news', which is not a topic here" in doubtful.doubt
    assert report.left_topics == 0


def test_a_marked_export_is_judged_by_its_marks(two: tuple[Database, Database], tmp_path: Path) -> None:
    here, there = two
    path = tmp_path / "list.csv"
    path.write_text(
        "email,consented_at,consent_source,status,left_at,left_topics,Opt out\n"
        "ana@example.org,2025-01-01,form,subscribed,,,yes\n"
        "bo@example.org,2025-01-01,form,unsubscribed,,,\n"
        "cy@example.org,2025-01-01,form,gold,,,\n"
        "di@example.org,2025-01-01,form,subscribed,2026-01-01,,\n"
        "eva@example.org,2025-01-01,form,subscribed,,,\n"
    )

    report = bring_in(here, path)

    assert (report.added, report.rejected, report.left_rejected) == (1, 4, 2)
    assert list(exported(here)) == ["eva@example.org"]
    carry_out(there, [([SubscriberRecord(email="di@example.org", consent_basis="b")], [])])
    bring_in(there, path)
    assert [each.reason for each in suppressions_of(there, "di@example.org")] == [SuppressionReason.IN_DOUBT]


def test_an_export_tells_whom_to_suppress(two: tuple[Database, Database], tmp_path: Path) -> None:
    here, there = two
    carry_out(here, steps_of_every_kind())
    export_to_file(here, tmp_path / "list.csv")

    found = listed_suppressions(
        tmp_path / "list.csv", SuppressionTerms(), topics={}, now=NOW + timedelta(days=30), on_row=lambda _: None
    )
    add_suppressions(there, found)

    for email, person in exported(here).items():
        assert [(each.reason, each.created_at) for each in suppressions_of(there, email)] == (
            [(person.suppression.reason, person.left_at)] if person.suppression else []
        )


@pytest.mark.parametrize("way", ["import", "suppressions"])
def test_a_consent_that_was_on_record_when_they_left_brings_nobody_back_elsewhere(
    two: tuple[Database, Database], tmp_path: Path, way: str
) -> None:
    here, there = two
    ana = SubscriberRecord(email="ana@example.org", consented_at=NOW - timedelta(days=1), consent_source="form")
    long_ago = NOW - timedelta(days=400)
    left = Suppression(email=ana.email, reason=SuppressionReason.COMPLAINED, created_at=long_ago)
    carry_out(here, [([ana], [left])])
    export_to_file(here, tmp_path / "list.csv")

    if way == "import":
        bring_in(there, tmp_path / "list.csv", suppresses_leavers=True)
    else:
        add_suppressions(
            there,
            listed_suppressions(tmp_path / "list.csv", SuppressionTerms(), topics={}, now=NOW, on_row=lambda _: None),
        )
    carry_out(there, [([ana], [])])

    assert [each.created_at for each in suppressions_of(there, ana.email)] == [long_ago]


HUBSPOT = (
    "Email,Unsubscribed from all email,Opted out of email: Events,Opted out of email: One to One\n"
    "ana@example.org,,true,\nbo@example.org,,,true\ncy@example.org,true,true,true\ndi@example.org,,,\n"
)


@pytest.mark.parametrize("suppresses_leavers", [False, True])
@pytest.mark.parametrize("known", [(), ("ana", "bo", "cy", "di")])
def test_leaving_a_topic_of_another_tool_counts_for_that_topic_only(
    two: tuple[Database, Database], tmp_path: Path, known: tuple[str, ...], suppresses_leavers: bool
) -> None:
    here, _ = two
    path = tmp_path / "contacts.csv"
    path.write_text(HUBSPOT)
    records = [SubscriberRecord(email=f"{name}@example.org", consent_basis="members") for name in known]
    carry_out(here, [(records, [])])

    report = bring_in(here, path, basis="members", suppresses_leavers=suppresses_leavers)

    people = exported(here)
    assert people["ana@example.org"].is_mailed
    assert people["ana@example.org"].left_topics == ("events",)
    assert people["di@example.org"].is_mailed
    assert [each.topic for each in suppressions_of(here, "cy@example.org")] == (
        ["", "events"] if known or suppresses_leavers else []
    )
    doubts = [each.reason for each in suppressions_of(here, "bo@example.org")]
    if known:
        assert (report.rejected, report.blocked, report.in_doubt) == (0, 2, 1)
        assert doubts == [SuppressionReason.IN_DOUBT]
    else:
        assert "bo@example.org" not in people
        assert (doubts, report.added, report.blocked) == ([], 2, int(suppresses_leavers))
        assert any("no topic is called 'One to One'" in row.reason for row in report.rejected_rows)

    before = contents(here)
    again = bring_in(here, path, basis="members", suppresses_leavers=suppresses_leavers)
    assert contents(here) == before
    assert (again.added, again.updated, again.left_topics) == (0, 0, 0)
