"""Asking people without a consent, and letting the silent ones go, as a person types it."""

import json
from pathlib import Path

import pytest

from tests.e2e.program import run
from tests.workspaces import write_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with Ana and Ben, who gave no consent, and Cy, who did."""
    root = write_workspace(tmp_path)
    (root / "list.csv").write_text(
        "email,consented_at,consent_source\nana@example.org,,\nben@example.org,,\ncy@example.org,2025-01-01,form\n"
    )
    run(root, "subscribers", "import", "list.csv")
    return root


def mails(root: Path) -> int:
    """The number of emails in the outbox."""
    return len(list((root / "outbox").rglob("*.eml")))


def test_the_preview_names_everyone_and_changes_nothing(workspace: Path) -> None:
    shown = run(workspace, "subscribers", "ask-again", "--dry-run")
    run(workspace, "run-due")

    assert "2 people" in shown.stdout
    assert "ana@example.org" in shown.stdout
    assert "cy@example.org" not in shown.stdout
    assert "Dry run: nothing was changed." in shown.stderr
    assert mails(workspace) == 0
    assert "2 people" in run(workspace, "subscribers", "ask-again", "--dry-run").stdout


def test_nothing_happens_without_a_yes(workspace: Path) -> None:
    refused = run(workspace, "subscribers", "ask-again", expect=2)
    run(workspace, "run-due")

    assert "--yes" in refused.stderr
    assert mails(workspace) == 0


def test_people_are_asked_once_and_no_one_is_let_go_at_once(workspace: Path) -> None:
    run(workspace, "suppressions", "add", "ben@example.org")
    asked = run(workspace, "subscribers", "ask-again", "--yes")
    run(workspace, "run-due")
    again = run(workspace, "subscribers", "ask-again", "--yes")
    gone = run(workspace, "subscribers", "let-go", "--yes")

    assert "left out: unsubscribed" in asked.stdout
    assert "Broadcast 1 to 1 person is ready" in asked.stdout
    assert mails(workspace) == 1
    assert "left out: asked before" in again.stdout
    assert "There is no one to ask." in again.stdout
    assert "0 people" in gone.stdout
    (broadcast,) = json.loads(run(workspace, "status", "--json").stdout)
    assert broadcast["kind"] == "re-permission"
    person = json.loads(run(workspace, "subscribers", "export", "ana@example.org").stdout)
    assert "asked-again" in json.dumps(person)


def test_a_wrong_number_of_days_is_explained(workspace: Path) -> None:
    refused = run(workspace, "subscribers", "let-go", "--after", "0", expect=2)
    assert "--after 0 gives people no time to answer; give at least 1 day" in refused.stderr
