"""Who was told what about an event, and who was told something else than is true now.

An email tells the times on the clocks of the event's zone, and on the reader's own clocks if they differ. Two things
can make it wrong besides an edit: the event's zone changes its clocks, so that the event moves for everyone elsewhere,
or the reader's zone does, so that only those readers are affected.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from shlex import quote

from msgspec import Struct

from newsletter import ZONE_DATABASES
from newsletter.language.counts import people_of
from newsletter.language.local_times import as_of_today, clock_today, local_time_in
from newsletter.model.told import ToldEvent, walls_of
from newsletter.store.database import Database
from newsletter.store.ledger.told import (
    Telling,
    ToldBefore,
    ToldClocks,
    clocks_of,
    is_new_version,
    people_told,
    say_looked,
    scheduled_tellings,
    tellings_of,
    to_look_at,
    zones_of,
)
from newsletter.system.log import Log


class Misled(Struct, frozen=True, kw_only=True):
    """People who were told the same about an event by one broadcast, which is not true now."""

    told: ToldEvent
    clocks: ToldClocks  # by which they were told it
    people: Mapping[int, str]  # each with the zone that they had then, which is empty if it was not known


class ChangedEvent(Struct, frozen=True, kw_only=True):
    """An event to come for which a change of clocks made wrong what people were told."""

    issue: str
    told: ToldEvent  # as it was told last
    people: int

    @property
    def what(self) -> str:
        """Return what is wrong."""
        were = "was" if self.people == 1 else "were"
        return (
            f"{people_of(self.people)} {were} told another time of “{self.told.title}” ({self.issue}) than time zones "
            f"{ZONE_DATABASES.used} say"
        )

    @property
    def remedy(self) -> str:
        """Return what to do about it."""
        slug = self.told.event.rpartition("@")[0]
        return f"run: newsletter correct {quote(self.issue)} {quote(slug)} --dry-run"


def told_otherwise(database: Database, event: str, now_told: Mapping[str, ToldEvent]) -> tuple[Misled, ...]:
    """Return the people whose latest email about an event told something else than `now_told`, by language.

    A correction that is still to be sent counts as told. So does an email that may or may not have been sent.
    """
    latest: dict[int, tuple[int, int]] = {}  # the broadcast and the variant by which each person was told last
    variants: dict[tuple[int, int], ToldEvent] = {}
    corrections = set()
    for telling in tellings_of(database, event):
        variants[telling.broadcast, telling.variant] = telling.told
        corrections |= {telling.broadcast} if telling.is_correction else set()
    broadcasts = sorted({broadcast for broadcast, _ in variants})
    for broadcast in broadcasts:
        for subscriber, variant, is_sent in people_told(database, broadcast):
            if (broadcast, variant) in variants and (is_sent or broadcast in corrections):
                latest[subscriber] = broadcast, variant
    found: list[Misled] = []
    for broadcast in broadcasts:
        clocks, zones = clocks_of(database, broadcast), zones_of(database, broadcast)
        right: dict[tuple[ToldEvent, str], bool] = {}
        people: dict[ToldEvent, dict[int, str]] = {}
        for subscriber, (told_by, variant) in latest.items():
            if told_by != broadcast:
                continue
            told, zone = variants[broadcast, variant], zones.get(subscriber, "")
            if (told, zone) not in right:
                right[told, zone] = is_right(told, clocks, zone, now_told)
            if not right[told, zone]:
                people.setdefault(told, {})[subscriber] = zone
        found += (Misled(told=told, clocks=clocks, people=those) for told, those in people.items())
    return tuple(found)


def last_of(database: Database, event: str, now_told: Mapping[str, ToldEvent]) -> tuple[int, int]:
    """Return the last broadcast that tells about an event, and the last that tells something else than `now_told`.

    A broadcast tells something else if its facts are others, or if it tells them on the clocks of another version of
    the time zone database. People who were misled got their last email by then. So the second number names a
    round of corrections: a correction leaves it as it is, and no one gets two in one round. It is 0 if there is none.
    """
    tellings = tellings_of(database, event)
    others = (each.broadcast for each in tellings if _tells_otherwise(each, now_told))
    return max((each.broadcast for each in tellings), default=0), max(others, default=0)


def _tells_otherwise(telling: Telling, now_told: Mapping[str, ToldEvent]) -> bool:
    told = telling.told
    new = now_told.get(told.language) or next(iter(now_told.values()))
    return told.key != new.key or telling.has_other_clocks


def is_right(told: ToldEvent, clocks: ToldClocks, zone: str, now_told: Mapping[str, ToldEvent]) -> bool:
    """Return whether readers in a zone, which is empty if it is not known, were told what is true now."""
    new = now_told.get(told.language) or next(iter(now_told.values()))
    said, true = ((each.first_day, each.last_day, each.walls, each.status) for each in (told, new))
    if said != true:
        return False
    if told.location != new.location and told.language == new.language:
        return False
    if told.times is None or new.times is None:
        return told.times is new.times
    is_same_moment = told.times.moments == new.times.moments
    if told.zone != new.zone and not is_same_moment:
        return False
    before, today = clocks(zone, told.times.moments), clock_today(zone, new.times.moments)
    if before is None or today is None or not _is_local(told, zone, before):
        # They read only the event's own clock. The city beside it is still true, but "PT" means another clock.
        return told.is_place or is_same_moment
    return walls_of(told.times, before) == walls_of(new.times, today)


def changed_events(database: Database, *, now: datetime) -> Iterator[ChangedEvent]:
    """Yield the events to come of which someone was told what a newer time zone database says is wrong."""
    newest: dict[str, ToldBefore] = {each.event: each for each in to_look_at(database, now=now)}
    for event, last in newest.items():
        told = last.told
        misled = told_otherwise(database, event, {told.language: as_of_today(told)})
        if people := sum(len(each.people) for each in misled):
            yield ChangedEvent(issue=last.issue, told=told, people=people)


def say_changed_clocks(database: Database, *, now: datetime, log: Log) -> None:
    """Log the events that need a correction, once for each version of the time zone database. Send nothing."""
    if not is_new_version(database):
        return
    for changed in changed_events(database, now=now):
        log(f"{changed.what}; {changed.remedy}")
    say_looked(database)


def notes_on_old_times(database: Database, *, now: datetime) -> Iterator[str]:
    """Yield a note for each scheduled broadcast whose content has a time that is no longer right."""
    said = set()
    for each in scheduled_tellings(database, now=now):
        told, number, clocks = each.told, each.broadcast, clocks_of(database, each.broadcast)
        if told.times is None or (number, each.event) in said:
            continue
        moments = told.times.moments
        if as_of_today(told).times != told.times or any(
            clock_today(zone, moments) != clocks(zone, moments) for zone in clocks.offsets
        ):
            said.add((number, each.event))
            yield (
                f"broadcast {number} is scheduled with an old time of “{told.title}”, because a time zone "
                f"changed its clocks; run `newsletter cancel {number}`, then send the issue again"
            )


def _is_local(told: ToldEvent, zone: str, offsets: tuple[int, ...]) -> bool:
    """Return whether readers in a zone were told a time on their own clock, or that it is the same as the event's."""
    if told.times is None or offsets == told.times.own_offsets:
        return True
    return local_time_in(told.times, zone, offsets) is not None
