"""Mail that may or may not have been taken: what the program finds out, asks, and does."""

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.program import command, environment, run, write_list
from tests.fakes.sendgrid_api import Fault, SendGridApi
from tests.workspaces import CONFIG, write_workspace

KEY = {"SENDGRID_API_KEY": "SG.test-key"}


@pytest.fixture
def api() -> Iterator[SendGridApi]:
    """SendGrid's API on loopback, with its log."""
    with SendGridApi() as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path, api: SendGridApi) -> Path:
    """A workspace with three people on the list that sends through it."""
    provider = f'\n[provider]\nuse = "sendgrid"\n[provider.sendgrid]\napi_url = "{api.url}"\n'
    root = write_workspace(tmp_path, {"newsletter.toml": CONFIG + provider})
    write_list(root / "list.csv", 3)
    run(root, "subscribers", "import", "list.csv")
    return root


def send_into_the_dark(root: Path, api: SendGridApi, fault: Fault) -> None:
    """A broadcast whose only request ends without a clear answer."""
    api.script(fault)
    run(root, "send", "2026-02", "--to", "everyone", "--yes", env=KEY, expect=1)


def status(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(root, "status", "1", "--json").stdout)
    return found


def answer(root: Path, *arguments: str, said: str) -> tuple[int, str]:
    """Runs a command on a terminal where a person types an answer; its exit code, and what it said."""
    terminal, own = pty.openpty()
    done = subprocess.Popen(
        command(*arguments),
        cwd=root,
        env=environment(KEY),
        stdin=own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    os.write(terminal, f"{said}\n".encode())
    told, _ = done.communicate(timeout=60)
    os.close(terminal)
    os.close(own)
    return done.returncode, told


def test_the_log_settles_what_was_taken_after_all(workspace: Path, api: SendGridApi) -> None:
    send_into_the_dark(workspace, api, Fault.QUEUE_THEN_500)
    assert "newsletter resolve 1" in run(workspace, "status", "1").stderr

    told = run(workspace, "resolve", "1", env=KEY).stdout

    assert "accepted: SendGrid's log lists the message" in told
    assert "No emails are unconfirmed anymore." in told
    assert "3 accepted + 0 excluded + 0 invalid + 0 canceled + 0 unconfirmed = 3 total" in told
    assert len(api.accepted) == 3
    answered = run(workspace, "audit", "1", "person1@example.org").stdout
    assert answered.startswith("Yes. The email to person1@example.org has counted as accepted by sendgrid since 20")


def test_without_evidence_it_stays_unknown_and_ends_with_one(workspace: Path, api: SendGridApi) -> None:
    send_into_the_dark(workspace, api, Fault.RESET)

    told = run(workspace, "resolve", "1", env=KEY, expect=1)

    assert "3 emails: unknown since" in told.stdout
    assert "person0@example.org" in told.stdout
    assert "There is no evidence that these emails were sent" in told.stderr
    assert status(workspace)["tally"]["unknown"] == 3


def test_without_a_key_the_events_are_still_looked_at(workspace: Path, api: SendGridApi) -> None:
    send_into_the_dark(workspace, api, Fault.RESET)
    told = run(workspace, "resolve", "1", expect=1)
    assert "The provider's log was not read" in told.stderr
    assert "SENDGRID_API_KEY" in told.stderr


def test_what_a_person_wants_resent_is_sent_by_resume_and_only_then(workspace: Path, api: SendGridApi) -> None:
    send_into_the_dark(workspace, api, Fault.RESET)

    told = run(workspace, "resolve", "1", "--resend", "--because", "nothing came", "--yes", env=KEY)

    assert "3 emails ready to be sent again" in told.stdout
    assert "newsletter resume 1" in told.stderr
    assert api.accepted == []
    assert "nothing came" in run(workspace, "audit", "1").stdout
    run(workspace, "resume", "1", "--yes", env=KEY)
    assert len(api.accepted) == 3
    assert status(workspace)["tally"]["accepted"] == 3


def test_what_a_person_takes_as_sent_is_accepted(workspace: Path, api: SendGridApi) -> None:
    send_into_the_dark(workspace, api, Fault.RESET)
    run(workspace, "resolve", "1", "--assume-sent", "--chunk", "1", "--yes", env=KEY)
    found = status(workspace)
    assert (found["state"], found["tally"]["accepted"]) == ("done", 3)
    told = run(workspace, "audit", "1", "person1@example.org").stdout
    assert told.startswith("Probably. The email to person1@example.org has counted as accepted by sendgrid since 20")
    assert "assumed to be sent" in told


def test_a_decision_is_asked_about_with_its_risk(workspace: Path, api: SendGridApi) -> None:
    send_into_the_dark(workspace, api, Fault.RESET)
    refused = run(workspace, "resolve", "1", "--resend", env=KEY, expect=2).stderr
    assert "twice" in refused
    assert "add --yes" in refused
    both = run(workspace, "resolve", "1", "--resend", "--assume-sent", env=KEY, expect=2).stderr
    assert "opposites" in both
    assert "batch 9 is not unconfirmed" in run(workspace, "resolve", "1", "--chunk", "9", env=KEY, expect=2).stderr
    assert status(workspace)["tally"]["unknown"] == 3


@pytest.mark.parametrize(
    ("said", "code", "part"), [("s", 0, "accepted"), ("resend", 0, "waiting"), ("l", 1, "unknown"), ("?", 1, "unknown")]
)
def test_a_person_is_asked_what_to_do(workspace: Path, api: SendGridApi, said: str, code: int, part: str) -> None:
    send_into_the_dark(workspace, api, Fault.RESET)

    returned, told = answer(workspace, "resolve", "1", said=said)

    assert returned == code, told
    assert "will get this issue twice" in told
    assert status(workspace)["tally"][part] == 3


def test_where_nothing_is_unknown_there_is_nothing_to_do(workspace: Path, api: SendGridApi) -> None:
    run(workspace, "send", "2026-02", "--to", "everyone", "--yes", env=KEY)
    assert "No emails are unconfirmed." in run(workspace, "resolve", "1", env=KEY).stdout
    assert "there is no broadcast 9" in run(workspace, "resolve", "9", env=KEY, expect=2).stderr
