"""Soft bounces: kept once, counted since the last sign of life, and many of them suppress an address."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.model.event import EventType, SoftBounce, SoftBouncePolicy
from newsletter.store.database import Database
from newsletter.store.events import add_events
from newsletter.store.opening import open_database
from newsletter.store.soft_bounces import add_soft_bounces, find_soft_bounced, suppress_soft_bounces
from newsletter.store.suppressions import add_suppression, find_suppression, list_suppressions, remove_suppression
from tests.store.builders import NOW, add, add_people, agree_to_tracking, event_of, forget, freeze, row

POLICY = SoftBouncePolicy(bounces=3, span=timedelta(days=14))
FIRST = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
LATER = FIRST + timedelta(days=60)
ANA = "Ana@example.org"


def day(number: float) -> datetime:
    return FIRST + timedelta(days=number)


def bounce(database: Database, email: str, days: Iterable[float]) -> int:
    return add_soft_bounces(database, [SoftBounce(email=email, at=day(each), detail="full") for each in days])


def report(database: Database, email: str, type_: EventType, days: Iterable[float]) -> None:
    """What a provider says of the mail of a broadcast to one person."""
    agree_to_tracking(database, email)
    broadcast = freeze(database, f"issue of {email} {type_}")
    add_events(
        database,
        [event_of(database, broadcast, email, type_, day(each)) for each in days],
    )


def suppressed(database: Database, policy: SoftBouncePolicy = POLICY) -> list[str]:
    return [found.email for found in suppress_soft_bounces(database, policy, now=LATER)]


@pytest.fixture
def ana(database: Database) -> Database:
    add(database, row(ANA))
    return database


def test_each_soft_bounce_is_kept_once_and_none_of_strangers(ana: Database) -> None:
    assert bounce(ana, ANA, [0, 1]) == 2
    assert bounce(ana, "ANA@Example.ORG", [1, 2, 2]) == 1
    assert bounce(ana, "stranger@example.org", range(5)) == 0
    assert add_soft_bounces(ana, []) == 0


def test_many_soft_bounces_over_long_suppress_an_address(ana: Database) -> None:
    add_people(ana, 3)
    bounce(ana, ANA, [0, 7, 20])
    bounce(ana, "person00000@example.org", [0, 20])

    expected = Suppression(
        email=ANA,
        reason=SuppressionReason.BOUNCED,
        created_at=LATER,
        detail="3 soft bounces from 2026-03-01 to 2026-03-21",
    )
    assert find_soft_bounced(ana, POLICY, now=LATER) == (expected,)
    assert find_suppression(ana, ANA) is None, "to look changes nothing"
    assert suppress_soft_bounces(ana, POLICY, now=LATER) == (expected,)
    (found,) = list_suppressions(ana)
    assert replace(found, consent_on_record=None) == expected
    assert suppress_soft_bounces(ana, POLICY, now=LATER) == ()


@pytest.mark.parametrize(
    ("days", "is_suppressed"),
    [
        ([0, 14], False),
        ([0, 6, 12, 13.9], False),
        ([0, 6, 14], True),
        ([*range(40)], True),
        ([0, 0.1, 0.2, 20], False),
        ([0, 0.1, 10, 20], True),
    ],
    ids=["too few", "too close", "just enough", "every day", "a bad day counts once", "a bad day and two more"],
)
def test_both_thresholds_must_be_reached(ana: Database, days: list[float], is_suppressed: bool) -> None:
    bounce(ana, ANA, days)

    assert suppressed(ana) == ([ANA] if is_suppressed else [])


def test_a_sign_of_life_in_the_second_of_a_bounce_counts_for_the_mailbox(ana: Database) -> None:
    bounce(ana, ANA, [0, 10, 20])
    report(ana, ANA, EventType.DELIVERED, [0])
    assert suppressed(ana) == []


def test_a_consent_in_the_second_of_a_bounce_begins_the_count_anew(database: Database) -> None:
    add(database, row(ANA, consented_at=day(0)))
    bounce(database, ANA, [0, 10, 20])

    assert suppressed(database) == []


def test_a_suppression_lifted_in_the_second_of_a_bounce_begins_the_count_anew(ana: Database) -> None:
    bounce(ana, ANA, [0, 10, 20])
    assert suppressed(ana) == [ANA]
    remove_suppression(ana, ANA, because="they wrote", now=day(20))
    bounce(ana, ANA, [30, 40])

    assert suppressed(ana) == []


def test_two_bounces_in_one_second_are_one(ana: Database) -> None:
    report(ana, ANA, EventType.BLOCKED, [0, 20])
    assert bounce(ana, ANA, [0, 0, 20, 20]) == 2
    assert suppressed(ana) == []


def test_blocked_mail_of_ours_counts_too_and_the_same_bounce_once(ana: Database) -> None:
    report(ana, ANA, EventType.BLOCKED, [0, 10])
    bounce(ana, ANA, [0, 10.001])
    assert suppressed(ana) == []

    bounce(ana, ANA, [20])
    assert suppressed(ana) == [ANA]


@pytest.mark.parametrize("sign", [EventType.DELIVERED, EventType.OPENED, EventType.CLICKED])
def test_sign_of_life_begins_the_count_anew(ana: Database, sign: EventType) -> None:
    report(ana, ANA, sign, [15])
    bounce(ana, ANA, [0, 10, 20, 30])
    assert suppressed(ana) == []

    bounce(ana, ANA, [40])
    assert suppressed(ana) == [ANA]


@pytest.mark.parametrize("other", [EventType.PROCESSED, EventType.DEFERRED])
def test_what_only_left_is_no_sign_of_life(ana: Database, other: EventType) -> None:
    report(ana, ANA, other, [15])
    bounce(ana, ANA, [0, 10, 20])

    assert suppressed(ana) == [ANA]


def test_sign_of_life_of_another_person_says_nothing(ana: Database) -> None:
    add_people(ana, 1)
    report(ana, "person00000@example.org", EventType.DELIVERED, [15])
    bounce(ana, ANA, [0, 10, 20])

    assert suppressed(ana) == [ANA]


def test_lifted_suppression_and_new_consent_begin_the_count_anew(ana: Database) -> None:
    add_people(ana, 1)
    for email in (ANA, "person00000@example.org"):
        bounce(ana, email, [0, 10, 20])
    assert len(suppressed(ana)) == 2
    remove_suppression(ana, ANA, because="they wrote", now=day(21))
    with ana.transaction() as connection:
        connection.execute("DELETE FROM suppression")
    add(ana, row("bo@example.org", consented_at=None, consent_basis="customers"))
    with ana.transaction() as connection:
        connection.execute("UPDATE subscriber SET consented_at = :at WHERE id = 2", {"at": "2026-03-22T08:00:00Z"})

    assert suppressed(ana) == []
    bounce(ana, ANA, [30, 40, 50])
    assert suppressed(ana) == [ANA]


def test_zero_turns_the_policy_off(ana: Database) -> None:
    bounce(ana, ANA, range(100))

    assert suppressed(ana, SoftBouncePolicy(bounces=0, span=timedelta())) == []
    assert suppressed(ana, SoftBouncePolicy(bounces=1, span=timedelta())) == [ANA]


def test_whoever_is_suppressed_stays_so_for_the_first_reason(ana: Database) -> None:
    add_suppression(ana, ANA, SuppressionReason.UNSUBSCRIBED, now=NOW)
    bounce(ana, ANA, [0, 10, 20])

    assert suppressed(ana) == []
    found = find_suppression(ana, ANA)
    assert found is not None
    assert found.reason is SuppressionReason.UNSUBSCRIBED


def test_whoever_left_a_topic_is_still_counted(ana: Database) -> None:
    add_suppression(ana, ANA, SuppressionReason.UNSUBSCRIBED, topic="events", now=NOW)
    bounce(ana, ANA, [0, 10, 20])

    assert suppressed(ana) == [ANA]


def test_nothing_is_known_of_somebody_who_was_forgotten(ana: Database) -> None:
    report(ana, ANA, EventType.BLOCKED, [0, 10, 20])
    bounce(ana, ANA, [0, 10, 20])
    forget(ana, ANA)

    assert suppressed(ana) == []


HOURS = st.lists(st.integers(0, 24 * 40), max_size=12, unique=True)


@given(
    bounces=HOURS, signs=st.lists(st.integers(0, 24 * 40), max_size=2), least=st.integers(1, 4), span=st.integers(0, 20)
)
@settings(max_examples=60)
def test_whoever_is_suppressed_is_who_the_words_of_the_policy_mean(
    tmp_path_factory: pytest.TempPathFactory, bounces: list[int], signs: list[int], least: int, span: int
) -> None:
    policy = SoftBouncePolicy(bounces=least, span=timedelta(days=span))
    counted = sorted(day(hour / 24) for hour in bounces if not signs or hour > max(signs))
    is_meant = bool(counted) and (
        len({each.date() for each in counted}) >= least and counted[-1] - counted[0] >= policy.span
    )

    with open_database(tmp_path_factory.mktemp("bounces") / "newsletter.db") as database:
        add(database, row(ANA))
        bounce(database, ANA, [hour / 24 for hour in bounces])
        report(database, ANA, EventType.OPENED, [hour / 24 for hour in signs])
        assert bool(suppressed(database, policy)) is is_meant
