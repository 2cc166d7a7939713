"""Two versions of an issue, from the files to the winner, as a director types the commands."""

import json
from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.store.opening import open_database
from tests.e2e.program import run
from tests.store.builders import add_people
from tests.workspaces import ISSUE, write_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with 40 people, whose issue has two subjects."""
    issue = ISSUE.replace("sections:", "subject.b: Another subject\nversions:\n  share: 50 %\nsections:")
    write_workspace(tmp_path, {"issues/2026-02/issue.yaml": issue})
    with open_database(load_config(tmp_path).database) as database:
        add_people(database, 40)
    return tmp_path


def sent(workspace: Path, subject: str) -> int:
    texts = (path.read_text(encoding="utf-8") for path in (workspace / "outbox").rglob("*.eml"))
    return sum(f"Subject: {subject}" in text for text in texts)


def test_versions_from_the_files_to_the_winner(workspace: Path) -> None:
    run(workspace, "build", "2026-02")
    assert "Another subject" in (workspace / "build/2026-02/email.version-b.eml").read_text(encoding="utf-8")
    who = ("--as", "person00001@example.org")
    run(workspace, "build", "2026-02", *who, "--version", "b")
    assert "Another subject" in (workspace / "build/2026-02/subscriber.eml").read_text(encoding="utf-8")
    assert "no version 'C'; choose from A, B" in run(workspace, "build", *who, "--version", "C", expect=2).stderr
    assert "add --as EMAIL" in run(workspace, "build", "--version", "B", expect=2).stderr

    plan = run(workspace, "send", "2026-02", "--to", "everyone", "--yes").stdout
    assert "10 get A, 10 get B, drawn at random" in plan
    assert (sent(workspace, "A small letter"), sent(workspace, "Another subject")) == (10, 10)
    assert "newsletter winner 1 A" in run(workspace, "resume", "1", "--yes", expect=2).stderr
    assert "B: 10 emails" in run(workspace, "winner", "1").stdout
    assert "choose from A, B" in run(workspace, "winner", "1", "D", expect=2).stderr
    assert "there is no broadcast 7" in run(workspace, "winner", "7", expect=2).stderr

    run(workspace, "winner", "1", "B", "--yes")
    run(workspace, "run-due")
    assert (sent(workspace, "A small letter"), sent(workspace, "Another subject")) == (10, 30)
    status = json.loads(run(workspace, "status", "1", "--json").stdout)
    assert (status["state"], status["comparison"]["chosen"], status["comparison"]["by_person"]) == ("done", "B", True)
    report = run(workspace, "report", "2026-02").stdout
    assert "Version B was chosen by a person." in report
    assert "already get version B" in run(workspace, "winner", "1", "A", expect=2).stderr


def test_broadcast_with_versions_can_be_canceled(workspace: Path) -> None:
    run(workspace, "send", "2026-02", "--to", "everyone", "--yes")
    run(workspace, "cancel", "1", "--yes")
    run(workspace, "run-due")
    assert (sent(workspace, "A small letter"), sent(workspace, "Another subject")) == (10, 10)
    assert "no version can be chosen now" in run(workspace, "winner", "1", "B", expect=2).stderr
