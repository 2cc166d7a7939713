"""Thousands of hostile calls: nothing is changed outside of issues, nothing is sent, and no address leaks.

`AGENT_CALLS=10000 pytest tests/agents/test_adversarial.py` makes as many as were promised. `AGENT_SEED` repeats a run.
"""

import os
import random
import shutil
import sqlite3
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from newsletter.system.contained import fingerprint_of
from tests.agents.client import Agent, connected, pictures_of, text_of
from tests.agents.hostile import HostileAgent, small_png
from tests.e2e.program import run
from tests.providers.smtp_server import SmtpServer
from tests.workspaces import CONFIG, ISSUE, LETTER, write_workspace

CALLS = int(os.environ.get("AGENT_CALLS", "300"))
RESTORED_EVERY = 15  # calls, because an agent soon leaves an issue that cannot be built
SECRET = "sm4rk3r-password"
# Addresses that are only in the list, in the database and in files beside the issues.
MARKED = (
    "m4rk3r.one@example.com",
    "M4RK3R-two@sub.example.net",
    "m4rk3r+three@xn--mrker-kua.example",
    "o'm4rk3r@example.org",
)
TELLING = ("m4rk3r", "M4RK3R", "m4rk3r".upper(), SECRET, "Traceback", "Marked Person", "sqlite3.", 'File "')
RELAY = """
[provider]
use = "smtp"

[provider.smtp]
host = "127.0.0.1"
port = {port}
security = "none"
username = "news"
"""
SEGMENTS = """both = 'tagged("teacher") or tagged("x")'
vip = 'email = "m4rk3r.one@example.com"'

[reviewers]"""


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture
def workspace(tmp_path: Path, relay: SmtpServer) -> Path:
    """A workspace with a list, an outbox, links that lead out of it, and files beside it."""
    rows = "".join(f'"{email}",Marked Person,teacher,2025-01-01,test\n' for email in MARKED)
    listed = f"email,first_name,tags,consented_at,consent_source\n{rows}"
    config = CONFIG.replace("[reviewers]", SEGMENTS) + RELAY.format(port=relay.port)
    root = write_workspace(
        tmp_path / "newsletter",
        {
            "newsletter.toml": config.replace("ana@example.org", MARKED[1]),
            "list.csv": listed,
            "outbox/1.eml": f"To: {MARKED[0]}\n\nHello {MARKED[2]}\n",
            "templates/parts/own.j2": "a template",
            **_issue("2026-02"),
            **_issue("2026-03"),
        },
    )
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "issue.yaml").write_text(ISSUE)
    (tmp_path / "outside" / "letter.md").write_text(f"outside {MARKED[0]}")
    (root / "issues" / "linked").symlink_to(tmp_path / "outside")
    run(root, "subscribers", "import", "list.csv", env={"NEWSLETTER_SMTP_PASSWORD": SECRET})
    shutil.rmtree(root / "build")
    return root


def _issue(name: str) -> dict[str, str | bytes]:
    return {
        f"issues/{name}/issue.yaml": ISSUE.replace("- letter", "- letter\n  - events"),
        f"issues/{name}/letter.md": f"{LETTER}\n![A square](images/photo.png)\n",
        f"issues/{name}/events/index.md": "---\ntitle: Events\n---\n",
        f"issues/{name}/events/workshop.md": "---\ntitle: A workshop\nstarts: 2099-03-01 18:00\n---\nCome.\n",
        f"issues/{name}/images/photo.png": small_png(40, 40),
    }


