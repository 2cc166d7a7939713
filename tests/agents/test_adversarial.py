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

CALLS = int(os.environ.get("AGENT_CALLS", "200"))
RESTORED_EVERY = 10  # calls, because an agent soon leaves an issue that cannot be built
SECRET = "sm4rk3r-password"
# Addresses that are only in the list, in the database and in files beside the issues.
MARKED = (
    "m4rk3r.one@example.com",
    "M4RK3R-two@sub.example.net",
    "m4rk3r+three@xn--mrker-kua.example",
    "o'm4rk3r@example.org",
)
OUTSIDE = "w0rds-from-outside"  # in files to which links in an issue lead
TELLING = ("m4rk3r", "M4RK3R", "m4rk3r".upper(), SECRET, "Traceback", "Marked Person", "sqlite3.", 'File "', OUTSIDE)
LINKS = ("link.md", "images/link.png")  # a person made them
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

# What each tool shows when all is well, so that every run looks at it.
GOOD_CALLS: list[tuple[str, dict[str, object]]] = [
    ("list_issues", {}),
    ("list_files", {"issue": "2026-03"}),
    ("read_file", {"issue": "2026-02", "path": "letter.md"}),
    ("check_issue", {"issue": "2026-02", "in_browser": True}),
    ("build_issue", {"issue": "2026-02"}),
    ("preview_issue", {"issue": "2026-02"}),
    ("write_file", {"issue": "2026-02", "path": "new.md", "text": "x"}),
    ("propose_broadcast", {"issue": "2026-02", "segment": "vip", "at": "in 2 hours"}),
]


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
            "newsletter.toml": config.replace("ana@example.org", MARKED[1])
            .replace("hello@example.org", MARKED[0])
            .replace("because you signed up for it.", f"because you wrote to {MARKED[2]}."),
            "list.csv": listed,
            "outbox/1.eml": f"To: {MARKED[0]}\n\nHello {MARKED[2]}\n",
            "templates/parts/own.j2": "a template",
            **_issue("2026-02"),
            **_issue("2026-03"),
        },
    )
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "issue.yaml").write_text(ISSUE)
    (tmp_path / "outside" / "letter.md").write_text(f"---\ntype: text\n---\n{OUTSIDE} {MARKED[0]}\n")
    (root / "issues" / "linked").symlink_to(tmp_path / "outside")
    (root / "issues" / "2026-03" / "link.md").symlink_to(tmp_path / "outside" / "letter.md")
    (root / "issues" / "2026-03" / "images" / "link.png").symlink_to(root / "list.csv")
    issue = root / "issues" / "2026-03" / "issue.yaml"
    issue.write_text(issue.read_text().replace("  - events", "  - link\n  - events"))
    run(root, "subscribers", "import", "list.csv", env={"NEWSLETTER_SMTP_PASSWORD": SECRET})
    shutil.rmtree(root / "build")
    return root


def _issue(name: str) -> dict[str, str | bytes]:
    return {
        f"issues/{name}/issue.yaml": ISSUE.replace("- letter", "- letter\n  - events"),
        f"issues/{name}/letter.md": f"{LETTER}\n![A square](images/photo.png)\n",
        f"issues/{name}/events/index.md": "---\ntitle: Events\n---\n",
        f"issues/{name}/events/workshop.md": "---\ntitle: A workshop\n---\nCome.\n",
        f"issues/{name}/images/photo.png": small_png(40, 40),
    }


def test_hostile_calls_change_send_and_tell_nothing(
    workspace: Path, relay: SmtpServer, tmp_path: Path, keep_home_clean: Path
) -> None:
    seed = int(os.environ.get("AGENT_SEED") or random.SystemRandom().randrange(10**6))
    sys.stdout.write(f"AGENT_SEED={seed} AGENT_CALLS={CALLS}\n")
    log, kept = tmp_path / "stderr.log", tmp_path / "kept"
    shutil.copytree(workspace / "issues" / "2026-02", kept / "2026-02", symlinks=True)
    shutil.copytree(workspace / "issues" / "2026-03", kept / "2026-03", symlinks=True)
    before, rows = _everything(tmp_path, workspace), _rows(workspace)
    answers = anyio.run(_attack, workspace, kept, log, seed)

    assert len(answers) == CALLS + len(GOOD_CALLS)
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
        for tool, arguments in GOOD_CALLS:
            answers.append(await agent.text(tool, **arguments))
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
            if inside.as_posix() in LINKS:
                continue
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
        shutil.copytree(issue, root / "issues" / issue.name, symlinks=True)


def _everything(top: Path, root: Path) -> dict[str, tuple[int, bytes]]:
    """Every file and folder, apart from the log, the copies for undoing, and the database, whose rows are compared."""
    found = {}
    for path in top.rglob("*"):
        if path.is_relative_to(root / "logs") or path.is_relative_to(root / "build/.edits"):
            continue
        if path == root / "build" or path.name.startswith(("newsletter.db", "stderr.log")):
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
