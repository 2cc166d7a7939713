"""The end of a worker's process, where what it is made of does not end when it is asked to."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgresql import PostgresServer
from tests.workspaces import CONFIG, write_workspace

# A worker whose queue loses some of its cancellations, as the one of a connection pool can be lost.
_WORKER = """
import asyncio, sys
from pathlib import Path
from newsletter.config import load_config
from newsletter.providers.registry import open_provider
from newsletter.workflows.send.worker import service

lost, service._CANCEL_AGAIN_SECONDS, service._STOP_SECONDS = int(sys.argv[2]), 0.2, float(sys.argv[3])
work_through = service.work_through

async def lose(queue, *, concurrency):
    global lost
    work = asyncio.create_task(work_through(queue, concurrency=concurrency))
    while lost:
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            lost -= 1
    await work

service.work_through = lose
config = load_config(Path(sys.argv[1]))
provider = open_provider(config, {})
ended = service.run_worker(
    config, config.database, provider, concurrency=1, log=lambda words, **_fields: print(words, flush=True)
)
print("ended by", ended.name)
"""


@pytest.fixture
def root(tmp_path: Path, postgresql_server: PostgresServer) -> Iterator[Path]:
    """A workspace on an empty database of PostgreSQL."""
    url = postgresql_server.fresh_database()
    write_workspace(tmp_path, {"newsletter.toml": f'{CONFIG}\n[database]\nurl = "{url}"\n'})
    yield tmp_path
    postgresql_server.drop_database(url)


def end_worker(root: Path, *, lost: int, stop_seconds: float) -> tuple[int, str]:
    """Start a worker that loses so many cancellations, and ask it to end; its exit status and what it said."""
    command = [sys.executable, "-c", _WORKER, str(root), str(lost), str(stop_seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as worker:
        assert worker.stdout is not None
        try:
            said = ""
            while "ready to send" not in said:
                line = worker.stdout.readline()
                assert line, said
                said += line
            worker.send_signal(signal.SIGTERM)
            return worker.wait(30), said + worker.stdout.read()
        finally:
            worker.kill()


def test_a_cancellation_that_is_lost_is_repeated(root: Path) -> None:
    status, said = end_worker(root, lost=2, stop_seconds=30)
    assert status == 0, said
    assert said.endswith("ended by SIGTERM\n")


def test_a_worker_that_does_not_stop_is_ended(root: Path) -> None:
    status, said = end_worker(root, lost=1_000_000, stop_seconds=0.5)
    assert status == -signal.SIGTERM, said
