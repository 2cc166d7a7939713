"""Workers as processes: together, killed, joined late, without a database for a while. No one twice, no one lost."""

import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Self

import pytest
from msgspec.structs import replace
from psycopg.conninfo import conninfo_to_dict

from newsletter.model.broadcast import Schedule
from newsletter.store.ledger.freeze import freeze_broadcast
from newsletter.store.opening import open_database
from newsletter.workflows.send.worker.queue import QUEUE_SCHEMA
from tests.e2e.program import command, environment, run
from tests.fakes.sendgrid_api import Fault, SendGridApi
from tests.postgresql import PostgresServer
from tests.store.builders import add_people, request, variant
from tests.workspaces import CONFIG, write_workspace

MANY, PEOPLE, CHUNK = 3_000, 1_000, 25
KEY = {"SENDGRID_API_KEY": "SG.test-key"}
PATIENCE_SECONDS = 60.0
_ENDED = {0, 130, -signal.SIGTERM, -signal.SIGKILL}  # as a program does that was asked to, or has done its work


@dataclass
class Program:
    """One command that runs beside the test, and what it said."""

    process: subprocess.Popen[bytes]
    said: Path

    @property
    def told(self) -> str:
        return self.said.read_text(encoding="utf-8")

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Asks it to end; its exit code."""
        self.process.send_signal(how)
        return self.process.wait(PATIENCE_SECONDS)


@dataclass
class Office:
    """A workspace on PostgreSQL, and what runs in it; whatever still runs at the end is killed."""

    root: Path
    url: str
    people: int = PEOPLE
    programs: list[Program] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        for program in self.programs:
            program.process.kill()
            program.process.wait()

    def start(self, *arguments: str) -> Program:
        said = self.root / f"said-{len(self.programs)}.log"
        with said.open("wb") as log:
            process = subprocess.Popen(command(*arguments), cwd=self.root, env=environment(KEY), stdout=log, stderr=log)
        self.programs.append(Program(process, said))
        return self.programs[-1]

    def start_worker(self) -> Program:
        return self.start("worker")

    def freeze(self, *, provider: str = "sendgrid", schedule: Schedule | None = None) -> None:
        """Freeze a broadcast to everyone, as `send` does, without sending any of it."""
        frozen = replace(request(), provider=provider, schedule=schedule)
        with open_database(self.url) as database:
            add_people(database, self.people)
            freeze_broadcast(database, frozen, [variant()], chunk_size=CHUNK, now=datetime.now(UTC))

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(run(self.root, "status", "1", "--json").stdout)
        return found

    def wait_for(self, is_so: Callable[[], bool]) -> None:
        """Waits until it is so; fails where a program has failed, or nothing comes of it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            told = "\n".join(program.told for program in self.programs)
            assert all(program.process.poll() in {None, *_ENDED} for program in self.programs), told
            assert time.monotonic() < deadline, told
            time.sleep(0.02)

    def wait_for_state(self, state: str) -> None:
        def is_in_state() -> bool:
            with open_database(self.url) as database, database.read() as connection:
                return bool(connection.execute("SELECT state FROM broadcast WHERE id = 1", {}).fetchone() == (state,))

        self.wait_for(is_in_state)

    def hold_to_the_promise(self, got: Counter[str]) -> dict[str, Any]:
        """No one twice, no one lost, and all uncertain or canceled emails are named. The tally agrees."""
        found = self.status()
        tally = found["tally"]
        unknown = {delivery["email"] for delivery in found["unknown"]}
        everybody = {f"person{number:05}@example.org" for number in range(self.people)}
        assert not got or max(got.values()) == 1
        assert got.keys() <= everybody
        assert len(everybody - got.keys() - unknown) == tally["cancelled"] + tally["waiting"]
        assert (
            tally["accepted"] + tally["unknown"] + tally["cancelled"] + tally["waiting"]
            == tally["frozen"]
            == self.people
        )
        assert tally["accepted"] <= len(got)
        assert found["adds_up"]
        return found


def office(root: Path, url: str, api: SendGridApi | None = None, *, per_second: int | None = None) -> Office:
    if api is None:
        provider = '[provider]\nuse = "outbox"\n'
    else:
        provider = f'[provider]\nuse = "sendgrid"\n[provider.sendgrid]\napi_url = "{api.url}"\nconcurrency = 1\n'
    if per_second is not None:
        provider += f"[provider.sendgrid.pace]\nper_second = {per_second}\n"
    write_workspace(root, {"newsletter.toml": f'{CONFIG}\n{provider}\n[database]\nurl = "{url}"\n'})
    return Office(root, url)


