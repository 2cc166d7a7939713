"""What an agent proposed is sent by a person in a terminal, and by no one else."""

import os
import pty
import subprocess
from pathlib import Path

import anyio
import pytest

from tests.agents.client import connected
from tests.e2e.program import command, environment, run, write_list
from tests.workspaces import LETTER, write_workspace

SEND = ("send", "2026-02", "--proposal", "1")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with three people on the list, and a proposal to send them the issue."""
    root = write_workspace(tmp_path / "newsletter")
    write_list(root / "list.csv", 3)
    run(root, "subscribers", "import", "list.csv")

    async def propose() -> None:
        async with connected(root, tmp_path / "log") as agent:
            await agent.text("propose_broadcast", issue="2026-02", segment="everyone")

    anyio.run(propose)
    return root


def run_in_terminal(root: Path, answer: str, *arguments: str) -> tuple[int, str]:
    """Run a command as a person does who types this answer. Return its exit code, and what it shows."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, f"{answer}\n".encode())
        done = subprocess.run(
            command(*arguments),
            cwd=root,
            env=environment(),
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    return done.returncode, done.stdout


def test_a_person_sends_what_was_proposed(workspace: Path) -> None:
    listed = run(workspace, "proposals")
    assert "1  2026-02  everyone       3  at once  mcp 0.1.0" in listed.stdout
    assert "newsletter send 2026-02 --proposal 1" in listed.stderr
    run(workspace, "subscribers", "add", "late@example.org", "--consent-source", "form")

    code, shown = run_in_terminal(workspace, "y", *SEND)

    assert code == 0, shown
    assert "Proposal 1 was made by mcp 0.1.0" in shown
    assert "for 3 subscribers; now there are 4." in shown
    assert "4 accepted" in shown
    assert "There are no open proposals." in run(workspace, "proposals").stdout
    assert "proposal 1 was already released" in run_in_terminal(workspace, "y", *SEND)[1]
    assert len(list((workspace / "outbox").rglob("*.eml"))) == 4


@pytest.mark.parametrize("answer", ["n", "", "3"])
def test_without_a_yes_nothing_is_sent(workspace: Path, answer: str) -> None:
    code, shown = run_in_terminal(workspace, answer, *SEND)
    assert (code, "Nothing was sent." in shown) == (1, True)
    assert "There are no broadcasts yet" in run(workspace, "status").stdout
    assert "2026-02" in run(workspace, "proposals").stdout


def test_a_script_cannot_send_it(workspace: Path) -> None:
    for options in ((), ("--yes",)):
        refused = run(workspace, *SEND, *options, expect=2).stderr
        assert "a person must confirm what an agent proposed; run the command in a terminal" in refused
    assert "3 subscribers" in run(workspace, *SEND, "--dry-run").stdout
    assert "There are no broadcasts yet" in run(workspace, "status").stdout


def test_an_edit_voids_it(workspace: Path) -> None:
    (workspace / "issues" / "2026-02" / "letter.md").write_text(f"{LETTER}\nOne more sentence.\n")
    code, shown = run_in_terminal(workspace, "y", *SEND)
    assert code == 2
    assert "2026-02 has changed since proposal 1 was made, so nothing was sent" in " ".join(shown.split())
    assert "There are no broadcasts yet" in run(workspace, "status").stdout


@pytest.mark.parametrize(
    "option", [("--to", "teachers"), ("--where", "true"), ("--at", "thursday 08:00"), ("--local-time",)]
)
def test_it_has_its_own_segment_and_time(workspace: Path, option: tuple[str, ...]) -> None:
    assert "a proposal has its own" in run(workspace, *SEND, *option, "--dry-run", expect=2).stderr


def test_a_person_can_decline_it(workspace: Path) -> None:
    assert "There are no open proposals." in run(workspace, "proposals", "--decline", "1").stdout
    assert "proposal 1 was already declined" in run_in_terminal(workspace, "y", *SEND)[1]
    assert "there is no proposal 7" in run(workspace, "proposals", "--decline", "7", expect=2).stderr
    assert run(workspace, "proposals", "--json").stdout.strip() == "[]"
