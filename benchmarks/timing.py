"""Time whole processes in turn, so that changes in the machine's speed affect both."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
_RUNNER = """
import os, sys, time
silence = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in (0, 1, 2)]
began = time.perf_counter()
process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=silence)
_, status, usage = os.wait4(process, 0)
print(time.perf_counter() - began, os.waitstatus_to_exitcode(status), usage.ru_maxrss / 1024)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """The runs of one command."""

    seconds: tuple[float, ...]
    peak_mib: float

    @property
    def middle(self) -> float:
        """Return the median in seconds."""
        return median(self.seconds)


class Stopwatch:
    """Add up the seconds of the blocks inside it, by the clock and by processor time."""

    def __init__(self) -> None:
        self.seconds = self.work_seconds = 0.0
        self._began = self._work_began = 0.0

    def __enter__(self) -> None:
        self._began, self._work_began = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._began
        self.work_seconds += time.process_time() - self._work_began


def time_in_turn(commands: Mapping[str, Sequence[str]], *, folder: Path, runs: int = 9) -> dict[str, Timed]:
    """Run each command in turn, once to warm up and then `runs` times."""
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for round_number in range(runs + 1):
        for name, command in commands.items():
            found = run_command(command, folder)
            if round_number:
                measured[name].append(found)
    return {
        name: Timed(seconds=tuple(seconds for seconds, _ in found), peak_mib=max(peak for _, peak in found))
        for name, found in measured.items()
    }


def show(name: str, value: str) -> None:
    """Print a line of a benchmark's result."""
    print(f"  {name:<52} {value}")


def show_ratio(name: str, ratio: float, target: str, *, is_met: bool) -> None:
    """Print a ratio beside its target."""
    show(name, f"{ratio:5.2f} ×   target {target}   {'met' if is_met else 'MISSED'}")


def program() -> str:
    """Return the path of the installed program."""
    return str(Path(sys.executable).with_name("newsletter"))


def run_command(command: Sequence[str], folder: Path) -> tuple[float, float]:
    """Return the seconds and the peak memory in MiB of one run, as the operating system reports them.

    A small process starts it, because the reported peak includes that of the process that starts a program. Bytecode is
    kept after the first run, as for an installed program.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    runner = [sys.executable, "-I", "-S", "-c", _RUNNER, *command]
    told = subprocess.run(runner, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    seconds, code, peak_mib = told.split()
    if int(code) not in {0, 1}:
        raise SystemExit(f"{' '.join(command)} ended with {code}")
    return float(seconds), float(peak_mib)


def run_job(module: str, job: str, *arguments: object) -> dict[str, float]:
    """Run `python -m MODULE JOB …`, and return the figures that it printed last."""
    done = subprocess.run(
        [sys.executable, "-m", module, job, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{module} {job} failed:\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def processor_seconds(process: int) -> float:
    """Return the processor time of a process so far (proc(5))."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
