"""Events that are taken in, and posts of SendGrid's webhook that are answered, both saved durably.

The peer of taking in events is the least that any program must do: to insert the same rows into one table with the same
key and the same durability, without looking at what they say. The peer of the webhook is the same server with a page
that reads a post and answers it, without looking at it. The client posts over a few connections that stay open, as
SendGrid does. In the end, the service is killed with -9 while posts arrive, and every post that it answered must be in
the database.
"""

import json
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks import workload
from benchmarks.timing import ROOT, Stopwatch, processor_seconds, program, run_job, show
from newsletter.__main__ import prepare_process
from newsletter.config import load_config
from newsletter.model.event import Event, EventType
from newsletter.store.opening import open_database
from newsletter.system.moments import text_of
from newsletter.workflows.events.ingest import ingest
from tests.fakes.event_webhook import EventWebhook, body_of
from tests.workspaces import CONFIG, write_workspace

EVENTS = workload.MANY
PEOPLE = workload.MANY // 10
AT_ONCE = 5000  # events in one call, as the interpreter of posts takes them in
POSTS, EVENTS_IN_POST, CONNECTIONS = 5000, 20, 64
TARGET_EVENTS, TARGET_POSTS = 150_000, 1000
_SENT_AT = datetime(2026, 2, 19, 16, tzinfo=UTC)
# Of 100 emails, 100 are processed, 98 delivered, and 35 opened; 5 links are clicked.
_TYPES = {EventType.PROCESSED: 100, EventType.DELIVERED: 98, EventType.OPENED: 35, EventType.CLICKED: 5}
_NAMES = {"processed": 100, "delivered": 98, "open": 35, "click": 5}


