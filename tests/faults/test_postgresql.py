"""The promise of delivery on PostgreSQL: three processes drain the same broadcast, and the server has its accidents."""

import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults import commands
from tests.faults.coverage import Coverage
from tests.faults.desk import NOT_KEPT
from tests.faults.plan import QUIET, draw_plan
from tests.faults.processes import Processes
from tests.faults.run import carry_out, directed, rehearse
from tests.faults.runs import BATCHES, named
from tests.faults.stores import PostgresStore
from tests.postgresql import PostgresServer

PLAN = replace(QUIET, people=150)


@pytest.fixture(scope="module")
def rehearsed(
    postgresql_server: PostgresServer, processes: Processes, tmp_path_factory: pytest.TempPathFactory
) -> Processes:
    """Processes that have spoken with the server before."""
    url = postgresql_server.fresh_database()
    with closing(PostgresStore(postgresql_server, url)) as store:
        rehearse(store, processes, tmp_path_factory.mktemp("rehearsal"))
    return processes


@pytest.fixture
def store(postgresql_server: PostgresServer, rehearsed: Processes) -> Iterator[PostgresStore]:
    """One database for the runs of a batch: each has people of its own."""
    url = postgresql_server.fresh_database()
    with closing(PostgresStore(postgresql_server, url)) as opened:
        yield opened
    postgresql_server.drop_database(url)


@pytest.mark.parametrize("seeds", BATCHES, ids=named)
def test_nobody_twice_and_nobody_lost(
    seeds: range, tmp_path: Path, store: PostgresStore, processes: Processes, coverage: Coverage
) -> None:
    with coverage.group(f"postgresql-{named(seeds)}") as stories:
        for seed in seeds:
            story = carry_out(draw_plan(seed, is_postgresql=True), store, processes, tmp_path)
            assert not story.broken, story.told("tests/faults/test_postgresql.py")
            stories.append(story)


def test_a_server_that_is_gone_for_long_is_missed_clearly_and_nothing_is_sent_twice(
    tmp_path: Path, store: PostgresStore, postgresql_server: PostgresServer, processes: Processes
) -> None:
    with directed(PLAN, store, processes, tmp_path) as director:

        def visit(request: int, is_queued: bool) -> None:
            if (request, is_queued) == (3, True):
                store.close()
                postgresql_server.stop(signal.SIGQUIT)

        processes.start(commands.freeze, scene=director.scene).wait(30)
        director.is_calm.set()
        director.post.visit = visit
        sending = [processes.start(commands.send, scene=director.scene, broadcast=1) for _ in range(3)]
        try:
            assert [process.wait(60) for process in sending] == [NOT_KEPT] * 3
            assert processes.start(commands.freeze, scene=director.scene).wait(30) == NOT_KEPT
        finally:
            postgresql_server.start()
        told = [event.facts["message"] for event in director.log.events("send failed", "freeze failed")]
        assert all("; " in words and "Traceback" not in words for words in told)
        for command in (commands.resume, commands.send):
            assert processes.start(command, scene=director.scene, broadcast=1).wait(30) == 0
        story = director.judge()
        assert not story.broken, story.told("tests/faults/test_postgresql.py")
