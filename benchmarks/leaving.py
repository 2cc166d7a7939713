"""Leaving with one click: 500 people per second, each from another address, counted only once they are in the file.

After the last answer the service is killed, and everyone who got an answer must be in the file. The floor is the same
client with a bare Starlette application, which saves nothing.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.page_load import REQUESTS, SETTINGS, form_request, measure_service, send_all, show_latencies
from benchmarks.timing import processor_seconds
from newsletter.config import CONFIG_FILE
from newsletter.lists.exports import batches_of
from newsletter.model.columns import SubscriberRecord
from newsletter.store.merge import merge_subscribers
from newsletter.store.opening import open_database

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


def main() -> None:
    """Print the latencies of the service and of the floor, and whether anything was lost."""
    with tempfile.TemporaryDirectory(prefix="leaving-") as name:
        folder = Path(name)
        requests = [form_request(link, _BODY, number) for number, link in enumerate(_prepare(folder))]
        left = "SELECT count(*) FROM suppression WHERE topic = ''"
        measure_service("leaving", folder, lambda _: requests, left)
        with _bare() as (process, port):
            before = processor_seconds(process.pid)
            floor = asyncio.run(send_all(port, requests))
            show_latencies("a bare application that saves nothing", floor, processor_seconds(process.pid) - before)


def _prepare(folder: Path) -> list[str]:
    """Make a list of people. Return the paths of their links."""
    (folder / CONFIG_FILE).write_text(SETTINGS)
    now = datetime.now(UTC)
    with open_database(folder / "newsletter.db") as database:
        people = (
            SubscriberRecord(email=f"person{number}@example.org", consented_at=now, consent_source="benchmark")
            for number in range(REQUESTS)
        )
        merge_subscribers(database, batches_of(people), now=now)
        with database.read() as connection:
            rows = connection.execute("SELECT id, token FROM subscriber").fetchall()
    return [f"/u/{number}-{token}" for number, token in rows]


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


if __name__ == "__main__":
    main()
