"""No secret reaches a file, a stream, a page or another process, whatever a command does."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.program import command, environment, run, write_list
from tests.fakes.sendgrid_api import Answer, SendGridApi
from tests.workspaces import CONFIG, write_workspace

MARK = "hush-hush-0123456789"
SECRETS = {
    "SENDGRID_API_KEY": f"SG.{MARK}",
    "NEWSLETTER_SMTP_PASSWORD": f"{MARK}-smtp",
    "NEWSLETTER_KEY": f"{MARK}-{'k' * 32}",
    "PGPASSWORD": f"{MARK}-pg",
}
COMMANDS = (
    *("check 2026-02", "build 2026-02", "doctor", "status", "segments --json", "check 2026-02 --format sarif"),
    *("test 2026-02 --to ana@example.org --yes", "send 2026-02 --to everyone --yes", "resume 1 --yes", "run-due"),
    *("audit 1", "resolve 1 --yes", "suppressions sync --yes", "subscribers forget person1@example.org --yes"),
    *("subscribers export", "backup copy.backup"),
)


def holding(folder: Path) -> list[str]:
    """The files that contain the secret."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return [str(path.relative_to(folder)) for path in files if MARK.encode() in path.read_bytes()]


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    """A workspace whose provider repeats the key in what it refuses."""
    with SendGridApi(api_key=SECRETS["SENDGRID_API_KEY"]) as api:
        provider = f'\n[provider]\nuse = "sendgrid"\n[provider.sendgrid]\napi_url = "{api.url}"\n'
        root = write_workspace(tmp_path / "news", {"newsletter.toml": CONFIG + provider})
        write_list(root / "list.csv", 3)
        run(root, "subscribers", "import", "list.csv")
        api.script(Answer.error(403, f"the key {SECRETS['SENDGRID_API_KEY']} may not do that"))
        yield root


def test_no_command_writes_or_prints_a_secret(workspace: Path) -> None:
    for line in COMMANDS:
        done = subprocess.run(
            command(*line.split()),
            cwd=workspace,
            env=environment(SECRETS),
            capture_output=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert b"Traceback" not in done.stderr, line
        assert MARK.encode() not in done.stdout + done.stderr, line
    assert holding(workspace) == []


@pytest.mark.parametrize("error", ["KeyError(os.environ['SENDGRID_API_KEY'])", "ValueError(str(dict(os.environ)))"])
def test_no_report_of_a_fault_contains_a_secret(workspace: Path, error: str) -> None:
    fault = f"import os, sys\nimport newsletter.workflows.compose.compose as c\ndef f(*a, **k): raise {error}\n"
    fault += "c.require_issue = f\nsys.argv = ['newsletter', 'build']\nfrom newsletter.__main__ import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", fault], cwd=workspace, env=environment(SECRETS), capture_output=True, check=False
    )
    assert done.returncode == 70
    assert MARK.encode() not in done.stdout + done.stderr
    assert list((workspace / "logs").glob("report-*.txt"))
    assert holding(workspace) == []


def started_by(process: int) -> Iterator[tuple[str, str]]:
    """The command line and the environment of each process that a process has started, directly or not."""
    family = {process}
    for _ in range(6):  # a browser's processes have processes of their own
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent in family:
                family.add(int(folder.name))
    for number in family - {process}:
        try:
            yield (Path(f"/proc/{number}/cmdline").read_text(), Path(f"/proc/{number}/environ").read_text())
        except OSError:
            continue


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only Linux shows what other processes know")
def test_no_process_that_a_check_starts_knows_a_secret(workspace: Path) -> None:
    seen: dict[str, str] = {}
    with subprocess.Popen(
        command("check", "2026-02"),
        cwd=workspace,
        env=environment({**SECRETS, "NEWSLETTER_WITHOUT": "network"}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as checking:
        while checking.poll() is None:
            seen.update(started_by(checking.pid))
            time.sleep(0.02)
    # For a moment, a new process is still a copy of ours, and the script that starts the driver clears its environment.
    programs = {line: environ for line, environ in seen.items() if "newsletter" not in line.split("\0")[0:3] and line}
    knowing = [line for line, environ in programs.items() if MARK in environ and "driver.sh" not in line]
    assert any("cli.js" in line for line in programs)
    assert any("--type=renderer" in line for line in programs)
    assert knowing == []


def test_the_preview_shows_no_secret_and_hands_none_to_the_browser(workspace: Path, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\nenv > '{tmp_path}/seen.tmp'\nmv '{tmp_path}/seen.tmp' '{tmp_path}/seen'\n")
    browser.chmod(0o755)
    with subprocess.Popen(
        command("preview", "2026-02"),
        cwd=workspace,
        env=environment({**SECRETS, "BROWSER": str(browser), "XAUTHORITY": str(workspace)}),
        stdout=subprocess.PIPE,
        text=True,
    ) as studio:
        assert studio.stdout is not None
        url = studio.stdout.readline().strip()
        pages = [urllib.request.urlopen(f"{url}{path}", timeout=20).read() for path in ("", "2026-02/mail.html")]
        for _ in range(500):
            if (tmp_path / "seen").exists():
                break
            time.sleep(0.02)
        studio.terminate()
    assert not any(MARK.encode() in page for page in pages)
    seen = (tmp_path / "seen").read_text()
    assert MARK not in seen
    assert f"XAUTHORITY={workspace}" in seen
    assert os.environ["PATH"] in seen
