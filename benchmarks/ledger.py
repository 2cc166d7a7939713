"""The ledger of one broadcast in SQLite, with every commit forced to disk, compared with a minimal record.

The floor is the sqlite3 module and one table with four integers per delivery. It records who is in which chunk, marks
each chunk when it is sent and when it is accepted, and commits each time. It has no segments, exclusions, contents or
reasons.
"""

import json
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks import workload
from benchmarks.timing import Stopwatch, run_job, show, show_ratio
from benchmarks.workload import LANGUAGES
from newsletter.__main__ import prepare_process
from newsletter.model.broadcast import Outcome, Verdict
from newsletter.model.ledger import ClaimedChunk
from newsletter.model.mailbox import APPS_OF_MAILBOX
from newsletter.store.ledger.broadcasts import list_broadcasts
from newsletter.store.ledger.claim import claim_chunk
from newsletter.store.ledger.record import record_outcome
from newsletter.store.ledger.variants import variant_counts
from newsletter.store.opening import open_database

TARGET_MICROSECONDS, TARGET_BYTES, TARGET_MIB = 2.5, 28, 64
TARGET_RATIO = 3.0
SEGMENTS = 3  # each of which sees a section of its own
DATABASE = "newsletter.db"
TARGET_VARIANTS = 2.0
ROUNDS = 3  # one freeze with axes and one without


def main() -> None:
    """Print the microseconds and bytes per recipient of each step, the freeze's memory, and the ratio to the floor."""
    count = workload.MANY
    with tempfile.TemporaryDirectory() as folder:
        _run("people", folder)
        shutil.copy(Path(folder) / DATABASE, Path(folder) / "fresh.db")
        frozen, settled, floor = _run("freeze", folder), _run("settle", folder), _run("floor", folder)
        turns = [(_run_fresh("freeze", folder), _run_fresh("freeze_varied", folder)) for _ in range(ROUNDS)]
    each = 1e6 / count
    kept = frozen["seconds"] + settled["record"]
    show(f"freeze of {count:,} subscribers", f"{frozen['seconds']:.2f} s, {frozen['seconds'] * each:.2f} µs each")
    show("claim, with each address, name and token", f"{settled['claim'] * each:.2f} µs each")
    show("record", f"{settled['record'] * each:.2f} µs each")
    _show("freeze and record", kept * each, "µs each", TARGET_MICROSECONDS)
    work = frozen["work_seconds"] + settled["work_seconds"]
    show(
        "processor time of these, and of the bare table", f"{work * each:.2f} and {floor['work_seconds'] * each:.2f} µs"
    )
    _show("the ledger's part of the file", (frozen["bytes"] + settled["bytes"]) / count, "bytes each", TARGET_BYTES)
    plain, varied = (median(run["seconds"] for run in runs) for runs in zip(*turns, strict=True))
    ratio = varied / plain
    name = f"freeze by {SEGMENTS} segments, {len(APPS_OF_MAILBOX)} mailboxes, {len(LANGUAGES)} languages ÷ by none"
    show_ratio(name, ratio, f"≤ {TARGET_VARIANTS:.0f}", is_met=ratio <= TARGET_VARIANTS)
    show("variants with at least one reader", f"{turns[0][1]['variants']:.0f}")
    _show("memory of a freeze over the start", frozen["mib"], "MiB", TARGET_MIB)
    ratio = kept / floor["seconds"]
    show("one bare table", f"{floor['seconds'] * each:.2f} µs, {floor['bytes'] / count:.1f} bytes each")
    show_ratio("freeze and record ÷ one bare table", ratio, f"≤ {TARGET_RATIO:.0f}", is_met=ratio <= TARGET_RATIO)


def _show(name: str, value: float, unit: str, target: float) -> None:
    show(name, f"{value:.1f} {unit}   target ≤ {target}   {'met' if value <= target else 'MISSED'}")


