"""A broadcast of 20,000 that is killed in the middle, and taken up again."""

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.program import command, environment, run, write_list
from tests.fakes.sendgrid_api import Fault, SendGridApi
from tests.workspaces import CONFIG, write_workspace

PEOPLE, CHUNK, WORKERS = 20_000, 1000, 2
KEY = {"SENDGRID_API_KEY": "SG.test-key"}
SEND = ("send", "2026-02", "--to", "everyone", "--yes")


def sendgrid_workspace(root: Path, api: SendGridApi) -> Path:
    provider = f'\n[provider]\nuse = "sendgrid"\n[provider.sendgrid]\napi_url = "{api.url}"\nconcurrency = {WORKERS}\n'
    write_workspace(root, {"newsletter.toml": CONFIG + provider})
    write_list(root / "list.csv", PEOPLE)
    run(root, "subscribers", "import", "list.csv")
    return root


def kill_when(root: Path, is_time: Callable[[], bool]) -> None:
    """Sends, and kills the process as soon as it is time."""
    sending = subprocess.Popen(
        command(*SEND), cwd=root, env=environment(KEY), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    while not is_time() and sending.poll() is None:
        time.sleep(0.001)
    os.kill(sending.pid, signal.SIGKILL)
    _, told = sending.communicate()
    assert sending.returncode == -signal.SIGKILL, told


def status(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(root, "status", "1", "--json").stdout)
    return found


def hold_to_the_promise(api: SendGridApi, found: dict[str, Any]) -> None:
    """No one is sent the issue twice, no one is lost, and all uncertain emails are named."""
    got = Counter(mail.email for mail in api.accepted)
    unknown = {delivery["email"] for delivery in found["unknown"]}
    tally = found["tally"]
    assert max(got.values()) == 1
    assert got.keys() | unknown == {f"person{number}@example.org" for number in range(PEOPLE)}
    assert tally["unknown"] == len(unknown) <= WORKERS * CHUNK
    assert tally["accepted"] + tally["unknown"] == tally["frozen"] == PEOPLE
    assert tally["accepted"] <= len(got)
    assert found["adds_up"]


def test_what_was_in_flight_at_a_kill_is_named_and_never_sent_again(tmp_path: Path) -> None:
    with SendGridApi() as api:
        root = sendgrid_workspace(tmp_path, api)
        api.script(*[Fault.NONE] * 7, Fault.HANG, Fault.HANG)
        kill_when(root, lambda: api.requests == 9)
        resumed = run(root, "resume", "--yes", env=KEY, expect=1)
        hold_to_the_promise(api, found := status(root))
        assert api.requests == PEOPLE / CHUNK
    assert found["tally"]["unknown"] == 2 * CHUNK
    assert found["unknown"][0]["email"] in resumed.stdout
    assert "the program ended while this batch was being sent" in resumed.stdout


@pytest.mark.parametrize("accepted_before", [1, PEOPLE // 2])
def test_a_broadcast_killed_at_any_moment_goes_on_without_doubles_or_losses(
    tmp_path: Path, accepted_before: int
) -> None:
    with SendGridApi() as api:
        root = sendgrid_workspace(tmp_path, api)
        kill_when(root, lambda: len(api.accepted) >= accepted_before)
        left = status(root)["tally"]
        run(root, "resume", "--yes", env=KEY, expect=1 if left["inflight"] else 0)
        hold_to_the_promise(api, status(root))


def test_an_interruption_finishes_what_is_in_hand_and_leaves_nothing_uncertain(tmp_path: Path) -> None:
    with SendGridApi() as api:
        root = sendgrid_workspace(tmp_path, api)
        sending = subprocess.Popen(
            command(*SEND), cwd=root, env=environment(KEY), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        while not api.accepted and sending.poll() is None:
            time.sleep(0.001)
        sending.send_signal(signal.SIGINT)
        _, told = sending.communicate(timeout=120)
        assert sending.returncode == 130, told
        assert "Traceback" not in told
        left = status(root)["tally"]
        assert (left["inflight"], left["unknown"]) == (0, 0)
        assert left["accepted"] + left["waiting"] == PEOPLE
        run(root, "resume", "--yes", env=KEY)
        hold_to_the_promise(api, found := status(root))
    assert found["tally"]["accepted"] == PEOPLE


def test_a_second_send_of_the_same_issue_reaches_nobody_twice(tmp_path: Path) -> None:
    with SendGridApi() as api:
        root = sendgrid_workspace(tmp_path, api)
        run(root, "send", "2026-02", "--to", "teachers", "--yes", env=KEY)
        run(root, *SEND, env=KEY)
        again = run(root, *SEND, env=KEY, expect=2)
        assert max(Counter(mail.email for mail in api.accepted).values()) == 1
    assert "already in broadcast 1" in again.stderr
    assert status(root)["tally"]["accepted"] == PEOPLE // 2


def test_a_resume_beside_a_living_broadcast_takes_nothing_from_it(tmp_path: Path) -> None:
    with SendGridApi() as api:
        root = sendgrid_workspace(tmp_path, api)
        sending = subprocess.Popen(
            command(*SEND), cwd=root, env=environment(KEY), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        while not api.accepted and sending.poll() is None:
            time.sleep(0.001)
        run(root, "resume", "--yes", env=KEY)
        _, told = sending.communicate(timeout=120)
        assert sending.returncode == 0, told
        hold_to_the_promise(api, found := status(root))
    assert found["tally"]["accepted"] == PEOPLE