def main() -> None:
    """Print both rates with their floors, and whether anything was lost."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run("make", folder)
        _show_events(folder)
        _show_webhook(folder)


def _show_events(folder: Path) -> None:
    found = {job: _run(job, folder) for job in ("ingest", "floor")}
    ours, floor = (EVENTS / each["seconds"] for each in found.values())
    _show_rate(f"{EVENTS:,} events taken in", ours, "events", TARGET_EVENTS)
    show("the same rows inserted into one table", f"{floor:,.0f} events/s")
    show("taken in ÷ inserted", f"{ours / floor:5.2f} ×")
    show("processor time", f"{found['ingest']['work_seconds'] / EVENTS * 1e6:.2f} µs per event")


def _show_webhook(folder: Path) -> None:
    webhook = EventWebhook()
    settings = f'{CONFIG}\n[provider.sendgrid]\nwebhook_keys = ["{webhook.public_key}"]\n'
    write_workspace(folder, {"newsletter.toml": settings})
    requests = [_request(webhook, number) for number in range(2 * POSTS)]
    with _server([program(), "serve", "--port", "0"], folder) as (port, process):
        before = processor_seconds(process.pid)
        ours = POSTS / _post_all(port, requests[:POSTS])
        work = processor_seconds(process.pid) - before  # with the interpretation of those that were interpreted so far
        answered = POSTS + _post_until_killed(port, process, requests[POSTS:])
    with _server([sys.executable, "-m", "benchmarks.events", "bare"], ROOT) as (port, _):
        bare = POSTS / _post_all(port, requests[:POSTS])
    _show_rate(f"posts of {EVENTS_IN_POST} events, saved before the answer", ours, "posts", TARGET_POSTS)
    show("processor time", f"{work / POSTS * 1e6:,.0f} µs per post")
    show("the same server, which reads a post and answers", f"{bare:,.0f} posts/s")
    show("saved ÷ only read", f"{ours / bare:5.2f} ×")
    with open_database(folder / "newsletter.db") as database, database.read() as connection:
        ((saved,),) = connection.execute("SELECT count(*) FROM post", {}).fetchall()
    lost = max(0, answered - int(str(saved)))
    show("lost of the posts answered before kill -9", f"{lost} of {answered:,}   {'met' if not lost else 'MISSED'}")


def _show_rate(name: str, rate: float, of: str, target: int) -> None:
    show(name, f"{rate:,.0f} {of}/s   target ≥ {target:,}   {'met' if rate >= target else 'MISSED'}")


@contextmanager
def _server(command: Sequence[str], folder: Path) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Start a server that prints its address, and yield the port and the process."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield urlsplit(process.stdout.readline().split()[-1]).port or 0, process
    finally:
        process.kill()
        process.communicate()


def _request(webhook: EventWebhook, number: int) -> bytes:
    """Return a whole signed request, made before the time is taken."""
    numbers = random.Random(number)
    entries = [_entry(numbers, number * EVENTS_IN_POST + place) for place in range(EVENTS_IN_POST)]
    body = body_of(*entries)
    headers = {"Host": "127.0.0.1", "Content-Length": str(len(body)), **webhook.headers(body, at=datetime.now(UTC))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /events/sendgrid HTTP/1.1\r\n{lines}\r\n".encode() + body


def _entry(numbers: random.Random, number: int) -> dict[str, object]:
    person = numbers.randrange(PEOPLE) + 1
    entry: dict[str, object] = {
        "email": workload.email(person - 1),
        "timestamp": int(_SENT_AT.timestamp()) + number // 500,
        "event": numbers.choices(tuple(_NAMES), tuple(_NAMES.values()))[0],
        "category": ["issue-2026-02-b1"],
        "sg_event_id": f"{numbers.getrandbits(192):048x}",
        "sg_message_id": f"{numbers.getrandbits(128):032x}.filterdrecv-1.0",
        "smtp-id": f"<{numbers.getrandbits(128):032x}@geopod-ismtpd-1>",
        "nl_broadcast": "b1-n",
        "nl_chunk": str((person - 1) // workload.CHUNK_SIZE + 1),
        "nl_attempt": "1",
        "nl_delivery": str(person),
    }
    more: Mapping[object, dict[str, object]] = {
        "delivered": {"response": "250 2.0.0 OK 1771516800 ab12-20020a170902", "tls": 1},
        "open": {"useragent": "Mozilla/5.0 (via ggpht.com GoogleImageProxy)", "ip": "66.249.84.1"},
        "click": {"useragent": "Mozilla/5.0 (iPhone)", "ip": "192.0.2.1", "url": "https://example.org/a"},
    }
    return entry | more.get(entry["event"], {})


def _post_all(port: int, requests: Sequence[bytes]) -> float:
    """Post all requests over a few connections. Return the seconds. Raise SystemExit if one is refused."""
    parts = [requests[number::CONNECTIONS] for number in range(CONNECTIONS)]
    began = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        answered = sum(pool.map(lambda part: _post(port, part), parts))
    if answered < len(requests):
        raise SystemExit(f"{len(requests) - answered} posts were not answered with 200")
    return time.perf_counter() - began


def _post_until_killed(port: int, process: subprocess.Popen[str], requests: Sequence[bytes]) -> int:
    """Post requests, and kill the server meanwhile. Return how many were answered before."""
    parts = [requests[number::CONNECTIONS] for number in range(CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        answers = [pool.submit(_post, port, part) for part in parts]
        time.sleep(1.0)
        process.send_signal(signal.SIGKILL)
        return sum(answer.result() for answer in answers)


def _post(port: int, requests: Sequence[bytes]) -> int:
    """Post requests over one connection. Return how many were answered with 200 before it ended."""
    answered = 0
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)) as connection:
        for request in requests:
            connection.sendall(request)
            answer = connection.recv(65536)
            if not answer.startswith(b"HTTP/1.1 200"):
                break
            answered += 1
    return answered


def _run(job: str, *arguments: object) -> dict[str, float]:
    return run_job("benchmarks.events", job, *arguments)


def _make_job(folder: str) -> dict[str, float]:
    path = Path(folder) / "newsletter.db"
    workload.add_people(path, PEOPLE)
    with open_database(path) as database, database.transaction() as connection:
        connection.execute("UPDATE subscriber SET tracking_consented_at = '2026-01-01T00:00:00Z'", {})
        connection.execute(
            "INSERT INTO broadcast (id, issue, segment, expression, provider, state, reason, content_hash, nonce, "
            "envelope, waivers, frozen, created_at) VALUES (1, '2026-02', 'everyone', 'everyone', 'sendgrid', 'done', "
            "'', 'h', 'n', :envelope, '[]', :people, '2026-02-19T15:00:00Z')",
            {"people": PEOPLE, "envelope": workload.NO_ENVELOPE},
        )
    return {}


def _events() -> Iterator[Event]:
    """Yield events in the order in which they arrive: nearly in the order of time."""
    numbers = random.Random(1)
    kinds = numbers.choices(tuple(_TYPES), tuple(_TYPES.values()), k=EVENTS)
    seconds = [_SENT_AT + timedelta(seconds=second) for second in range(EVENTS // 500 + 6)]
    for number, kind in enumerate(kinds):
        person = numbers.randrange(PEOPLE) + 1
        yield Event(
            at=seconds[number // 500 + numbers.randrange(5)],
            type=kind,
            broadcast=1,
            nonce="n",
            chunk=(person - 1) // workload.CHUNK_SIZE + 1,
            attempt=1,
            subscriber=person,
            detail="250 2.0.0 OK" if kind is EventType.DELIVERED else "",
            url="https://example.org/a" if kind is EventType.CLICKED else "",
        )


def _in_turn(take: Callable[[Sequence[Event]], object]) -> dict[str, float]:
    """Time a function over all events, some at once. The events are made before."""
    stopwatch, events = Stopwatch(), _events()
    while some := list(islice(events, AT_ONCE)):
        with stopwatch:
            take(some)
    return {"seconds": stopwatch.seconds, "work_seconds": stopwatch.work_seconds}


def _ingest_job(folder: str) -> dict[str, float]:
    config = load_config(ROOT)
    path = Path(folder) / "ingested.db"
    shutil.copyfile(Path(folder) / "newsletter.db", path)
    with open_database(path) as database:
        return _in_turn(lambda some: ingest(config, database, some, now=_SENT_AT))


def _floor_job(folder: str) -> dict[str, float]:
    connection = sqlite3.connect(Path(folder) / "floor.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    names = ("at", "digest", "type", "broadcast", "chunk", "attempt", "subscriber", "detail", "url")
    connection.execute(f"CREATE TABLE event ({', '.join(names)}, PRIMARY KEY (at, digest)) WITHOUT ROWID")

    def insert(some: Sequence[Event]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [
                (text_of(e.at), e.digest, e.type.value, e.broadcast, e.chunk, e.attempt, e.subscriber, e.detail, e.url)
                for e in some
            ],
        )
        connection.execute("COMMIT")

    return _in_turn(insert)


def _bare() -> None:
    """Serve a page with the program's own server settings that only reads a post and answers it."""

    async def receive(request: Request) -> Response:
        await request.body()
        return Response()

    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
    app = Starlette(routes=[Route("/events/sendgrid", receive, methods=["POST"])])
    settings = uvicorn.Config(
        app, log_config=None, log_level="critical", access_log=False, ws="none", loop="uvloop", http="httptools"
    )
    uvicorn.Server(settings).run(sockets=[listener])


JOBS: Mapping[str, Callable[..., dict[str, float]]] = {"make": _make_job, "ingest": _ingest_job, "floor": _floor_job}

if __name__ == "__main__":
    prepare_process()
    if sys.argv[1] == "bare":
        _bare()
    else:
        print(json.dumps(JOBS[sys.argv[1]](*sys.argv[2:])))
