"""One broadcast in a real PostgreSQL, drained by one process and then by two that share it.

Each process keeps a few requests open to a sink that answers after a delay, as an API does. So the benchmark measures
whether the ledger lets two processes work side by side. The server, the sink and all processes share the machine's
cores.
"""

import json
import subprocess
import sys
import time

from benchmarks import workload
from benchmarks.timing import ROOT, show, show_ratio
from newsletter.__main__ import prepare_process
from tests.postgresql import PostgresServer

RECIPIENTS = workload.MANY // 5
_DURABLE = {"fsync": "on", "full_page_writes": "on"}
LATENCY_SECONDS, CONCURRENCY, TARGET_RATIO = 0.2, 4, 1.7


def main() -> None:
    """Print the rate of one process and of two, and their ratio."""
    with PostgresServer(settings=_DURABLE) as server, workload.sink(LATENCY_SECONDS) as sink:
        rates = {processes: RECIPIENTS / _seconds(server.fresh_database(), sink, processes) for processes in (1, 2)}
    what = f"{CONCURRENCY} requests at a time, {LATENCY_SECONDS * 1000:.0f} ms each"
    show(f"one process, {what}", f"{rates[1]:,.0f} recipients/s")
    show("two processes, the same each", f"{rates[2]:,.0f} recipients/s")
    ratio = rates[2] / rates[1]
    show_ratio("two processes ÷ one", ratio, f"≥ {TARGET_RATIO}", is_met=ratio >= TARGET_RATIO)


def _seconds(database: str, sink: str, processes: int) -> float:
    """Return the seconds from the moment when all processes are ready."""
    workload.add_people(database, RECIPIENTS)
    workload.freeze_february(database)()
    command = [sys.executable, "-m", "benchmarks.postgresql", database, sink]
    workers = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    for worker in workers:
        assert worker.stdout is not None
        worker.stdout.readline()
    began = time.perf_counter()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("\n")
        worker.stdin.flush()
    for worker in workers:
        worker.communicate()
        if worker.returncode:
            raise SystemExit(f"a worker ended with {worker.returncode}")
    return time.perf_counter() - began


def _work(database: str, sink: str) -> None:
    """Run one process: report that it is ready, wait for a line, and drain."""
    drain = workload.drain_to(sink, database, concurrency=CONCURRENCY)
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(workload.measure(drain)))


if __name__ == "__main__":
    prepare_process()
    _work(sys.argv[1], sys.argv[2])
