"""What the service answered is never lost, even if its process is killed right after the answer."""

import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlsplit

from newsletter.store.database import Database
from newsletter.store.opening import open_database
from newsletter.store.posts import count_waiting_posts
from newsletter.store.suppressions import count_suppressions
from tests.e2e.program import command, environment
from tests.fakes.event_webhook import EventWebhook, body_of
from tests.store.builders import add_people, freeze, id_of
from tests.workspaces import CONFIG, write_workspace

WEBHOOK = EventWebhook()
SETTINGS = f'{CONFIG}\n[provider.sendgrid]\nwebhook_keys = ["{WEBHOOK.public_key}"]\n'
PEOPLE, AT_ONCE = 60, 8


@contextmanager
def service(folder: Path) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Run `newsletter serve` on a free port, and yield the port and the process. It is killed at the end."""
    process = subprocess.Popen(
        command("serve", "--port", "0"), cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield urlsplit(process.stdout.readline().split()[-1]).port or 0, process
    finally:
        process.kill()
        process.communicate()


def post(port: int, body: bytes) -> bool:
    """Whether a post was answered with 200 before the connection broke."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", "/events/sendgrid", body, dict(WEBHOOK.headers(body, at=datetime.now(UTC))))
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def test_nothing_that_was_answered_is_lost_when_the_service_is_killed(tmp_path: Path) -> None:
    folder = write_workspace(tmp_path / "workspace", {"newsletter.toml": SETTINGS})
    path = folder / "newsletter.db"
    with open_database(path) as database:
        add_people(database, PEOPLE)
        broadcast = freeze(database)
        people = [id_of(database, f"person{number:05}@example.org") for number in range(PEOPLE)]
    bodies = [
        body_of(
            {
                "event": "spamreport",
                "timestamp": int(datetime.now(UTC).timestamp()),
                "nl_broadcast": broadcast.mailing_id,
                "nl_chunk": "1",
                "nl_attempt": "1",
                "nl_delivery": str(person),
            }
        )
        for person in people
    ]
    with service(folder) as (port, process), ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [pool.submit(post, port, body) for body in bodies]
        while sum(answer.done() for answer in answers) < PEOPLE // 2:
            sleep(0.001)
        os.kill(process.pid, signal.SIGKILL)
        answered = sum(answer.result() for answer in answers)
    assert answered >= PEOPLE // 2

    with open_database(path) as database:
        assert count_waiting_posts(database) + _interpreted(database) >= answered
        with service(folder):
            deadline = monotonic() + 30
            while count_waiting_posts(database) and monotonic() < deadline:
                sleep(0.05)
        assert count_waiting_posts(database) == 0
        assert count_suppressions(database).total() >= answered


def _interpreted(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute("SELECT count(*) FROM post WHERE interpreted_at <> ''", {}).fetchall()[0][0])
