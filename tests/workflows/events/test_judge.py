"""Several opens and clicks together show whether a machine was at work, in whatever order they arrived."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.config import Config
from newsletter.model.event import Event, EventType
from newsletter.store.database import Database
from newsletter.store.events import add_events
from newsletter.store.reactions import ReactionEvent
from newsletter.workflows.events.interpret import Interpreter
from newsletter.workflows.events.judge import judge_reactions, verdicts_on
from tests.store.builders import NOW, add, agree_to_tracking, freeze, id_of, row
from tests.workflows.tracking.broadcasts import wait_for

SECOND = timedelta(seconds=1)
VERDICTS = ("", "", "", "", "canary", "proxy", "agent")


def click(second: float, link: int = 1, *, verdict: str = "", person: int = 1) -> ReactionEvent:
    at = NOW + second * SECOND
    return ReactionEvent(at, f"{second} {link} {person}".encode(), 1, person, True, False, link, verdict)


def opening(second: float, *, verdict: str = "", person: int = 1) -> ReactionEvent:
    return ReactionEvent(NOW + second * SECOND, f"o {second} {person}".encode(), 1, person, False, False, -1, verdict)


def delivery(second: float) -> ReactionEvent:
    return ReactionEvent(NOW + second * SECOND, f"d {second}".encode(), 1, 1, False, True, -1, "")


def judged(*events: ReactionEvent) -> list[str]:
    """The verdict on each event, in the order in which they are given."""
    found = verdicts_on(events)
    return [found[event].value if event in found else event.verdict for event in events]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([click(0), click(1, 2), click(2, 3)], ["burst"] * 3),
        ([click(0), click(1, 2), click(3, 3)], ["", "", ""]),  # not within two seconds
        ([click(0), click(1, 1), click(2, 1), click(2, 2)], [""] * 4),  # only two different links
        ([click(0), click(1, 2), click(2, 3, person=2)], ["", "", ""]),  # of two people
        ([click(0), click(1, 2), click(2, 3), click(30, 4)], ["burst"] * 3 + [""]),  # a person, half a minute later
        ([click(k, k) for k in range(9)], ["burst"] * 9),  # one after the other, without a pause
        ([opening(-33), click(0), click(0, 2), click(1, 3)], ["burst"] * 4),
        ([opening(-61), click(0), click(0, 2), click(1, 3)], ["", *["burst"] * 3]),
        ([opening(5), click(0), click(0, 2), click(1, 3)], ["", *["burst"] * 3]),
        ([click(0, 9, verdict="canary"), click(60), opening(-60)], ["canary"] * 3),
        ([click(0, 9, verdict="canary"), click(61), opening(-61)], ["canary", "", ""]),
        ([click(0, 9, verdict="canary"), click(0, person=2)], ["canary", ""]),
        ([click(0, verdict="prefetch"), click(1, 2, verdict="agent"), click(2, 3)], ["prefetch", "agent", "burst"]),
        ([opening(0, verdict="proxy")], ["proxy"]),
        ([opening(0, verdict="proxy"), click(1, 9, verdict="canary")], ["canary", "canary"]),
        ([opening(0, verdict="privacy"), click(30)], ["privacy", ""]),
        ([delivery(0), click(2)], ["", "hasty"]),
        ([delivery(0), click(3)], ["", ""]),
        ([delivery(5), click(3)], ["", ""]),
        ([delivery(0), click(2), click(40)], ["", "hasty", ""]),
        ([delivery(0), opening(1)], ["", ""]),
    ],
)
def test_verdict_follows_from_what_happened_together(events: Sequence[ReactionEvent], expected: list[str]) -> None:
    assert judged(*events) == expected


events = st.lists(
    st.builds(
        click,
        st.integers(-90, 90),
        st.integers(1, 5),
        verdict=st.sampled_from(("", "", "", "canary", "agent", "proxy")),
        person=st.integers(1, 2),
    )
    | st.builds(opening, st.integers(-90, 90), verdict=st.sampled_from(("", "proxy", "privacy")))
    | st.builds(delivery, st.integers(-90, 90)),
    max_size=12,
    unique_by=lambda event: event.digest,
)


@given(events=events, data=st.data())
def test_order_of_arrival_does_not_matter(events: list[ReactionEvent], data: st.DataObject) -> None:
    other = data.draw(st.permutations(events))

    assert verdicts_on(events) == verdicts_on(other)


@given(events=events)
def test_what_a_request_showed_stays_and_people_never_gain(events: list[ReactionEvent]) -> None:
    for event, verdict in verdicts_on(events).items():
        assert event.verdict in {"", "proxy"}
        assert not event.is_delivery
        assert not verdict.is_persons


@given(events=events)
def test_judging_again_with_the_new_verdicts_frees_nobody(events: list[ReactionEvent]) -> None:
    found = verdicts_on(events)
    again = verdicts_on([event._replace(verdict=found[event].value) if event in found else event for event in events])

    assert not {event.digest for event in again} & {event.digest for event in found}


def clicked(database: Database, broadcast: int, nonce: str, second: float, link: int, *, verdict: str = "") -> Event:
    return Event(
        at=NOW + second * SECOND,
        type=EventType.CLICKED,
        broadcast=broadcast,
        nonce=nonce,
        subscriber=id_of(database, "ana@example.org"),
        url=f"https://example.org/{link}",
        url_offset=link,
        verdict=verdict,
    )


def reacted(database: Database) -> list[tuple[object, ...]]:
    with database.read() as connection:
        return [tuple(found) for found in connection.execute("SELECT type, last_at FROM reaction", {}).fetchall()]


def test_burst_across_two_minutes_is_one(database: Database) -> None:
    add(database, row("ana@example.org"))
    agree_to_tracking(database, "ana@example.org")
    broadcast = freeze(database)
    for second, link in ((59, 1), (60, 2), (61, 3)):
        add_events(database, [clicked(database, broadcast.id, broadcast.nonce, second, link)])

    assert judge_reactions(database, now=NOW + timedelta(minutes=10)) == 2
    assert judge_reactions(database, now=NOW + timedelta(minutes=10)) == 0
    assert reacted(database) == []


def test_machine_that_is_found_late_takes_its_reaction_back(database: Database) -> None:
    add(database, row("ana@example.org"))
    agree_to_tracking(database, "ana@example.org")
    broadcast = freeze(database)
    add_events(database, [clicked(database, broadcast.id, broadcast.nonce, 0, 1)])
    judge_reactions(database, now=NOW + timedelta(minutes=10))
    assert reacted(database) == [("clicked", "2026-02-19T08:00:00Z")]

    add_events(database, [clicked(database, broadcast.id, broadcast.nonce, 10, 9, verdict="canary")])
    judge_reactions(database, now=NOW + timedelta(minutes=20))

    assert reacted(database) == []


def test_what_a_person_did_before_and_after_a_machine_stays(database: Database) -> None:
    add(database, row("ana@example.org"))
    agree_to_tracking(database, "ana@example.org")
    broadcast = freeze(database)
    for minute in (0, 10, 20):
        add_events(database, [clicked(database, broadcast.id, broadcast.nonce, minute * 60, 1)])
    judge_reactions(database, now=NOW + timedelta(hours=1))

    for minute, span in ((20, ("08:00", "08:10")), (0, ("08:10", "08:10"))):
        late = clicked(database, broadcast.id, broadcast.nonce, minute * 60 + 10, 9, verdict="canary")
        add_events(database, [late])
        judge_reactions(database, now=NOW + timedelta(hours=1))
        assert counted(database) == {("clicked", *(f"2026-02-19T{time}:00Z" for time in span))}


def counted(database: Database) -> set[tuple[str, ...]]:
    with database.read() as connection:
        found = connection.execute("SELECT type, first_at, last_at FROM reaction", {}).fetchall()
        return {(str(kind), str(first), str(last)) for kind, first, last in found}


@pytest.mark.parametrize("seed", range(20))
def test_whatever_comes_when_the_events_of_people_count(database: Database, seed: int) -> None:
    random = Random(seed)
    add(database, row("ana@example.org"))
    agree_to_tracking(database, "ana@example.org")
    broadcast = freeze(database)
    seconds = [random.choice((0, 60, 600)) + random.randrange(90) for _ in range(14)]
    events = [
        clicked(database, broadcast.id, broadcast.nonce, second, random.randrange(4), verdict=random.choice(VERDICTS))
        for second in dict.fromkeys(seconds)
    ]
    while events:
        count = random.randrange(1, 4)
        arrived, events = events[:count], events[count:]
        add_events(database, arrived)
        if random.random() < 0.7:
            judge_reactions(database, now=NOW + timedelta(hours=1))
    judge_reactions(database, now=NOW + timedelta(hours=1))

    with database.read() as connection:
        rows = connection.execute("SELECT at, verdict FROM event WHERE type = 'clicked'", {}).fetchall()
    genuine = sorted(str(at) for at, verdict in rows if verdict in {"", "proxy"})
    assert counted(database) == ({("clicked", genuine[0], genuine[-1])} if genuine else set())


def test_consent_that_ended_before_the_judgment_ends_what_it_allowed(database: Database) -> None:
    add(database, row("ana@example.org"))
    agree_to_tracking(database, "ana@example.org")
    broadcast = freeze(database)
    add_events(database, [clicked(database, broadcast.id, broadcast.nonce, 0, 1)])
    agree_to_tracking(database, "ana@example.org", since=NOW + SECOND)

    judge_reactions(database, now=NOW + timedelta(minutes=10))

    assert reacted(database) == []


def test_the_service_judges_though_no_provider_posts_anything(config: Config, database: Database) -> None:
    add(database, row("ana@example.org"))
    agree_to_tracking(database, "ana@example.org")
    broadcast = freeze(database)
    add_events(database, [clicked(database, broadcast.id, broadcast.nonce, 0, 1)])

    with Interpreter(config, database, clock=lambda: NOW + timedelta(minutes=10), seconds_between=0.01):
        wait_for(lambda: reacted(database) != [])
