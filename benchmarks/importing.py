"""A shuffled list imported into an empty audience, and again, compared with a bare `sqlite3 .import` of the same file.

The command-line tool splits the lines and writes the cells as text into a table without an index. Our time includes
more: checking and comparing addresses, validating rows, distinguishing people with a unique index, and drawing a token
for each. Each import is the command as a person types it, in its own process.
"""

import random
import shutil
import sqlite3
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from benchmarks import workload
from benchmarks.timing import ROOT, program, run_command, show, show_ratio

ROUNDS = 3
TARGET_RATIO, TARGET_MIB = 0.3, 200
_HEADER = "email,first_name,last_name,language,timezone,tags,consented_at,consent_source,country"
_FIRST_NAMES = ("Ana", "José", "Zoë", "Łukasz", "Mária", "太郎", "Søren", "Chloé", "Ngozi", "Дарья", "Tom", "Ruth")
_LAST_NAMES = ("Lima", "García", "Müller", "Nowak", "山田", "Sørensen", "O'Neill", "Петрова", "Okafor", "Smith")
_LANGUAGES = ("en", "es", "fr", "de", "ja")
_ZONES = ("America/Los_Angeles", "Europe/Paris", "Asia/Tokyo", "Africa/Accra", "Europe/Madrid")
_TAGS = ("", "teacher", "member", "donor", "teacher;donor", "member;donor")
_COUNTRIES = ("US", "FR", "JP")
_FIRST_CONSENT = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Return the seconds and MiB of one command."""

    seconds: float
    peak_mib: float


def main() -> None:
    """Print the rates, the ratios and the memory, and check that everyone is on the list."""
    tool = shutil.which("sqlite3")
    if tool is None:
        show("no comparison", "the sqlite3 command-line tool is not installed; install the package sqlite3")
    bare, first, again = [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(ROOT / "newsletter.toml", folder)
        _run(
            [sys.executable, "-m", "benchmarks.importing", str(folder / "list.csv")], ROOT
        )  # otherwise its memory would count for other processes
        for _ in range(ROUNDS):
            for old in folder.glob("*.db*"):
                old.unlink()
            if tool is not None:
                bare.append(_run([tool, "bare.db", ".mode csv", ".import list.csv list"], folder))
                _check(folder / "bare.db", "SELECT count(*) FROM list", (workload.MANY,))
            first.append(_import(folder, (workload.MANY, 0, 0, 0)))
            again.append(_import(folder, (0, 0, workload.MANY, 0)))
        show(f"a list of {workload.MANY:,} people", f"{(folder / 'list.csv').stat().st_size / 2**20:.0f} MiB")
    for what, figures in (("sqlite3 .import", bare), ("import", first), ("import of the same list again", again)):
        if figures:
            _show(what, figures)
    if bare:
        ratio = median(run.seconds for run in bare) / median(run.seconds for run in first)
        show_ratio("import ÷ sqlite3 .import, in speed", ratio, f"≥ {TARGET_RATIO}", is_met=ratio >= TARGET_RATIO)
    ratio = median(run.seconds for run in first) / median(run.seconds for run in again)
    show_ratio("second import ÷ first import, in speed", ratio, "≥ 1", is_met=ratio >= 1)
    peak = max(run.peak_mib for run in (*first, *again))
    show("memory at the peak", f"{peak:.0f} MiB   target ≤ {TARGET_MIB}   {'met' if peak <= TARGET_MIB else 'MISSED'}")


def _show(what: str, figures: list[Figures]) -> None:
    seconds = median(run.seconds for run in figures)
    peak = max(run.peak_mib for run in figures)
    show(what, f"{seconds:.2f} s, {workload.MANY / seconds:,.0f} rows/s, {peak:.0f} MiB")


def _import(folder: Path, counts: tuple[int, int, int, int]) -> Figures:
    """Import the list as a person does. The numbers of added, updated, unchanged and rejected rows must be `counts`."""
    figures = _run([program(), "subscribers", "import", "list.csv"], folder)
    (database,) = (path for path in folder.glob("*.db") if path.name != "bare.db")
    last = "SELECT added, updated, unchanged, rejected FROM import ORDER BY id DESC LIMIT 1"
    _check(database, last, counts)
    _check(database, "SELECT count(*), count(DISTINCT token) FROM subscriber", (workload.MANY, workload.MANY))
    return figures


def _run(command: list[str], folder: Path) -> Figures:
    seconds, peak_mib = run_command(command, folder)
    return Figures(seconds=seconds, peak_mib=peak_mib)


def _check(path: Path, question: str, answer: tuple[int, ...]) -> None:
    connection = sqlite3.connect(path)
    try:
        found = connection.execute(question).fetchone()
    finally:
        connection.close()
    if found != answer:
        raise SystemExit(f"{path.name}: {question} gives {found}, not {answer}")


def _write_list(path: Path, count: int) -> None:
    """Return invented people in random order, the same in every run. Every person's cells are drawn."""
    draw = random.Random(2026)
    numbers = list(range(count))
    draw.shuffle(numbers)
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{_HEADER}\n")
        for number in numbers:
            consented_at = _FIRST_CONSENT + timedelta(minutes=draw.randrange(6 * 365 * 24 * 60))
            cells = (
                f"person{number:07}@example.org",
                draw.choice(_FIRST_NAMES),
                draw.choice(_LAST_NAMES),
                draw.choice(_LANGUAGES),
                draw.choice(_ZONES),
                draw.choice(_TAGS),
                f"{consented_at:%Y-%m-%dT%H:%M:%SZ}",
                "website form",
                draw.choice(_COUNTRIES),
            )
            file.write(f"{','.join(cells)}\n")


if __name__ == "__main__":
    _write_list(Path(sys.argv[1]), workload.MANY)
