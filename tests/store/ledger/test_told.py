"""What the ledger keeps of what readers were told, on both engines."""

from datetime import UTC, datetime

from msgspec.structs import replace

from newsletter.language.local_times import clock_today, told_event
from newsletter.model.segment import Among, Segment
from newsletter.store.database import Database
from newsletter.store.ledger.freeze import freeze_broadcast
from newsletter.store.ledger.told import (
    clocks_of,
    is_new_version,
    people_told,
    say_looked,
    scheduled_tellings,
    tellings_of,
    to_look_at,
    zones_of,
)
from newsletter.store.segments import count_segment
from tests.language.items import item
from tests.store.builders import NOW, add, at, claim, freeze, id_of, record, request, row, variants

TALK = item(starts="2026-12-09 08:00", ends="2026-12-09 09:00", timezone="America/Vancouver")
TOLD = told_event(TALK, "en")
ZONES = {"a@example.org": "Europe/Berlin", "b@example.org": "Europe/Berlin", "c@example.org": ""}


def test_what_was_told_is_kept_with_the_zones_of_the_claim(database: Database) -> None:
    assert TOLD is not None
    assert TOLD.times is not None
    add(database, *(row(email, timezone=zone) for email, zone in ZONES.items()))
    made_from = request()
    telling = [replace(each, told=(TOLD,)) for each in variants(made_from.axes)]
    broadcast = freeze_broadcast(database, made_from, telling, chunk_size=2, now=NOW)
    with database.transaction() as connection:
        connection.execute("UPDATE subscriber SET timezone = 'Asia/Tokyo' WHERE email = 'a@example.org'", {})
    while (
        broadcast.id
        and people_told(database, broadcast.id)
        and not all(each.is_sent for each in people_told(database, broadcast.id))
    ):
        record(database, claim(database, broadcast, ("timezone",)))

    (found,) = tellings_of(database, TOLD.event)
    assert found.told == TOLD
    assert not found.is_correction
    assert {each.subscriber for each in people_told(database, broadcast.id)} == {
        id_of(database, each) for each in ZONES
    }
    expected = {**ZONES, "a@example.org": "Asia/Tokyo"}
    assert zones_of(database, broadcast.id) == {id_of(database, each): zone for each, zone in expected.items()}
    clocks = clocks_of(database, broadcast.id)
    for zone in ("Europe/Berlin", "America/Vancouver", "Asia/Kathmandu"):
        assert clocks(zone, TOLD.times.moments) == clock_today(zone, TOLD.times.moments)
    assert clocks("Mars/Base", TOLD.times.moments) is None


def test_events_to_come_are_looked_at_again_only_with_another_version(database: Database) -> None:
    assert TOLD is not None
    add(database, row("a@example.org"))
    made_from = request(schedule=at(datetime(2026, 2, 20, tzinfo=UTC)))
    freeze_broadcast(
        database, made_from, [replace(each, told=(TOLD,)) for each in variants(made_from.axes)], chunk_size=2, now=NOW
    )
    (scheduled,) = scheduled_tellings(database, now=NOW)
    assert scheduled.told == TOLD
    assert not scheduled_tellings(database, now=datetime(2027, 1, 1, tzinfo=UTC))
    assert not to_look_at(database, now=NOW)
    assert not is_new_version(database)
    with database.transaction() as connection:
        connection.execute("UPDATE told_clock SET zones_version = '2020a', looked_with = '2020a'", {})
    assert [each.event for each in to_look_at(database, now=NOW)] == [TOLD.event]
    assert is_new_version(database)
    say_looked(database)
    assert not is_new_version(database)


def test_people_are_chosen_by_their_ids(database: Database) -> None:
    add(database, *(row(email) for email in ZONES))
    chosen = Among((id_of(database, "a@example.org"), id_of(database, "c@example.org"), 999))
    assert count_segment(database, chosen).members == 2
    assert count_segment(database, Among(())).members == 0
    frozen = freeze(database, to=Segment(name="some", expression="", condition=chosen))
    assert len(people_told(database, frozen.id)) == 2