@pytest.fixture
def api() -> Iterator[SendGridApi]:
    """SendGrid's API on loopback."""
    with SendGridApi() as running:
        yield running


@pytest.fixture
def here(tmp_path: Path, postgresql_server: PostgresServer, api: SendGridApi) -> Iterator[Office]:
    """A workspace that sends through the API."""
    with office(tmp_path, postgresql_server.fresh_database(), api) as made:
        yield made


@pytest.fixture
def here_slowly(tmp_path: Path, postgresql_server: PostgresServer, api: SendGridApi) -> Iterator[Office]:
    """The same, at a pace at which a broadcast lasts for long enough to do something meanwhile."""
    with office(tmp_path, postgresql_server.fresh_database(), api, per_second=PEOPLE // 10) as made:
        yield made


def taken_by(api: SendGridApi) -> Counter[str]:
    return Counter(mail.email for mail in api.accepted)


def test_three_workers_share_a_broadcast(here: Office, api: SendGridApi) -> None:
    workers = [here.start_worker() for _ in range(3)]
    here.wait_for(lambda: all("ready" in worker.told for worker in workers))
    here.people = MANY
    here.freeze()
    here.wait_for_state("done")
    assert [worker.end() for worker in workers] == [0, 0, 0]
    assert here.hold_to_the_promise(taken_by(api))["tally"]["accepted"] == MANY
    for worker in workers:
        assert "sent in this run" in worker.told
        assert "person0" not in worker.told
        assert "Traceback" not in worker.told
    log = (here.root / "logs" / "worker.log").read_text(encoding="utf-8")
    lines = [json.loads(line)["what"] for line in log.splitlines()]
    assert [lines.count(what) for what in ("started", "ended")] == [3, 3]
    assert any("begins" in line for line in lines)
    assert "person0" not in log


def test_what_a_killed_worker_had_in_hand_is_unknown_and_others_do_the_rest(here: Office, api: SendGridApi) -> None:
    here.people = MANY
    here.freeze()
    first, second, third = (here.start_worker() for _ in range(3))
    here.wait_for(lambda: "begins" in second.told and len(api.accepted) > MANY // 10)
    second.end(signal.SIGKILL)
    fourth = here.start_worker()
    here.wait_for(lambda: all("ready" in worker.told for worker in (first, third, fourth)))
    here.wait_for_state("done")
    assert [worker.end() for worker in (first, third, fourth)] == [0, 0, 0]
    assert here.hold_to_the_promise(taken_by(api))["tally"]["unknown"] <= CHUNK


def test_workers_take_part_in_a_send_whether_started_before_or_after(here_slowly: Office, api: SendGridApi) -> None:
    with open_database(here_slowly.url) as database:
        add_people(database, PEOPLE)
    before = here_slowly.start_worker()
    sending = here_slowly.start("send", "2026-02", "--to", "everyone", "--yes")
    here_slowly.wait_for(lambda: bool(api.accepted))
    api.answers.clear()  # so that the broadcast is not over before the second worker has started
    after = here_slowly.start_worker()
    here_slowly.wait_for(lambda: all("begins" in worker.told for worker in (before, after)))
    api.answers.set()
    here_slowly.wait_for_state("done")
    assert sending.process.wait(PATIENCE_SECONDS) == 0, sending.told
    assert [worker.end() for worker in (before, after)] == [0, 0]
    assert here_slowly.hold_to_the_promise(taken_by(api))["tally"]["accepted"] == PEOPLE


def test_a_send_that_was_interrupted_is_finished_by_a_worker(here_slowly: Office, api: SendGridApi) -> None:
    with open_database(here_slowly.url) as database:
        add_people(database, PEOPLE)
    sending = here_slowly.start("send", "2026-02", "--to", "everyone", "--yes")
    here_slowly.wait_for(lambda: bool(api.accepted))
    assert sending.end(signal.SIGINT) == 130, sending.told
    here_slowly.start_worker()
    here_slowly.wait_for_state("done")
    assert here_slowly.hold_to_the_promise(taken_by(api))["tally"]["accepted"] == PEOPLE


def test_a_scheduled_broadcast_leaves_at_its_time(tmp_path: Path, postgresql_server: PostgresServer) -> None:
    with office(tmp_path, postgresql_server.fresh_database()) as here:
        here.people = 100
        due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=8)
        here.freeze(provider="outbox", schedule=Schedule(wall_time=due.replace(tzinfo=None), zone="UTC"))
        here.start_worker()
        here.wait_for_state("done")
        files = list((tmp_path / "outbox").rglob("*.eml"))
        assert min(path.stat().st_mtime for path in files) >= due.timestamp()
        here.hold_to_the_promise(Counter(_addressee(path) for path in files))


def _addressee(path: Path) -> str:
    return parseaddr(str(message_from_bytes(path.read_bytes())["To"]))[1]


def test_a_cancelled_broadcast_is_left_by_all_workers(here_slowly: Office, api: SendGridApi) -> None:
    here_slowly.freeze()
    workers = [here_slowly.start_worker() for _ in range(2)]
    here_slowly.wait_for(lambda: all("begins" in worker.told for worker in workers))
    run(here_slowly.root, "cancel", "1", "--yes", env=KEY)
    here_slowly.wait_for_state("cancelled")
    assert [worker.end() for worker in workers] == [0, 0]
    tally = here_slowly.hold_to_the_promise(taken_by(api))["tally"]
    assert tally["cancelled"] > 0
    assert tally["accepted"] == len(api.accepted)


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_worker_that_is_asked_to_end_leaves_nothing_uncertain(
    here: Office, api: SendGridApi, how: signal.Signals, code: int
) -> None:
    here.freeze()
    worker = here.start_worker()
    here.wait_for(lambda: bool(api.accepted))
    assert worker.end(how) == code, worker.told
    tally = here.hold_to_the_promise(taken_by(api))["tally"]
    assert (tally["inflight"], tally["unknown"]) == (0, 0)
    assert tally["waiting"] > 0


def test_a_second_signal_does_not_wait(here: Office, api: SendGridApi) -> None:
    here.freeze()
    api.script(Fault.HANG)
    worker = here.start_worker()
    here.wait_for(lambda: api.requests == 1)
    worker.process.send_signal(signal.SIGTERM)
    here.wait_for(lambda: "stopping" in worker.told)
    assert worker.end() == -signal.SIGTERM
    here.start_worker()
    here.wait_for_state("done")
    assert here.hold_to_the_promise(taken_by(api))["tally"]["unknown"] == CHUNK


def test_a_worker_outlives_a_restart_of_the_database(tmp_path: Path, api: SendGridApi) -> None:
    with PostgresServer() as server, office(tmp_path, server.fresh_database(), api) as here:
        here.freeze()
        worker = here.start_worker()
        here.wait_for(lambda: len(api.accepted) > PEOPLE // 10)
        server.stop()
        here.wait_for(lambda: "the database cannot be used" in worker.told)
        server.start()
        here.wait_for_state("done")
        assert worker.end() == 0
        assert "the database is available again" in worker.told
        assert "Traceback" not in worker.told
        assert here.hold_to_the_promise(taken_by(api))["tally"]["unknown"] <= CHUNK


def test_a_queue_that_is_lost_loses_nothing(here: Office, api: SendGridApi, postgresql_server: PostgresServer) -> None:
    worker = here.start_worker()
    here.wait_for(lambda: "ready" in worker.told)
    postgresql_server.execute(f"DROP SCHEMA {QUEUE_SCHEMA} CASCADE", database=conninfo_to_dict(here.url)["dbname"])
    here.freeze()
    here.wait_for_state("done")
    assert worker.end() == 0
    assert here.hold_to_the_promise(taken_by(api))["tally"]["accepted"] == PEOPLE


def test_a_worker_needs_postgresql_and_says_what_does_without(tmp_path: Path) -> None:
    write_workspace(tmp_path)
    refused = run(tmp_path, "worker", expect=2)
    assert "newsletter run-due" in refused.stderr
    assert "postgresql://" in refused.stderr


def test_a_database_that_cannot_be_reached_ends_the_start_of_a_worker(tmp_path: Path) -> None:
    with office(tmp_path, "postgresql://nobody@127.0.0.1:1/none") as here:
        refused = run(here.root, "worker", expect=2)
    assert "127.0.0.1:1/none" in refused.stderr
