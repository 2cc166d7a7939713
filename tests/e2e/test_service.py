"""`newsletter serve` as a process: asked to end, killed, without disk, with clients that are slow, odd or many."""

import json
import re
import resource
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.e2e.program import command, environment, run, write_list
from tests.e2e.relay import Relay, RelayStep
from tests.workspaces import CONFIG, write_workspace

PEOPLE = 400
CLICK = "List-Unsubscribe=One-Click"
FORM = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 26\r\n"
HOST = "Host: news.example.org\r\n"


@dataclass
class Serving:
    """A running service, and the list behind it."""

    root: Path
    port: int
    process: subprocess.Popen[str]
    links: dict[int, str]  # of person0, person1, …

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def talk(self, text: str) -> str:
        """What comes back for these bytes, until the service closes the connection."""
        with self.connect() as stream:
            stream.sendall(text.encode())
            return read_all(stream)

    def click(self, number: int) -> int:
        """One click of a person; the status."""
        said = self.talk(f"POST {self.links[number]} HTTP/1.1\r\n{HOST}{FORM}Connection: close\r\n\r\n{CLICK}")
        return status_of(said)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(60)

    @property
    def left(self) -> set[str]:
        """Who left, according to the file itself."""
        with closing(sqlite3.connect(self.root / "newsletter.db")) as connection:
            return {email for (email,) in connection.execute("SELECT email FROM suppression WHERE topic = ''")}


def read_all(stream: socket.socket) -> str:
    pieces = []
    with suppress(ConnectionError):
        while piece := stream.recv(65_536):
            pieces.append(piece)
    return b"".join(pieces).decode()


