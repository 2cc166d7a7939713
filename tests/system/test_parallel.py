"""Calls at the same time: each result as soon as it is there, and no thread that holds the process."""

import subprocess
import sys
import threading

import pytest

from newsletter.system.parallel import begun, results_of
from newsletter.system.stream import TimeLimit


def test_a_result_is_given_before_slower_calls_end() -> None:
    go_on = threading.Event()

    def slow() -> str:
        go_on.wait(20)
        return "slow"

    results = results_of([slow, lambda: "fast"], threads=2)
    assert next(results) == "fast"
    go_on.set()
    assert list(results) == ["slow"]


def test_more_calls_than_threads_are_all_made() -> None:
    assert sorted(results_of([lambda number=number: number for number in range(50)], threads=3)) == list(range(50))


def test_the_error_of_a_call_is_raised() -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        list(results_of([fail], threads=1))


def test_at_the_deadline_the_missing_results_are_left_out() -> None:
    over = threading.Event()

    assert list(results_of([lambda: over.wait(20)], threads=1, deadline=TimeLimit(0.05))) == []
    over.set()


def test_what_is_done_in_the_background_gives_its_result_or_its_error() -> None:
    def fail() -> None:
        raise ValueError("no")

    result, failure = begun(lambda: 5), begun(fail)
    assert result() == 5
    with pytest.raises(ValueError, match="no"):
        failure()


@pytest.mark.parametrize("call", ["list(parallel.results_of([wait], threads=1))", "parallel.begun(wait)()"])
def test_an_interrupted_process_waits_for_no_call(call: str) -> None:
    code = (
        "import os, signal, threading\n"
        "from newsletter.system import parallel\n"
        "def wait():\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    threading.Event().wait()\n"
        f"{call}\n"
    )

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)

    assert "KeyboardInterrupt" in ended.stderr


def test_an_interrupted_process_lets_a_thread_remove_its_files() -> None:
    code = (
        "import os, signal, threading, time\n"
        "from newsletter.system.parallel import removing_files, results_of\n"
        "def wait():\n"
        "    with removing_files():\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        time.sleep(0.2)\n"
        "        print('removed', flush=True)\n"
        "list(results_of([wait], threads=1))\n"
    )

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)

    assert ended.stdout == "removed\n"
