"""Events have their consequences once, in any order, for people who are on the list."""

from datetime import datetime, timedelta
from itertools import permutations

import pytest
from msgspec.structs import replace

from newsletter.config import Config
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import Broadcast, Outcome, Verdict
from newsletter.model.event import Event, EventType
from newsletter.store.database import Database
from newsletter.store.ledger.status import tally_of
from newsletter.store.subscribers import events_of
from newsletter.store.suppressions import find_suppression
from newsletter.workflows.events.ingest import Ingested, ingest
from newsletter.workflows.events.judge import judge_reactions
from tests.store.builders import (
    NOW,
    add_people,
    agree_to_tracking,
    claim,
    event_of,
    forget,
    freeze,
    id_of,
    record,
)

ANA, BO = "person00000@example.org", "person00001@example.org"
DAY = timedelta(days=1)


@pytest.fixture
def broadcast(database: Database) -> Broadcast:
    """A broadcast to two people."""
    add_people(database, 2)
    return freeze(database)


def about(database: Database, sent: Broadcast, type_: EventType, email: str = ANA, **more: object) -> Event:
    return replace(event_of(database, sent, email, type_, NOW), **more)


def reason_of(database: Database, email: str = ANA) -> SuppressionReason | None:
    found = find_suppression(database, email)
    return found.reason if found else None


@pytest.mark.parametrize(
    ("type_", "cause", "reason"),
    [
        (EventType.BOUNCED, "", SuppressionReason.BOUNCED),
        (EventType.BOUNCED, "no-such-address", SuppressionReason.BOUNCED),
        (EventType.BOUNCED, "disabled", SuppressionReason.BOUNCED),
        (EventType.BOUNCED, "new-owner", SuppressionReason.INVALID),
        (EventType.COMPLAINED, "", SuppressionReason.COMPLAINED),
        (EventType.UNSUBSCRIBED, "", SuppressionReason.UNSUBSCRIBED),
        (EventType.BOUNCED, "mailbox-full", None),
        (EventType.BOUNCED, "no-such-domain", None),  # once
        (EventType.BOUNCED, "spam", None),
        (EventType.BOUNCED, "authentication", None),
        (EventType.BLOCKED, "no-such-address", None),
        (EventType.DROPPED, "", None),  # the provider's own lists say why, and since when
        (EventType.DELIVERED, "", None),
        (EventType.DEFERRED, "", None),
        (EventType.PROCESSED, "", None),
    ],
)
def test_what_ends_an_address_suppresses_it(
    config: Config,
    database: Database,
    broadcast: Broadcast,
    type_: EventType,
    cause: str,
    reason: SuppressionReason | None,
) -> None:
    event = about(database, broadcast, type_, cause=cause, detail="why")
    first, again = (ingest(config, database, [event], now=NOW) for _ in range(2))

    assert (reason_of(database), reason_of(database, BO)) == (reason, None)
    assert first == Ingested(added=1, suppressed=int(reason is not None))
    assert again == Ingested()
    if reason:
        found = find_suppression(database, ANA)
        assert found is not None
        assert (found.created_at, found.detail) == (NOW, "why")


def test_a_repeated_event_with_another_order_changes_nothing(
    config: Config,
    database: Database,
    broadcast: Broadcast,
) -> None:
    events = [
        about(database, broadcast, EventType.COMPLAINED, at=NOW + DAY),
        about(database, broadcast, EventType.UNSUBSCRIBED),
        about(database, broadcast, EventType.DELIVERED),
    ]
    for each in permutations(events):
        ingest(config, database, each, now=NOW + 2 * DAY)

    found = find_suppression(database, ANA)
    assert found is not None
    assert found.last == NOW + DAY
    assert len(events_of(database, id_of(database, ANA))) == 3


def test_nobody_is_suppressed_by_another_databases_events(
    config: Config,
    database: Database,
    broadcast: Broadcast,
) -> None:
    event = about(database, broadcast, EventType.COMPLAINED, nonce="another")

    assert ingest(config, database, [event, replace(event, broadcast=99)], now=NOW) == Ingested()
    assert reason_of(database) is None


def test_a_report_without_a_broadcast_suppresses_the_person(
    config: Config,
    database: Database,
    broadcast: Broadcast,
) -> None:
    event = about(database, broadcast, EventType.COMPLAINED, broadcast=0, nonce="", chunk=0, attempt=0)

    assert ingest(config, database, [event], now=NOW) == Ingested(added=1, suppressed=1)
    assert reason_of(database) is SuppressionReason.COMPLAINED