def status_of(said: str) -> int:
    found = re.match(r"HTTP/1\.1 (\d{3}) ", said)
    assert found, said
    return int(found[1])


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with people on the list, that is copied for each test."""
    root = write_workspace(tmp_path_factory.mktemp("filled") / "ws")
    write_list(root / "list.csv", PEOPLE)
    run(root, "subscribers", "import", "list.csv")
    return root


@pytest.fixture
def workspace(filled: Path, tmp_path: Path) -> Path:
    root = write_workspace(tmp_path / "ws")
    with (
        closing(sqlite3.connect(filled / "newsletter.db")) as source,
        closing(sqlite3.connect(root / "newsletter.db")) as target,
    ):
        source.backup(target)
    return root


@contextmanager
def serving(root: Path, *options: str, **limits: str) -> Iterator[Serving]:
    """The service, until the end of the block; it is killed there if it still runs."""
    with (root / "told").open("w") as told:
        process = subprocess.Popen(
            command("serve", "--port", "0", *options),
            cwd=root,
            env=environment(limits),
            stdout=subprocess.PIPE,
            stderr=told,
            text=True,
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        assert found, f"{line}{(root / 'told').read_text()}"
        with closing(sqlite3.connect(root / "newsletter.db")) as connection:
            people = connection.execute("SELECT email, id, token FROM subscriber").fetchall()
            links = {int(re.sub(r"\D", "", email)): f"/u/{id_}-{token}" for email, id_, token in people}
        yield Serving(root, int(found[1]), process, links)
    finally:
        process.kill()
        process.wait(20)
        process.stdout.close()
    assert "Traceback" not in (root / "told").read_text()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_request_that_has_begun_is_answered_before_the_process_ends(workspace: Path, how: signal.Signals) -> None:
    with serving(workspace) as service, service.connect() as stream:
        stream.sendall(f"POST {service.links[1]} HTTP/1.1\r\n{HOST}{FORM}\r\n{CLICK[:9]}".encode())
        assert status_of(service.talk(f"GET /healthz HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n")) == 200
        service.process.send_signal(how)
        _await_silence(service)
        stream.sendall(CLICK[9:].encode())
        assert status_of(read_all(stream)) == 200
        assert service.process.wait(60) == 0
        assert service.left == {"person1@example.org"}


def _await_silence(service: Serving) -> None:
    """Wait until the service takes no new connections."""
    with suppress(ConnectionError):
        while True:
            service.connect().close()


def test_whatever_was_answered_is_on_disk_when_the_process_is_killed(workspace: Path) -> None:
    answered: set[int] = set()
    with serving(workspace, "--no-sending") as service, ThreadPoolExecutor(16) as clients:

        def click(number: int) -> None:
            with suppress(ConnectionError, AssertionError):  # it was killed in the meantime
                if service.click(number) == 200:
                    answered.add(number)
                    if len(answered) == 150:
                        service.process.kill()

        list(clients.map(click, service.links))
        service.process.wait(20)
        assert 150 <= len(answered) < PEOPLE
        assert {f"person{number}@example.org" for number in answered} <= service.left


def test_while_another_program_writes_there_is_no_answer_that_was_not_saved(workspace: Path) -> None:
    with serving(workspace, "--no-sending") as service:
        with closing(sqlite3.connect(workspace / "newsletter.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            request = f"POST {service.links[1]} HTTP/1.1\r\n{HOST}{FORM}Connection: close\r\n\r\n{CLICK}"
            refused = service.talk(request)
            assert status_of(refused) == 503
            assert "\r\nretry-after: 5\r\n" in refused
            page = service.talk(f"GET {service.links[2]} HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n")
            assert status_of(page) == 200
            other.execute("ROLLBACK")
        assert service.click(1) == 200
        assert "person1@example.org" in service.left


def test_a_full_disk_is_an_answer_and_no_end(workspace: Path) -> None:
    with serving(workspace, "--no-sending") as service:
        before = resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE)
        assert service.click(1) == 200
        size = max(path.stat().st_size for path in workspace.glob("newsletter.db-wal"))
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (size, before[1]))
        refused = service.talk(f"POST {service.links[2]} HTTP/1.1\r\n{HOST}{FORM}Connection: close\r\n\r\n{CLICK}")
        assert status_of(refused) == 503
        assert "\r\nretry-after: 5\r\n" in refused
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, before)
        assert service.left == {"person1@example.org"}
        assert service.click(2) == 200
        assert service.left == {"person1@example.org", "person2@example.org"}


def test_clients_that_are_slow_or_many_keep_no_one_out(workspace: Path) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with serving(workspace, "--no-sending") as service, ExitStack() as held:
        halves = (
            f"GET / HTTP/1.1\r\n{HOST}X-Half: ",
            f"POST {service.links[1]} HTTP/1.1\r\n{HOST}{FORM}\r\n{CLICK[:9]}",
            "",
        )
        slow = []
        for number in range(2_100):
            stream = held.enter_context(service.connect())
            stream.sendall(halves[number % 3 if number < 900 else 2].encode())
            slow.append(stream)
            if number % 300 == 0:
                assert service.click(number // 300 + 10) == 200
        assert service.click(2) == 200
        # Each of them is let go, so that their connections do not add up.
        heads, bodies = slow[0], slow[1]
        assert read_all(heads) == ""
        assert status_of(read_all(bodies)) == 408
        assert "person1@example.org" not in service.left


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        ("GET /healthz HTTP/1.0\r\nHost: news.example.org\r\n\r\n", 200),
        ("GET /healthz HTTP/1.0\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: evil.example.net\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: news.example.org.evil.example.net\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: news.example.org\r\nHost: evil.example.net\r\n\r\n", 400),
        ("GET http://evil.example.net/healthz HTTP/1.1\r\nHost: news.example.org\r\n\r\n", 400),
        ("GET /metrics HTTP/1.1\r\nHost: news.example.org\r\n\r\n", 404),
        ("PUT /healthz HTTP/1.1\r\nHost: news.example.org\r\nContent-Length: 0\r\n\r\n", 405),
        ("TRACE /healthz HTTP/1.1\r\nHost: news.example.org\r\n\r\n", 405),
        ("JUMP /healthz HTTP/1.1\r\nHost: news.example.org\r\n\r\n", 400),
        ("OPTIONS * HTTP/1.1\r\nHost: news.example.org\r\n\r\n", 400),
        ("CONNECT evil.example.net:443 HTTP/1.1\r\nHost: news.example.org\r\n\r\n", 400),
        ("GET /healthz\r\n\r\n", 400),
        ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        ("GET /" + "a" * 9_000 + " HTTP/1.1\r\nHost: news.example.org\r\n\r\n", 404),
        ("GET /healthz HTTP/1.1\r\nHost: news.example.org\r\nX-Endless: " + "a" * 20_000, 400),
        (f"POST /u/1-none HTTP/1.1\r\n{HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (f"POST /u/1-none HTTP/1.1\r\n{HOST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde", 400),
        (
            f"POST /u/1-none HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n0\r\nHost: evil.example.net\r\n\r\n",
            200,
        ),
    ],
)
def test_odd_requests_get_a_status_and_change_nothing(odd: Serving, request_text: str, status: int) -> None:
    said = odd.talk(
        request_text.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")
        if "HTTP/1.1" in request_text
        else request_text
    )
    assert status_of(said) == status
    assert odd.left == set()
    assert "server:" not in said.lower()


@pytest.fixture(scope="module")
def odd(filled: Path) -> Iterator[Serving]:
    with serving(filled, "--no-sending") as service:
        yield service


def test_http_1_0_leaves_with_one_click(workspace: Path) -> None:
    with serving(workspace, "--no-sending") as service:
        said = service.talk(f"POST {service.links[1]} HTTP/1.0\r\n{HOST}{FORM}\r\n{CLICK}")
        assert status_of(said) == 200
        assert service.left == {"person1@example.org"}


def test_the_log_names_no_one_and_the_metrics_stay_on_this_machine(workspace: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        metrics_port = listener.getsockname()[1]
    settings = CONFIG.replace('org"\n\n[segments]', f'org"\nmetrics_port = {metrics_port}\n\n[segments]')
    (workspace / "newsletter.toml").write_text(settings)
    with serving(workspace, "--no-sending") as service:
        agent = "User-Agent: Mozilla/5.0 (ana@example.org)\r\nX-Forwarded-For: 192.0.2.77\r\n"
        query = "?email=ana@example.org"
        said = service.talk(
            f"POST {service.links[1]}{query} HTTP/1.1\r\n{HOST}{agent}{FORM}Connection: close\r\n\r\n{CLICK}"
        )
        assert status_of(said) == 200
        labels = 'agent="browser",method="POST",route="/u/{link}",status="200"'
        metrics = _metrics_with(metrics_port, f"newsletter_requests_total{{{labels}}} 1.0")
        assert service.end() == 0
    (line,) = map(json.loads, (workspace / "logs" / "requests.log").read_text().splitlines())
    assert {name: line[name] for name in ("route", "method", "status", "agent")} == {
        "route": "/u/{link}",
        "method": "POST",
        "status": 200,
        "agent": "browser",
    }
    assert set(line) == {"at", "process", "what", "route", "method", "status", "bytes", "agent", "milliseconds"}
    written = metrics + "".join(path.read_text() for path in (workspace / "logs").iterdir())
    token = service.links[1].partition("-")[2]
    assert not [secret for secret in (token, "example.org", "192.0.2.77", "ana@") if secret in written]


def _metrics_with(port: int, line: str) -> str:
    """The metrics, as soon as they have a line: a request is counted just after it was answered."""
    for _ in range(200):
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/metrics")
        metrics = connection.getresponse().read().decode()
        connection.close()
        if line in metrics:
            return metrics
    pytest.fail(metrics)


def let_pass(root: Path, span: timedelta) -> None:
    """Moves the times of the ledger back, as if so long had gone by."""
    with closing(sqlite3.connect(root / "newsletter.db", isolation_level=None)) as connection:
        for table, column in (("broadcast", "due_at"), ("chunk", "due_at")):
            for (text,) in connection.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {column} <> ''").fetchall():
                earlier = (datetime.fromisoformat(text) - span).astimezone(UTC).replace(tzinfo=None)
                moved = f"{earlier.isoformat(timespec='seconds')}Z"
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (moved, text))


def test_what_is_scheduled_is_sent_without_a_timer_and_the_end_waits_for_one_email(workspace: Path) -> None:
    """It ends after the email on its way, although hundreds wait; the next one sends the rest, and no one gets two."""
    is_asked, holds = threading.Event(), threading.Event()

    def on_step(step: RelayStep, _recipient: str) -> None:
        if step is RelayStep.CONTENT and len(relay.answered) == 5 and not is_asked.is_set():
            holds.set()
            is_asked.wait(30)

    with Relay(on_step=on_step) as relay:
        smtp = f'\n[provider]\nuse = "smtp"\n[provider.smtp]\nhost = "127.0.0.1"\nport = {relay.port}\n'
        (workspace / "newsletter.toml").write_text(CONFIG + smtp + 'security = "none"\nconcurrency = 1\n')
        run(workspace, "send", "2026-02", "--to", "everyone", "--at", "in 2 hours", "--yes", "--awake", "serve")
        let_pass(workspace, timedelta(hours=3))
        with serving(workspace) as service:
            assert holds.wait(60)
            service.process.send_signal(signal.SIGTERM)
            _await_silence(service)
            is_asked.set()
            assert service.process.wait(60) == 0
        tally = json.loads(run(workspace, "status", "1", "--json").stdout)["tally"]
        assert tally["accepted"] == len(relay.answered) < 20
        assert tally["accepted"] + tally["waiting"] == PEOPLE
        with serving(workspace) as service:
            _await_end_of_broadcast(service)
            assert service.end() == 0
        assert relay.answered == Counter({f"person{number}@example.org": 1 for number in range(PEOPLE)})
    steps = run(workspace, "status", "1")
    assert "No service" not in steps.stderr


def _await_end_of_broadcast(service: Serving) -> None:
    with closing(sqlite3.connect(service.root / "newsletter.db")) as connection:
        for _ in range(1200):
            ((state,),) = connection.execute("SELECT state FROM broadcast").fetchall()
            if state == "done":
                return
            assert service.process.poll() is None
            time.sleep(0.05)
    pytest.fail("the broadcast was not sent")


def test_a_port_that_is_taken_is_a_sentence(workspace: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        refused = run(workspace, "serve", "--port", port, expect=2)
    assert f"the service cannot listen on 127.0.0.1 port {port}: another program is using it" in refused.stderr


def test_install_shows_explains_and_asks(workspace: Path) -> None:
    shown = run(workspace, "serve", "--install", "--dry-run")
    assert f"\nWorkingDirectory={workspace}\n" in shown.stdout
    assert "may write only to" in shown.stderr
    assert "nothing was written" in shown.stderr
    asked = run(workspace, "serve", "--install", expect=2)
    assert "asks for confirmation" in asked.stderr
    assert not (workspace / "newsletter.service").exists()
    assert "--dry-run and --yes need --install" in run(workspace, "serve", "--yes", expect=2).stderr
