"""The work of a worker: find the broadcasts in the ledger that are due, and send the deliveries of one of them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.language.clock import show_utc
from newsletter.language.counts import count_of
from newsletter.model.broadcast import Broadcast, BroadcastState
from newsletter.providers.base import Provider
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import list_broadcasts, require_broadcast
from newsletter.store.ledger.recall import say_run
from newsletter.store.ledger.status import in_words, tally_of
from newsletter.store.notices import notice_failure
from newsletter.store.opening import open_database
from newsletter.system.log import Log
from newsletter.workflows.purge import purge_daily
from newsletter.workflows.send.carry_out import Work, carry_out, ending_of, name_of
from newsletter.workflows.send.deliver import Listener
from newsletter.workflows.send.due import DOES_SOMETHING, Due, DueBroadcast, judge
from newsletter.workflows.send.newcomers import queue_answers
from newsletter.workflows.send.notices import tell_reviewers
from newsletter.workflows.send.plan import require_same_provider
from newsletter.workflows.send.recall_due import recall_due
from newsletter.workflows.send.recover import recover

_OPEN = frozenset({BroadcastState.SCHEDULED, BroadcastState.RUNNING, BroadcastState.CANCELLING})
_WORTH_SAYING = timedelta(minutes=1)  # shorter waits are frequent with a pace per second or minute
_SAY_RUN_EVERY = timedelta(minutes=1)
_LOOK_AGAIN_AFTER = timedelta(minutes=10)  # because the broadcast may be canceled by then, or its process may die


class Drains:
    """The work of one worker. The provider is opened only once.

    The database is opened again for each piece of work, so that the worker survives an outage of the database.
    """

    def __init__(self, config: Config, provider: Provider, log: Log) -> None:
        self._config = config
        self._provider = provider
        self._log = log
        self._last_said: dict[int, str] = {}  # broadcast → last log line, so that no line is repeated
        self._waits: dict[int, datetime] = {}  # broadcast → the end of its current wait
        self._said_run_at: datetime | None = None

    def due(self) -> tuple[int, ...]:
        """Return the numbers of the broadcasts that need work now, the oldest first.

        Unlike in `run-due`, unscheduled broadcasts are included while they run. Before that, the email for people who
        join is put in the ledger, and once a day, data that is too old is deleted. Raise StoreError if the database
        cannot be used.
        """
        with open_database(self._config.database, workspace=self._config.root) as database:
            self._say_run(database)
            queue_answers(self._config, database, now=datetime.now(UTC), log=self._log)
            found = [self._judge(database, each) for each in reversed(list_broadcasts(database)) if _needs_work(each)]
            for each in found:
                if each.due is Due.REFUSE:
                    self._say(each.broadcast, f"skipped: {each.reason}")
                    if each.broadcast.is_scheduled:
                        notice_failure(database, each.broadcast, each.reason, now=datetime.now(UTC))
        # A wait applies only to sending. A cancellation must not wait: every minute counts.
        return tuple(
            each.broadcast.id
            for each in found
            if each.due in DOES_SOMETHING and not (each.due is Due.HAND_OVER and self._is_waiting(each.broadcast.id))
        )

    def recall(self, *, is_asked: Callable[[], bool] = lambda: False) -> None:
        """Recall the email of people who left, and send it again to the others.

        That is not left to the jobs, because there is little time for it and they can take hours. Raise StoreError if
        the database cannot be used.
        """

        def new_stop() -> Event:
            stop = Event()
            if is_asked():
                stop.set()
            return stop

        listener = Listener(on_settled=lambda _: None, on_wait=lambda *_: None, is_asked=is_asked)
        with open_database(self._config.database, workspace=self._config.root) as database:
            work = self._work(database, listener, new_stop=new_stop)
            for done in recall_due(work):
                if done.is_news:
                    self._say(done.broadcast, done.failure or ending_of(done, done.handed_over))

    def tell(self) -> None:
        """Email the reviewers what they should know. Raise StoreError if the database cannot be used."""
        with open_database(self._config.database, workspace=self._config.root) as database:
            tell_reviewers(self._config, database, lambda: self._provider, now=datetime.now(UTC), log=self._log)

    def work_on(
        self,
        broadcast_id: int,
        *,
        call_others: Callable[[], None],
        stop: Event,
        is_asked: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Do the work that a broadcast needs. Return False if nothing was sent, for example because others were faster.

        First, requests of a dead process become unknown. If there is work to share, `call_others` is called before
        sending starts. `stop` ends the work early, and `is_asked` says whether someone asked for that, as in
        `drain_broadcast`. Raise StoreError if the database cannot be used.
        """
        with open_database(self._config.database, workspace=self._config.root) as database:
            try:
                broadcast = require_broadcast(database, broadcast_id)
            except InputError:  # a job from before the database was restored
                return False
            if lost := recover(database, broadcast_id, now=datetime.now(UTC)):
                remedy = f"run `newsletter resolve {broadcast_id}`"
                self._say(broadcast, f"{count_of(lost, 'request')} of a process that died became unconfirmed; {remedy}")
            if not _needs_work(broadcast):
                return False
            found = self._judge(database, broadcast)
            if found.due not in DOES_SOMETHING:
                return False
            if found.due is Due.HAND_OVER and found.tally.waiting and not self._is_waiting(broadcast_id):
                call_others()
                self._say(broadcast, f"begins: {in_words(found.tally)}")
            return self._carry_out(database, found, stop=stop, is_asked=is_asked)

    def _work(self, database: Database, listener: Listener, *, new_stop: Callable[[], Event] = Event) -> Work:
        return Work(
            config=self._config,
            database=database,
            opened=lambda: self._provider,
            listener=listener,
            new_stop=new_stop,
        )

    def _say_run(self, database: Database) -> None:
        now = datetime.now(UTC)
        if self._said_run_at is None or now - self._said_run_at > _SAY_RUN_EVERY:
            say_run(database, "worker", now=now)
            purge_daily(self._config, database, now=now, log=self._log)
            self._said_run_at = now

    def _judge(self, database: Database, broadcast: Broadcast) -> DueBroadcast:
        try:
            require_same_provider(broadcast, self._provider.name)
        except InputError as err:
            tally = tally_of(database, broadcast.id)
            return DueBroadcast(broadcast=broadcast, tally=tally, due=Due.REFUSE, reason=str(err))
        return judge(self._config, database, broadcast, lambda: self._provider, now=datetime.now(UTC))

    def _carry_out(self, database: Database, found: DueBroadcast, *, stop: Event, is_asked: Callable[[], bool]) -> bool:
        settled = 0

        def on_settled(more: int) -> None:
            nonlocal settled
            settled += more

        def on_wait(until: datetime, reason: str) -> None:
            now = datetime.now(UTC)
            self._waits[found.broadcast.id] = min(until, now + _LOOK_AGAIN_AFTER)
            if until - now > _WORTH_SAYING:
                self._say(found.broadcast, f"waits until {show_utc(until)}: {reason}")

        def on_note(words: str) -> None:
            self._say(found.broadcast, words)

        listener = Listener(on_settled=on_settled, on_wait=on_wait, on_note=on_note, is_asked=is_asked)
        done = carry_out(self._work(database, listener), found, stop=stop)
        if done.failure:
            self._say(done.broadcast, done.failure)
        elif settled or done.broadcast.state is not found.broadcast.state:
            self._say(done.broadcast, ending_of(done, settled))
        return bool(settled)

    def _is_waiting(self, broadcast_id: int) -> bool:
        until = self._waits.get(broadcast_id)
        return until is not None and until > datetime.now(UTC)

    def _say(self, broadcast: Broadcast, words: str) -> None:
        """Log a line about a broadcast, unless it repeats the last one."""
        if self._last_said.get(broadcast.id) != words:
            self._last_said[broadcast.id] = words
            self._log(f"{name_of(broadcast)} {words}", broadcast=broadcast.id, state=broadcast.state.value)


def _needs_work(broadcast: Broadcast) -> bool:
    return broadcast.state in _OPEN or broadcast.continues_at is not None
