"""A rehearsal against the real commands, which send through a relay that is as slow as the test wants."""

import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from time import monotonic, sleep

import pytest

from tests.e2e.program import command, environment, run, write_list
from tests.fakes.scripted_relay import scripted_relay, usual
from tests.workspaces import CONFIG, ISSUE, write_workspace

EMAILS = int(os.environ.get("REHEARSED_EMAILS", "0"))  # in the long run; 20 per second, at least 1,200
SMTP = (
    '[provider]\nuse = "smtp"\n[provider.smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\nconcurrency = 4\n'
)
TWIN = "newsletter.workflows.rehearse"
SEND = f"""
import subprocess
import sys
from newsletter.__main__ import main
try:
    main()
finally:
    print([name for name in sys.modules if name.startswith({TWIN!r})], file=sys.stderr)
"""


class ThrottledRelay:
    """Accepts one email after the other, each after so many seconds, whichever connection it comes through."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._lock = seconds, Lock()
        self.first_at = self.last_at = 0.0
        self.accepted = 0
        self._free_at = 0.0

    def reset(self) -> None:
        self.first_at = self.last_at = 0.0
        self.accepted = 0

    def answer(self, command: str) -> str:
        if command == "GREETING":
            self.first_at = self.first_at or monotonic()
        if command == ".":
            with self._lock:
                self._free_at = max(self._free_at, monotonic()) + self._seconds
                free_at = self._free_at
            sleep(max(0.0, free_at - monotonic()))
            with self._lock:
                self.accepted += 1
                self.last_at = monotonic()
        return usual(command, "250-PIPELINING\r\n")


def send(folder: Path, issue: str, *, to: str) -> None:
    """Sends an issue with the command, in a process that says which of its modules belong to rehearsals."""
    done = subprocess.run(
        [sys.executable, "-c", SEND, "send", issue, "--to", to, "--yes"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]", "the real run knows nothing of rehearsals"


def workspace(root: Path, port: int, people: int) -> Path:
    """A workspace with two issues, a list, and a relay."""
    earlier = {"issues/2026-01/issue.yaml": ISSUE.replace("02-19", "01-19"), "issues/2026-01/letter.md": "Hello.\n"}
    write_workspace(root, {"newsletter.toml": CONFIG + SMTP.format(port=port), **earlier})
    write_list(root / "list.csv", people)
    run(root, "subscribers", "import", "list.csv")
    return root


def test_the_command_says_what_the_real_command_then_does(tmp_path: Path) -> None:
    relay = ThrottledRelay(0.0)
    with scripted_relay(relay.answer) as port:
        root = workspace(tmp_path, port, 250)
        asked = ("rehearse", "2026-02", "--to", "teachers", "--milliseconds", "20", "--no-failures")
        found = json.loads(run(root, *asked, "--json").stdout)
        assert relay.accepted == 0
        assert "125 people get it" in run(root, *asked).stdout
        send(root, "2026-02", to="teachers")
    assert found["tally"]["accepted"] == found["requests"] == relay.accepted == 125
    status = json.loads(run(root, "status", "1", "--json").stdout)
    assert status["tally"] == found["tally"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_copy_of_the_list_is_deleted_however_the_command_is_ended(tmp_path: Path, number: signal.Signals) -> None:
    root, copies = workspace(tmp_path / "letter", 1, 4000), tmp_path / "copies"
    copies.mkdir()
    rehearsing = subprocess.Popen(
        command("rehearse", "2026-02", "--to", "everyone"),
        cwd=root,
        env=environment({"TMPDIR": str(copies)}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list(copies.glob("newsletter-rehearsal-*/newsletter.db")):
        assert rehearsing.poll() is None
        sleep(0.005)
    rehearsing.send_signal(number)
    _, said = rehearsing.communicate(timeout=60)
    assert "Traceback" not in said
    assert rehearsing.returncode == 130
    assert not list(copies.glob("newsletter-rehearsal-*"))


LONG = pytest.mark.skipif(not EMAILS, reason="takes minutes; set REHEARSED_EMAILS=1500 to run it")


@LONG
@pytest.mark.parametrize("pace", ["", "[provider.smtp.pace]\nper_second = 20\n"], ids=["relay", "settings"])
def test_the_end_of_a_long_broadcast_is_forecast_within_one_percent(tmp_path: Path, pace: str) -> None:
    """Either the relay is the limit, whose speed is measured in a first broadcast, or the settings are."""
    relay = ThrottledRelay(0.0 if pace else 0.05)
    with scripted_relay(relay.answer) as port:
        root = workspace(tmp_path, port, EMAILS)
        with (root / "newsletter.toml").open("a") as settings:
            settings.write(pace)
        if not pace:
            send(root, "2026-01", to="everyone")
            relay.reset()
        found = json.loads(run(root, "rehearse", "2026-02", "--to", "everyone", "--json").stdout)
        send(root, "2026-02", to="everyone")
    begins, ends = (datetime.fromisoformat(found[name]) for name in ("begins", "handed_over"))
    forecast, real = ends - begins, timedelta(seconds=relay.last_at - relay.first_at)
    assert found["tempo"]["broadcasts"] == ([] if pace else [1])
    assert relay.accepted == found["tally"]["accepted"] == EMAILS
    assert abs(forecast - real) <= real * 0.01, f"forecast {forecast}, real {real}, {forecast / real:.4f}"
