"""Requests to the service at a steady rate, over the connections of a web server in front of it.

Requests are sent at their time, however slow the answers are, and their latency counts from that time.
"""

import asyncio
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.timing import processor_seconds, show, show_ratio

RATE, SECONDS = 500, 20
REQUESTS = RATE * SECONDS
TARGET_SECONDS = 0.100  # for 99 of 100 requests
CONNECTIONS = 64  # as a web server in front of the service keeps them
SETTINGS = """
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


def measure_service(name: str, folder: Path, make_requests: Callable[[int], Sequence[bytes]], query: str) -> None:
    """Send requests to the service in a folder, kill it, and print the latencies and whether anything was lost.

    `make_requests` is given the port. `query` counts what the requests saved.
    """
    with service(folder) as (process, port):
        requests = make_requests(port)
        before = processor_seconds(process.pid)
        seconds = asyncio.run(send_all(port, requests))
        work = processor_seconds(process.pid) - before
        process.send_signal(signal.SIGKILL)
        process.wait()
    with closing(sqlite3.connect(folder / "newsletter.db")) as connection:
        ((durable,),) = connection.execute(query).fetchall()
    show_latencies(f"{name}, {RATE:,} requests per second for {SECONDS} s", seconds, work)
    worst, count = share_of(seconds, 0.99), len(requests)
    is_fast = worst <= TARGET_SECONDS and len(seconds) == count
    show_ratio("p99 ÷ 100 ms", worst / TARGET_SECONDS, "≤ 1", is_met=is_fast)
    show_ratio("in the file after a kill ÷ answered", durable / count, "= 1", is_met=durable == len(seconds) == count)


def show_latencies(name: str, seconds: Sequence[float], work: float) -> None:
    """Print the latencies of requests, and the processor time that their server took."""
    usual, worst = share_of(seconds, 0.5) * 1000, share_of(seconds, 0.99) * 1000
    show(name, f"{usual:.1f} ms median, {worst:.1f} ms p99, {work / REQUESTS * 1e6:,.0f} µs of processor time each")


def form_request(path: str, body: bytes, number: int) -> bytes:
    """Return the request that sends a form, each number from another client in another network."""
    client = f"10.{number & 255}.{number >> 8 & 255}.{number >> 16 & 255}"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: news.example.org\r\nX-Forwarded-For: {client}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextmanager
def service(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start the service, and yield its process and port."""
    command = [sys.executable, "-m", "newsletter", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", process.stdout.readline() if process.stdout else "")
            if found is None:
                raise SystemExit("the service did not start")
            yield process, int(found[1])
        finally:
            process.kill()


async def send_all(port: int, requests: Sequence[bytes]) -> list[float]:
    """Send requests, evenly spread. Return the seconds that each answer took, if it had status 200."""
    idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        idle.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    await asyncio.gather(*(_exchange(idle, each) for each in [form_request("/u/1-none", b"", 0)] * 20))  # to warm up
    seconds: list[float] = []
    begun = time.perf_counter()

    async def send(number: int, request: bytes) -> None:
        due = begun + number / RATE
        await asyncio.sleep(max(due - time.perf_counter(), 0))
        if await _exchange(idle, request) == 200:
            seconds.append(time.perf_counter() - due)

    await asyncio.gather(*(send(number, request) for number, request in enumerate(requests)))
    while not idle.empty():
        idle.get_nowait()[1].close()
    return seconds


async def _exchange(idle: "asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]", request: bytes) -> int:
    """Make one request over an idle connection. Return the status."""
    reader, writer = await idle.get()
    writer.write(request)
    answer = await reader.readuntil(b"\r\n\r\n")
    size = re.search(rb"content-length: (\d+)", answer)
    await reader.readexactly(int(size[1]) if size else 0)
    idle.put_nowait((reader, writer))
    return int(answer[9:12])


def share_of(seconds: Sequence[float], share: float) -> float:
    """Return the time within which a share of the requests was answered."""
    return sorted(seconds)[min(int(len(seconds) * share), len(seconds) - 1)] if seconds else float("inf")
