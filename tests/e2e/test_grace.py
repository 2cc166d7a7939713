"""A send in its grace period, as a person sees it: they can call it off, and no one is reached."""

import json
import signal
import subprocess
from pathlib import Path
from typing import IO

import pytest

from tests.e2e.program import command, environment, run, write_list
from tests.workspaces import CONFIG, write_workspace

SEND = ("send", "2026-02", "--to", "everyone", "--yes")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with a grace period that no test outlasts."""
    write_workspace(tmp_path, {"newsletter.toml": f'{CONFIG}\n[delivery]\ngrace = "1h"\n'})
    write_list(tmp_path / "list.csv", 5)
    run(tmp_path, "subscribers", "import", "list.csv")
    return tmp_path


def start(root: Path) -> "subprocess.Popen[str]":
    """A send that has said that it waits."""
    sending = subprocess.Popen(
        command(*SEND), cwd=root, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert sending.stderr is not None
    _read_until(sending.stderr, "reaches no one")
    return sending


def _read_until(told: IO[str], words: str) -> None:
    for line in told:
        if words in line:
            return
    pytest.fail(f"it never said {words!r}")


def status(root: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(run(root, "status", "1", "--json").stdout)
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_grace_period_cancels_and_says_so(root: Path, number: signal.Signals) -> None:
    sending = start(root)
    sending.send_signal(number)
    _, told = sending.communicate(timeout=120)

    assert sending.returncode == 130, told
    assert "Broadcast 1 was canceled in its grace period. Nothing was sent." in told
    assert status(root)["state"] == "cancelled"
    assert not list(root.glob("outbox/**/*.eml"))


def test_cancel_in_another_terminal_is_offered_and_reaches_no_one(root: Path) -> None:
    sending = start(root)
    shown = run(root, "status", "1")
    assert "nothing is sent before" in shown.stdout
    assert "newsletter cancel 1" in shown.stderr

    run(root, "cancel", "1", "--yes")
    _, told = sending.communicate(timeout=120)

    assert sending.returncode == 0, told
    assert "was canceled in its grace period" in told
    assert not list(root.glob("outbox/**/*.eml"))


def test_the_plan_names_the_grace_period(root: Path) -> None:
    plan = run(root, *SEND[:-1], "--dry-run").stdout
    assert "nothing is sent in the first 1 hour, so that Ctrl-C or `newsletter cancel` reaches no one" in plan
