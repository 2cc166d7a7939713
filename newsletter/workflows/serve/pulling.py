"""Read the newsletter's mailbox while the service runs, so that bounces and complaints need no timer.

A thread does what `newsletter events pull` does, every few minutes. It is not the thread that sends, so a mail server
that does not answer keeps no email waiting. Every exchange with the server has a deadline (`timeout_seconds`).
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from threading import Event

from newsletter.config import Config
from newsletter.errors import NewsletterError
from newsletter.language.counts import count_of
from newsletter.providers.base import Clock, utc_now
from newsletter.store.database import Database
from newsletter.system.log import Log
from newsletter.system.signals import Interruption
from newsletter.workflows.events.import_ import MailTally
from newsletter.workflows.events.pull import pull_events, require_mailbox
from newsletter.workflows.serve.background import in_background

PULL_EVERY = timedelta(minutes=5)
_LONGEST = timedelta(minutes=10)  # of one look; what is left is read at the next one
_SECONDS_TO_END = 5.0  # an email that was not moved yet is read again, which changes nothing


def keep_pulling(
    config: Config,
    database: Database,
    environ: Mapping[str, str],
    *,
    interruption: Interruption,
    log: Log,
    report: Callable[[Exception], str],
    clock: Clock = utc_now,
) -> AbstractContextManager[None]:
    """Return what reads the mailbox of `[mailbox]` while its block runs, in a thread of its own.

    An error is logged once, and the next look tries again. `report` reports an unexpected one, and returns what to log.
    """
    pulling = Pulling(config, database, environ, log=log, report=report, clock=clock)
    return in_background(pulling.look, name="mailbox", interruption=interruption, seconds_to_end=_SECONDS_TO_END)


class Pulling:
    """What a look at the mailbox needs."""

    def __init__(
        self,
        config: Config,
        database: Database,
        environ: Mapping[str, str],
        *,
        log: Log,
        report: Callable[[Exception], str],
        clock: Clock,
    ) -> None:
        self._config, self._database, self._environ = config, database, environ
        self._log, self._report, self._clock = log, report, clock
        self._last_fault = ""

    def look(self, is_over: Event) -> timedelta:
        """Read the emails that are there. Return how long to wait until the next look."""
        begun, fault = self._clock(), ""

        def is_enough() -> bool:
            return is_over.is_set() or self._clock() - begun > _LONGEST

        try:
            tally = pull_events(self._config, self._database, self._environ, now=begun, is_enough=is_enough)
            self._say(tally)
        except NewsletterError as err:  # such as a server that does not answer
            fault = str(err)
        except Exception as err:
            fault = self._report(err)
        if fault and fault != self._last_fault:
            self._log(fault)
        self._last_fault = fault
        return PULL_EVERY

    def _say(self, tally: MailTally) -> None:
        if not tally.emails:
            return
        came, to_read = tally.ingested, tally.unclear + tally.nobody + tally.forged
        blocked = came.suppressed + came.worn_out
        self._log(f"{count_of(tally.emails, 'email')} in the mailbox were read", blocked=blocked, to_read=to_read)
        if to_read:
            self._log(f"someone should read the folder {require_mailbox(self._config).unclear} of the mailbox")


def reads_mailbox(config: Config) -> bool:
    """Return whether `[mailbox]` names a server."""
    return config.settings.mailbox is not None and config.settings.mailbox.host is not None
