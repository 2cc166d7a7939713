"""A worker's looks at the ledger, and the queue: what is put into it, by whom, and what may be lost of it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import psycopg
import pytest
from msgspec.structs import replace
from procrastinate import App
from procrastinate.jobs import Job

from newsletter.config import Config, load_config
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import Broadcast, BroadcastState, NextStep, Outcome, Schedule, Verdict
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import pause_broadcast, require_broadcast
from newsletter.store.ledger.cancel import begin_cancel
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.freeze import freeze_broadcast
from newsletter.store.ledger.recall import last_run
from newsletter.store.ledger.status import tally_of
from newsletter.store.suppressions import add_suppression
from newsletter.system.log import command_log
from newsletter.workflows.send.worker import announce
from newsletter.workflows.send.worker.drains import Drains
from newsletter.workflows.send.worker.queue import QUEUE_SCHEMA, clear_stalled, prepare_queue, put_job, queue_of
from tests.postgresql import PostgresServer
from tests.store.builders import add_people, request, variant
from tests.store.empty_file import open_test_database
from tests.workflows.send.carriers import Carrier
from tests.workflows.send.scheduled import Holder
from tests.workspaces import CONFIG, write_workspace

PEOPLE = 30


@pytest.fixture
def url(postgresql_server: PostgresServer) -> Iterator[str]:
    """An empty database."""
    made = postgresql_server.fresh_database()
    yield made
    postgresql_server.drop_database(made)


@pytest.fixture
def config(tmp_path: Path, url: str) -> Config:
    """A workspace on PostgreSQL that sends through the outbox."""
    return load_config(write_workspace(tmp_path, {"newsletter.toml": f'{CONFIG}\n[database]\nurl = "{url}"\n'}))


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """Its database, with a few people."""
    with open_test_database(url) as opened:
        add_people(opened, PEOPLE)
        yield opened


def freeze(database: Database, *, issue: str = "2026-02", due_in: timedelta | None = None) -> Broadcast:
    now = datetime.now(UTC)
    schedule = Schedule(wall_time=(now + due_in).replace(tzinfo=None), zone="UTC") if due_in is not None else None
    frozen = replace(request(issue), schedule=schedule)
    return freeze_broadcast(database, frozen, [variant()], chunk_size=10, now=now)


def with_queue(url: str, step: Callable[[App], Awaitable[None]]) -> None:
    """Does something with the open queue."""

    async def ignore(_broadcast: int) -> None:
        """No job is taken here."""

    async def steps() -> None:
        queue = queue_of(url, ignore)
        async with queue.open_async():
            await prepare_queue(queue)
            await step(queue)

    asyncio.run(steps())


def jobs_in(url: str) -> list[Job]:
    found: list[Job] = []

    async def look(queue: App) -> None:
        found.extend(await queue.job_manager.list_jobs_async())

    with_queue(url, look)
    return found


class Work:
    """Works on broadcasts as a worker does, and keeps what it said and how often it called others."""

    def __init__(self, config: Config, provider: Carrier | None = None) -> None:
        self.said: list[str] = []
        self.calls = 0
        self.provider = provider or Carrier()
        self._log = command_log(config.root, "worker", tell=self.said.append)
        self.drains = Drains(config, self.provider, self._log.__enter__())

    def on(self, broadcast: Broadcast) -> bool:
        return self.drains.work_on(broadcast.id, call_others=self._call, stop=Event())

    def _call(self) -> None:
        self.calls += 1


def test_what_runs_and_what_is_due_is_found(config: Config, database: Database) -> None:
    running = freeze(database)
    due = freeze(database, issue="2026-03", due_in=timedelta(minutes=-1))
    freeze(database, issue="2026-04", due_in=timedelta(days=1))
    paused = freeze(database, issue="2026-05")
    pause_broadcast(database, paused.id, "look at it", now=datetime.now(UTC))
    assert Work(config).drains.due() == (running.id, due.id)


def test_the_broadcast_of_another_provider_is_left_alone_and_said_once(config: Config, database: Database) -> None:
    broadcast = freeze(database)
    work = Work(config, Carrier(name="smtp"))
    assert work.drains.due() == work.drains.due() == ()
    assert not work.on(broadcast)
    assert len(work.said) == 1
    assert "outbox" in work.said[0]


def test_others_are_called_before_anything_is_handed_over(config: Config, database: Database) -> None:
    broadcast = freeze(database)
    work = Work(config)
    assert work.on(broadcast)
    assert work.calls == 1
    assert len(work.provider.taken) == PEOPLE
    assert require_broadcast(database, broadcast.id).state is BroadcastState.DONE
    assert [line.partition(") ")[2].partition(":")[0] for line in work.said] == [
        "begins",
        f"{PEOPLE} sent in this run; it is done",
    ]


def test_where_others_were_faster_nobody_is_called_and_nothing_is_said(config: Config, database: Database) -> None:
    broadcast = freeze(database)
    with database.runner() as another:
        while claim_chunk(database, broadcast.id, another.id, (), now=datetime.now(UTC)):
            pass
        work = Work(config)
        assert not work.on(broadcast)
    assert (work.calls, work.said, work.provider.handed) == (0, [], [])


def test_what_a_dead_process_had_in_hand_becomes_unknown_and_is_not_sent_again(
    config: Config, database: Database
) -> None:
    broadcast = freeze(database)
    with database.runner() as died:
        claim_chunk(database, broadcast.id, died.id, (), now=datetime.now(UTC))
    work = Work(config)
    work.on(broadcast)
    tally = tally_of(database, broadcast.id)
    assert (tally.unknown, tally.accepted) == (10, PEOPLE - 10)
    assert len(set(work.provider.taken)) == len(work.provider.taken) == PEOPLE - 10
    assert "1 request of a process that died became unconfirmed; run `newsletter resolve" in work.said[0]


def test_a_job_for_a_broadcast_that_is_not_there_is_nothing(config: Config, database: Database) -> None:
    assert not Work(config).drains.work_on(7, call_others=pytest.fail, stop=Event())


def test_what_waits_for_its_pace_is_not_looked_at_again_and_again(config: Config, database: Database) -> None:
    broadcast = freeze(database)
    hour = Outcome(verdict=Verdict.READY, next_step=NextStep.WAIT, reason="slow down", retry_after_seconds=3600)
    work = Work(config, Carrier(script=[hour]))
    assert not work.on(broadcast)
    assert work.drains.due() == ()
    assert "slow down" in work.said[-1]
    assert tally_of(database, broadcast.id).waiting == PEOPLE


def test_a_wait_does_not_keep_a_worker_from_cancelling(config: Config, database: Database) -> None:
    broadcast = freeze(database)
    hour = Outcome(verdict=Verdict.READY, next_step=NextStep.WAIT, reason="slow down", retry_after_seconds=3600)
    work = Work(config, Carrier(script=[hour]))
    work.on(broadcast)
    begin_cancel(database, broadcast.id, now=datetime.now(UTC))
    assert work.drains.due() == (broadcast.id,)


def test_no_address_is_ever_said(config: Config, database: Database) -> None:
    refused = Outcome(verdict=Verdict.READY, next_step=NextStep.PAUSE, reason="the relay refuses <ana@example.org>")
    work = Work(config, Carrier(script=[refused]))
    work.on(freeze(database))
    assert "refuses <a***@example.org>" in work.said[-1]
    assert "ana" not in "".join(work.said)


def held_with_a_leaver(
    config: Config, database: Database, holder: Holder, *, due_in: timedelta
) -> tuple[Broadcast, Work]:
    """A broadcast that the provider holds, and a person in it who left since."""
    work = Work(config, Carrier(scheduler=holder))
    broadcast = freeze(database, due_in=due_in)
    assert work.on(broadcast)
    assert tally_of(database, broadcast.id).accepted == PEOPLE
    address = "person00003@example.org"
    add_suppression(database, address, SuppressionReason.UNSUBSCRIBED, now=datetime.now(UTC))
    return broadcast, work


def test_a_worker_recalls_email_of_those_who_left_and_sends_it_again(config: Config, database: Database) -> None:
    holder = Holder()
    broadcast, work = held_with_a_leaver(config, database, holder, due_in=timedelta(minutes=15))

    assert work.drains.due() == ()
    work.drains.recall()

    assert (holder.opened, holder.cancelled) == (["batch-1", "batch-2"], ["batch-1"])
    assert "recalled" in work.said[-2]
    assert f"{PEOPLE - 1} sent in this run" in work.said[-1]
    counts = tally_of(database, broadcast.id)
    assert (counts.accepted, counts.excluded) == (PEOPLE - 1, 1)
    assert work.drains.due() == ()
    found = last_run(database)
    assert found is not None
    assert found.command == "worker"


def test_a_worker_continues_what_was_paused_for_a_passing_reason_once_its_time_has_come(
    config: Config, database: Database
) -> None:
    broadcast, work, now = freeze(database), Work(config), datetime.now(UTC)
    pause_broadcast(database, broadcast.id, "the quota is used up", now=now, continues_at=now + timedelta(hours=1))
    assert work.drains.due() == ()
    assert not work.on(broadcast)

    pause_broadcast(database, broadcast.id, "the quota is used up", now=now, continues_at=now - timedelta(minutes=1))
    assert work.drains.due() == (broadcast.id,)
    assert work.on(broadcast)
    assert tally_of(database, broadcast.id).accepted == PEOPLE


def test_a_worker_leaves_alone_what_a_person_paused(config: Config, database: Database) -> None:
    broadcast, work = freeze(database), Work(config)
    pause_broadcast(database, broadcast.id, "a person looks at it", now=datetime.now(UTC))
    assert work.drains.due() == ()
    assert not work.on(broadcast)
    assert tally_of(database, broadcast.id).waiting == PEOPLE


def test_a_worker_says_once_that_a_recall_failed_without_an_address(config: Config, database: Database) -> None:
    holder = Holder()
    broadcast, work = held_with_a_leaver(config, database, holder, due_in=timedelta(minutes=15))
    holder.failing = "SendGrid did not answer"

    work.drains.recall()
    work.drains.recall()

    assert "left, and their email is not recalled yet: SendGrid did not answer" in work.said[-1]
    assert "person00003@" not in "".join(work.said)
    assert sum("did not answer" in words for words in work.said) == 1
    assert require_broadcast(database, broadcast.id).state is BroadcastState.DONE


def test_a_worker_that_is_asked_to_end_recalls_nothing(config: Config, database: Database) -> None:
    holder = Holder()
    _, work = held_with_a_leaver(config, database, holder, due_in=timedelta(minutes=15))
    work.drains.recall(is_asked=lambda: True)
    assert holder.cancelled == []


def test_an_announced_broadcast_waits_once_in_the_queue(config: Config, url: str) -> None:
    assert jobs_in(url) == []
    announce(config, 7)
    announce(config, 7)
    announce(config, 8)
    assert [job.task_kwargs for job in jobs_in(url)] == [{"broadcast": 7}, {"broadcast": 8}]


def test_an_announcement_never_fails(config: Config, tmp_path: Path, postgresql_server: PostgresServer) -> None:
    announce(config, 7)  # no worker has ever made the queue
    announce(load_config(write_workspace(tmp_path)), 7)  # no PostgreSQL at all
    away = f'{CONFIG}\n[database]\nurl = "postgresql://nobody@127.0.0.1:1/none"\n'
    announce(load_config(write_workspace(tmp_path, {"newsletter.toml": away})), 7)


def test_two_workers_that_start_at_once_make_one_queue(url: str) -> None:
    async def together() -> None:
        async def ignore(_broadcast: int) -> None:
            """No job is taken here."""

        first, second = queue_of(url, ignore), queue_of(url, ignore)
        async with first.open_async(), second.open_async():
            await asyncio.gather(prepare_queue(first), prepare_queue(second))
            await asyncio.gather(*(put_job(queue, 1) for queue in (first, second, first, second)))

    asyncio.run(together())
    assert len(jobs_in(url)) == 1


def test_the_jobs_of_a_worker_that_died_leave_the_queue(url: str) -> None:
    async def die(queue: App) -> None:
        await put_job(queue, 1)
        await put_job(queue, 2)
        worker = await queue.job_manager.register_worker()
        assert await queue.job_manager.fetch_job(None, worker)

    with_queue(url, die)
    with_queue(url, clear_stalled)
    assert [job.status for job in jobs_in(url)] == ["doing", "todo"]  # it may still be alive
    with psycopg.connect(url) as connection:
        connection.execute(
            f"UPDATE {QUEUE_SCHEMA}.procrastinate_workers SET last_heartbeat = now() - interval '1 minute'".encode()
        )
    with_queue(url, clear_stalled)
    assert [(job.status, job.task_kwargs) for job in jobs_in(url)] == [("todo", {"broadcast": 2})]
