"""Leaving with one click: 500 people per second, each from another address, counted only once they are in the file.

Requests are sent at their time, however slow the answers are, and their latency counts from that time. After the last
answer the service is killed, and everyone who got an answer must be in the file. The floor is the same client with a
bare Starlette application, which saves nothing.
"""

import asyncio
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.timing import processor_seconds, show, show_ratio
from newsletter.config import CONFIG_FILE
from newsletter.lists.exports import batches_of
from newsletter.model.columns import SubscriberRecord
from newsletter.store.merge import merge_subscribers
from newsletter.store.opening import open_database

RATE, SECONDS = 500, 20
PEOPLE = RATE * SECONDS
TARGET_SECONDS = 0.100  # for 99 of 100 requests
CONNECTIONS = 64  # as a web server in front of the service keeps them
_BODY = b"List-Unsubscribe=One-Click"
_BARE = """
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def answer(request):
    await request.body()
    return PlainTextResponse("ok")

app = Starlette(routes=[Route("/u/{link}", answer, methods=["POST"])])
print("ready", flush=True)
uvicorn.run(app, port=%d, loop="uvloop", http="httptools", log_level="critical")
"""
_SETTINGS = """
[newsletter]
name = "Benchmark"
organization = "Example Press"
from = "News <news@example.org>"
address = "1 Example Street"
website = "https://www.example.org"
reason = "You signed up."
timezone = "UTC"

[service]
url = "https://news.example.org"
"""


def main() -> None:
    """Print the latencies of the service and of the floor, and whether anything was lost."""
    with tempfile.TemporaryDirectory(prefix="leaving-") as name:
        folder = Path(name)
        links = _prepare(folder)
        with _service(folder) as (process, port):
            before = processor_seconds(process.pid)
            ours = asyncio.run(_send_all(port, links))
            work = processor_seconds(process.pid) - before
            process.send_signal(signal.SIGKILL)
            process.wait()
        durable = _left(folder)
        with _bare() as (process, port):
            before = processor_seconds(process.pid)
            floor = asyncio.run(_send_all(port, links))
            floor_work = processor_seconds(process.pid) - before
    answered = len(ours)
    worst, usual = _share(ours, 0.99), _share(ours, 0.5)
    show(
        f"leaving, {RATE:,} requests per second for {SECONDS} s",
        f"{usual * 1000:.1f} ms median, {worst * 1000:.1f} ms p99",
    )
    show(
        "a bare application that saves nothing",
        f"{_share(floor, 0.5) * 1000:.1f} ms median, {_share(floor, 0.99) * 1000:.1f} ms p99",
    )
    times = f"{work / PEOPLE * 1e6:,.0f} µs, of the bare application {floor_work / PEOPLE * 1e6:,.0f} µs"
    show("processor time per request", times)
    show_ratio("p99 ÷ 100 ms", worst / TARGET_SECONDS, "≤ 1", is_met=worst <= TARGET_SECONDS and answered == PEOPLE)
    show_ratio("in the file after a kill ÷ answered", durable / PEOPLE, "= 1", is_met=durable == answered == PEOPLE)


def _prepare(folder: Path) -> list[str]:
    """Make a list of people. Return the paths of their links."""
    (folder / CONFIG_FILE).write_text(_SETTINGS)
    now = datetime.now(UTC)
    with open_database(folder / "newsletter.db") as database:
        people = (
            SubscriberRecord(email=f"person{number}@example.org", consented_at=now, consent_source="benchmark")
            for number in range(PEOPLE)
        )
        merge_subscribers(database, batches_of(people), now=now)
        with database.read() as connection:
            rows = connection.execute("SELECT id, token FROM subscriber").fetchall()
    return [f"/u/{number}-{token}" for number, token in rows]


def _left(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "newsletter.db")) as connection:
        ((count,),) = connection.execute("SELECT count(*) FROM suppression WHERE topic = ''").fetchall()
    return int(count)


@contextmanager
def _service(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, "-m", "newsletter", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", process.stdout.readline() if process.stdout else "")
            if found is None:
                raise SystemExit("the service did not start")
            yield process, int(found[1])
        finally:
            process.kill()


@contextmanager
def _bare() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = 20_000 + os.getpid() % 20_000
    with subprocess.Popen([sys.executable, "-c", _BARE % port], stdout=subprocess.PIPE) as process:
        try:
            if process.stdout:
                process.stdout.readline()
            time.sleep(1)  # until it listens
            yield process, port
        finally:
            process.kill()


async def _send_all(port: int, links: Sequence[str]) -> list[float]:
    """Send one request for each link, evenly spread. Return the seconds that each answer took, if it had status 200."""
    idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        idle.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    await asyncio.gather(*(_exchange(idle, path, 0) for path in ["/u/1-none"] * 20))  # to warm up
    seconds: list[float] = []
    begun = time.perf_counter()

    async def click(number: int, path: str) -> None:
        due = begun + number / RATE
        await asyncio.sleep(max(due - time.perf_counter(), 0))
        if await _exchange(idle, path, number) == 200:
            seconds.append(time.perf_counter() - due)

    await asyncio.gather(*(click(number, path) for number, path in enumerate(links)))
    while not idle.empty():
        idle.get_nowait()[1].close()
    return seconds


async def _exchange(
    idle: "asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]", path: str, number: int
) -> int:
    """Make one request over an idle connection. Return the status."""
    reader, writer = await idle.get()
    client = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: news.example.org\r\nX-Forwarded-For: {client}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(_BODY)}\r\n\r\n"
    )
    writer.write(head.encode() + _BODY)
    answer = await reader.readuntil(b"\r\n\r\n")
    size = re.search(rb"content-length: (\d+)", answer)
    await reader.readexactly(int(size[1]) if size else 0)
    idle.put_nowait((reader, writer))
    return int(answer[9:12])


def _share(seconds: Sequence[float], share: float) -> float:
    return sorted(seconds)[min(int(len(seconds) * share), len(seconds) - 1)] if seconds else float("inf")


if __name__ == "__main__":
    main()
