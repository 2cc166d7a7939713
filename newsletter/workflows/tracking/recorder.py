"""Record opens and clicks after they have been answered, many in one transaction."""

import time
from collections import Counter, deque
from datetime import datetime
from threading import Lock
from typing import Self

from msgspec import Struct

from newsletter.config import Config
from newsletter.errors import StoreError
from newsletter.model.event import BroadcastKey, CountedEvent, Event, EventType
from newsletter.model.machines import MachineVerdict, verdict_of
from newsletter.model.readership import TrackingMode
from newsletter.model.tracked_address import TrackedAddress, is_picture
from newsletter.model.tracking import CANARY
from newsletter.providers.base import Clock, utc_now
from newsletter.store.database import Database
from newsletter.store.events import add_totals
from newsletter.store.tracking import FoundLink
from newsletter.system.log import Log, no_log
from newsletter.workflows.events.ingest import ingest

_MOST_WAITING = 50_000  # while the database cannot be written; then the oldest are lost
_MOST_AT_ONCE = 2_000
_SECONDS_BETWEEN = (1.0, 3.0, 0.0)  # attempts at the end, if the database cannot be written


class TrackedVisit(Struct, frozen=True, kw_only=True):
    """A request for a tracked link or picture. Only what it shows about machines is taken from it."""

    agent: str
    client: str  # the IP address
    method: str
    purpose: str  # why a browser asks before anyone clicks


def reaction_of(
    config: Config, address: TrackedAddress, found: FoundLink, visit: TrackedVisit, *, now: datetime
) -> Event | CountedEvent | None:
    """Return what may be recorded of a visit, or None if nothing may be. The agent and the address are left out."""
    is_click = not is_picture(address.number)
    type_ = EventType.CLICKED if is_click else EventType.OPENED
    verdict = verdict_of(
        visit.agent,
        visit.client,
        method=visit.method,
        purpose=visit.purpose,
        is_click=is_click,
        networks=config.settings.tracking.machine_networks,
    )
    if is_click and found.target == CANARY:
        verdict = MachineVerdict.CANARY
    if found.mode is TrackingMode.TOTALS:
        return CountedEvent(
            BroadcastKey(address.broadcast, found.nonce), type_, verdict.value, found.target, found.version
        )
    if not found.is_consented:
        return None
    return Event(
        at=now.replace(microsecond=0),
        type=type_,
        broadcast=address.broadcast,
        nonce=found.nonce,
        subscriber=address.subscriber,
        url=found.target,
        url_offset=address.number if is_click else -1,
        verdict=verdict.value,
    )


class Recorder:
    """Saves what has been noted. The first caller of `save` saves for all others, so few transactions are needed.

    At the end of its block, everything that was noted is saved.
    """

    def __init__(self, config: Config, database: Database, *, log: Log = no_log, clock: Clock = utc_now) -> None:
        self._config = config
        self._database = database
        self._log = log
        self._clock = clock
        self._waiting: deque[Event | CountedEvent] = deque(maxlen=_MOST_WAITING)
        self._saving = Lock()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Save the rest. Try again for a few seconds if the database cannot be written, and log what is lost."""
        for seconds in _SECONDS_BETWEEN:
            with self._saving:
                pass  # what another thread has taken is saved, or is here again
            self.save(self._clock())
            if not self._waiting:
                return
            time.sleep(seconds)
        self._log("opens and clicks could not be saved, and are not counted", lost=len(self._waiting))

    def note(self, reaction: Event | CountedEvent) -> None:
        """Take something in, to be saved soon."""
        self._waiting.append(reaction)

    def save(self, now: datetime) -> None:
        """Save everything that was noted. If the database cannot be written, keep it for the next time."""
        while self._waiting:  # looked at again after each release, for what was noted just before it
            if not self._saving.acquire(blocking=False):
                return
            try:
                some = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST_AT_ONCE))]
                self._save(some, now=now)
            except StoreError:
                self._waiting.extendleft(reversed(some))
                return
            finally:
                self._saving.release()

    def _save(self, reactions: list[Event | CountedEvent], *, now: datetime) -> None:
        events = [each for each in reactions if isinstance(each, Event)]
        totals = Counter(each for each in reactions if isinstance(each, CountedEvent))
        if events:
            ingest(self._config, self._database, events, now=now)
        if totals:
            with self._database.transaction() as connection:
                add_totals(connection, totals)