def test_events_about_a_person_who_was_erased_have_no_consequence(
    config: Config,
    database: Database,
    broadcast: Broadcast,
) -> None:
    events = [about(database, broadcast, each, detail=f"no {ANA}") for each in (EventType.BOUNCED, EventType.CLICKED)]
    forget(database, ANA)

    assert ingest(config, database, events, now=NOW) == Ingested(added=1)
    assert find_suppression(database, ANA) is None
    with database.read() as connection:
        assert connection.execute("SELECT DISTINCT detail, url FROM event", {}).fetchall() == [("", "")]


@pytest.mark.parametrize(
    ("cause", "days", "is_suppressed"),
    [
        ("mailbox-full", (0, 4, 8, 12, 15), True),
        ("mailbox-full", (0, 4, 8, 12), False),
        ("mailbox-full", (0, 1, 2, 3, 4), False),
        ("spam", (0, 4, 8, 12, 15), False),
        ("blocked-ip", (0, 4, 8, 12, 15), False),
        ("content", (0, 4, 8, 12, 15), False),
        ("no-such-domain", (0, 3), True),
        ("no-such-domain", (0, 2), False),
        ("unreachable", (0, 3), False),
        ("inactive", (0, 1), True),
        ("inactive", (0, 0.1), False),  # the same email, reported twice
        ("inactive", (0,), False),
        ("restricted", (0, 15, 30), True),
        ("policy", (0, 15, 30), True),
        ("policy", (0, 15, 29.9), False),
        ("policy", (0, 40), False),
        ("policy", (0, 4, 8, 12, 15), True),  # as any soft bounce
        ("unclear", (0, 15, 30), False),
    ],
)
def test_soft_bounces_in_a_row_count_only_if_they_are_about_the_mailbox(
    config: Config,
    database: Database,
    broadcast: Broadcast,
    cause: str,
    days: tuple[int, ...],
    is_suppressed: bool,
) -> None:
    for day in days:
        event = about(database, broadcast, EventType.BLOCKED, at=NOW + (day + 1) * DAY, cause=cause)
        ingest(config, database, [event], now=NOW + 20 * DAY)

    assert (reason_of(database) is SuppressionReason.BOUNCED) is is_suppressed


@pytest.mark.parametrize(
    ("causes", "is_suppressed"),
    [
        (("restricted", "policy", "restricted"), True),
        (("policy", "mailbox-full", "policy"), False),
        (("no-such-domain", "unreachable", "inactive"), False),
    ],
)
def test_causes_of_one_kind_count_together(
    config: Config,
    database: Database,
    broadcast: Broadcast,
    causes: tuple[str, ...],
    is_suppressed: bool,
) -> None:
    for number, cause in enumerate(causes):
        event = about(database, broadcast, EventType.BLOCKED, at=NOW + (20 * number + 1) * DAY, cause=cause)
        ingest(config, database, [event], now=NOW + 60 * DAY)

    assert (reason_of(database) is not None) is is_suppressed


def test_a_row_of_one_cause_that_has_ended_does_not_hide_a_newer_one_of_several(
    config: Config, database: Database, broadcast: Broadcast
) -> None:
    days = {1: "no-such-domain", 4: "no-such-domain", **dict.fromkeys((6, 10, 14, 18, 21), "mailbox-full")}
    soft = about(database, broadcast, EventType.BLOCKED)
    events = [replace(soft, at=NOW + day * DAY, cause=cause) for day, cause in days.items()]
    alive = about(database, broadcast, EventType.DELIVERED, at=NOW + 5 * DAY, broadcast=0, nonce="")

    ingest(config, database, [*events, alive], now=NOW + 30 * DAY)

    assert reason_of(database) is SuppressionReason.BOUNCED


@pytest.mark.parametrize(("cause", "days"), [("inactive", (1, 5)), ("policy", (1, 20, 40))])
def test_a_sign_of_life_ends_a_row_of_any_cause(
    config: Config, database: Database, broadcast: Broadcast, cause: str, days: tuple[int, ...]
) -> None:
    events = [about(database, broadcast, EventType.BLOCKED, at=NOW + day * DAY, cause=cause) for day in days]
    alive = about(database, broadcast, EventType.DELIVERED, at=NOW + (days[-1] - 1) * DAY, broadcast=0, nonce="")

    ingest(config, database, [*events, alive], now=NOW + 50 * DAY)

    assert reason_of(database) is None


