"""Freezing a broadcast: who gets what, who does not and why, and with which content."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from newsletter.errors import InputError
from newsletter.lists.exports import batch_of
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import BroadcastState, DeliveryStatus, NextStep, Outcome, Tally, Verdict, Waiver
from newsletter.model.ledger import (
    Entry,
    JournalEntry,
    SettledCount,
    VariantCount,
    ZoneCount,
    ZoneProgress,
)
from newsletter.model.segment import Compare, Operator, Tagged
from newsletter.store.database import Database
from newsletter.store.ledger.audit import audited_deliveries
from newsletter.store.ledger.broadcasts import (
    list_broadcasts,
    next_due,
    require_broadcast,
    resume_broadcast,
    zone_progress,
)
from newsletter.store.ledger.cancel import begin_cancel
from newsletter.store.ledger.freeze import freeze_broadcast, preview_freeze
from newsletter.store.ledger.journal import journal_of
from newsletter.store.ledger.status import chunk_summaries, settled_counts, tally_of
from newsletter.store.ledger.variants import load_variants
from newsletter.store.merge import merge_subscribers
from newsletter.store.suppressions import add_suppression
from tests.store.builders import (
    ENVELOPE,
    KEY,
    NOW,
    add,
    add_people,
    at,
    by_own_clock,
    claim,
    forget,
    freeze,
    readership,
    record,
    request,
    row,
    segment,
    send_all,
    variant,
    variants,
)

TEACHERS = segment("teachers", Tagged("teacher"))
DONORS = segment("donors", Tagged("donor"))
SPANISH = segment("spanish", Compare("language", Operator.EQUAL, "es"))


def excluded(count: int, reason: str) -> SettledCount:
    return SettledCount(status=DeliveryStatus.EXCLUDED, reason=reason, deliveries=count)


def test_everybody_of_the_segment_is_in_one_chunk(database: Database) -> None:
    add_people(database, 25)

    broadcast = freeze(database, chunk_size=10)

    assert tally_of(database, broadcast.id) == Tally(
        frozen=25, waiting=25, inflight=0, accepted=0, rejected=0, unknown=0, invalid=0, excluded=0, cancelled=0
    )
    (ready,) = chunk_summaries(database, broadcast.id)
    assert (ready.chunks, ready.deliveries) == (3, 25)
    emails = send_all(database, broadcast)
    assert sorted(emails) == sorted(set(emails))
    assert len(emails) == 25


def test_broadcast_is_kept_with_all_that_was_asked(database: Database) -> None:
    add_people(database, 1, tags=("teacher",))

    broadcast = freeze(database, to=TEACHERS)

    assert require_broadcast(database, broadcast.id) == broadcast
    assert (broadcast.issue, broadcast.segment, broadcast.provider) == ("2026-02", "teachers", "outbox")
    assert (broadcast.state, broadcast.reason, broadcast.content_hash) == (BroadcastState.RUNNING, "", "abc")
    assert broadcast.envelope == ENVELOPE
    assert broadcast.waivers == (Waiver(rule="links", because="the page opens tomorrow"),)
    assert (broadcast.created_at, broadcast.finished_at) == (NOW, None)


def test_each_broadcast_has_a_nonce_of_its_own(database: Database) -> None:
    add_people(database, 1)

    nonces = {freeze(database, issue).nonce for issue in ("2026-01", "2026-02", "2026-03")}

    assert len(nonces) == 3
    assert all(nonce.isalnum() for nonce in nonces)


def test_people_get_the_variant_of_their_segments(database: Database) -> None:
    add(
        database,
        row("neither@example.org"),
        row("teacher@example.org", tags=("teacher",)),
        row("both@example.org", tags=("teacher",), language="es"),
        row("teacher2@example.org", tags=("teacher", "donor")),
    )
    broadcast = freeze(database, only=(TEACHERS, SPANISH, DONORS))
    variants = load_variants(database, broadcast.id)

    got: dict[str, frozenset[str]] = {}
    for _ in range(4):
        chunk = claim(database, broadcast)
        got |= {delivery.email: variants[chunk.variant_key].readership.segments for delivery in chunk.deliveries}

    assert got == {
        "neither@example.org": frozenset(),
        "teacher@example.org": {"teachers"},
        "both@example.org": {"teachers", "spanish"},
        "teacher2@example.org": {"teachers", "donors"},
    }
    assert len(variants) == 4


def test_chunk_is_of_one_variant_and_no_larger_than_asked(database: Database) -> None:
    add_people(database, 25, tags=("teacher",), prefix="a")
    add_people(database, 7, prefix="b")

    broadcast = freeze(database, only=(TEACHERS,), chunk_size=10)

    chunks = [claim(database, broadcast) for _ in range(4)]
    assert [(chunk.variant_key, len(chunk.deliveries)) for chunk in chunks] == [
        ("0", 7),
        ("1", 10),
        ("1", 10),
        ("1", 5),
    ]


def test_content_is_kept_as_it_was(database: Database) -> None:
    add_people(database, 2, tags=("teacher",), prefix="a")
    add_people(database, 2)

    broadcast = freeze(database, only=(TEACHERS,))

    assert load_variants(database, broadcast.id) == {
        "0": variant(readership(only=(TEACHERS,))),
        "1": variant(readership("teachers", only=(TEACHERS,))),
    }
    kept = load_variants(database, broadcast.id)["1"]
    assert kept.content_hash == variant(kept.readership).content_hash


def test_variant_that_nobody_gets_is_not_kept(database: Database) -> None:
    add_people(database, 2)

    broadcast = freeze(database, only=(TEACHERS, DONORS))

    assert set(load_variants(database, broadcast.id)) == {"0"}


def test_suppressed_people_are_excluded_with_the_reason(database: Database) -> None:
    add_people(database, 4)
    add_suppression(database, "PERSON00000@example.org", SuppressionReason.BOUNCED, now=NOW)
    add_suppression(database, "person00001@example.org", SuppressionReason.UNSUBSCRIBED, now=NOW)
    add_suppression(database, "person00002@example.org", SuppressionReason.UNSUBSCRIBED, now=NOW)
    add_suppression(database, "stranger@example.org", SuppressionReason.MANUAL, now=NOW)

    broadcast = freeze(database)

    assert settled_counts(database, broadcast.id) == (excluded(2, "unsubscribed"), excluded(1, "bounced"))
    left_out = [
        (each.email, each.reason)
        for each in audited_deliveries(database, broadcast.id, status=DeliveryStatus.EXCLUDED.value)
    ]
    assert left_out == [
        ("person00000@example.org", "bounced"),
        ("person00001@example.org", "unsubscribed"),
        ("person00002@example.org", "unsubscribed"),
    ]
    assert send_all(database, broadcast) == ["person00003@example.org"]


def leave(database: Database, number: int, *topics: str) -> None:
    for topic in topics:
        email = f"Person{number:05}@example.org"
        add_suppression(database, email, SuppressionReason.UNSUBSCRIBED, topic=topic, now=NOW)


def test_whoever_left_the_topic_is_excluded(database: Database) -> None:
    add_people(database, 4)
    leave(database, 0, "events")
    leave(database, 1, "news")
    leave(database, 2, "events", "news")

    broadcast = freeze(database, topics=("events",))

    assert settled_counts(database, broadcast.id) == (excluded(2, "left the topic events"),)
    assert send_all(database, broadcast) == ["person00001@example.org", "person00003@example.org"]


def test_whoever_left_but_one_of_the_topics_still_gets_it(database: Database) -> None:
    add_people(database, 4)
    leave(database, 0, "events")
    leave(database, 1, "news", "retreats")
    leave(database, 2, "events", "news", "retreats")

    broadcast = freeze(database, topics=("news", "events", "news"))

    assert settled_counts(database, broadcast.id) == (excluded(1, "left the topics events and news"),)
    assert len(send_all(database, broadcast)) == 3


def test_broadcast_without_topics_goes_to_those_who_left_one(database: Database) -> None:
    add_people(database, 2)
    leave(database, 0, "events")

    assert len(send_all(database, freeze(database))) == 2


def test_people_without_a_consent_on_record_are_excluded(database: Database) -> None:
    add(
        database,
        row("said-yes@example.org"),
        row("basis@example.org", consented_at=None, consent_source="", consent_basis="customers since 2020"),
        row("neither@example.org", consented_at=None, consent_source="website form"),
    )

    broadcast = freeze(database)

    assert settled_counts(database, broadcast.id) == (excluded(1, "no consent on record"),)
    assert send_all(database, broadcast) == ["said-yes@example.org", "basis@example.org"]


def test_segment_of_people_without_consent_is_refused_with_what_to_do(database: Database) -> None:
    add(database, row("neither@example.org", consented_at=None))

    with pytest.raises(InputError, match=r"of 1: 1 no consent on record\), so nothing was sent; import .* --basis"):
        freeze(database)

    assert list_broadcasts(database) == ()


def test_of_several_reasons_the_gravest_is_given(database: Database) -> None:
    add_people(database, 5)
    add(database, *(row(f"new{number}@example.org", consented_at=None) for number in range(4)))
    freeze(database, "2026-02")
    add_people(database, 1, prefix="other")
    for email in ("new0@example.org", "person00000@example.org"):
        add_suppression(database, email, SuppressionReason.COMPLAINED, now=NOW)
    for email in ("new0@example.org", "new1@example.org", "person00000@example.org", "person00001@example.org"):
        add_suppression(database, email, SuppressionReason.UNSUBSCRIBED, topic="news", now=NOW)

    preview = preview_freeze(database, request("2026-02", topics=("news",)), now=NOW)

    assert preview.recipients == 1
    assert preview.excluded == (
        excluded(2, "complained"),
        excluded(2, "left the topic news"),
        excluded(2, "no consent on record"),
        excluded(3, "already in broadcast 1"),
    )
    broadcast = freeze(database, "2026-02", topics=("news",))
    assert set(settled_counts(database, broadcast.id)) == set(preview.excluded)
    assert tally_of(database, broadcast.id).adds_up


def test_overlapping_segment_reaches_nobody_twice(database: Database) -> None:
    add_people(database, 3, tags=("teacher",), prefix="a")
    add_people(database, 3)
    first = freeze(database, to=TEACHERS)

    second = freeze(database)

    assert settled_counts(database, second.id) == (excluded(3, f"already in broadcast {first.id}"),)
    assert not set(send_all(database, first)) & set(send_all(database, second))


def test_another_issue_reaches_everybody_again(database: Database) -> None:
    add_people(database, 3)
    freeze(database, "2026-02")

    assert len(send_all(database, freeze(database, "2026-03"))) == 3


def test_whoever_was_excluded_or_rejected_before_can_be_reached_now(database: Database) -> None:
    add_people(database, 3)
    add_suppression(database, "person00000@example.org", SuppressionReason.BOUNCED, now=NOW)
    first = freeze(database, chunk_size=1)
    stopped = Outcome(verdict=Verdict.REJECTED, next_step=NextStep.STOP, reason="400 the subject is empty")
    record(database, claim(database, first), stopped)
    with database.transaction() as connection:
        connection.execute("DELETE FROM suppression")

    assert len(send_all(database, freeze(database))) == 3


@pytest.mark.parametrize("verdict", [Verdict.ACCEPTED, Verdict.UNKNOWN, Verdict.READY])
def test_whoever_may_have_got_it_or_may_yet_is_not_reached_again(database: Database, verdict: Verdict) -> None:
    add_people(database, 2)
    first = freeze(database)
    record(database, claim(database, first), Outcome(verdict=verdict))

    with pytest.raises(InputError, match=f"2 already in broadcast {first.id}"):
        freeze(database)


def test_person_who_was_removed_and_returns_does_not_get_it_twice(database: Database) -> None:
    add_people(database, 2)
    first = freeze(database)
    send_all(database, first)

    forget(database, "person00000@example.org")
    back = row("Person00000@example.org", consented_at=NOW + timedelta(days=1))
    people = [batch_of([back, row("new@example.org")])]
    merge_subscribers(database, people, key=KEY, now=NOW + timedelta(days=2))

    assert send_all(database, freeze(database)) == ["new@example.org"]


def test_empty_segment_is_refused_and_nothing_is_written(database: Database) -> None:
    add_people(database, 3)

    with pytest.raises(InputError, match="segment teachers has no subscribers; `newsletter segments`"):
        freeze(database, to=TEACHERS)

    assert list_broadcasts(database) == ()


def test_segment_of_which_nobody_is_left_is_refused_with_the_counts(database: Database) -> None:
    add_people(database, 2)
    add_suppression(database, "person00000@example.org", SuppressionReason.COMPLAINED, now=NOW)
    first = freeze(database)

    with pytest.raises(InputError, match=r"of 2: 1 complained, 1 already in broadcast 1\), so nothing was sent"):
        freeze(database)

    assert [broadcast.id for broadcast in list_broadcasts(database)] == [first.id]


def test_preview_tells_what_a_freeze_would_do_and_writes_nothing(database: Database) -> None:
    add_people(database, 3, tags=("teacher",), prefix="a")
    add_people(database, 4)
    add_suppression(database, "a00000@example.org", SuppressionReason.MANUAL, now=NOW)

    preview = preview_freeze(database, request(only=(TEACHERS,)), now=NOW)

    assert (preview.members, preview.recipients) == (7, 6)
    assert preview.excluded == (excluded(1, "manual"),)
    assert preview.variants == (
        VariantCount(readership=readership(only=(TEACHERS,)), deliveries=4),
        VariantCount(readership=readership("teachers", only=(TEACHERS,)), deliveries=2),
    )
    assert preview_freeze(database, request(only=(TEACHERS,)), now=NOW) == preview
    assert list_broadcasts(database) == ()
    assert freeze(database, only=(TEACHERS,)).id == 1


def test_newest_broadcast_is_listed_first(database: Database) -> None:
    add_people(database, 1)
    ids = [freeze(database, issue).id for issue in ("2026-01", "2026-02")]

    assert [broadcast.id for broadcast in list_broadcasts(database)] == ids[::-1]


def test_unknown_broadcast_is_refused(database: Database) -> None:
    with pytest.raises(InputError, match="there is no broadcast 7"):
        require_broadcast(database, 7)
    with pytest.raises(InputError, match="there is no broadcast 7"):
        tally_of(database, 7)


def in_zone(database: Database, email: str, timezone: str = "", *tags: str) -> None:
    add(database, row(email, timezone=timezone, tags=tags))


LOCAL = by_own_clock(20)  # NOW is eight in the morning in London, and five in the evening in Tokyo


def test_broadcast_with_a_time_ahead_is_scheduled(database: Database) -> None:
    add_people(database, 3)
    later = NOW + timedelta(hours=1)

    broadcast = freeze(database, schedule=at(later), chunk_size=2)

    assert (broadcast.state, broadcast.due_at, broadcast.is_local_time) == (BroadcastState.SCHEDULED, later, False)
    assert next_due(database, broadcast.id) == later
    assert zone_progress(database, broadcast.id) == ()
    assert tally_of(database, broadcast.id).waiting == 3


@pytest.mark.parametrize("moment", [NOW, NOW - timedelta(seconds=1)])
def test_broadcast_whose_time_has_come_runs_at_once(database: Database, moment: datetime) -> None:
    add_people(database, 1)

    broadcast = freeze(database, schedule=at(moment))

    assert (broadcast.state, broadcast.due_at) == (BroadcastState.RUNNING, moment)
    assert next_due(database, broadcast.id) is None
    assert send_all(database, broadcast) == ["person00000@example.org"]


def test_in_local_time_everybody_is_due_by_their_own_clock(database: Database) -> None:
    in_zone(database, "london@example.org", "Europe/London")
    in_zone(database, "tokyo@example.org", "Asia/Tokyo")
    in_zone(database, "nowhere@example.org")
    in_zone(database, "folder@example.org", "Europe")
    in_zone(database, "denver@example.org", "America/Denver")

    broadcast = freeze(database, schedule=LOCAL)

    tokyo, london, denver = (datetime(2026, 2, day, hour, tzinfo=UTC) for day, hour in ((19, 11), (19, 20), (20, 3)))
    assert (broadcast.state, broadcast.due_at, broadcast.is_local_time) == (BroadcastState.SCHEDULED, tokyo, True)
    assert zone_progress(database, broadcast.id) == (
        ZoneProgress(zone="Asia/Tokyo", due_at=tokyo, deliveries=1, waiting=1, cancelled=0),
        ZoneProgress(zone="Europe/London", due_at=london, deliveries=3, waiting=3, cancelled=0),
        ZoneProgress(zone="America/Denver", due_at=denver, deliveries=1, waiting=1, cancelled=0),
    )


def test_chunk_is_of_one_variant_and_one_zone(database: Database) -> None:
    zones = ("Europe/London", "Asia/Tokyo", "America/Denver")
    for number in range(30):
        in_zone(database, f"person{number:05}@example.org", zones[number % 3], *(["teacher"] if number % 2 else []))

    broadcast = freeze(database, only=(TEACHERS,), schedule=LOCAL, chunk_size=2)
    resume_broadcast(database, broadcast.id, now=NOW)

    got: dict[str, tuple[str, datetime | None]] = {}
    sizes = []
    for _ in range(18):
        chunk = claim(database, broadcast, now=NOW + timedelta(days=2))
        sizes.append(len(chunk.deliveries))
        got |= {delivery.email: (chunk.variant_key, chunk.due_at) for delivery in chunk.deliveries}
    assert sorted(sizes) == [1] * 6 + [2] * 12
    moments = [LOCAL.moment_in(zone) for zone in zones]
    assert got == {f"person{number:05}@example.org": (str(number % 2), moments[number % 3]) for number in range(30)}


def test_zone_whose_moment_has_passed_goes_as_soon_as_it_can(database: Database) -> None:
    in_zone(database, "tokyo@example.org", "Asia/Tokyo")
    in_zone(database, "denver@example.org", "America/Denver")
    noon = by_own_clock(12)

    broadcast = freeze(database, schedule=noon)

    in_tokyo, in_denver = (noon.moment_in(zone) for zone in ("Asia/Tokyo", "America/Denver"))
    assert in_tokyo < NOW < in_denver
    assert (broadcast.state, broadcast.due_at) == (BroadcastState.RUNNING, in_tokyo)
    assert next_due(database, broadcast.id) == in_denver
    assert zone_progress(database, broadcast.id) == (
        ZoneProgress(zone="Asia/Tokyo", due_at=None, deliveries=1, waiting=1, cancelled=0),
        ZoneProgress(zone="America/Denver", due_at=in_denver, deliveries=1, waiting=1, cancelled=0),
    )
    assert send_all(database, broadcast) == ["tokyo@example.org"]


def test_preview_counts_the_people_of_each_zone(database: Database) -> None:
    in_zone(database, "london@example.org", "Europe/London", "teacher")
    in_zone(database, "tokyo@example.org", "Asia/Tokyo")
    in_zone(database, "nowhere@example.org", "")

    preview = preview_freeze(database, request(only=(TEACHERS,), schedule=LOCAL), now=NOW)

    assert preview.zones == (
        ZoneCount(zone="Asia/Tokyo", due_at=LOCAL.moment_in("Asia/Tokyo"), deliveries=1),
        ZoneCount(zone="Europe/London", due_at=LOCAL.moment_in("Europe/London"), deliveries=2),
    )
    assert [variant.deliveries for variant in preview.variants] == [2, 1]


def test_people_of_a_cancelled_broadcast_can_be_reached_by_a_later_one(database: Database) -> None:
    add_people(database, 3)
    first = freeze(database, chunk_size=1)
    record(database, claim(database, first))
    begin_cancel(database, first.id, now=NOW)

    second = freeze(database)

    assert settled_counts(database, second.id) == (excluded(1, f"already in broadcast {first.id}"),)
    assert send_all(database, second) == ["person00001@example.org", "person00002@example.org"]


def test_freeze_is_in_the_journal_with_its_waivers(database: Database) -> None:
    add_people(database, 3)
    add_suppression(database, "person00000@example.org", SuppressionReason.BOUNCED, now=NOW)

    broadcast = freeze(database)

    assert journal_of(database, broadcast.id) == (
        JournalEntry(at=NOW, entry=Entry.FROZEN, detail="3 people in segment everyone; excluded: 1 bounced"),
        JournalEntry(at=NOW, entry=Entry.WAIVED, detail="links: the page opens tomorrow"),
    )


@pytest.mark.parametrize(("most", "is_frozen"), [(3, True), (4, True), (2, False), (0, False)])
def test_no_more_people_are_frozen_than_a_person_agreed_to(database: Database, most: int, is_frozen: bool) -> None:
    add_people(database, 3)
    made_from = replace(request(), most=most)
    if is_frozen:
        assert freeze_broadcast(database, made_from, variants(made_from.axes), chunk_size=10, now=NOW).id == 1
        return
    with pytest.raises(InputError, match="3 people would get the issue now"):
        freeze_broadcast(database, made_from, variants(made_from.axes), chunk_size=10, now=NOW)
    assert list_broadcasts(database) == ()
