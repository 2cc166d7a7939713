"""Email that the provider holds does not reach people who left: it is recalled once, and sent again to the others."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Event

import pytest

from newsletter.config import Config, load_config
from newsletter.errors import ProviderError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import Broadcast, BroadcastState, Outcome, OutgoingChunk, Schedule
from newsletter.model.ledger import BatchState, Entry
from newsletter.providers.base import UNRECORDED, Provider, Replies, Scheduler
from newsletter.providers.sendgrid import provider as sendgrid
from newsletter.providers.sendgrid.provider import SendGridSession, open_provider
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import pause_broadcast, require_broadcast
from newsletter.store.ledger.freeze import freeze_broadcast
from newsletter.store.ledger.journal import journal_of
from newsletter.store.ledger.recall import batches_of, last_run
from newsletter.store.ledger.status import tally_of
from newsletter.store.suppressions import add_suppression, remove_suppression
from newsletter.workflows.send import recall_due
from newsletter.workflows.send.cancel import cancel_broadcast
from newsletter.workflows.send.carry_out import DoneBroadcast, Work
from newsletter.workflows.send.deliver import Listener
from newsletter.workflows.send.due import Due
from newsletter.workflows.send.recall import StillHeld, holds_for_later, still_held
from newsletter.workflows.send.run_due import look_at_due, run_due
from tests.fakes.sendgrid_api import Answer, Fault, SendGridApi
from tests.postgresql import PostgresServer
from tests.store.builders import KEY, add, add_people, forget, id_of, request, row, variant
from tests.store.empty_file import open_test_database
from tests.workflows.send.scheduled import DEAF, SetClock
from tests.workspaces import CONFIG, write_workspace

WITHOUT_REVIEWERS = CONFIG[: CONFIG.index("[reviewers]")]  # so that nothing but the broadcast is sent
T = datetime.fromisoformat("2026-02-19T16:00:00Z")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PEOPLE = 25
ANA, BEN, EVA = (f"person{number:05}@example.org" for number in (0, 11, 24))  # each in a batch of ten of their own
SPOTS = ("Pacific/Auckland", "Asia/Tokyo", "Asia/Kolkata", "Europe/Paris", "America/New_York", "America/Los_Angeles")


class World:
    """A workspace that sends through the stand-in for SendGrid, both with a clock that the test sets."""

    def __init__(self, api: SendGridApi, config: Config, database: Database) -> None:
        self.api, self.config, self.database, self.clock = api, config, database, SetClock(T - 5 * HOUR)
        self.provider = self.opened()

    def opened(self) -> Provider:
        return open_provider(self.config, {"SENDGRID_API_KEY": self.api.api_key}, self.clock)

    def freeze(self, *, due: datetime = T, topics: tuple[str, ...] = (), is_local_time: bool = False) -> Broadcast:
        schedule = Schedule(wall_time=due.replace(tzinfo=None), zone="UTC", is_local_time=is_local_time)
        asked = request(schedule=schedule, provider="sendgrid", topics=topics)
        return freeze_broadcast(self.database, asked, [variant()], chunk_size=10, now=self.clock.now)

    def run(self, now: datetime) -> list[DoneBroadcast]:
        self.clock.now = self.api.now = now
        opener = lambda: self.provider  # noqa: E731
        return list(run_due(self.config, self.database, opener, listener=DEAF, new_stop=Event, clock=self.clock))

    def leave(self, email: str, *, topic: str = "") -> None:
        reason = SuppressionReason.UNSUBSCRIBED
        add_suppression(self.database, email, reason, topic=topic, key=KEY, now=self.clock.now)

    def got_it(self) -> Counter[str]:
        """How often each person is emailed in the end."""
        return Counter(mail.email for mail in self.api.delivered(T + 72 * HOUR))

    def held(self, only: list[str] | None = None) -> tuple[StillHeld, ...]:
        ids = None if only is None else [id_of(self.database, email) for email in only]
        return still_held(self.database, now=self.clock.now, most_cancelled=10, only=ids)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(engine: str, request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """A function that returns the URL of a new, empty database."""
    if engine == "sqlite":
        numbers = count()
        yield lambda: f"sqlite:///{next(numbers)}.db"
        return
    server: PostgresServer = request.getfixturevalue("postgresql_server")
    lent: list[str] = []

    def lend() -> str:
        lent.append(server.lend_database())
        return lent[-1]

    yield lend
    for each in lent:
        server.take_back(each)


def world_at(url: str, folder: Path, api: SendGridApi, *, lead_minutes: int = 60) -> World:
    folder.mkdir(exist_ok=True)
    text = (
        f'{WITHOUT_REVIEWERS}\n[database]\nurl = "{url}"\n[delivery]\nlead_minutes = {lead_minutes}\n'
        f'[provider]\nuse = "sendgrid"\n[provider.sendgrid]\napi_url = "{api.url}"\nconcurrency = 1\n'
    )
    config = load_config(write_workspace(folder, {"newsletter.toml": text}))
    api.now = T - 5 * HOUR
    return World(api, config, open_test_database(config.database))


@pytest.fixture
def api() -> Iterator[SendGridApi]:
    with SendGridApi() as running:
        yield running


@pytest.fixture
def world(url: Callable[[], str], tmp_path: Path, api: SendGridApi) -> Iterator[World]:
    """A world with 25 people, in three chunks of a broadcast."""
    made = world_at(url(), tmp_path, api)
    with made.database:
        add_people(made.database, PEOPLE)
        yield made


def hand_over(world: World, *, topics: tuple[str, ...] = ()) -> Broadcast:
    """A broadcast that SendGrid holds since an hour before its time."""
    broadcast = world.freeze(topics=topics)
    world.run(T - HOUR)
    assert tally_of(world.database, broadcast.id).accepted == PEOPLE
    return broadcast


def test_nobody_is_mailed_who_left_while_the_provider_held_the_email(world: World) -> None:
    broadcast = hand_over(world)
    world.leave(ANA)
    world.leave(EVA)

    assert world.run(T - 21 * MINUTE) == []  # those who leave are gathered
    recalled, again = world.run(T - 20 * MINUTE)

    assert (recalled.found.due, recalled.recalled, recalled.failure) == (Due.RECALL, PEOPLE, "")
    assert (again.tally.accepted, again.tally.excluded, again.broadcast.state) == (23, 2, BroadcastState.DONE)
    assert world.got_it() == Counter(f"person{n:05}@example.org" for n in range(PEOPLE)) - Counter([ANA, EVA])
    assert tally_of(world.database, broadcast.id).adds_up
    assert Entry.RECALLED in [entry.entry for entry in journal_of(world.database, broadcast.id)]


def test_email_in_which_nobody_left_stays_where_it_is(world: World) -> None:
    hand_over(world)
    requests = world.api.requests
    for minutes in (20, 15, 10, 5, -5):
        world.run(T - minutes * MINUTE)
    assert world.api.requests == requests
    assert world.got_it().total() == PEOPLE


@pytest.mark.parametrize("topics", [("news",), ("news", "events")])
def test_leaving_counts_for_a_topic_only_if_nothing_else_is_in_the_broadcast(
    world: World, topics: tuple[str, ...]
) -> None:
    hand_over(world, topics=topics)
    world.leave(ANA, topic="news")
    world.run(T - 20 * MINUTE)
    assert world.got_it()[ANA] == len(topics) - 1


def test_leaving_all_topics_one_after_the_other_is_leaving(world: World) -> None:
    hand_over(world, topics=("news", "events"))
    world.leave(BEN, topic="news")
    world.leave(BEN, topic="events")
    world.run(T - 18 * MINUTE)
    assert world.got_it()[BEN] == 0


def test_an_erased_person_is_not_mailed(world: World) -> None:
    hand_over(world)
    number = id_of(world.database, BEN)
    forget(world.database, BEN)
    (held,) = still_held(world.database, now=T - 40 * MINUTE, only=[number])
    assert [(leaver.subscriber, leaver.email) for leaver in held.left] == [(number, "")]
    world.run(T - 20 * MINUTE)
    assert world.got_it()[BEN] == 0
    assert world.got_it().total() == PEOPLE - 1


def test_someone_who_came_back_in_time_is_mailed_once(world: World) -> None:
    hand_over(world)
    world.leave(ANA)
    remove_suppression(world.database, ANA, topic="", because="she wrote", now=T - 30 * MINUTE)
    assert world.run(T - 20 * MINUTE) == []
    assert world.got_it()[ANA] == 1


def test_a_batch_is_recalled_once_and_who_leaves_then_is_told(world: World) -> None:
    hand_over(world)
    world.leave(ANA)
    world.run(T - 20 * MINUTE)
    world.leave(BEN)

    (held,) = world.held([BEN])
    assert "already recalled once" in held.kept
    (told,) = world.run(T - 15 * MINUTE)
    assert BEN in told.failure
    assert "will still get it on Thursday, February 19, 2026" in told.failure
    assert world.run(T - 12 * MINUTE) == []  # it is reported once
    assert (world.got_it()[ANA], world.got_it()[BEN]) == (0, 1)
    assert len(world.api.schedules.history) == 1


@pytest.mark.parametrize("minutes", [10, 5, 1])
def test_who_leaves_too_late_is_told_and_nothing_is_asked_of_the_provider(world: World, minutes: int) -> None:
    hand_over(world)
    world.clock.now = T - minutes * MINUTE
    world.leave(ANA)

    (held,) = world.held([ANA])
    assert held.kept == "it is too close to its time to be recalled"
    (told,) = world.run(T - minutes * MINUTE)
    assert (told.recalls[0].kept, told.failure.count(ANA)) == (held.kept, 1)
    assert not world.api.schedules.history
    assert world.got_it()[ANA] == 1


def test_what_is_told_says_from_when_email_is_recalled(world: World) -> None:
    hand_over(world)
    world.leave(ANA)
    (held,) = world.held([ANA])
    assert (held.kept, held.recalled_from, held.batch.recall_ends_at) == ("", T - 20 * MINUTE, T - 10 * MINUTE)
    assert world.held([BEN]) == ()


def test_a_look_at_what_is_due_says_that_email_would_be_recalled(world: World) -> None:
    hand_over(world)
    world.leave(ANA)
    looked = look_at_due(world.config, world.database, lambda: world.provider, now=T - 20 * MINUTE)
    assert [each.due for each in looked] == [Due.RECALL]
    assert not world.api.schedules.history


def test_a_past_batch_is_cleared_but_never_before_its_email_is_discarded(world: World) -> None:
    hand_over(world)
    world.leave(ANA)
    world.run(T - 20 * MINUTE)
    for minutes in (-5, 0, 29):
        world.run(T + minutes * MINUTE)
        assert len(world.api.schedules.statuses) == 1
    world.run(T + 31 * MINUTE)
    assert not world.api.schedules.statuses
    assert world.got_it()[ANA] == 0
    assert world.got_it().total() == PEOPLE - 1
    assert world.run(T + HOUR) == []


def test_a_past_batch_that_cannot_be_cleared_is_tried_again_without_a_word(world: World) -> None:
    hand_over(world)
    world.leave(ANA)
    world.run(T - 20 * MINUTE)
    world.api.script(Answer.error(403, "access forbidden"))
    (failed,) = world.run(T + HOUR)
    assert (failed.failure, failed.is_news) == ("", False)
    world.run(T + 2 * HOUR)
    assert not world.api.schedules.statuses


def test_a_cancelled_broadcast_makes_room_for_others_later(world: World) -> None:
    broadcast = hand_over(world)
    cancel_broadcast(world.database, broadcast.id, world.provider, patience=MINUTE, stop=Event(), clock=world.clock)
    assert len(world.api.schedules.statuses) == 1
    world.run(T + HOUR)
    assert not world.api.schedules.statuses
    assert world.got_it() == {}


@pytest.mark.parametrize("fault", [Fault.QUEUE_THEN_RESET, Fault.RESET, Fault.QUEUE_THEN_500])
def test_a_recall_whose_answer_is_lost_is_asked_again(world: World, fault: Fault) -> None:
    hand_over(world)
    world.leave(ANA)
    world.api.script(fault)
    failed, *_ = world.run(T - 20 * MINUTE)
    assert ANA in failed.failure
    assert tally_of(world.database, 1).accepted == PEOPLE
    world.run(T - 15 * MINUTE)
    assert world.got_it()[ANA] == 0
    assert world.got_it().total() == PEOPLE - 1


def test_a_recall_that_is_never_confirmed_in_time_leaves_it_open_and_sends_nothing_again(world: World) -> None:
    hand_over(world)
    world.leave(ANA)
    world.api.script(Fault.QUEUE_THEN_RESET)
    world.run(T - 20 * MINUTE)
    world.run(T - 9 * MINUTE)
    assert tally_of(world.database, 1).unknown == PEOPLE
    assert world.got_it() == {}


@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_a_refused_recall_changes_nothing_and_is_tried_again(world: World, status: int) -> None:
    hand_over(world)
    world.leave(ANA)
    world.api.script(Answer.error(status, "no"))
    failed, *_ = world.run(T - 20 * MINUTE)
    assert str(status) in failed.failure
    assert tally_of(world.database, 1).accepted == PEOPLE
    assert [batch.state for batch in batches_of(world.database, 1)] == [BatchState.OPEN]
    world.run(T - 15 * MINUTE)
    assert world.got_it()[ANA] == 0


def test_when_ten_are_canceled_the_command_says_who_is_still_mailed(world: World) -> None:
    for _ in range(10):  # by other programs that use the account
        opened = world.api.schedules.open().body
        world.api.schedules.set({"batch_id": opened.decode().split('"')[3], "status": "cancel"}, T - HOUR)
    hand_over(world)
    world.leave(ANA)

    failed, *_ = world.run(T - 20 * MINUTE)

    assert ANA in failed.failure
    assert "10 canceled or paused batches, and the limit is 10" in failed.failure
    assert (failed.tally.accepted, failed.tally.unknown) == (PEOPLE, 0)
    assert world.got_it().total() == PEOPLE


def test_our_own_past_batches_make_room_at_once(world: World) -> None:
    hand_over(world)
    world.leave(ANA)
    world.run(T - 20 * MINUTE)
    for _ in range(9):
        opened = world.api.schedules.open().body
        world.api.schedules.set({"batch_id": opened.decode().split('"')[3], "status": "cancel"}, T)
    add_people(world.database, 3, prefix="later")
    world.freeze(due=T + 2 * HOUR)
    world.run(T + HOUR)
    world.leave("later00001@example.org")
    world.run(T + 101 * MINUTE)
    assert world.got_it()["later00001@example.org"] == 0
    assert world.got_it()["later00002@example.org"] == 1


def test_a_paused_broadcast_gives_up_its_email_too_and_waits_for_a_person(world: World) -> None:
    hand_over(world)
    with world.database.transaction() as connection:
        connection.execute("UPDATE broadcast SET state = 'running'", {})
    pause_broadcast(world.database, 1, "a person looks at it", now=T - 30 * MINUTE)
    world.leave(ANA)
    (done,) = world.run(T - 20 * MINUTE)
    assert (done.recalled, done.broadcast.state, done.tally.waiting) == (PEOPLE, BroadcastState.PAUSED, PEOPLE)
    assert world.got_it() == {}


@pytest.fixture
def slow(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Callable[[datetime], None]]:
    """Have each request take a minute of the world's clock. What is in the list is called after each minute."""
    called: list[Callable[[datetime], None]] = []
    submit, pause = sendgrid.SendGridSession.submit, Event()

    def submit_slowly(session: SendGridSession, chunk: OutgoingChunk, replies: Replies = UNRECORDED) -> Outcome:
        outcome = submit(session, chunk, replies)
        world.clock.now = world.api.now = world.clock.now + MINUTE
        for call in called:
            call(world.clock.now)
        pause.wait(0.03)  # so that the recall looks several times a minute
        return outcome

    monkeypatch.setattr(recall_due, "LOOK_SECONDS", 0.005)
    monkeypatch.setattr(sendgrid.SendGridSession, "submit", submit_slowly)
    return called


