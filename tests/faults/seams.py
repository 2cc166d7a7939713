"""A database and a provider as they are, that end their process at a moment which a test has named.

Nothing of what they do is changed: a process dies by SIGKILL, as it would from outside, only never a moment too late.
"""

import os
import signal
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Lock, local
from time import time
from types import TracebackType

from newsletter.model.broadcast import Outcome, OutgoingChunk, Verdict
from newsletter.providers.base import (
    UNRECORDED,
    Clock,
    MessageLog,
    Provider,
    ProviderFacts,
    Replies,
    Scheduler,
    Session,
    SuppressionLists,
)
from newsletter.store.database import Connection, Database, Runner
from newsletter.system.moments import text_of
from tests.faults.eventlog import EventLog


class Moment(StrEnum):
    """When a process dies."""

    BEFORE_TRANSACTION = "before a transaction"
    BEFORE_COMMIT = "before a commit"
    AFTER_COMMIT = "after a commit"
    BEFORE_SUBMIT = "before a request"
    AFTER_SUBMIT = "after the answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """The Nth time that a process comes to such a moment."""

    moment: Moment
    number: int


class Fate:
    """Counts the moments of this process, and ends it at the one that was named."""

    def __init__(self, death: Death | None, log: EventLog) -> None:
        self._death = death
        self._log = log
        self._seen: Counter[Moment] = Counter()
        self._lock = Lock()

    def reach(self, moment: Moment) -> None:
        """Such a moment has come."""
        with self._lock:
            self._seen[moment] += 1
            if self._death == Death(moment=moment, number=self._seen[moment]):
                self._log.write("dies", moment=moment, number=self._seen[moment])
                os.kill(os.getpid(), signal.SIGKILL)


class MortalDatabase:
    """A database whose process may die around its transactions."""

    def __init__(self, database: Database, fate: Fate, log: EventLog, *, most_pages: int | None) -> None:
        self._database = database
        self._most_pages = most_pages  # that SQLite's file may have
        self._fate = fate
        self._log = log
        self._thread = local()

    @property
    def last_began(self) -> float:
        """When this thread's last transaction began (epoch seconds). Before a request, that is its claim."""
        began: float = self._thread.began
        return began

    def __enter__(self) -> "MortalDatabase":
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the database."""
        self._database.close()

    @property
    def replies(self) -> Path | None:
        """As the database's own."""
        return self._database.replies

    def around(self, database: Database) -> "MortalDatabase":
        """Another connection of the same process, which may die around its transactions too."""
        other = MortalDatabase(database, self._fate, self._log, most_pages=self._most_pages)
        other._thread = self._thread
        return other

    def read(self) -> AbstractContextManager[Connection]:
        """As the database's own."""
        return self._database.read()

    def transaction(self) -> AbstractContextManager[Connection]:
        """As the database's own, if the process lives."""
        return self._mortal(self._database.transaction())

    def shared_transaction(self) -> AbstractContextManager[Connection]:
        """As the database's own, if the process lives."""
        return self._mortal(self._database.shared_transaction())

    def filling_transaction(self) -> AbstractContextManager[Connection]:
        """As the database's own, if the process lives."""
        return self._mortal(self._database.filling_transaction())

    def scrub(self) -> bool:
        """As the database's own."""
        return self._database.scrub()

    @contextmanager
    def runner(self) -> Iterator[Runner]:
        """As the database's own; the log learns which process it is."""
        with self._database.runner() as runner:
            self._log.write("runner", id=runner.id)
            yield runner

    def alive(self, runner_id: str) -> bool:
        """As the database's own."""
        return self._database.alive(runner_id)

    def interpreting(self) -> AbstractContextManager[None]:
        """As the database's own."""
        return self._database.interpreting()

    @contextmanager
    def _mortal(self, transaction: AbstractContextManager[Connection]) -> Iterator[Connection]:
        self._fate.reach(Moment.BEFORE_TRANSACTION)
        self._thread.began = time()
        with transaction as connection:
            if self._most_pages is not None:
                connection.execute(f"PRAGMA max_page_count = {self._most_pages}")
            yield connection
            self._fate.reach(Moment.BEFORE_COMMIT)
        self._fate.reach(Moment.AFTER_COMMIT)


