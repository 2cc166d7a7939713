"""Send broadcasts in threads, while the process does something else, such as showing pages.

Everything that matters is in the ledger. If the process ends, what it was sending is finished and recorded, and the
rest waits for `newsletter resume`, like that of a terminal that was closed.
"""

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, Lock, Thread

from msgspec import Struct
from msgspec.structs import replace

from newsletter.config import Config
from newsletter.errors import NewsletterError
from newsletter.language.clock import say_moment
from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.providers.base import Provider
from newsletter.providers.registry import open_provider
from newsletter.store.database import Database
from newsletter.store.ledger.recall import say_run
from newsletter.store.opening import open_database
from newsletter.system.log import LOGS_FOLDER
from newsletter.system.report import report_fault
from newsletter.system.signals import Interruption
from newsletter.workflows.send.awake import stay_awake
from newsletter.workflows.send.deliver import Listener, deliver
from newsletter.workflows.send.grace import await_grace
from newsletter.workflows.send.schedule import PATIENCE
from newsletter.workflows.send.status import line_of

STUDIO = "studio"  # what ran last, in the ledger
_WORTH_TELLING = timedelta(seconds=20)  # limits per second or minute cause short waits all the time
_OPEN = frozenset({BroadcastState.SCHEDULED, BroadcastState.RUNNING, BroadcastState.PAUSED, BroadcastState.DONE})
_LEFT = frozenset({BroadcastState.SCHEDULED, BroadcastState.RUNNING, BroadcastState.WATCHING})
Opener = Callable[[Config], Provider]


class Trip(Struct, frozen=True, kw_only=True):
    """One broadcast that this process sends, and how that is going."""

    config: Config
    broadcast: int
    is_now: bool  # whether some of it is sent at once
    ahead: timedelta | None  # how far ahead email may be given to a provider that holds it; None: nothing is scheduled
    stays: bool  # whether this process also sends what is due later
    is_under_way: bool = True
    waits: str = ""  # until when and why sending waits
    advice: str = ""  # what a person should change
    failure: str = ""  # why sending stopped


class Courier:
    """Sends broadcasts, each in a thread of its own, until `end` is called. Any thread may call any method."""

    def __init__(self, opener: Opener = lambda config: open_provider(config, os.environ)) -> None:
        self._opener = opener
        self._interruption = Interruption()
        self._lock = Lock()
        self._trips: dict[int, Trip] = {}
        self._stops: dict[int, Event] = {}  # for each broadcast that is under way
        self._threads: list[Thread] = []

    def send(self, trip: Trip) -> None:
        """Begin to send a broadcast, unless this process already sends it, or is ending."""
        with self._lock:
            known = self._trips.get(trip.broadcast)
            if known is not None and known.is_under_way:
                return
            self._trips[trip.broadcast] = trip
            if self._interruption.is_asked:
                self._trips[trip.broadcast] = replace(trip, is_under_way=False)
                return
            self._stops[trip.broadcast] = self._interruption.new_stop()
            # Not a daemon: the interpreter waits for the thread, so that no request is cut off.
            thread = Thread(target=self._run, args=(trip,), name=f"broadcast-{trip.broadcast}")
            self._threads.append(thread)
        thread.start()

    def trip(self, broadcast_id: int) -> Trip | None:
        """Return what is known of a broadcast that this process sends or sent."""
        return self._trips.get(broadcast_id)

    def open_provider(self, config: Config) -> Provider:
        """Return the provider. Raise ProviderError if its secret is missing or invalid."""
        return self._opener(config)

    def new_stop(self) -> Event:
        """Return an event that is set when sending must end."""
        return self._interruption.new_stop()

    def halt(self, broadcast_id: int) -> None:
        """Stop sending one broadcast after the current email, because it is about to be canceled."""
        if stop := self._stops.get(broadcast_id):
            stop.set()

    def ask_to_end(self) -> None:
        """Ask all threads to stop after the email that each is sending. A handler of signals may call this."""
        self._interruption.ask()

    def end(self) -> None:
        """Stop sending. Wait until all replies have been recorded, but at most a few seconds for each."""
        self.ask_to_end()
        for thread in tuple(self._threads):
            thread.join()

    def left(self) -> tuple[tuple[Config, Broadcast], ...]:
        """Return the broadcasts that this process began to send and that still have emails waiting."""
        found = []
        for trip in tuple(self._trips.values()):
            with open_database(trip.config.database, workspace=trip.config.root) as database:
                line = line_of(database, trip.broadcast)
            if line.broadcast.state in _LEFT and line.tally.waiting:
                found.append((trip.config, line.broadcast))
        return tuple(found)

    def _run(self, trip: Trip) -> None:
        try:
            with open_database(trip.config.database, workspace=trip.config.root) as database:
                self._send(database, trip)
        except NewsletterError as err:
            self._note(trip, failure=str(err))
        except Exception as err:
            self._note(trip, failure=report_fault(err, trip.config.root / LOGS_FOLDER, command=sys.argv))
        finally:
            self._note(trip, is_under_way=False, waits="")

    def _send(self, database: Database, trip: Trip) -> None:
        """Send what is due now, and then what is due later if this process stays for that."""
        config, number, stop = trip.config, trip.broadcast, self._stops[trip.broadcast]
        if trip.stays:
            say_run(database, STUDIO, now=datetime.now(UTC))
        broadcast = await_grace(database, number, on_tick=lambda _left: None, stop=stop, cancels=False)
        if trip.is_now and broadcast.state in _OPEN and not stop.is_set():
            patience = PATIENCE if broadcast.is_scheduled else None
            provider, listener = self._opener(config), self._listener(trip)
            deliver(
                config, database, broadcast, provider, ahead=trip.ahead, listener=listener, stop=stop, patience=patience
            )
        if trip.stays:
            for done in stay_awake(
                config,
                database,
                number,
                lambda: self._opener(config),
                listener=self._listener(trip),
                new_stop=self._interruption.new_stop,
                command=STUDIO,
            ):
                if done.broadcast.id == number:
                    self._note(trip, failure=done.failure, waits="")

    def _listener(self, trip: Trip) -> Listener:
        def on_wait(until: datetime, reason: str) -> None:
            now = datetime.now(UTC)
            if until - now > _WORTH_TELLING:
                when = say_moment(until, trip.config.settings.newsletter.timezone, now=now)
                self._note(trip, waits=f"Sending continues {when}: {reason}")

        return Listener(
            on_settled=lambda _: self._note(trip, waits=""),
            on_wait=on_wait,
            on_note=lambda words: self._note(trip, advice=words),
            is_asked=lambda: self._interruption.is_asked,
        )

    def _note(self, trip: Trip, **changes: object) -> None:
        with self._lock:
            self._trips[trip.broadcast] = replace(self._trips[trip.broadcast], **changes)
