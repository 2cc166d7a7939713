"""The proof of a broadcast to a million people: making it, opening one line of it, and the size of that line."""

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import workload
from benchmarks.timing import Stopwatch, run_job, show
from newsletter.__main__ import prepare_process
from newsletter.model.broadcast import Outcome, Verdict
from newsletter.model.ledger import ClaimedChunk
from newsletter.store.ledger.broadcasts import finish_if_done, list_broadcasts
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.record import record_outcome
from newsletter.store.opening import open_database
from newsletter.workflows.proof.bundle import prove_broadcast
from newsletter.workflows.proof.line import open_line
from newsletter.workflows.proof.verify import verify_proof

TARGET_SECONDS, TARGET_BYTES = 10.0, 2048
DATABASE = "newsletter.db"
_SECRET = b"benchmark of thirty-two bytes   "
_OPENED = 100  # lines


def main() -> None:
    """Print the time for a proof, the time for one line, and the size of the largest line."""
    with tempfile.TemporaryDirectory() as folder:
        run_job("benchmarks.proof", "send", folder)
        made = run_job("benchmarks.proof", "prove", folder)
        opened = run_job("benchmarks.proof", "open", folder)
    _show(f"proof of {workload.MANY:,} lines", made["seconds"], "s", TARGET_SECONDS)
    show("processor time of it, and memory", f"{made['work_seconds']:.2f} s, {made['mib']:.0f} MiB")
    show("stored of it", f"{made['bytes'] / workload.MANY:.0f} bytes a line")
    show("open a line, and verify it", f"{1000 * opened['open'] / _OPENED:.1f} and {1000 * opened['verify']:.1f} ms")
    _show("largest line", opened["bytes"], "bytes", TARGET_BYTES)


def _show(name: str, value: float, unit: str, target: float) -> None:
    show(name, f"{value:.1f} {unit}   target ≤ {target:.0f}   {'met' if value <= target else 'MISSED'}")


def _send(path: Path) -> dict[str, float]:
    """Freeze a broadcast, and record every chunk as accepted."""
    workload.add_people(path, workload.MANY)
    workload.freeze_february(path)()
    with open_database(path) as database, database.runner() as runner:
        (broadcast,) = list_broadcasts(database)
        now = broadcast.created_at
        while isinstance(claimed := claim_chunk(database, broadcast.id, runner.id, (), now=now), ClaimedChunk):
            record_outcome(database, claimed, Outcome(verdict=Verdict.ACCEPTED, message_id="m"), now=now)
        finish_if_done(database, broadcast.id, now=now)
    return {}


def _prove(path: Path) -> dict[str, float]:
    before = path.stat().st_size
    with open_database(path) as database:
        found = workload.measure(lambda: prove_broadcast(database, 1, secret=_SECRET, now=datetime.now(UTC)))
    return {**found, "bytes": path.stat().st_size - before}


def _open(path: Path) -> dict[str, float]:
    opening, verifying, largest = Stopwatch(), Stopwatch(), 0
    bundle, line = path.with_name("bundle.json"), path.with_name("line.json")
    with open_database(path) as database:
        bundle.write_bytes(prove_broadcast(database, 1, secret=_SECRET, now=datetime.now(UTC)).content)
        for number in range(0, workload.MANY, workload.MANY // _OPENED):
            with opening:
                opened = open_line(database, 1, workload.email(number), key=None)
            largest = max(largest, len(opened.content))
    line.write_bytes(opened.content)
    with verifying:
        verify_proof(bundle, line)
    return {"open": opening.seconds, "verify": verifying.seconds, "bytes": largest}


JOBS: Mapping[str, Callable[[Path], dict[str, float]]] = {"send": _send, "prove": _prove, "open": _open}

if __name__ == "__main__":
    prepare_process()
    print(json.dumps(JOBS[sys.argv[1]](Path(sys.argv[2]) / DATABASE)))