def _run(job: str, folder: str) -> dict[str, float]:
    return run_job("benchmarks.ledger", job, folder)


def _run_fresh(job: str, folder: str) -> dict[str, float]:
    """Run a job on a database that has people and no broadcast."""
    shutil.copy(Path(folder) / "fresh.db", Path(folder) / DATABASE)
    return _run(job, folder)


def _people(path: Path) -> dict[str, float]:
    return workload.measure(lambda: workload.add_people(path, workload.MANY))


def _freeze(path: Path) -> dict[str, float]:
    before, freeze = _bytes_in_use(path), workload.freeze_february(path)
    found = workload.measure(freeze)
    return {**found, "bytes": _bytes_in_use(path) - before}


def _freeze_varied(path: Path) -> dict[str, float]:
    """Freeze for readers who differ by segment, mailbox and language."""
    freeze = workload.freeze_varied(path, segments=SEGMENTS)
    found = workload.measure(freeze)
    with open_database(path) as database:
        (broadcast,) = list_broadcasts(database)
        variants = len(variant_counts(database, broadcast.id))
    return {**found, "variants": variants}


def _settle(path: Path) -> dict[str, float]:
    """Claim every chunk in turn, and record it as accepted."""
    before, steps = _bytes_in_use(path), {"claim": Stopwatch(), "record": Stopwatch()}
    with open_database(path) as database, database.runner() as runner:
        (broadcast,) = list_broadcasts(database)
        while True:
            with steps["claim"]:
                claimed = claim_chunk(database, broadcast.id, runner.id, ("first_name",), now=datetime.now(UTC))
            if not isinstance(claimed, ClaimedChunk):
                break
            with steps["record"]:
                outcome = Outcome(verdict=Verdict.ACCEPTED, message_id=f"message-{claimed.number}")
                record_outcome(database, claimed, outcome, now=datetime.now(UTC))
    spent = {name: step.seconds for name, step in steps.items()}
    return {**spent, "work_seconds": steps["record"].work_seconds, "bytes": _bytes_in_use(path) - before}


def _floor(path: Path) -> dict[str, float]:
    bare = path.with_name("bare.db")
    connection = sqlite3.connect(bare, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("ATTACH :path AS list", {"path": str(path)})
        found = workload.measure(lambda: _keep_barely(connection))
    finally:
        connection.close()
    return {**found, "bytes": _bytes_in_use(bare)}


def _keep_barely(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE delivery (broadcast INTEGER, subscriber INTEGER, chunk INTEGER, status INTEGER, "
        "PRIMARY KEY (broadcast, subscriber)) WITHOUT ROWID"
    )
    connection.execute("CREATE TABLE chunk (number INTEGER PRIMARY KEY, state INTEGER)")
    connection.execute("BEGIN")
    place = {"size": workload.CHUNK_SIZE}
    connection.execute(
        "INSERT INTO delivery SELECT 1, id, (row_number() OVER (ORDER BY id) - 1) / :size, 0 "
        "FROM list.subscriber ORDER BY id",
        place,
    )
    connection.execute("INSERT INTO chunk SELECT DISTINCT chunk, 0 FROM delivery")
    connection.execute("COMMIT")
    for number in range(workload.MANY // workload.CHUNK_SIZE):
        for state in (1, 2):
            connection.execute("UPDATE chunk SET state = ? WHERE number = ?", (state, number))


def _bytes_in_use(path: Path) -> float:
    connection = sqlite3.connect(path)
    try:
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
    finally:
        connection.close()
    return float((pages - free) * size)


JOBS: Mapping[str, Callable[[Path], dict[str, float]]] = {
    "people": _people,
    "freeze": _freeze,
    "freeze_varied": _freeze_varied,
    "settle": _settle,
    "floor": _floor,
}

if __name__ == "__main__":
    prepare_process()
    print(json.dumps(JOBS[sys.argv[1]](Path(sys.argv[2]) / DATABASE)))
