"""A broadcast through SMTP, including the durable ledger, compared with Postfix's smtp-source. Both send to smtp-sink.

Ours freezes, claims, personalizes, submits and records the February issue. smtp-source, written in C, sends one
prebuilt message of the same size repeatedly and keeps no record. Both use the same number of connections. They take
turns, each with its own sink.
"""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from threading import Event

from benchmarks import workload
from benchmarks.timing import ROOT, Stopwatch, run_job, show, show_ratio
from newsletter.__main__ import prepare_process
from newsletter.config import Config, load_config
from newsletter.model.broadcast import BroadcastState, Mailing, Recipient
from newsletter.providers.mime import compile_message
from newsletter.providers.registry import open_provider
from newsletter.settings.provider import SmtpSettings
from newsletter.settings.workspace import Archive
from newsletter.store.ledger.freeze import freeze_broadcast
from newsletter.store.opening import open_database
from newsletter.workflows.compose.compose import Composed, compose_issue
from newsletter.workflows.compose.sample import envelope_of
from newsletter.workflows.send.drain import drain_broadcast

MESSAGES = 8_000
SESSIONS = 4
ROUNDS = 3
TARGET_RATIO = 1.0
_PATH = "/usr/local/sbin:/usr/sbin:/sbin"  # where Postfix's tools are installed, which is rarely in PATH
_ARCHIVE = "https://news.example.org/archive"  # which hosts the images, because they would be larger than the email


def main() -> None:
    """Print both rates and their ratio, or a note if Postfix's tools are missing."""
    if _tool("smtp-source") is None or _tool("smtp-sink") is None:
        show("skipped", "the comparison needs Postfix's smtp-source; run `make bench`, which unpacks it on Debian")
        return
    found: list[dict[str, float]] = []
    rates: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(ROUNDS):
        with _sink() as port:
            found.append(run_job("benchmarks.smtp_path", "broadcast", port))
        with _sink() as port:
            rates["theirs"].append(MESSAGES / _seconds_of_source(port, size_bytes=int(found[-1]["size_bytes"])))
        rates["ours"].append(MESSAGES / found[-1]["seconds"])
    ours, theirs = median(rates["ours"]), median(rates["theirs"])
    size = f"{found[0]['size_bytes'] / 1000:.0f} KB"
    show(f"broadcast of {MESSAGES:,} at {size}, with the ledger", f"{ours:,.0f} messages/s")
    show("smtp-source, without a ledger", f"{theirs:,.0f} messages/s")
    ratio = ours / theirs
    show_ratio("broadcast ÷ smtp-source", ratio, f"≥ {TARGET_RATIO}", is_met=ratio >= TARGET_RATIO)
    work = median(one["work_seconds"] for one in found) / MESSAGES
    show("processor time of the broadcast", f"{work * 1e6:.0f} µs per message")


def _tool(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path=_PATH)


@contextmanager
def _sink() -> Iterator[int]:
    """Start a server, written in C, that reads email and discards it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    as_nobody = ["-u", "nobody"] if Path("/proc/self").owner() == "root" else []  # it refuses to run as root
    process = subprocess.Popen([str(_tool("smtp-sink")), *as_nobody, f"127.0.0.1:{port}", "128"])
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("smtp-sink did not start to listen")


def _seconds_of_source(port: int, *, size_bytes: int) -> float:
    addresses = ["-f", "letter@example.org", "-t", "reader@example.org"]
    amounts = ["-s", str(SESSIONS), "-m", str(MESSAGES), "-l", str(size_bytes)]
    began = time.perf_counter()
    subprocess.run([str(_tool("smtp-source")), "-d", *amounts, *addresses, f"127.0.0.1:{port}"], check=True)
    return time.perf_counter() - began


def _broadcast_job(port: str) -> dict[str, float]:
    """Measure only the work for each person: everything is composed before."""
    config = _config(int(port))
    composed = compose_issue(config, workload.FEBRUARY)
    provider = open_provider(config, {})
    with tempfile.TemporaryDirectory() as name:
        location = Path(name) / "newsletter.db"
        workload.add_people(location, MESSAGES)
        with open_database(location) as database:
            request = workload.request_for(config, database, composed)
            variants = composed.rendered.variants
            stopwatch = Stopwatch()
            with stopwatch:
                broadcast = freeze_broadcast(
                    database, request, variants, chunk_size=provider.chunk_size, now=datetime.now(UTC)
                )
                done = drain_broadcast(database, broadcast, provider, on_settled=lambda _: None, stop=Event())
    if done.state is not BroadcastState.DONE:
        raise SystemExit(f"the broadcast is {done.state}: {done.reason}")
    return {
        "seconds": stopwatch.seconds,
        "work_seconds": stopwatch.work_seconds,
        "size_bytes": float(_size_bytes(config, composed)),
    }


def _config(port: int) -> Config:
    smtp = SmtpSettings(host="127.0.0.1", port=port, security="none", concurrency=SESSIONS)
    provider = {"use": "smtp", "smtp": smtp}
    return workload.with_settings(load_config(ROOT), provider=provider, archive=Archive(url=_ARCHIVE))


def _size_bytes(config: Config, composed: Composed) -> int:
    """Return the size of one message."""
    variant = composed.rendered.fullest
    mailing = Mailing(
        broadcast="b1-size", category="size", envelope=envelope_of(config), variant_key="", variant=variant, nonce="x"
    )
    recipient = Recipient(1, workload.email(1), "Person1", "https://news.example.org/u/1", ("Person1",) * 99)
    return len(compile_message(mailing, datetime.now(UTC)).render(recipient))


if __name__ == "__main__":
    prepare_process()  # as the program does
    print(json.dumps({"broadcast": _broadcast_job}[sys.argv[1]](*sys.argv[2:])))
