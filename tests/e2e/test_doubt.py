"""How little is in doubt: kills at every step of a message, the end by each signal, and cancellation."""

import json
import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from newsletter.store.ledger.freeze import freeze_broadcast
from newsletter.store.opening import open_database
from newsletter.store.reply_log import LINE_BYTES
from tests.e2e.program import command, environment, run, write_list
from tests.e2e.relay import Relay, RelayStep
from tests.postgresql import PostgresServer
from tests.store.builders import request, variant
from tests.workspaces import CONFIG, write_workspace

PEOPLE = 12
SEND = ("send", "2026-02", "--to", "everyone", "--yes")
LATE_SECONDS = 60


class Pause:
    """Holds the relay up at one step of the Nth message, and tells when it has come there."""

    def __init__(self, step: RelayStep, number: int = 4, answer: str | None = None) -> None:
        self.come, self.go_on = threading.Event(), threading.Event()
        self._step, self._number, self._answer = step, number, answer
        self._seen = 0
        self._lock = threading.Lock()

    def __call__(self, step: RelayStep, _recipient: str) -> str | None:
        with self._lock:
            self._seen += step is self._step
            is_it = step is self._step and self._seen == self._number
        if is_it:
            self.come.set()
            self.go_on.wait(LATE_SECONDS)
            return self._answer
        return None


@pytest.fixture
def relay() -> Iterator[Relay]:
    with Relay() as running:
        yield running


def workspace(root: Path, relay: Relay, *, connections: int = 1, people: int = PEOPLE, url: str = "") -> Path:
    provider = (
        f'\n[provider]\nuse = "smtp"\n[provider.smtp]\nhost = "127.0.0.1"\nport = {relay.port}\n'
        f'security = "none"\nconcurrency = {connections}\n'
    )
    database = f'\n[database]\nurl = "{url}"\n' if url else ""
    write_workspace(root, {"newsletter.toml": CONFIG + provider + database})
    write_list(root / "list.csv", people)
    run(root, "subscribers", "import", "list.csv")
    return root


def start(root: Path, *arguments: str, ignoring: tuple[signal.Signals, ...] = ()) -> subprocess.Popen[str]:
    def prepare() -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN if each in ignoring else signal.SIG_DFL)

    return subprocess.Popen(
        command(*(arguments or SEND)),
        cwd=root,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=prepare,  # noqa: PLW1509 - the child only sets signals
    )


def status(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(root, "status", "1", "--json").stdout)
    assert found["adds_up"]
    return found


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LATE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def kill(sending: subprocess.Popen[str]) -> None:
    sending.kill()
    sending.communicate(timeout=LATE_SECONDS)


def hold_to_the_promise(root: Path, relay: Relay, *, in_flight: int, people: int = PEOPLE) -> dict[str, Any]:
    """Resumes, and holds the result against what the relay knows."""
    relay.on_step = lambda _step, _recipient: None
    run(root, "resume", "--yes", expect=1 if in_flight else 0)
    found = status(root)
    unknown = {each["email"] for each in found["unknown"]}
    assert len(unknown) == found["tally"]["unknown"] <= in_flight
    assert max(relay.taken.values()) == 1
    assert relay.answered.keys() | unknown == {f"person{number}@example.org" for number in range(people)}
    assert found["tally"]["accepted"] == len(relay.answered.keys() - unknown) == people - len(unknown)
    assert list((root / "newsletter.db.replies").iterdir()) == []
    return found


@pytest.mark.parametrize("extensions", [(), ("PIPELINING",)])
@pytest.mark.parametrize(
    ("step", "number", "in_flight"),
    [
        (RelayStep.GREETING, 1, 0),
        (RelayStep.EHLO, 1, 0),
        (RelayStep.MAIL, 1, 1),
        *((step, 4, 1) for step in (RelayStep.MAIL, RelayStep.RCPT, RelayStep.DATA, RelayStep.HALF)),
        (RelayStep.CONTENT, 1, 1),
        (RelayStep.CONTENT, 4, 1),
        (RelayStep.CONTENT, PEOPLE, 1),
    ],
)
def test_a_kill_at_any_step_leaves_only_the_message_under_way_in_doubt(
    tmp_path: Path, relay: Relay, step: RelayStep, number: int, in_flight: int, extensions: tuple[str, ...]
) -> None:
    relay.extensions = extensions
    pause = relay.on_step = Pause(step, number)
    root = workspace(tmp_path, relay)
    sending = start(root)
    assert pause.come.wait(LATE_SECONDS)

    kill(sending)
    pause.go_on.set()

    found = hold_to_the_promise(root, relay, in_flight=in_flight)
    assert found["tally"]["unknown"] == in_flight


