"""What an email tells about an event, kept so that exactly those who were told something else can be corrected."""

from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b

from msgspec import Struct, json

from newsletter.model.slots import LocalTimes


class ToldEvent(Struct, frozen=True, kw_only=True):
    """The facts of an event as one variant tells them."""

    event: str  # its id
    title: str
    language: str
    shown: str  # its days, times and zone, as they are written in this language
    zone: str  # an IANA name
    first_day: date
    last_day: date
    times: LocalTimes | None  # None for whole days
    is_place: bool  # whether the times are labeled with the zone's city; any other label tells a difference from UTC
    location: str = ""
    status: str = ""  # `canceled` or `postponed`

    @property
    def walls(self) -> tuple[datetime, ...]:
        """Return what the clocks of the event's zone show at each start and end, without a zone."""
        return () if self.times is None else walls_of(self.times, self.times.own_offsets)

    @property
    def over_at(self) -> datetime:
        """Return when it is over. Whole days are over when they are everywhere on Earth."""
        if self.times is not None:
            return datetime.fromtimestamp(self.times.moments[-1], UTC)
        return datetime.combine(self.last_day, time.max, UTC) + timedelta(hours=12)

    @property
    def key(self) -> str:
        """Return a digest of when and where it takes place, and whether it does."""
        moments = None if self.times is None else (self.times.occurrences, self.times.own_offsets)
        told = json.encode((self.event, self.zone, self.first_day, self.last_day, moments, self.location, self.status))
        return blake2b(told, digest_size=8).hexdigest()


def walls_of(times: LocalTimes, offsets: tuple[int, ...]) -> tuple[datetime, ...]:
    """Return what clocks with these differences from UTC show at each start and end, without a zone."""
    return tuple(
        datetime.fromtimestamp(moment + offset, UTC).replace(tzinfo=None)
        for moment, offset in zip(times.moments, offsets, strict=True)
    )
