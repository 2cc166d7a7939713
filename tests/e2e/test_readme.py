"""The commands of the README, run as they stand there, in the order in which they stand there."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.program import command, environment, run
from tests.e2e.relay import Relay
from tests.e2e.terminal import Terminal
from tests.e2e.test_setup import walk_through

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# These ask first, and a test has no terminal in which to answer.
ASKING = ("test", "approve", "send", "cancel")
ANNOUNCED_WITHIN = 60


def commands(heading: str) -> list[str]:
    """Return the commands in the blocks of a section, without their comments."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return [line.partition("  #")[0].strip() for block in blocks for line in block.splitlines()]


class Shell:
    """A terminal: it finds the program, and stays in the folder that a command changes to."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.folder = folder
        self._place = home / "place"
        program = home / "bin" / "newsletter"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m newsletter "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        surroundings = environment()
        self.environment = {**surroundings, "PATH": f"{program.parent}:{surroundings['PATH']}"}

    def type(self, line: str) -> str:
        """Return what a command prints, once it was answered with yes; fail the test if it fails."""
        line = line.replace("ISSUE", '"$(ls issues)"')
        if line.split()[1] in ASKING and "--dry-run" not in line:
            line += " --yes"
        done = subprocess.run(
            ["sh", "-c", f'{line} && pwd > "{self._place}"'],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        self.folder = Path(self._place.read_text(encoding="utf-8").strip())
        return done.stdout

    def serve(self, *words: str) -> str:
        """Return what a command prints until it names its address, and end it as Ctrl-C does."""
        with subprocess.Popen(
            command(*words),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                assert process.stdout is not None
                return next(line for line in process.stdout if "http://127" in line)
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(timeout=ANNOUNCED_WITHIN)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    folder = tmp_path / "copy"
    folder.mkdir()
    return Shell(tmp_path, folder)


def test_a_test_email_arrives_by_the_commands_of_the_readme(shell: Shell) -> None:
    install, create, guide = commands("Ten minutes to your own test email")
    assert (install, guide) == ("make setup && . .venv/bin/activate", "newsletter setup")
    shell.type(create)
    with Relay() as relay, Terminal(shell.folder, "setup") as terminal:
        walk_through(terminal, relay)
        assert terminal.wait() == 0
        assert relay.answered == {"me@example.org": 1}


def test_first_issue_is_made_and_sent_by_the_commands_of_the_readme(shell: Shell) -> None:
    run(shell.folder, "init", "news")
    shell.folder /= "news"
    for line in commands("Your first issue"):
        if line == "newsletter preview":
            assert "127.0.0.1" in shell.serve("preview", "--no-open")
        elif line == "newsletter serve":
            assert "127.0.0.1" in shell.serve("serve", "--port", "0")
        else:
            shell.type(line)
    assert "3 accepted + 0 excluded" in run(shell.folder, "status", "1").stdout
    assert len(list((shell.folder / "outbox").rglob("*.eml"))) == 2 + 3


def test_issue_is_approved_scheduled_and_canceled_by_the_commands_of_the_readme(shell: Shell) -> None:
    run(shell.folder, "init", "news")
    shell.folder /= "news"
    run(shell.folder, "subscribers", "import", "recipients.example.csv")
    typed = commands("A short tour")
    assert [line.split()[1] for line in typed] == ["approve", "send", "status", "cancel"]
    for line in typed:
        shell.type(line)
    assert not list((shell.folder / "outbox").rglob("*.eml"))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_what_make_is_asked_for_it_can_make(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = set(re.findall(r"(?:^|`)make (\w+)(?:`|$)", text, re.MULTILINE))
    assert targets >= ({"demo", "test"} if page == "README.md" else {"test", "check"})
    made = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert targets <= made
