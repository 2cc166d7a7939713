"""Our suppressions and a provider's lists are brought in line, and what a person decided last stands."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from newsletter.errors import InputError, ProviderError
from newsletter.lists.exports import batch_of
from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.model.edit import Edit
from newsletter.model.event import ProviderList, SoftBouncePolicy
from newsletter.model.imports import LeavingRow
from newsletter.providers.base import Provider
from newsletter.store.database import Database
from newsletter.store.editing import edit_people
from newsletter.store.erasing import is_known
from newsletter.store.merge import merge_subscribers
from newsletter.store.suppressions import (
    add_suppression,
    find_suppression,
    list_suppressions,
    remove_suppression,
)
from newsletter.store.undo import undo_last_import
from newsletter.system.moments import text_of
from newsletter.workflows.suppressions.sync import SyncPlan, hand_over, plan_sync, take_over
from tests.fakes.sendgrid_api import Answer, SendGridApi
from tests.providers.workspace import NOW, opened
from tests.store.builders import KEY, add, forget, row
from tests.store.empty_file import open_test_database

HOUR = timedelta(hours=1)
ANA, BO = "ana@example.org", "bo@example.org"
POLICY = SoftBouncePolicy(bounces=5, span=timedelta(days=14))
LEFT = SuppressionReason.UNSUBSCRIBED


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_test_database(tmp_path / "newsletter.db", wait_seconds=1) as opened:
        yield opened


def plan(
    database: Database, provider: Provider, *, since: datetime | None = None, key: bytes | None = None
) -> SyncPlan:
    return plan_sync(database, provider, since=since, now=NOW, key=key)


def sync(database: Database, provider: Provider, *, key: bytes | None = None) -> SyncPlan:
    """All of it; what was planned."""
    planned = plan(database, provider, key=key)
    take_over(database, planned, POLICY, key=key, now=NOW)
    assert hand_over(database, provider, planned, key=key, clock=lambda: NOW) == ()
    return planned


def is_settled(planned: SyncPlan) -> bool:
    return not (planned.new_here or planned.new_there or planned.off_there)


@pytest.mark.parametrize(
    ("listed", "reason", "words"),
    [
        (ProviderList.UNSUBSCRIBES, LEFT, "sendgrid unsubscribes"),
        (ProviderList.BOUNCES, SuppressionReason.BOUNCED, "sendgrid bounces: 550 no such user"),
        (ProviderList.INVALID_EMAILS, SuppressionReason.INVALID, "sendgrid invalid emails: 550 no such user"),
        (ProviderList.SPAM_REPORTS, SuppressionReason.COMPLAINED, "sendgrid spam reports"),
    ],
)
def test_whom_the_provider_does_not_mail_is_suppressed_with_its_time_and_words(
    database: Database,
    api: SendGridApi,
    provider: Provider,
    listed: ProviderList,
    reason: SuppressionReason,
    words: str,
) -> None:
    api.suppressions.put(listed.value, "Ana@Example.org", NOW - HOUR, reason="550 no such user")

    sync(database, provider)

    assert list(list_suppressions(database)) == [
        Suppression(email="Ana@example.org", reason=reason, created_at=NOW - HOUR, detail=words)
    ]
    assert is_settled(plan(database, provider))


def test_of_several_lists_the_first_entry_is_the_reason(
    database: Database, api: SendGridApi, provider: Provider
) -> None:
    api.suppressions.put("unsubscribes", ANA, NOW - HOUR)
    api.suppressions.put("spam_reports", "ANA@example.org", NOW - 2 * HOUR)

    planned = sync(database, provider)

    assert len(planned.new_here) == 1
    assert [each.reason for each in list_suppressions(database)] == [SuppressionReason.COMPLAINED]
    assert plan(database, provider).left_again == ()


def test_who_is_suppressed_already_stays_so_for_the_first_reason(
    database: Database, api: SendGridApi, provider: Provider
) -> None:
    add_suppression(database, ANA, SuppressionReason.MANUAL, now=NOW)
    api.suppressions.put("unsubscribes", ANA, NOW - HOUR)

    assert is_settled(sync(database, provider))
    assert [each.reason for each in list_suppressions(database)] == [SuppressionReason.MANUAL]


def test_entry_that_adds_nothing_still_keeps_somebody_blocked_when_an_import_is_undone(
    database: Database, api: SendGridApi, provider: Provider
) -> None:
    add(database, row(ANA), row(BO))
    left = [
        LeavingRow(line=line, email=email, person=email, reason=LEFT, told="") for line, email in ((2, ANA), (3, BO))
    ]
    merge_subscribers(database, [replace(batch_of([]), leaving=tuple(left))], now=NOW)
    api.suppressions.put("unsubscribes", ANA, NOW - HOUR)

    take_over(database, plan(database, provider), POLICY, key=None, now=NOW)
    undo_last_import(database, shown=0, now=NOW)

    assert find_suppression(database, ANA) is not None
    assert find_suppression(database, BO) is None


def test_whom_we_hold_is_put_among_those_who_left(database: Database, api: SendGridApi, provider: Provider) -> None:
    for number in range(1203):
        add_suppression(database, f"person{number}@example.org", LEFT, now=NOW)
    api.suppressions.put("bounces", "Person7@example.org", NOW - HOUR)
    add_suppression(database, "only-a-topic@example.org", LEFT, topic="events", now=NOW)

    planned = sync(database, provider)

    assert len(planned.new_there) == 1202
    assert api.suppressions.emails("unsubscribes") == sorted(planned.new_there)
    assert is_settled(plan(database, provider))


@pytest.mark.parametrize("listed", ["unsubscribes", "spam_reports"])
def test_who_leaves_there_again_does_not_come_back_by_a_consent_from_between(
    database: Database, api: SendGridApi, provider: Provider, listed: str
) -> None:
    add_suppression(database, ANA, LEFT, now=NOW - 3 * HOUR)
    api.suppressions.put(listed, ANA, NOW - HOUR)

    planned = sync(database, provider)
    merge_subscribers(database, [batch_of([row(ANA, consented_at=NOW - 2 * HOUR)])], now=NOW)

    assert [entry.email for entry in planned.left_again] == [ANA]
    assert find_suppression(database, ANA) is not None
    assert plan(database, provider).left_again == ()


def test_an_entry_that_we_put_there_is_not_taken_for_leaving_again(
    database: Database, api: SendGridApi, provider: Provider
) -> None:
    add_suppression(database, ANA, LEFT, now=NOW - 3 * HOUR)
    sync(database, provider)

    assert plan(database, provider).left_again == ()
    sync(database, provider)
    merge_subscribers(database, [batch_of([row(ANA, consented_at=NOW - 2 * HOUR)])], now=NOW)
    assert find_suppression(database, ANA) is None


def test_who_leaves_there_after_we_put_them_on_the_list_left_again(
    database: Database, api: SendGridApi, provider: Provider
) -> None:
    add_suppression(database, ANA, LEFT, now=NOW - 3 * HOUR)
    planned = plan(database, provider)
    api.now = NOW - 2 * HOUR
    hand_over(database, provider, planned, key=None, clock=lambda: NOW - 2 * HOUR)
    api.suppressions.lists["unsubscribes"].clear()
    api.suppressions.put("unsubscribes", ANA, NOW - HOUR)

    assert [entry.created_at for entry in plan(database, provider).left_again] == [NOW - HOUR]


def test_a_block_says_nothing_new_of_somebody_who_is_suppressed(
    database: Database, api: SendGridApi, provider: Provider
) -> None:
    add_suppression(database, ANA, LEFT, now=NOW - 3 * HOUR)
    api.suppressions.put("blocks", ANA, NOW - HOUR)

    assert plan(database, provider).left_again == ()


def test_a_block_alone_does_not_keep_the_provider_from_mailing(
    database: Database, api: SendGridApi, provider: Provider
) -> None:
    add_suppression(database, ANA, LEFT, now=NOW)
    api.suppressions.put("blocks", ANA, NOW - HOUR)

    assert plan(database, provider).new_there == (ANA,)


def test_what_was_lifted_here_is_taken_off_every_list_there(
    database: Database, api: SendGridApi, provider: Provider
) -> None:
    for name in ("unsubscribes", "bounces", "spam_reports", "invalid_emails"):
        api.suppressions.put(name, ANA, NOW - 2 * HOUR)
        api.suppressions.put(name, BO, NOW - 2 * HOUR)
    sync(database, provider)
    remove_suppression(database, ANA, because="asked", now=NOW - HOUR)

    planned = sync(database, provider)

    assert len(planned.off_there) == 4
    assert find_suppression(database, ANA) is None
    assert all(api.suppressions.emails(name) == [BO] for name in ("unsubscribes", "bounces", "spam_reports"))
    assert is_settled(plan(database, provider))


@pytest.mark.parametrize("since_then", [timedelta(), HOUR])
def test_who_leaves_again_after_coming_back_is_suppressed_again(
    database: Database, api: SendGridApi, provider: Provider, since_then: timedelta
) -> None:
    add_suppression(database, ANA, SuppressionReason.BOUNCED, now=NOW - 4 * HOUR)
    remove_suppression(database, ANA, because="asked", now=NOW - 2 * HOUR)
    api.suppressions.put("bounces", ANA, NOW - 4 * HOUR)
    api.suppressions.put("unsubscribes", ANA, NOW - 2 * HOUR + since_then)

    planned = sync(database, provider)

    assert planned.off_there == ()
    assert [each.reason for each in list_suppressions(database)] == [LEFT]


def test_a_new_consent_counts_from_when_it_was_given(database: Database, api: SendGridApi, provider: Provider) -> None:
    add_suppression(database, ANA, LEFT, now=NOW - 4 * HOUR)
    add_suppression(database, BO, LEFT, now=NOW - 4 * HOUR)
    api.suppressions.put("unsubscribes", ANA, NOW - 4 * HOUR)
    api.suppressions.put("unsubscribes", BO, NOW - HOUR)  # after they had said yes, which an import read later
    people = batch_of([row(email, consented_at=NOW - 2 * HOUR) for email in (ANA, BO)])
    merge_subscribers(database, [people], now=NOW)
    assert not list(list_suppressions(database))

    sync(database, provider)

    assert [each.email for each in list_suppressions(database)] == [BO]
    assert api.suppressions.emails("unsubscribes") == [BO]


def test_blocks_count_as_soft_bounces_and_many_of_them_suppress(
    database: Database, api: SendGridApi, provider: Provider
) -> None:
    add(database, row(ANA, consented_at=NOW - timedelta(days=30)))
    policy, taken = SoftBouncePolicy(bounces=3, span=timedelta(days=4)), []
    for days in (9, 7, 5):  # the list holds the latest block of an address
        api.suppressions.lists["blocks"].clear()
        for _ in range(2):
            api.suppressions.put("blocks", ANA, NOW - timedelta(days=days), reason="452 mailbox full")
        for _ in range(2):
            done = take_over(database, plan(database, provider), policy, key=None, now=NOW)
            taken.append((done.suppressed, done.soft_bounces, done.worn_out))

    assert taken == [(0, 1, 0), (0, 0, 0), (0, 1, 0), (0, 0, 0), (0, 1, 1), (0, 0, 0)]
    assert [(each.email, each.reason) for each in list_suppressions(database)] == [(ANA, SuppressionReason.BOUNCED)]


def test_a_block_from_before_somebody_was_let_back_counts_no_more(
    database: Database, api: SendGridApi, provider: Provider
) -> None:
    add_suppression(database, ANA, SuppressionReason.BOUNCED, now=NOW - 4 * HOUR)
    remove_suppression(database, ANA, because="asked", now=NOW - 2 * HOUR)
    api.suppressions.put("blocks", ANA, NOW - 3 * HOUR)
    api.suppressions.put("blocks", BO, NOW - 3 * HOUR)

    assert [entry.email for entry in plan(database, provider).blocks] == [BO]


def test_who_was_forgotten_is_not_written_down_again(database: Database, api: SendGridApi, provider: Provider) -> None:
    add(database, row(ANA))
    forget(database, ANA)
    for name in ("unsubscribes", "bounces", "blocks"):
        api.suppressions.put(name, ANA, NOW - HOUR)
    api.suppressions.put("bounces", BO, NOW - HOUR)

    planned = sync(database, provider, key=KEY)

    assert (planned.forgotten, planned.blocks) == (1, ())
    assert [each.email for each in list_suppressions(database)] == [BO]
    assert api.suppressions.emails("unsubscribes") == [ANA]
    with pytest.raises(InputError, match="set NEWSLETTER_KEY"):
        plan(database, provider)


def test_an_entry_that_is_no_address_is_left_where_it_is(
    database: Database, api: SendGridApi, provider: Provider
) -> None:
    api.suppressions.put("invalid_emails", "ana at example.org", NOW - HOUR)

    assert sync(database, provider).unusable == 1
    assert not list(list_suppressions(database))


def test_with_a_date_only_what_is_newer_is_compared(database: Database, api: SendGridApi, provider: Provider) -> None:
    api.suppressions.put("bounces", "old@example.org", NOW - 3 * HOUR)
    api.suppressions.put("bounces", "new@example.org", NOW - HOUR)
    add_suppression(database, ANA, LEFT, now=NOW - 3 * HOUR)
    add_suppression(database, BO, LEFT, now=NOW - HOUR)

    planned = plan(database, provider, since=NOW - 2 * HOUR)

    assert [entry.email for entry in planned.new_here] == ["new@example.org"]
    assert planned.new_there == (BO,)


def test_a_plan_changes_nothing(database: Database, api: SendGridApi, provider: Provider) -> None:
    api.suppressions.put("bounces", ANA, NOW - HOUR)
    add_suppression(database, BO, LEFT, now=NOW)

    planned = plan(database, provider)

    assert (planned.changes_there, len(planned.new_here)) == (1, 1)
    assert find_suppression(database, ANA) is None
    assert api.suppressions.emails("unsubscribes") == []
    assert all(exchange.method == "GET" for exchange in api.exchanges)


def test_who_is_let_back_while_the_question_stands_is_not_put_on_a_list(
    database: Database, api: SendGridApi, provider: Provider
) -> None:
    add_suppression(database, ANA, LEFT, now=NOW)
    planned = plan(database, provider)
    remove_suppression(database, ANA, because="asked", now=NOW)

    hand_over(database, provider, planned, key=None, clock=lambda: NOW)

    assert api.suppressions.emails("unsubscribes") == []


def test_who_leaves_while_the_question_stands_is_not_taken_off_a_list(
    database: Database, api: SendGridApi, provider: Provider
) -> None:
    add_suppression(database, ANA, LEFT, now=NOW - 2 * HOUR)
    api.suppressions.put("unsubscribes", ANA, NOW - 2 * HOUR)
    remove_suppression(database, ANA, because="asked", now=NOW - HOUR)
    planned = plan(database, provider)
    add_suppression(database, ANA, LEFT, now=NOW)

    hand_over(database, provider, planned, key=None, clock=lambda: NOW)

    assert api.suppressions.emails("unsubscribes") == [ANA]


def test_a_sync_that_broke_off_is_completed_by_the_next(
    database: Database, api: SendGridApi, provider: Provider
) -> None:
    for number in range(1100):
        add_suppression(database, f"person{number}@example.org", LEFT, now=NOW)
    planned = plan(database, provider)
    api.script(Answer(status=201), Answer.error(401, "the key is gone"))
    with pytest.raises(ProviderError, match="401"):
        hand_over(database, provider, planned, key=None, clock=lambda: NOW)

    sync(database, provider)

    assert len(api.suppressions.emails("unsubscribes")) == 1100


def test_a_list_that_cannot_be_read_changes_nothing(database: Database, api: SendGridApi, provider: Provider) -> None:
    api.suppressions.put("unsubscribes", ANA, NOW - HOUR)
    api.script(Answer.json(200, []), Answer.error(403, "forbidden"))

    with pytest.raises(ProviderError, match="did not show its list of bounces"):
        sync(database, provider)

    assert not list(list_suppressions(database))


def test_a_provider_without_lists_says_so(database: Database, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="outbox keeps no list of blocked addresses"):
        plan(database, opened(tmp_path, ""))


@pytest.mark.parametrize("is_same_second", [False, True])
@pytest.mark.parametrize(
    ("here", "listed", "expected"),
    [
        (SuppressionReason.IN_DOUBT, "unsubscribes", SuppressionReason.UNSUBSCRIBED),
        (SuppressionReason.IN_DOUBT, "bounces", SuppressionReason.BOUNCED),
        (SuppressionReason.UNSUBSCRIBED, "invalid_emails", SuppressionReason.INVALID),
        (SuppressionReason.BOUNCED, "invalid_emails", SuppressionReason.INVALID),
        (SuppressionReason.MANUAL, "invalid_emails", SuppressionReason.MANUAL),
        (SuppressionReason.UNSUBSCRIBED, "bounces", SuppressionReason.BOUNCED),
    ],
)
def test_an_entry_that_is_not_newer_answers_a_doubt_and_makes_a_reason_firm(
    database: Database,
    api: SendGridApi,
    provider: Provider,
    here: SuppressionReason,
    listed: str,
    expected: SuppressionReason,
    is_same_second: bool,
) -> None:
    add_suppression(database, ANA, here, now=NOW - HOUR)
    api.suppressions.put(listed, ANA, NOW - HOUR if is_same_second else NOW - 2 * HOUR)

    planned = sync(database, provider)

    assert planned.people_again == 0
    assert [each.reason for each in list_suppressions(database)] == [expected]
    before = list(list_suppressions(database))
    sync(database, provider)
    assert list(list_suppressions(database)) == before


def test_of_two_new_entries_of_one_second_the_firm_one_counts(
    database: Database, api: SendGridApi, provider: Provider
) -> None:
    for listed in ("unsubscribes", "invalid_emails"):
        api.suppressions.put(listed, ANA, NOW - HOUR)

    sync(database, provider)

    assert [each.reason for each in list_suppressions(database)] == [SuppressionReason.INVALID]


def test_an_entry_that_we_put_there_answers_no_doubt(database: Database, api: SendGridApi, provider: Provider) -> None:
    add_suppression(database, ANA, SuppressionReason.IN_DOUBT, now=NOW - HOUR)

    sync(database, provider)
    sync(database, provider)

    assert [each.reason for each in list_suppressions(database)] == [SuppressionReason.IN_DOUBT]


def test_an_entry_from_before_they_were_allowed_again_says_nothing_of_a_later_suppression(
    database: Database, api: SendGridApi, provider: Provider
) -> None:
    api.suppressions.put("invalid_emails", ANA, NOW - 3 * HOUR)
    add_suppression(database, ANA, LEFT, now=NOW - 4 * HOUR)
    remove_suppression(database, ANA, because="asked", now=NOW - 2 * HOUR)
    add_suppression(database, ANA, LEFT, now=NOW - HOUR)

    sync(database, provider)

    assert [each.reason for each in list_suppressions(database)] == [LEFT]


@pytest.mark.parametrize("left", [NOW - 9 * HOUR, NOW - 2 * HOUR])
def test_what_someone_allowed_again_by_hand_stays_allowed_whatever_consent_is_on_record(
    database: Database, api: SendGridApi, provider: Provider, left: datetime
) -> None:
    add(database, row(ANA, consented_at=NOW - 99 * HOUR))
    add_suppression(database, ANA, LEFT, now=left)
    cells = {"consented_at": text_of(NOW - 5 * HOUR), "consent_source": "letter"}
    edit_people(database, [ANA], Edit(cells=cells), shown=0, now=NOW)
    api.suppressions.put("unsubscribes", ANA, NOW - 2 * HOUR)
    sync(database, provider)
    remove_suppression(database, ANA, because="she wrote", now=NOW - HOUR)

    planned = sync(database, provider)

    assert [entry.email for entry in planned.off_there] == [ANA]
    assert find_suppression(database, ANA) is None
    assert is_settled(plan(database, provider))


def test_who_is_erased_while_the_question_stands_is_not_written_down_again(
    database: Database, api: SendGridApi, provider: Provider
) -> None:
    add_suppression(database, ANA, LEFT, now=NOW - 3 * HOUR)
    add(database, row(BO))
    api.suppressions.put("bounces", ANA, NOW - 2 * HOUR)
    api.suppressions.put("bounces", BO, NOW - 2 * HOUR)
    api.suppressions.put("unsubscribes", ANA, NOW - 4 * HOUR)
    planned = plan(database, provider, key=KEY)
    for email in (ANA, BO):
        forget(database, email)

    take_over(database, planned, POLICY, key=KEY, now=NOW)

    assert list(list_suppressions(database)) == []
    with database.read() as connection:
        assert connection.execute("SELECT person FROM left_since_import", {}).fetchall() == []
        assert not is_known(connection, ANA)
