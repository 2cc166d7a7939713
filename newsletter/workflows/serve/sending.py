"""Send what is due while the service runs, so that scheduled broadcasts need no timer.

A thread does what `newsletter run-due` does, every minute and when the next broadcast is due. Several services, workers
and timers may run at the same time: the ledger decides who sends what.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from threading import Event

from newsletter.config import Config
from newsletter.errors import NewsletterError
from newsletter.language.clock import show_utc
from newsletter.providers.base import Clock, utc_now
from newsletter.store.database import Database
from newsletter.system.log import Field, Log
from newsletter.system.signals import Interruption
from newsletter.workflows.send.awake import SERVICE
from newsletter.workflows.send.deliver import Listener
from newsletter.workflows.send.due import Opener
from newsletter.workflows.send.run_due import run_due
from newsletter.workflows.serve.background import in_background

LOOK_EVERY = timedelta(minutes=1)
_WORTH_SAYING = timedelta(minutes=1)  # shorter waits are frequent with a pace per second or minute


def keep_sending(
    config: Config,
    database: Database,
    opener: Opener,
    *,
    interruption: Interruption,
    log: Log,
    report: Callable[[Exception], str],
    wanted: Event | None = None,
    clock: Clock = utc_now,
) -> AbstractContextManager[None]:
    """Return what sends what is due while its block runs, in a thread of its own.

    A page sets `wanted` if someone has just asked for an email, so that it is sent at once.

    After `interruption` or at the end of the block, the thread stops after the email that it is sending, and waits a
    few seconds for the replies to those on their way. An error is logged, and the next look tries again. `report`
    reports an unexpected one, and returns what to log about it.
    """
    sending = _Sending(config, database, opener, interruption=interruption, log=_WithoutRepetition(log), clock=clock)
    return in_background(lambda _: sending.look(report), name="sending", interruption=interruption, wanted=wanted)


class _Sending:
    """What a look at the ledger needs."""

    def __init__(
        self,
        config: Config,
        database: Database,
        opener: Opener,
        *,
        interruption: Interruption,
        log: Log,
        clock: Clock,
    ) -> None:
        self._config = config
        self._database = database
        self._opener = opener
        self._interruption = interruption
        self._log = log
        self._clock = clock

    def look(self, report: Callable[[Exception], str]) -> timedelta:
        """Send what is due now. Return how long to wait until the next look."""
        try:
            next_at = self._send_due(self._interruption.new_stop)
        except NewsletterError as err:  # such as a database that cannot be reached for a while
            self._log(f"what is due could not be sent: {err}")
            return LOOK_EVERY
        except Exception as err:
            self._log(report(err))
            return LOOK_EVERY
        if next_at is None:
            return LOOK_EVERY
        return min(max(next_at - self._clock(), timedelta(seconds=1)), LOOK_EVERY)

    def _send_due(self, new_stop: Callable[[], Event]) -> datetime | None:
        """Send what is due now. Return when the next broadcast is due, as far as that is known."""
        listener = Listener(
            on_settled=lambda _: None,
            on_wait=self._say_waiting,
            on_note=self._log,
            is_asked=lambda: self._interruption.is_asked,
        )
        done = run_due(
            self._config,
            self._database,
            self._opener,
            listener=listener,
            new_stop=new_stop,
            clock=self._clock,
            log=self._log,
            command=SERVICE,
        )
        return min((each.found.until for each in done if each.found.until is not None), default=None)

    def _say_waiting(self, until: datetime, reason: str) -> None:
        if until - self._clock() > _WORTH_SAYING:
            self._log(f"sending waits until {show_utc(until)}: {reason}")


class _WithoutRepetition:
    """A log that leaves out a line that repeats the last one about the same broadcast."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._last: dict[Field, str] = {}

    def __call__(self, sentence: str, /, **fields: Field) -> None:
        """Write one line, unless the last one about this broadcast was the same."""
        about = fields.get("broadcast")
        if self._last.get(about) != sentence:
            self._last[about] = sentence
            self._log(sentence, **fields)