def test_a_kill_with_several_connections_leaves_one_message_of_each(tmp_path: Path, relay: Relay) -> None:
    held = threading.Semaphore(0)
    all_held = threading.Barrier(3)

    def on_step(step: RelayStep, recipient: str) -> None:
        if step is RelayStep.CONTENT and recipient in {"person5@example.org", "person105@example.org"}:
            all_held.wait(LATE_SECONDS)
            held.acquire(timeout=LATE_SECONDS)

    relay.on_step = on_step
    root = workspace(tmp_path, relay, connections=2, people=200)
    sending = start(root)
    all_held.wait(LATE_SECONDS)

    kill(sending)
    held.release(2)

    hold_to_the_promise(root, relay, in_flight=2, people=200)


def test_a_refusal_before_a_kill_stays_that_refusal(tmp_path: Path, relay: Relay) -> None:
    pause = Pause(RelayStep.CONTENT, 4)

    def on_step(step: RelayStep, recipient: str) -> str | None:
        if step is RelayStep.RCPT and recipient == "person1@example.org":
            return "550 5.1.1 no such user"
        return pause(step, recipient)

    relay.on_step = on_step
    root = workspace(tmp_path, relay)
    sending = start(root)
    assert pause.come.wait(LATE_SECONDS)
    kill(sending)
    pause.go_on.set()

    run(root, "resolve", "1", expect=1)

    tally = status(root)["tally"]
    assert (tally["accepted"], tally["invalid"], tally["unknown"], tally["waiting"]) == (3, 1, 1, PEOPLE - 5)
    assert "550 5.1.1 no such user" in run(root, "audit", "1", "person1@example.org").stdout


@pytest.mark.parametrize("damage", ["cut", "other start", "gone"])
def test_a_loss_of_power_sends_nothing_twice(tmp_path: Path, relay: Relay, damage: str) -> None:
    pause = relay.on_step = Pause(RelayStep.CONTENT, 6)
    root = workspace(tmp_path, relay)
    sending = start(root)
    assert pause.come.wait(LATE_SECONDS)
    kill(sending)
    pause.go_on.set()
    (log,) = (root / "newsletter.db.replies").iterdir()
    content = log.read_bytes()
    if damage == "cut":
        log.write_bytes(content[: 4 * LINE_BYTES + 100])
    elif damage == "other start":
        boot = json.loads(content[:LINE_BYTES])["boot"].encode()
        log.write_bytes(content.replace(boot, b"0" * len(boot)))
    else:
        log.unlink()
    relay.on_step = lambda _step, _recipient: None

    run(root, "resume", "--yes", expect=1)

    found = status(root)
    unknown = {each["email"] for each in found["unknown"]}
    assert max(relay.taken.values()) == 1
    assert found["tally"]["accepted"] + len(unknown) == PEOPLE
    assert relay.answered.keys() | unknown == {f"person{number}@example.org" for number in range(PEOPLE)}
    assert len(unknown) == {"cut": PEOPLE - 3, "gone": PEOPLE}.get(damage, len(unknown))
    assert damage != "other start" or 1 <= len(unknown) < PEOPLE - 4


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("verb", ["send", "resume", "run-due"])
def test_each_signal_ends_it_after_the_message_under_way(
    tmp_path: Path, relay: Relay, how: signal.Signals, verb: str
) -> None:
    root = workspace(tmp_path, relay)
    pause = relay.on_step = Pause(RelayStep.CONTENT, 4)
    if verb == "send":
        sending = start(root)
    elif verb == "resume":
        first = relay.on_step = Pause(RelayStep.CONTENT, 2)
        sending = start(root)
        assert first.come.wait(LATE_SECONDS)
        sending.send_signal(signal.SIGINT)
        time.sleep(0.3)
        first.go_on.set()
        sending.communicate(timeout=LATE_SECONDS)
        pause = relay.on_step = Pause(RelayStep.CONTENT, 2)
        sending = start(root, "resume", "--yes")
    else:
        run(root, "send", "2026-02", "--to", "everyone", "--at", "in 2 hours", "--yes")
        make_due(root)
        sending = start(root, "run-due")
    assert pause.come.wait(LATE_SECONDS)

    sending.send_signal(how)
    time.sleep(0.3)
    pause.go_on.set()
    told, _ = sending.communicate(timeout=LATE_SECONDS)

    assert sending.returncode == 130, told
    assert "Traceback" not in told
    tally = status(root)["tally"]
    assert (tally["accepted"], tally["unknown"], tally["waiting"]) == (4, 0, PEOPLE - 4)
    assert len(relay.begun) == 4
    hold_to_the_promise(root, relay, in_flight=0)