@pytest.mark.parametrize(("bounced_later", "is_suppressed"), [(True, True), (False, False)])
def test_an_email_that_was_accepted_and_then_bounced_is_no_sign_of_life(
    config: Config,
    database: Database,
    broadcast: Broadcast,
    bounced_later: bool,
    is_suppressed: bool,
) -> None:
    soft = about(database, broadcast, EventType.BLOCKED, cause="mailbox-full", broadcast=0, nonce="")
    events = [replace(soft, at=NOW + day * DAY) for day in (1, 5, 9, 13, 16)]
    accepted = about(database, broadcast, EventType.DELIVERED, at=NOW + 15 * DAY)
    later = about(database, broadcast, EventType.BOUNCED, at=NOW + 15.5 * DAY, cause="mailbox-full")

    ingest(config, database, [*events, accepted, *([later] if bounced_later else [])], now=NOW + 20 * DAY)

    assert (reason_of(database) is not None) is is_suppressed


def test_an_event_settles_a_batch_that_was_in_doubt(config: Config, database: Database) -> None:
    add_people(database, 6)
    broadcast = freeze(database, chunk_size=2)
    for _ in range(3):
        record(database, claim(database, broadcast), Outcome(verdict=Verdict.UNKNOWN))
    processed = about(database, broadcast, EventType.PROCESSED)
    others = (replace(processed, chunk=2, attempt=9), replace(processed, chunk=3, nonce="another"))

    assert ingest(config, database, [processed, *others], now=NOW).settled == 1

    tally = tally_of(database, broadcast.id)
    assert (tally.accepted, tally.unknown) == (2, 4)


def reactions(database: Database) -> list[tuple[object, ...]]:
    judge_reactions(database, now=NOW + timedelta(hours=1))
    with database.read() as connection:
        return connection.execute("SELECT type, subscriber, last_at FROM reaction ORDER BY type", {}).fetchall()


def totals(database: Database) -> list[tuple[object, ...]]:
    query = "SELECT type, url, verdict, events FROM event_total ORDER BY type, url, verdict"
    with database.read() as connection:
        return connection.execute(query, {}).fetchall()


@pytest.mark.parametrize(
    ("since", "is_kept"), [(NOW, True), (NOW - DAY, True), (NOW + timedelta(seconds=1), False), (None, False)]
)
def test_opens_are_kept_only_of_people_who_had_agreed(
    config: Config,
    database: Database,
    broadcast: Broadcast,
    since: datetime | None,
    is_kept: bool,
) -> None:
    if since:
        agree_to_tracking(database, ANA, since=since)
    event = about(database, broadcast, EventType.CLICKED, url=f"https://example.org/{ANA}")

    ingest(config, database, [event], now=NOW)

    ana = id_of(database, ANA)
    assert reactions(database) == ([("clicked", ana, "2026-02-19T08:00:00Z")] if is_kept else [])
    assert len(events_of(database, ana)) == int(is_kept)
    assert totals(database) == ([] if is_kept else [("clicked", "", "", 1)])


def test_machines_are_counted_apart_and_react_to_nothing(
    config: Config,
    database: Database,
    broadcast: Broadcast,
) -> None:
    agree_to_tracking(database, ANA)
    opened = about(database, broadcast, EventType.OPENED, verdict="privacy")

    ingest(config, database, [opened, replace(opened, subscriber=id_of(database, BO))], now=NOW)

    assert reactions(database) == []
    assert totals(database) == [("opened", "", "privacy", 1)]
    assert len(events_of(database, id_of(database, ANA))) == 1


def test_clicks_of_nobody_in_particular_are_counted_by_link(
    config: Config,
    database: Database,
    broadcast: Broadcast,
) -> None:
    click = about(database, broadcast, EventType.CLICKED, subscriber=0, url="https://example.org/a")

    ingest(config, database, [click, click, replace(click, url="https://example.org/b")], now=NOW)

    assert totals(database) == [
        ("clicked", "https://example.org/a", "", 2),
        ("clicked", "https://example.org/b", "", 1),
    ]


def test_a_long_list_of_events_is_taken_in_whole(config: Config, database: Database, broadcast: Broadcast) -> None:
    event = about(database, broadcast, EventType.DELIVERED)
    many = (replace(event, at=NOW + timedelta(seconds=second)) for second in range(6001))

    assert ingest(config, database, many, now=NOW).added == 6001
