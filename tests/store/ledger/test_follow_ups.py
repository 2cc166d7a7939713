"""Who gets a follow-up, against a brute force over random people and events, and what still changes at the claim."""

import os
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from newsletter.errors import InputError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import Broadcast, BroadcastKind, Outcome, Verdict
from newsletter.model.event import EventType
from newsletter.model.ledger import FreezeRequest
from newsletter.model.machines import MachineVerdict
from newsletter.model.readership import TrackingMode
from newsletter.store.database import Database
from newsletter.store.events import add_events
from newsletter.store.ledger.audit import audited_deliveries
from newsletter.store.ledger.broadcasts import start_scheduled
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.follow_ups import NO_LONGER_KNOWN
from newsletter.store.ledger.freeze import freeze_broadcast, preview_freeze
from newsletter.store.ledger.record import record_outcome
from newsletter.store.suppressions import add_suppression, remove_suppression
from newsletter.store.tracking import withdraw_tracking
from newsletter.workflows.events.judge import judge_reactions
from tests.store.builders import (
    ACCEPTED,
    NOW,
    add_people,
    agree_to_tracking,
    all_agree_to_tracking,
    at,
    claim,
    event_of,
    freeze,
    id_of,
    react,
    record,
    request,
    send_all,
    variants,
)

SEEDS = range(int(os.environ.get("NEWSLETTER_FOLLOW_UP_WORLDS", "2")))
PEOPLE = 60
DAY = timedelta(days=1)
LATER = NOW + 5 * DAY
MACHINES = (MachineVerdict.PRIVACY, MachineVerdict.AGENT, MachineVerdict.PREFETCH, MachineVerdict.NETWORK)
VERDICTS = (MachineVerdict.PERSON, MachineVerdict.PROXY, *MACHINES)
TYPES = (*[EventType.OPENED] * 4, *[EventType.CLICKED] * 2, *EventType)
MATTER = {
    "unsubscribed or marked it as spam": {EventType.UNSUBSCRIBED, EventType.COMPLAINED},
    "the issue bounced": {EventType.BOUNCED, EventType.BLOCKED, EventType.DROPPED},
}


class Report(NamedTuple):
    """Something that was reported about a person's email."""

    type: EventType
    verdict: MachineVerdict
    at: datetime


class Person(NamedTuple):
    """What is drawn for one person."""

    email: str
    verdict: Verdict | None  # of the provider; None if they were not sent the issue
    sent_at: datetime
    agreed_at: datetime | None
    has_withdrawn: bool
    is_suppressed: bool
    left_at: datetime | None  # and came back
    reports: tuple[Report, ...]


def draw(random: Random, number: int) -> Person:
    likely = random.choices
    agreed = likely((NOW - DAY, NOW + DAY, None), (8, 1, 1))[0]
    return Person(
        email=f"person{number:05}@example.org",
        verdict=likely((Verdict.ACCEPTED, Verdict.REJECTED, Verdict.UNKNOWN, None), (12, 1, 1, 1))[0],
        sent_at=likely((NOW, LATER - 2 * DAY, LATER - 2 * DAY + timedelta(seconds=1), LATER - DAY), (9, 1, 1, 1))[0],
        agreed_at=agreed,
        has_withdrawn=agreed is not None and random.random() < 0.05,
        is_suppressed=random.random() < 0.05,
        left_at=likely((None, NOW - DAY, NOW + DAY), (18, 1, 1))[0],
        reports=tuple(
            Report(random.choice(TYPES), random.choice(VERDICTS), NOW + timedelta(hours=random.randint(25, 110)))
            for _ in range(random.choice((0, 0, 0, 1, 1, 2, 3)))
        ),
    )


def expected(person: Person) -> str:
    """Why a person gets no follow-up; empty if they get it."""
    types = {report.type for report in person.reports}
    agrees = person.agreed_at is not None and not person.has_withdrawn
    known_since = person.agreed_at or LATER
    by_person = {
        report.type
        for report in person.reports
        if report.verdict in {MachineVerdict.PERSON, MachineVerdict.PROXY} and agrees and known_since <= report.at
    }
    reasons = {
        "unsubscribed": person.is_suppressed,
        "not reached by the issue": person.verdict is not Verdict.ACCEPTED,
        "got the issue less than two days before": person.sent_at > LATER - 2 * DAY,
        "left since then": person.left_at is not None and person.left_at >= NOW,
        "unsubscribed or marked it as spam": bool(types & MATTER["unsubscribed or marked it as spam"]),
        "clicked a link in it": EventType.CLICKED in by_person,
        "opened it": EventType.OPENED in by_person,
        "without known opens": not agrees or known_since > NOW,
        "the issue bounced": bool(types & MATTER["the issue bounced"]),
        "opened only by a machine": bool(types & {EventType.OPENED, EventType.CLICKED}),
    }
    return next((reason for reason, applies in reasons.items() if applies), "")


