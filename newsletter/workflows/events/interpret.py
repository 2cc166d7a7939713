"""Interpret saved posts: take in their events, and tell the reviewers what happened to the account.

A post that was saved but not interpreted, for example because the machine lost power, is interpreted at the next start.
Interpreting a post again changes nothing.
"""

import re
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from newsletter.config import Config
from newsletter.errors import NewsletterError
from newsletter.providers.base import Clock, utc_now
from newsletter.providers.sendgrid.events import events_in
from newsletter.store.database import Database
from newsletter.store.events import doubted_broadcasts, evidence_of
from newsletter.store.ledger.broadcasts import list_broadcasts, pause_broadcast
from newsletter.store.ledger.resolve import prove_taken
from newsletter.store.notices import notice_failure
from newsletter.store.posts import Post, count_waiting_posts, set_interpreted, waiting_posts
from newsletter.system.log import Log, no_log
from newsletter.workflows.events.ingest import Ingested, count_soft_bounces, ingest
from newsletter.workflows.events.judge import judge_reactions
from newsletter.workflows.events.receive import SENDGRID

# States of an account that can send. Any other word, also an unknown one, is taken as one that cannot.
_WORKS_AGAIN = re.compile(r"(?:^|_)(?:(?:re)?activated?|active|reinstated?|unsuspend(?:ed)?)$", re.IGNORECASE)
_AT_ONCE = 200  # posts; SendGrid puts at most 768 KB in one
_SECONDS_BETWEEN = 1.0
_SECONDS_AFTER_FAILURE = 30.0
_SECONDS_BETWEEN_TIDYING = 60.0


def interpret_posts(config: Config, database: Database, *, now: datetime, log: Log = no_log) -> Ingested | None:
    """Interpret the oldest posts that wait. Return what came of them, or None if none waited.

    Several services may share a database. They take turns, so none interprets what another is interpreting. A post that
    cannot be interpreted is set aside with the reason, and keeps no other from being interpreted. Raise StoreError if
    the database cannot be used.
    """
    if not count_waiting_posts(database):
        return None
    with database.interpreting():
        posts = waiting_posts(database, most=_AT_ONCE)
        try:
            return _interpret(config, database, posts, now=now) if posts else None
        except NewsletterError:
            raise
        except Exception:
            return _interpret_each(config, database, posts, now=now, log=log)


def _interpret_each(config: Config, database: Database, posts: Sequence[Post], *, now: datetime, log: Log) -> Ingested:
    """Interpret posts one by one, because something in one of them is not as expected."""
    total = Ingested()
    for post in posts:
        try:
            total += _interpret(config, database, [post], now=now)
        except NewsletterError:
            raise
        except Exception as err:
            set_interpreted(database, [post], failure=f"{type(err).__name__}: {err}", now=now)
            log("a post of events could not be interpreted", post=post.id, error=type(err).__name__)
    return total


def _interpret(config: Config, database: Database, posts: Sequence[Post], *, now: datetime) -> Ingested:
    found = events_in([entry for post in posts for entry in post.entries])
    total = ingest(config, database, found.events, now=now, tidies=False)
    for state in sorted(set(found.account)):
        _note_account(database, state, now=now)
    set_interpreted(database, posts, now=now)
    return total


def _note_account(database: Database, state: str, *, now: datetime) -> None:
    """Tell the reviewers that the account changed. Unless it works again, pause what SendGrid has not accepted yet."""
    told = f"SendGrid has changed the state of your account to {state}; look at SendGrid's website"
    tell_reviewers(database, told, now=now)
    if not _WORKS_AGAIN.search(state):
        for broadcast in list_broadcasts(database):
            if broadcast.provider == SENDGRID:
                pause_broadcast(database, broadcast.id, told, now=now)


def tell_reviewers(database: Database, what: str, *, now: datetime) -> None:
    """Let the reviewers be told by email. A notice belongs to a broadcast, here to the last one."""
    for broadcast in list_broadcasts(database)[:1]:
        notice_failure(database, broadcast, what, now=now)


def settle_doubts(database: Database, *, now: datetime) -> int:
    """Mark batches as accepted that came into doubt after events about them had arrived. Return their number.

    A batch that a process was sending when it ended comes into doubt only when another process notices.
    """
    return sum(
        prove_taken(database, broadcast, found.chunk, found.attempt, evidence=found.words, now=now)
        for broadcast in doubted_broadcasts(database)
        for found in evidence_of(database, broadcast)
    )


class Interpreter:
    """A thread that interprets posts soon after they are saved.

    Once a minute, it also settles batches that are in doubt, counts soft bounces, and judges opens and clicks.
    """

    def __init__(
        self,
        config: Config,
        database: Database,
        *,
        clock: Clock = utc_now,
        log: Log = no_log,
        seconds_between: float = _SECONDS_BETWEEN,
    ) -> None:
        self._config = config
        self._database = database
        self._clock = clock
        self._log = log
        self._seconds_between = seconds_between
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="interpreter", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        pause = 0.0
        tidied_at = None
        while not self._over.wait(pause):
            began = time.monotonic()
            try:
                found = interpret_posts(self._config, self._database, now=self._clock(), log=self._log)
                # At most a fifth of the time is spent on this, so that posts are still answered fast.
                pause = self._seconds_between if found is None else 4 * (time.monotonic() - began)
                if tidied_at is None or began - tidied_at > _SECONDS_BETWEEN_TIDYING:
                    settle_doubts(self._database, now=self._clock())
                    count_soft_bounces(self._config, self._database, now=self._clock())
                    judge_reactions(self._database, now=self._clock())
                    tidied_at = began
            except Exception as err:
                self._log("events could not be interpreted for now", reason=str(err), error=type(err).__name__)
                pause = _SECONDS_AFTER_FAILURE
