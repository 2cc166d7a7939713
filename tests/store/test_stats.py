"""What the audience looks like: the figures, alike on both engines."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.model.audience import SuppressionReason
from newsletter.model.edit import Edit
from newsletter.model.event import EventType
from newsletter.model.mailbox import MailboxProvider, mailbox_provider_of
from newsletter.model.stats import Breakdown, Engagement, Group
from newsletter.store.database import Database
from newsletter.store.editing import edit_people
from newsletter.store.stats import (
    count_engagement,
    count_facts,
    count_languages,
    count_mailboxes,
    count_movements,
    count_sources,
    count_zones,
    sent_issues,
)
from newsletter.store.suppressions import add_suppression
from newsletter.system.moments import text_of
from tests.store.builders import NOW, add, forget, freeze, react, row, send_at

DAY = timedelta(days=1)
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


def suppress(
    database: Database, email: str, reason: SuppressionReason = SuppressionReason.UNSUBSCRIBED, *, at: datetime = NOW
) -> None:
    assert add_suppression(database, email, reason, now=at)


def leave_topic(database: Database, person: str, topic: str) -> None:
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO suppression (person, topic, email, reason, detail, created_at)"
            " VALUES (:person, :topic, :person, 'unsubscribed', '', '2026-02-01T00:00:00Z')",
            {"person": person, "topic": topic},
        )


def left_for_a_while(database: Database, person: str, *, left: str, back: str) -> None:
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO past_suppression (person, topic, reason, created_at, lifted_at, because)"
            " VALUES (:person, '', 'unsubscribed', :left, :back, 'a new consent')",
            {"person": person, "left": left, "back": back},
        )


def test_nobody_on_the_list_is_counted_as_nobody(database: Database) -> None:
    facts = count_facts(database, now=NOW)

    assert (facts.people, facts.mailable, facts.consents, dict(facts.suppressed)) == (0, 0, 0, {})
    assert count_sources(database, people=0, most=5) == Breakdown(groups=())
    assert count_zones(database, people=0, most=5) == (Breakdown(groups=()), Breakdown(groups=()))
    assert count_mailboxes(database, people=0, most=5).providers == ()
    assert count_engagement(database, days=90, now=NOW) == Engagement(
        days=90, received=0, clicked=0, opened=0, opens_known_since=None
    )


def test_everybody_is_mailable_or_counted_with_a_reason(database: Database) -> None:
    add(
        database,
        row("ana@example.org", consent_confirmed_at=NOW),
        row("bo@example.org", consent_source=""),
        row("cy@example.org", consented_at=None, consent_source="", consent_basis="members since 2019"),
        row("di@example.org", consented_at=None, consent_source=""),
        row("ed@example.org", consented_at=None, consent_source=""),
        row("flo@example.org"),
    )
    add(database, *(row(f"paused{number}@example.org") for number in range(4)))
    add(database, row("paused4@example.org", consented_at=None, consent_source=""))
    for number, (days, kind) in enumerate([(9, "now"), (9, "left"), (0, "over"), (-1, "over"), (9, "no consent")]):
        pause = Edit(cells={"paused_until": text_of(NOW + timedelta(days=days))})
        edit_people(database, [f"paused{number}@example.org"], pause, shown=0, now=NOW)
        if kind == "left":
            suppress(database, f"paused{number}@example.org")
    suppress(database, "ED@example.org", SuppressionReason.BOUNCED)
    suppress(database, "flo@example.org")
    suppress(database, "stranger@example.org")
    leave_topic(database, "ana@example.org", "events")
    leave_topic(database, "flo@example.org", "events")  # who left altogether is counted as such

    facts = count_facts(database, now=NOW)

    assert facts.people == 11
    assert dict(facts.suppressed) == {"unsubscribed": 2, "bounced": 1}
    assert facts.without_consent == 2
    assert facts.paused == 1
    assert facts.mailable == 5
    assert (facts.consents, facts.consents_without_source, facts.consents_without_confirmation) == (7, 1, 6)
    assert facts.on_stated_basis == 1
    assert [(topic.topic, topic.people) for topic in facts.topics] == [("events", 1)]


def test_people_come_and_go_in_their_months(database: Database) -> None:
    joined = datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)
    add(database, row("ana@example.org", joined_at=joined), row("bo@example.org", joined_at=NOW), row("cy@example.org"))
    suppress(database, "ana@example.org", at=datetime(2026, 1, 1, tzinfo=UTC))
    suppress(database, "bo@example.org", SuppressionReason.BOUNCED, at=joined)  # before they were on the list
    suppress(database, "stranger@example.org", at=NOW)
    left_for_a_while(database, "cy@example.org", left="2025-11-02T00:00:00Z", back="2026-03-01T00:00:00Z")

    movements = count_movements(database, since=BEGINNING)

    assert dict(movements.joined) == {"2025-12": 1, "2026-02": 2}
    assert dict(movements.returned) == {"2026-03": 1}
    assert dict(movements.left) == {
        "2026-01": {"unsubscribed": 1},
        "2026-02": {"bounced": 1, "unsubscribed": 1},  # no one leaves before they joined
    }


def test_what_was_before_the_first_month_is_not_counted(database: Database) -> None:
    add(database, row("ana@example.org", joined_at=NOW - 400 * DAY), row("bo@example.org", joined_at=NOW))
    suppress(database, "ana@example.org", at=NOW - 300 * DAY)

    movements = count_movements(database, since=datetime(2026, 2, 1, tzinfo=UTC))

    assert (dict(movements.joined), dict(movements.left)) == ({"2026-02": 1}, {})


def test_erased_people_count_among_those_who_left(database: Database) -> None:
    add(database, row("ana@example.org"))
    forget(database, "ana@example.org")

    assert [dict(reasons) for reasons in count_movements(database, since=BEGINNING).left.values()] == [{"erased": 1}]
    assert count_facts(database, now=NOW).people == 0


def test_sources_tell_how_many_left_and_what_is_left_out(database: Database) -> None:
    add(
        database,
        *(row(f"w{n}@example.org", consent_source="website") for n in range(3)),
        *(row(f"c{n}@example.org", consent_source="conference") for n in range(2)),
        row("x@example.org", consent_source="fair"),
        row("y@example.org", consent_source="letter"),
        row("z@example.org", consent_source=""),
    )
    suppress(database, "c1@example.org", SuppressionReason.COMPLAINED)

    assert count_sources(database, people=8, most=2) == Breakdown(
        groups=(Group(name="website", people=3, left=0), Group(name="conference", people=2, left=1)),
        unknown=1,
        further=2,
        further_people=2,
    )


def test_languages_and_zones_are_counted_from_the_largest_down(database: Database) -> None:
    add(
        database,
        row("a@example.org", language="en", timezone="Europe/Berlin"),
        row("b@example.org", language="en", timezone="Europe/Madrid"),
        row("c@example.org", language="es", timezone="Europe/Madrid"),
        row("d@example.org", timezone="America/Argentina/Ushuaia"),
        row("e@example.org", timezone="UTC"),
        row("f@example.org"),
    )

    languages = count_languages(database, people=6, most=1)
    zones, regions = count_zones(database, people=6, most=2)

    assert languages == Breakdown(groups=(Group(name="en", people=2),), unknown=3, further=1, further_people=1)
    assert [group.name for group in zones.groups] == ["Europe/Madrid", "America/Argentina/Ushuaia"]
    assert (zones.unknown, zones.further, zones.further_people) == (1, 2, 2)
    assert [(group.name, group.people) for group in regions.groups] == [("Europe", 3), ("America", 1), ("UTC", 1)]
    assert (regions.unknown, regions.further, regions.further_people) == (1, 0, 0)


def test_mailboxes_are_known_by_their_domain_however_rare(database: Database) -> None:
    add(
        database,
        *(row(f"n{n}@firm{n % 3}.example.com") for n in range(6)),
        *(row(f"g{n}@gmail.com") for n in range(2)),
        row("h@rocketmail.com"),
    )

    mailboxes = count_mailboxes(database, people=9, most=2)

    assert [(group.provider, group.people) for group in mailboxes.providers] == [
        (MailboxProvider.OTHER, 6),
        (MailboxProvider.GMAIL, 2),
        (MailboxProvider.YAHOO, 1),
    ]
    assert [group.name for group in mailboxes.domains.groups] == ["firm0.example.com", "firm1.example.com"]
    assert (mailboxes.domains.further, mailboxes.domains.further_people) == (1, 2)


local_parts = st.sampled_from(["a", "b.c", '"d@gmail.com"', '"@"', "e+f"])
domains = st.sampled_from(["gmail.com", "hotmail.fr", "example.org", "example.net", "mac.com"])


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(emails=st.lists(st.builds("{}@{}".format, local_parts, domains), max_size=12, unique=True))
def test_database_and_python_see_the_same_mailbox_providers(database: Database, emails: list[str]) -> None:
    with database.transaction() as connection:
        connection.execute("DELETE FROM subscriber")
    add(database, *(row(email) for email in emails))

    counted = count_mailboxes(database, people=len(emails), most=3)

    assert Counter({group.provider: group.people for group in counted.providers}) == Counter(
        map(mailbox_provider_of, emails)
    )


def test_engagement_counts_each_reader_once_by_the_most_that_they_did(database: Database) -> None:
    add(database, *(row(f"{name}@example.org") for name in ("ana", "bo", "cy", "di")))
    old, new = send_at(database, "2025-10", NOW - 120 * DAY), send_at(database, "2026-02", NOW - 2 * DAY)
    react(database, new, "ana@example.org", EventType.OPENED, NOW - DAY)
    react(database, new, "ana@example.org", EventType.CLICKED, NOW - DAY)
    react(database, new, "bo@example.org", EventType.OPENED, NOW - DAY)
    react(database, old, "cy@example.org", EventType.CLICKED, NOW - 119 * DAY)
    react(database, new, "di@example.org", EventType.DELIVERED, NOW - DAY)

    engagement = count_engagement(database, days=90, now=NOW)

    assert (engagement.received, engagement.clicked, engagement.opened, engagement.neither) == (4, 1, 1, 2)
    assert engagement.opens_known_since == NOW - 119 * DAY


def test_engagement_is_of_those_to_whom_mail_went(database: Database) -> None:
    add(database, row("ana@example.org"), row("gone@example.org"))
    send_at(database, "2025-10", NOW - 120 * DAY)
    suppress(database, "gone@example.org")
    send_at(database, "2026-02", NOW - DAY)
    add(database, row("new@example.org"))
    freeze(database, "2026-03")  # nothing of it has left

    assert count_engagement(database, days=90, now=NOW).received == 1


def test_issues_are_counted_from_when_they_began_to_leave(database: Database) -> None:
    add(database, row("ana@example.org"))
    send_at(database, "2025-12", NOW - 60 * DAY)
    add(database, row("bo@example.org"))
    send_at(database, "2025-12", NOW - 50 * DAY)
    send_at(database, "2026-02", NOW)
    freeze(database, "2026-03")

    assert sent_issues(database, most=5) == (NOW, NOW - 60 * DAY)
    assert sent_issues(database, most=1) == (NOW,)