class MortalProvider:
    """A provider with small chunks, whose process may die around its requests. Some find no server listening."""

    def __init__(
        self,
        provider: Provider,
        unreachable: Provider,
        *,
        chunk_size: int,
        unreachable_requests: frozenset[int],
        began: Callable[[], float],
        clock: Clock,
        bell: int | None,
        fate: Fate,
        log: EventLog,
    ) -> None:
        self.name = provider.name
        self.chunk_size = chunk_size
        self.concurrency = provider.concurrency
        self.notes_replies = provider.notes_replies
        self.scheduler: Scheduler | None = provider.scheduler
        self.message_log: MessageLog | None = provider.message_log
        self.suppression_lists: SuppressionLists | None = provider.suppression_lists
        self._provider = provider
        self._unreachable = unreachable
        self._unreachable_requests = unreachable_requests
        self._began = began  # when the transaction of a claim began
        self._clock = clock
        self._bell = bell  # the port at which each request is announced, if the provider has no server
        self._fate = fate
        self._log = log
        self._lock = Lock()
        self._requests = 0

    def describe(self) -> str:
        """As the provider's own."""
        return self._provider.describe()

    def examine(self, *, is_online: bool) -> ProviderFacts:
        """As the provider's own."""
        return self._provider.examine(is_online=is_online)

    @contextmanager
    def session(self) -> Iterator["MortalSession"]:
        """A session of the provider, and one that reaches no server, if that is planned."""
        elsewhere = self._unreachable if self._unreachable_requests else self._provider
        with self._provider.session() as session, elsewhere.session() as nowhere:
            yield MortalSession(self, session, nowhere)

    def submit(self, chunk: OutgoingChunk, session: Session, nowhere: Session, replies: Replies) -> Outcome:
        """Hands a chunk over, and writes into the log what this process knows of it."""
        with self._lock:
            self._requests += 1
            carrier = nowhere if self._requests in self._unreachable_requests else session
        emails = {each.delivery: each.email for each in chunk.recipients}
        facts = {"mailing": chunk.mailing.broadcast, "chunk": chunk.number, "attempt": chunk.attempt}
        now, is_held = text_of(self._clock()), chunk.hold_until is not None
        self._log.write("submits", **facts, began=self._began(), emails=list(emails.values()), now=now, is_held=is_held)
        self._fate.reach(Moment.BEFORE_SUBMIT)
        self._ring(b"about to write\n")
        outcome = carrier.submit(chunk, replies)
        self._ring(b"written\n")
        others = (outcome.deferred, outcome.blameless, outcome.doubted)
        named = outcome.unsent.union(outcome.invalid, *others)
        doubtful = emails.keys() - named if outcome.verdict is Verdict.UNKNOWN else outcome.uncertain
        self._log.write(
            "answered",
            **facts,
            verdict=outcome.verdict,
            next_step=outcome.next_step,
            reason=outcome.reason,
            invalid=len(outcome.invalid),
            unclear=[emails[each] for each in doubtful],
        )
        self._fate.reach(Moment.AFTER_SUBMIT)
        return outcome

    def _ring(self, words: bytes) -> None:
        """Announce a request, and wait until the run lets this process go on."""
        if self._bell is not None:
            with socket.create_connection(("127.0.0.1", self._bell)) as bell:
                bell.sendall(words)
                bell.recv(100)


class MortalSession:
    """What one thread hands its chunks to."""

    def __init__(self, provider: MortalProvider, session: Session, nowhere: Session) -> None:
        self._provider = provider
        self._session = session
        self._nowhere = nowhere

    def submit(self, chunk: OutgoingChunk, replies: Replies = UNRECORDED) -> Outcome:
        """Hands a chunk over."""
        return self._provider.submit(chunk, self._session, self._nowhere, replies)
