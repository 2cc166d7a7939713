"""What a broadcast tells about events, the clocks by which it tells it, and the zones of its readers."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import available_timezones

import orjson
from msgspec import Struct, field, json

from newsletter import ZONE_DATABASES
from newsletter.errors import InputError
from newsletter.language.local_times import clock_today
from newsletter.model.rendered import RenderedVariant
from newsletter.model.told import ToldEvent
from newsletter.store.database import Connection, Database
from newsletter.store.queries import change, query_all, query_one, query_value
from newsletter.system.moments import text_of


class ToldClocks(Struct, kw_only=True):
    """The differences from UTC in every zone at every moment that a broadcast names, in seconds."""

    moments: tuple[int, ...] = ()
    offsets: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def __call__(self, zone: str, moments: tuple[int, ...]) -> tuple[int, ...] | None:
        """Return the differences in a zone as the broadcast tells them, or today's if it does not know them."""
        offsets = self.offsets.get(zone)
        if offsets is None or not set(self.moments).issuperset(moments):
            return clock_today(zone, moments)
        told = dict(zip(self.moments, offsets, strict=True))
        return tuple(told[moment] for moment in moments)

    def with_moments(self, moments: Iterable[int]) -> "ToldClocks":
        """Return these clocks with more moments, by the time zone database in use."""
        new = tuple(sorted(set(moments) - set(self.moments)))
        zones = self.offsets or dict.fromkeys(sorted(available_timezones()), ())
        return ToldClocks(
            moments=self.moments + new,
            offsets={zone: known + (clock_today(zone, new) or ()) for zone, known in zones.items()},
        )


class Telling(NamedTuple):
    """What one variant of a broadcast tells about an event."""

    broadcast: int
    variant: int
    is_correction: bool
    has_other_clocks: bool  # it was told by another version of the time zone database than the one in use
    facts: str

    @property
    def told(self) -> ToldEvent:
        """Return the facts."""
        return json.decode(self.facts, type=ToldEvent)


class ToldPerson(NamedTuple):
    """A recipient, the variant, and whether the email was sent, or may have been. Otherwise it is still to be sent."""

    subscriber: int
    variant: int
    is_sent: bool


class ToldBefore(NamedTuple):
    """An event to come, as a broadcast told it, or will tell it."""

    broadcast: int
    event: str
    issue: str
    facts: str

    @property
    def told(self) -> ToldEvent:
        """Return the facts."""
        return json.decode(self.facts, type=ToldEvent)


_ADD_EVENT = change("told", "add_event")
_KEEP_CLOCKS = change("told", "keep_clocks")
_CLOCKS = query_one("told", "clocks", bytes)
_ADD_ZONES = change("told", "add_zones")
_TELLINGS = query_all("told", "tellings", Telling)
_LAST_TELLING = query_value("told", "last_telling", int)
_ZONES = query_all("told", "zones", str)
_TOLD_PEOPLE = query_all("told", "told_people", ToldPerson)
_TO_LOOK_AT = query_all("told", "to_look_at", ToldBefore)
_IS_NEW = query_value("told", "is_new", bool)
_SAY_LOOKED = change("told", "say_looked")
_SCHEDULED = query_all("told", "scheduled", ToldBefore)


def keep_told(connection: Connection, broadcast_id: int, variants: Mapping[int, RenderedVariant]) -> None:
    """Save what these variants of a broadcast tell about events, and the clocks by which they will be told."""
    rows = [
        {
            "broadcast": broadcast_id,
            "variant": number,
            "event": told.event,
            "ends_at": text_of(told.over_at),
            "facts": json.encode(told).decode(),
        }
        for number, variant in variants.items()
        for told in variant.told
    ]
    if not rows:
        return
    _ADD_EVENT.for_each(connection, rows)
    times = [told.times for variant in variants.values() for told in variant.told if told.times is not None]
    moments = {moment for each in times for moment in each.moments}
    if not moments:
        return
    saved = _CLOCKS(connection, broadcast=broadcast_id)
    clocks = (_clocks(saved) if saved else ToldClocks()).with_moments(moments)
    content = zlib.compress(json.encode(clocks))
    _KEEP_CLOCKS(connection, broadcast=broadcast_id, zones_version=ZONE_DATABASES.used, content=content)


def clocks_of(database: Database, broadcast_id: int) -> ToldClocks:
    """Return the clocks by which a broadcast tells local times. They are today's if it tells none."""
    saved = _CLOCKS.ask(database, broadcast=broadcast_id)
    return _clocks(saved) if saved else ToldClocks()


def keep_zones(
    connection: Connection, *, broadcast: int, chunk: int, attempt: int, people: Sequence[int], zones: Sequence[str]
) -> None:
    """Save the zones of the people in a chunk that is about to be sent."""
    found: dict[str, list[int]] = {}
    for person, zone in zip(people, zones, strict=True):
        found.setdefault(zone, []).append(person)
    _ADD_ZONES(connection, broadcast=broadcast, chunk=chunk, attempt=attempt, zones=orjson.dumps(found).decode())


def tellings_of(database: Database, event: str) -> tuple[Telling, ...]:
    """Return what every broadcast tells about an event, the earliest first."""
    return _TELLINGS.ask(database, event=event, zones_version=ZONE_DATABASES.used)


def require_last_telling(connection: Connection, event: str, broadcast_id: int) -> None:
    """Raise InputError if a broadcast after this one tells about an event."""
    if _LAST_TELLING(connection, event=event) != broadcast_id:
        raise InputError(
            "another email about this event was started in the meantime, so nothing was sent; run the command again"
        )


def zones_of(database: Database, broadcast_id: int) -> dict[int, str]:
    """Return the zone that each recipient of a broadcast had when their email was sent."""
    zones: dict[int, str] = {}
    for text in _ZONES.ask(database, broadcast=broadcast_id):
        for zone, people in orjson.loads(text).items():
            zones |= dict.fromkeys(people, zone)
    return zones


def people_told(database: Database, broadcast_id: int) -> tuple[ToldPerson, ...]:
    """Return the recipients of a broadcast who got their email, may have got it, or are still to get it."""
    return _TOLD_PEOPLE.ask(database, broadcast=broadcast_id)


def to_look_at(database: Database, *, now: datetime) -> tuple[ToldBefore, ...]:
    """Return the events to come that were told by another version of the time zone database than the one in use."""
    return _TO_LOOK_AT.ask(database, now=text_of(now), zones_version=ZONE_DATABASES.used)


def is_new_version(database: Database) -> bool:
    """Return whether `say_looked` was not called yet with the version of the time zone database in use."""
    return bool(_IS_NEW.ask(database, zones_version=ZONE_DATABASES.used))


def say_looked(database: Database) -> None:
    """Note that all clocks have been compared with the version of the time zone database in use."""
    with database.transaction() as connection:
        _SAY_LOOKED(connection, zones_version=ZONE_DATABASES.used)


def scheduled_tellings(database: Database, *, now: datetime) -> tuple[ToldBefore, ...]:
    """Return what scheduled broadcasts will tell about events to come."""
    return _SCHEDULED.ask(database, now=text_of(now))


def _clocks(content: bytes) -> ToldClocks:
    return json.decode(zlib.decompress(content), type=ToldClocks)