def make_due(root: Path) -> None:
    """The time of the broadcast has come."""
    moment = f"{datetime.now(UTC) - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
    with closing(sqlite3.connect(root / "newsletter.db")) as connection, connection:
        for table in ("broadcast", "chunk"):
            connection.execute(f"UPDATE {table} SET due_at = ?", (moment,))


def test_a_process_that_was_started_to_ignore_the_end_of_its_terminal_goes_on(tmp_path: Path, relay: Relay) -> None:
    root = workspace(tmp_path, relay)
    pause = relay.on_step = Pause(RelayStep.CONTENT, 4)
    sending = start(root, ignoring=(signal.SIGHUP,))
    assert pause.come.wait(LATE_SECONDS)
    sending.send_signal(signal.SIGHUP)
    pause.go_on.set()
    told, _ = sending.communicate(timeout=LATE_SECONDS)
    assert sending.returncode == 0, told
    assert status(root)["tally"]["accepted"] == PEOPLE


def test_a_reply_that_does_not_come_is_awaited_ten_seconds_and_then_unknown(tmp_path: Path, relay: Relay) -> None:
    root = workspace(tmp_path, relay)
    pause = relay.on_step = Pause(RelayStep.CONTENT, 4)
    sending = start(root)
    assert pause.come.wait(LATE_SECONDS)
    sending.send_signal(signal.SIGTERM)
    told, _ = sending.communicate(timeout=30)
    assert sending.returncode == 130, told
    tally = status(root)["tally"]
    assert (tally["accepted"], tally["unknown"], tally["waiting"]) == (3, 1, PEOPLE - 4)
    pause.go_on.set()
    hold_to_the_promise(root, relay, in_flight=1)


def test_a_relay_that_does_not_greet_leaves_nothing_in_doubt(tmp_path: Path, relay: Relay) -> None:
    root = workspace(tmp_path, relay)
    pause = relay.on_step = Pause(RelayStep.GREETING, 1)
    sending = start(root)
    assert pause.come.wait(LATE_SECONDS)
    sending.send_signal(signal.SIGINT)
    sending.communicate(timeout=30)
    assert status(root)["tally"]["waiting"] == PEOPLE
    pause.go_on.set()
    hold_to_the_promise(root, relay, in_flight=0)


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path, relay: Relay) -> None:
    root = workspace(tmp_path, relay)
    pause = relay.on_step = Pause(RelayStep.CONTENT, 4)
    sending = start(root)
    assert pause.come.wait(LATE_SECONDS)
    assert sending.stdout is not None
    sending.send_signal(signal.SIGINT)
    while "Stopping" not in sending.stdout.readline():
        assert sending.poll() is None
    began = time.monotonic()
    sending.send_signal(signal.SIGINT)
    sending.communicate(timeout=LATE_SECONDS)
    assert sending.returncode == 130
    assert time.monotonic() - began < 8
    pause.go_on.set()
    tally = status(root)["tally"]
    assert (tally["accepted"], tally["unknown"], tally["waiting"]) == (3, 1, PEOPLE - 4)
    hold_to_the_promise(root, relay, in_flight=1)


def test_a_cancellation_from_elsewhere_ends_it_after_the_message_under_way(tmp_path: Path, relay: Relay) -> None:
    root = workspace(tmp_path, relay)
    pause = relay.on_step = Pause(RelayStep.CONTENT, 4)
    sending = start(root)
    assert pause.come.wait(LATE_SECONDS)
    canceling = start(root, "cancel", "1", "--yes")
    wait_for(lambda: status(root)["state"] == "cancelling")
    time.sleep(0.3)
    pause.go_on.set()
    told, _ = canceling.communicate(timeout=LATE_SECONDS)
    sending.communicate(timeout=LATE_SECONDS)
    assert canceling.returncode == 0, told
    tally = status(root)["tally"]
    assert (tally["accepted"], tally["unknown"], tally["cancelled"]) == (4, 0, PEOPLE - 4)
    assert len(relay.begun) == 4