def test_email_is_recalled_while_a_slow_run_sends_another_broadcast(
    world: World, slow: list[Callable[[datetime], None]]
) -> None:
    hand_over(world)
    world.leave(BEN)
    schedule = Schedule(wall_time=(T - 25 * MINUTE).replace(tzinfo=None), zone="UTC")
    other = request(schedule=schedule, provider="sendgrid", issue="other")
    freeze_broadcast(world.database, other, [variant()], chunk_size=1, now=world.clock.now)

    done = world.run(T - 25 * MINUTE)

    assert world.clock.now > T - 5 * MINUTE
    assert sum(each.recalled for each in done) == PEOPLE
    assert world.got_it()[BEN] == 0
    assert {times for person, times in world.got_it().items() if person != BEN} == {2}


def test_email_of_a_broadcast_is_recalled_while_the_same_run_still_sends_it(
    world: World, slow: list[Callable[[datetime], None]]
) -> None:
    """Someone leaves whose email was sent to the provider at the beginning of a run that takes an hour."""
    schedule = Schedule(wall_time=T.replace(tzinfo=None), zone="UTC")
    add_people(world.database, 50, prefix="more")
    asked = request(schedule=schedule, provider="sendgrid")
    broadcast = freeze_broadcast(world.database, asked, [variant()], chunk_size=1, now=world.clock.now)
    slow.append(lambda now: world.leave(ANA) if now == T - 45 * MINUTE else None)

    done = world.run(T - HOUR)

    assert any(each.recalled for each in done)
    assert world.got_it()[ANA] == 0
    assert set(world.got_it().values()) == {1}
    assert tally_of(world.database, broadcast.id).adds_up