def follow_up(**changes: object) -> FreezeRequest:
    made = replace(request(kind=BroadcastKind.FOLLOW_UP), content_hash="another subject", **changes)
    return replace(made, tracking=TrackingMode.CONSENTED)


def freeze_follow_up(database: Database, now: datetime = LATER, **changes: object) -> Broadcast:
    made = follow_up(**changes)
    return freeze_broadcast(database, made, variants(made.axes), chunk_size=10, now=now)


def send_issue(database: Database, people: list[Person]) -> Broadcast:
    """Sends the issue to everyone in chunks of one, with the outcome and at the time that were drawn for each."""
    made = replace(request(), tracking=TrackingMode.CONSENTED)
    broadcast = freeze_broadcast(database, made, variants(made.axes), chunk_size=1, now=NOW)
    by_email = {person.email: person for person in people}
    while (chunk := claim_chunk(database, broadcast.id, "", (), now=NOW)) is not None:
        (delivery,) = chunk.deliveries  # type: ignore[union-attr]
        person = by_email[delivery.email]
        record_outcome(database, chunk, Outcome(verdict=person.verdict or Verdict.REJECTED), now=person.sent_at)  # type: ignore[arg-type]
    return broadcast


def furnish(database: Database, people: list[Person]) -> None:
    add_people(database, len(people))
    for person in people:
        if person.agreed_at:
            agree_to_tracking(database, person.email, since=person.agreed_at)
        if person.left_at and person.left_at < NOW:
            leave_and_return(database, person.email, person.left_at)
    broadcast = send_issue(database, people)
    reports = [(person, report) for person in people for report in person.reports]
    add_events(
        database,
        [
            replace(event_of(database, broadcast, person.email, report.type, report.at), verdict=report.verdict.value)
            for person, report in reports
        ],
    )
    judge_reactions(database, now=LATER)
    for person in people:
        if person.left_at and person.left_at >= NOW:
            leave_and_return(database, person.email, person.left_at)
        if person.has_withdrawn:
            with database.transaction() as connection:
                withdraw_tracking(connection, id_of(database, person.email))
        if person.is_suppressed:
            add_suppression(database, person.email, SuppressionReason.UNSUBSCRIBED, now=LATER)


def leave_and_return(database: Database, email: str, moment: datetime) -> None:
    add_suppression(database, email, SuppressionReason.UNSUBSCRIBED, now=moment)
    remove_suppression(database, email, because="asked to", now=moment)


def reasons_of(database: Database, broadcast: Broadcast) -> dict[str, str]:
    return {each.email: each.reason for each in audited_deliveries(database, broadcast.id)}


@pytest.mark.parametrize("seed", SEEDS)
def test_exactly_those_get_it_who_are_known_not_to_have_opened(database: Database, seed: int) -> None:
    random = Random(seed)
    people = [draw(random, number) for number in range(PEOPLE)]
    furnish(database, people)
    wanted = {person.email: expected(person) for person in people}
    assert "" in wanted.values()

    preview = preview_freeze(database, follow_up(), now=LATER)
    second = freeze_follow_up(database)

    assert reasons_of(database, second) == wanted
    assert preview.recipients == sum(not reason for reason in wanted.values())
    assert set(send_all(database, second)) == {email for email, reason in wanted.items() if not reason}
    with pytest.raises(InputError, match=r"docs/follow-ups\.md says who gets a follow-up"):
        freeze_follow_up(database)
    # Two days later, those follow who had got the issue less than two days before.
    waited = [person._replace(sent_at=NOW) for person in people if wanted[person.email].startswith("got the issue")]
    ready = {person.email for person in waited if not expected(person)}
    if ready:
        assert preview_freeze(database, follow_up(), now=LATER + 2 * DAY).recipients == len(ready)


