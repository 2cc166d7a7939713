"""A broadcast that was begun in the studio, when the studio is stopped: nothing is lost, and no one gets it twice."""

import json
import re
import signal
import subprocess
import threading
from pathlib import Path

import httpx
import pytest

from tests.e2e.program import command, environment, run, write_list
from tests.e2e.relay import Relay, RelayStep
from tests.workspaces import CONFIG, write_workspace

PEOPLE = 12
STOPS_AT = 4
SMTP = """
[provider]
use = "smtp"

[provider.smtp]
host = "127.0.0.1"
port = {port}
security = "none"
concurrency = 1
"""


class Pause:
    """A relay that keeps one answer back until the test lets it go on."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()
        self._count = 0

    def __call__(self, step: RelayStep, recipient: str) -> str | None:
        if step is RelayStep.CONTENT:
            self._count += 1
            if self._count == STOPS_AT:
                self.reached.set()
                self.go_on.wait(60)
        return None


def send_from_page(url: str) -> None:
    """Plans a broadcast to everyone and confirms it, as the forms do."""
    with httpx.Client(base_url=url, timeout=60, headers={"Origin": url, "Sec-Fetch-Site": "same-origin"}) as pages:
        found = re.search(r'name="token" value="([^"]+)"', pages.get("/2026-02/sending").text)
        assert found is not None
        form = {"token": found[1], "segment": "everyone", "when": "now"}
        question = pages.post("/2026-02/sending/plan", data=form).headers["location"]
        answer = pages.post(question, data={"token": found[1], "people": str(PEOPLE)})
        assert answer.headers["location"] == "/2026-02/sending/1"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_studio_stops_after_the_email_and_resume_sends_the_rest(tmp_path: Path, number: signal.Signals) -> None:
    pause = Pause()
    with Relay(on_step=pause) as relay:
        write_workspace(tmp_path, {"newsletter.toml": CONFIG + SMTP.format(port=relay.port)})
        write_list(tmp_path / "list.csv", PEOPLE)
        run(tmp_path, "subscribers", "import", "list.csv")
        studio = subprocess.Popen(
            command("preview", "2026-02", "--no-open"),
            cwd=tmp_path,
            env=environment({"PYTHONUNBUFFERED": "1"}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert studio.stdout is not None
        send_from_page(studio.stdout.readline().strip().rstrip("/"))
        assert pause.reached.wait(60)
        studio.send_signal(number)
        pause.go_on.set()
        _, told = studio.communicate(timeout=120)

        assert "Traceback" not in told
        assert "Broadcast 1 is not finished." in told
        assert "newsletter resume 1" in told
        begun = sum(relay.taken.values())
        assert STOPS_AT <= begun <= STOPS_AT + 1
        found = json.loads(run(tmp_path, "status", "1", "--json").stdout)
        assert found["adds_up"]
        assert (found["tally"]["accepted"], found["tally"]["unknown"]) == (begun, 0)

        run(tmp_path, "resume", "1", "--yes")
        assert dict(relay.taken) == {f"person{each}@example.org": 1 for each in range(PEOPLE)}
        assert json.loads(run(tmp_path, "status", "1", "--json").stdout)["tally"]["accepted"] == PEOPLE
        shown = run(tmp_path, "status", "2026-02").stdout
        assert f"{PEOPLE} of {PEOPLE} people accepted." in shown


def test_status_shows_the_road_of_an_issue(tmp_path: Path) -> None:
    write_workspace(tmp_path)
    write_list(tmp_path / "list.csv", 2)
    run(tmp_path, "subscribers", "import", "list.csv")
    shown = run(tmp_path, "status", "2026-02")
    assert [line.split()[0] for line in shown.stdout.splitlines()[1:]] == [
        "composed",
        "checked",
        "tested",
        "approved",
        "scheduled",
        "sent",
    ]
    assert "newsletter send 2026-02 --to everyone --dry-run" in shown.stderr
    found = json.loads(run(tmp_path, "status", "2026-02", "--json").stdout)
    assert [each["step"] for each in found["stations"] if each["is_passed"]] == ["composed", "checked"]
    assert "there is no issue 'nothing'" in run(tmp_path, "status", "nothing", expect=2).stderr
    assert "there is no broadcast 7" in run(tmp_path, "status", "7", expect=2).stderr