def test_hostile_calls_change_send_and_tell_nothing(
    workspace: Path, relay: SmtpServer, tmp_path: Path, keep_home_clean: Path
) -> None:
    seed = int(os.environ.get("AGENT_SEED") or random.SystemRandom().randrange(10**6))
    sys.stdout.write(f"AGENT_SEED={seed} AGENT_CALLS={CALLS}\n")
    log, kept = tmp_path / "stderr.log", tmp_path / "kept"
    shutil.copytree(workspace / "issues" / "2026-02", kept / "2026-02")
    shutil.copytree(workspace / "issues" / "2026-03", kept / "2026-03")
    before, rows = _everything(tmp_path, workspace), _rows(workspace)
    answers = anyio.run(_attack, workspace, kept, log, seed)

    assert len(answers) == CALLS
    assert _everything(tmp_path, workspace) == before
    assert _rows(workspace) == rows
    assert (relay.connections, list(keep_home_clean.iterdir())) == (0, [])
    told = "\n".join((*answers, log.read_text(), *_logs(workspace)))
    assert [word for word in TELLING if word in told] == []
    assert str(tmp_path) not in "\n".join(answers)
    assert [path for path in (workspace / "logs").iterdir() if path.name != "mcp.log"] == []


async def _attack(root: Path, kept: Path, log: Path, seed: int) -> list[str]:
    hostile = HostileAgent(seed, lambda issue, path: _fingerprint(root, issue, path))
    answers: list[str] = []
    async with connected(root, log, secrets={"NEWSLETTER_SMTP_PASSWORD": SECRET, "SENDGRID_API_KEY": SECRET}) as agent:
        for number in range(CALLS):
            tool, arguments = hostile.wrong_call() if number % 2 else hostile.valid_call()
            answers.append(await _answer(agent, tool, arguments))
            _require_only_plain_files(root)
            if number % RESTORED_EVERY == 0:
                _restore(root, kept)
    _restore(root, kept)
    return answers


async def _answer(agent: Agent, tool: str, arguments: object) -> str:
    assert isinstance(arguments, dict)
    answer = await agent.call_with(tool, arguments)
    assert len(text_of(answer)) < 1_100_000
    for picture in pictures_of(answer):
        assert len(picture.data) < 6_000_000
    return f"{tool}: {text_of(answer)}"


def _fingerprint(root: Path, issue: str, path: str) -> str:
    """The fingerprint of a file if it can be read, as an agent would have got it."""
    try:
        return fingerprint_of((root / "issues" / issue / path).read_bytes())
    except (OSError, ValueError):
        return ""


def _require_only_plain_files(root: Path) -> None:
    """An agent leaves only files of the kinds that it may write, in the folders that were there."""
    for issue in ("2026-02", "2026-03"):
        folder = root / "issues" / issue
        for path in folder.rglob("*"):
            inside, mode = path.relative_to(folder), path.lstat().st_mode
            assert not inside.name.startswith("."), path
            if stat.S_ISDIR(mode):
                assert inside.as_posix() in {"events", "images"}, path
            else:
                assert stat.S_ISREG(mode), path
                assert not mode & 0o111, path
                if inside.parent.name == "images":
                    assert inside.suffix in {".png", ".svg"}, path
                else:
                    assert inside.suffix == ".md" or inside.as_posix() == "issue.yaml", path


def _restore(root: Path, kept: Path) -> None:
    for issue in kept.iterdir():
        shutil.rmtree(root / "issues" / issue.name)
        shutil.copytree(issue, root / "issues" / issue.name)


def _everything(top: Path, root: Path) -> dict[str, tuple[int, bytes]]:
    """Every file and folder, apart from the server's log and the database, whose rows are compared."""
    found = {}
    for path in top.rglob("*"):
        if path.is_relative_to(root / "logs") or path.name.startswith(("newsletter.db", "stderr.log")):
            continue
        mode = path.lstat().st_mode
        found[str(path)] = (mode, path.read_bytes() if stat.S_ISREG(mode) else b"")
    return found


def _rows(root: Path) -> dict[str, list[object]]:
    """Every row of the database, apart from the proposals."""
    (path,) = root.glob("newsletter.db")
    connection = sqlite3.connect(path)
    try:
        query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('proposal', 'sqlite_sequence')"
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for (name,) in connection.execute(query)}
    finally:
        connection.close()


def _logs(root: Path) -> list[str]:
    return [path.read_text() for path in (root / "logs").iterdir()]