def test_without_tracking_no_one_is_known(database: Database) -> None:
    add_people(database, 5)
    all_agree_to_tracking(database)
    send_all(database, freeze(database))
    with pytest.raises(InputError, match="without known opens"):
        preview_freeze(database, follow_up(), now=LATER)


def sent_and_known(database: Database, count: int = 4) -> Broadcast:
    """An issue that was sent to people who all agreed to tracking."""
    add_people(database, count)
    all_agree_to_tracking(database)
    broadcast = freeze_broadcast(
        database, replace(request(), tracking=TrackingMode.CONSENTED), variants(request().axes), chunk_size=10, now=NOW
    )
    send_all(database, broadcast)
    return broadcast


def test_who_opens_or_ends_tracking_before_it_leaves_gets_none(database: Database) -> None:
    issue = sent_and_known(database)
    second = freeze_follow_up(database, schedule=at(LATER + DAY))
    react(database, issue, "person00000@example.org", EventType.OPENED, LATER + timedelta(hours=1))
    with database.transaction() as connection:
        withdraw_tracking(connection, id_of(database, "person00001@example.org"))
    unjudged = event_of(database, issue, "person00002@example.org", EventType.CLICKED, LATER + DAY)
    assert add_events(database, [unjudged]) == 1

    running = start_scheduled(database, second.id, now=LATER + DAY)
    chunk = claim(database, running, now=LATER + DAY + timedelta(seconds=1))

    assert [delivery.email for delivery in chunk.deliveries] == ["person00003@example.org"]
    left_out = {email: reason for email, reason in reasons_of(database, second).items() if reason}
    assert left_out == dict.fromkeys((f"person0000{number}@example.org" for number in range(3)), NO_LONGER_KNOWN)


def test_a_follow_up_for_later_counts_the_two_days_from_then(database: Database) -> None:
    sent_and_known(database)
    with pytest.raises(InputError, match="got the issue less than two days before"):
        preview_freeze(database, follow_up(), now=NOW + DAY)
    preview = preview_freeze(database, follow_up(schedule=at(NOW + 2 * DAY)), now=NOW + DAY)
    assert preview.recipients == 4


def test_a_second_follow_up_reaches_only_those_who_got_none(database: Database) -> None:
    sent_and_known(database)
    first = freeze_follow_up(database)
    record(database, claim(database, first, now=LATER), ACCEPTED)
    with pytest.raises(InputError, match=f"already in broadcast {first.id}"):
        preview_freeze(database, follow_up(), now=LATER)


def test_a_plain_send_still_leaves_out_everyone_who_has_the_issue(database: Database) -> None:
    sent_and_known(database)
    send_all(database, freeze_follow_up(database))
    add_people(database, 1, prefix="new")
    plain = freeze(database, now=LATER)
    assert send_all(database, plain) == ["new00000@example.org"]
    made = follow_up()
    again = preview_freeze(database, replace(made, kind=BroadcastKind.ISSUE, issue="renamed"), now=LATER)
    assert again.repeats == ()  # the content of a follow-up is recognized among follow-ups only


def test_the_follow_up_of_a_renamed_issue_is_recognized_by_its_content(database: Database) -> None:
    sent_and_known(database)
    send_all(database, freeze_follow_up(database))
    renamed = freeze_broadcast(
        database,
        replace(request("renamed"), tracking=TrackingMode.CONSENTED),
        variants(request().axes),
        chunk_size=10,
        now=NOW,
    )
    send_all(database, renamed)
    preview = preview_freeze(database, replace(follow_up(), issue="renamed"), now=LATER)
    assert [(each.issue, each.people) for each in preview.repeats] == [("2026-02", 4)]


def test_what_was_sent_to_the_outbox_is_followed_up_only_there(database: Database) -> None:
    sent_and_known(database)
    with pytest.raises(InputError, match="not reached by the issue"):
        preview_freeze(database, follow_up(provider="smtp"), now=LATER)


def test_an_event_about_another_issue_changes_nothing(database: Database) -> None:
    sent_and_known(database)
    other = freeze_broadcast(
        database,
        replace(request("2026-01"), tracking=TrackingMode.CONSENTED),
        variants(request().axes),
        chunk_size=10,
        now=NOW,
    )
    send_all(database, other)
    react(database, other, "person00000@example.org", EventType.OPENED, NOW + DAY)
    assert preview_freeze(database, follow_up(), now=LATER).recipients == 4