@pytest.mark.parametrize("ending", [KeyboardInterrupt, None])
def test_a_recall_that_hangs_does_not_hold_a_process_that_is_to_end(
    world: World, monkeypatch: pytest.MonkeyPatch, ending: type[BaseException] | None
) -> None:
    """It is awaited for a moment after the first request to end, and not at all after the second."""
    begun, go_on, ended = Event(), Event(), Event()

    def hang(_work: Work) -> tuple[DoneBroadcast, ...]:
        begun.set()
        go_on.wait(20)
        ended.set()
        return ()

    monkeypatch.setattr(recall_due, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(recall_due, "REPLY_SECONDS", 0.01)
    monkeypatch.setattr(recall_due, "recall_due", hang)
    asked = Listener(on_settled=lambda _: None, on_wait=lambda *_: None, is_asked=lambda: True)
    work = Work(
        config=world.config,
        database=world.database,
        opened=world.opened,
        listener=asked if ending is None else DEAF,
        new_stop=Event,
    )

    with pytest.raises(ending) if ending else nullcontext(), recall_due.recalling(work):
        assert begun.wait(20)
        if ending:
            raise ending

    assert not ended.is_set()
    go_on.set()


def test_the_last_run_is_saved(world: World) -> None:
    assert last_run(world.database) is None
    world.run(T - 2 * HOUR)
    found = last_run(world.database)
    assert found is not None
    assert (found.command, found.at) == ("run-due", T - 2 * HOUR)


def test_a_terminal_has_to_stay_as_long_as_something_can_be_recalled(world: World) -> None:
    hand_over(world)
    assert holds_for_later(world.database, 1, now=T - 11 * MINUTE)
    assert not holds_for_later(world.database, 1, now=T - 10 * MINUTE)


# Local time


def spread(world: World) -> Broadcast:
    """A broadcast at 9:00 on each of 24 clocks, with two people at each."""
    zones = [f"Etc/GMT{hours:+d}" for hours in range(-12, 12)]
    people = [row(f"{name}{n:02}@zones.example", timezone=zone) for n, zone in enumerate(zones) for name in "ab"]
    add(world.database, *people)
    return world.freeze(due=T.replace(hour=9), is_local_time=True)


@pytest.mark.parametrize("lead_minutes", [60, 71 * 60])
def test_each_of_24_zones_is_recalled_for_itself(
    url: Callable[[], str], tmp_path: Path, api: SendGridApi, lead_minutes: int
) -> None:
    world = world_at(url(), tmp_path, api, lead_minutes=lead_minutes)
    with world.database:
        world.clock.now = start = T.replace(hour=9) - 14 * HOUR
        broadcast = spread(world)
        moments = {T.replace(hour=9) + (n - 12) * HOUR: f"a{n:02}@zones.example" for n in range(24)}
        leavers = list(moments.values())[::2]  # twelve: more than the limit, but not at once
        for minutes in range(0, 28 * 60, 5):
            now = start + minutes * MINUTE
            world.run(now)
            if (email := moments.get(now + HOUR / 2)) in leavers:
                world.leave(str(email))
        got = world.got_it()
        assert got == Counter(f"{name}{n:02}@zones.example" for n in range(24) for name in "ab") - Counter(leavers)
        assert max(Counter(batch.due_at for batch in batches_of(world.database, broadcast.id)).values()) == 2
        assert not api.schedules.statuses
        assert tally_of(world.database, broadcast.id).adds_up


def test_leavers_in_more_zones_than_can_be_canceled_are_told(
    url: Callable[[], str], tmp_path: Path, api: SendGridApi
) -> None:
    world = world_at(url(), tmp_path, api, lead_minutes=71 * 60)
    with world.database:
        add_people(world.database, 24)
        for number in range(12):  # twelve broadcasts to two people each, a minute apart
            with world.database.transaction() as connection:
                connection.execute("UPDATE subscriber SET consented_at = ''", {})
                connection.execute(
                    "UPDATE subscriber SET consented_at = '2025-01-01T00:00:00Z' WHERE id IN (:one, :two)",
                    {"one": 2 * number + 1, "two": 2 * number + 2},
                )
            world.freeze(due=T + number * MINUTE)
        with world.database.transaction() as connection:
            connection.execute("UPDATE subscriber SET consented_at = '2025-01-01T00:00:00Z'", {})
        world.run(T - HOUR)
        leavers = [f"person{2 * number:05}@example.org" for number in range(12)]
        for email in leavers:
            world.leave(email)

        told = world.held()
        assert [bool(held.kept) for held in told] == [False] * 10 + [True] * 2
        assert "10 batches are canceled by then" in told[-1].kept
        world.run(T - 12 * MINUTE)
        failures = "\n".join(done.failure for done in world.run(T - 9 * MINUTE) if done.failure)
        assert [email for email in leavers if email in failures] == leavers[10:], failures
        assert world.got_it().total() == 24 - 10


def test_canceling_many_zones_goes_on_as_the_limit_allows(
    url: Callable[[], str], tmp_path: Path, api: SendGridApi
) -> None:
    world = world_at(url(), tmp_path, api, lead_minutes=71 * 60)
    with world.database:
        world.clock.now = start = T.replace(hour=9) - 14 * HOUR
        broadcast = spread(world)
        world.run(start)
        assert tally_of(world.database, broadcast.id).accepted == 48
        with pytest.raises(ProviderError, match="the limit is 10"):
            cancel_broadcast(
                world.database, broadcast.id, world.provider, patience=MINUTE, stop=Event(), clock=world.clock
            )
        assert require_broadcast(world.database, broadcast.id).state is BroadcastState.CANCELLING
        for minutes in range(0, 28 * 60, 5):
            world.run(start + minutes * MINUTE)
        assert require_broadcast(world.database, broadcast.id).state is BroadcastState.CANCELLED
        assert world.got_it() == {}


# A process that dies at any step


class Died(BaseException):
    """The process ends here."""


class Dying:
    """A database and a scheduler whose process dies before a certain step: a transaction, or a request."""

    def __init__(self, database: Database, scheduler: Scheduler, *, step: int) -> None:
        self._database, self._scheduler, self._left = database, scheduler, step
        self.longest, self.margin = scheduler.longest, scheduler.margin
        self.most_cancelled = scheduler.most_cancelled

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)

    def transaction(self) -> AbstractContextManager[object]:
        self._step()
        return self._database.transaction()

    def shared_transaction(self) -> AbstractContextManager[object]:
        self._step()
        return self._database.shared_transaction()

    def open_batch(self) -> str:
        self._step()
        return self._scheduler.open_batch()

    def cancel_batch(self, batch_id: str) -> None:
        self._step()
        self._scheduler.cancel_batch(batch_id)

    def clear_batch(self, batch_id: str) -> None:
        self._step()
        self._scheduler.clear_batch(batch_id)

    def _step(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Died


@pytest.mark.parametrize("comes_back", [T - 15 * MINUTE, T - 5 * MINUTE, T + 5 * MINUTE])
def test_a_crash_at_any_step_sends_nothing_twice_and_nobody_who_left_is_mailed(
    url: Callable[[], str], tmp_path: Path, comes_back: datetime
) -> None:
    steps = 0
    for step in count():
        with SendGridApi() as api:
            world = world_at(url(), tmp_path / str(step), api)
            with world.database:
                add_people(world.database, PEOPLE)
                hand_over(world)
                world.leave(ANA)
                died = _dies(world, T - 20 * MINUTE, step)
                world.run(comes_back)
                world.run(T + 40 * MINUTE)
                got, tally = world.got_it(), tally_of(world.database, 1)
                was_asked = bool(api.schedules.history)
                assert max(got.values(), default=0) <= 1, step
                assert tally.adds_up
                # Before the provider is asked, there may be no time left. After that, no one who left is mailed.
                assert got[ANA] == 0 or (not was_asked and comes_back > T - 10 * MINUTE), step
                assert got.total() + tally.unknown >= tally.accepted + tally.unknown >= PEOPLE - 1, (step, tally)
                assert got.total() >= tally.accepted, (step, tally)
                if comes_back < T - 10 * MINUTE:
                    assert tally.unknown <= 10, step  # what was in flight
        if not died:
            steps = step
            break
    assert steps > 8


def _dies(world: World, now: datetime, step: int) -> bool:
    """Run once, and die before a step. Return whether the run got that far."""
    real = world.database, world.provider.scheduler
    assert real[1] is not None
    dying = Dying(*real, step=step)
    world.database = dying  # type: ignore[assignment]
    world.provider.scheduler = dying  # type: ignore[misc]
    try:
        world.run(now)
    except Died:
        return True
    finally:
        world.database = real[0]
        world.provider = world.opened()
    return False