def test_two_processes_share_a_broadcast_and_one_is_killed(tmp_path: Path, relay: Relay) -> None:
    pause = relay.on_step = Pause(RelayStep.CONTENT, 4)
    root = workspace(tmp_path, relay, people=230)
    sending = start(root)
    assert pause.come.wait(LATE_SECONDS)
    run(root, "resume", "--yes")
    tally = status(root)["tally"]
    assert (tally["accepted"], tally["inflight"]) == (130, 100)
    kill(sending)
    pause.go_on.set()
    hold_to_the_promise(root, relay, in_flight=1, people=230)


def test_a_drive_without_locks_is_refused_before_anything_is_frozen(tmp_path: Path, relay: Relay) -> None:
    root = workspace(tmp_path, relay)
    shim = tmp_path / "without_locks"
    shim.mkdir()
    (shim / "sitecustomize.py").write_text(
        "import errno, fcntl\n"
        "def flock(*_):\n"
        "    raise OSError(errno.EOPNOTSUPP, 'Operation not supported')\n"
        "fcntl.flock = flock\n"
    )
    refused = run(root, *SEND, env={"PYTHONPATH": str(shim)}, expect=4)
    assert "does not support locks" in refused.stderr
    assert "move the newsletter folder to a local disk" in refused.stderr
    assert json.loads(run(root, "status", "--json").stdout) == []
    assert relay.begun == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
@pytest.mark.parametrize("room_bytes", [4096, 16384])
def test_a_disk_too_full_for_the_log_stops_before_anything_is_sent(
    tmp_path: Path, relay: Relay, room_bytes: int
) -> None:
    root = workspace(tmp_path, relay, people=100)
    folder = root / "newsletter.db.replies"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room_bytes}", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("this machine allows no small disk")
    try:
        refused = run(root, *SEND, expect=4)
        assert "the disk is full" in refused.stderr
        assert relay.begun == []
        assert status(root)["tally"]["waiting"] == 100
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    hold_to_the_promise(root, relay, in_flight=0, people=100)


# Workers, on PostgreSQL


@pytest.fixture
def url(postgresql_server: PostgresServer) -> Iterator[str]:
    made = postgresql_server.fresh_database()
    yield made
    postgresql_server.drop_database(made)


def two_computers(folder: Path, relay: Relay, url: str) -> tuple[Path, Path]:
    roots = folder / "here", folder / "there"
    for root in roots:
        root.mkdir()
        workspace(root, relay, url=url)
    return roots


def freeze(root: Path, url: str) -> None:
    """What `send` leaves in the ledger if it is killed before it sends."""
    frozen = replace(request(), provider="smtp")
    with open_database(url, workspace=root) as database:
        freeze_broadcast(database, frozen, [variant()], chunk_size=100, now=datetime.now(UTC))


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGINT, 130)])
def test_a_worker_ends_after_the_message_under_way(
    tmp_path: Path, relay: Relay, url: str, how: signal.Signals, code: int
) -> None:
    root = workspace(tmp_path, relay, url=url)
    pause = relay.on_step = Pause(RelayStep.CONTENT, 4)
    freeze(root, url)
    worker = start(root, "worker")
    assert pause.come.wait(LATE_SECONDS)

    worker.send_signal(how)
    time.sleep(0.5)
    pause.go_on.set()
    told, _ = worker.communicate(timeout=LATE_SECONDS)

    assert worker.returncode == code, told
    tally = status(root)["tally"]
    assert (tally["accepted"], tally["unknown"], tally["waiting"]) == (4, 0, PEOPLE - 4)
    hold_to_the_promise(root, relay, in_flight=0)


def test_the_computer_with_the_log_settles_what_another_could_not(tmp_path: Path, relay: Relay, url: str) -> None:
    here, there = two_computers(tmp_path, relay, url)
    pause = relay.on_step = Pause(RelayStep.CONTENT, 4)
    freeze(here, url)
    worker = start(here, "worker")
    assert pause.come.wait(LATE_SECONDS)
    kill(worker)
    pause.go_on.set()
    relay.on_step = lambda _step, _recipient: None

    run(there, "resume", "--yes", expect=1)
    assert status(there)["tally"]["unknown"] == PEOPLE

    run(here, "resolve", "1", expect=1)
    tally = status(there)["tally"]
    assert (tally["accepted"], tally["unknown"], tally["waiting"]) == (3, 1, PEOPLE - 4)
    hold_to_the_promise(here, relay, in_flight=1)
