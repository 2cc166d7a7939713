"""The server as an agent's program meets it, through the official client library."""

import base64
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import anyio
import pytest
from msgspec.structs import replace
from PIL import Image

from newsletter.agents import tools, worker
from newsletter.agents.worker import Worker
from newsletter.cli.mcp import forget_secrets
from newsletter.system.contained import fingerprint_of
from tests.agents.client import connected, pictures_of, text_of
from tests.agents.hostile import small_png
from tests.e2e.program import command, environment, run, write_list
from tests.workspaces import CONFIG, ISSUE, LETTER, write_workspace

HEADER = {"jsonrpc": "2.0"}
GREETING = {
    **HEADER,
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "x\u202ey\n", "version": "1"},
    },
}


def test_an_agent_writes_checks_builds_and_proposes(tmp_path: Path) -> None:
    root = write_workspace(tmp_path / "newsletter")
    write_list(root / "list.csv", 4)
    run(root, "subscribers", "import", "list.csv")

    async def work() -> None:
        async with connected(root, tmp_path / "log") as agent:
            fingerprint = await agent.fingerprint("2026-02", "letter.md")
            text = "Hello, {{ first_name | default('friend') }}. Write to team@example.org, not to boss@example.org."
            await agent.text("write_file", issue="2026-02", path="letter.md", text=text, replaces=fingerprint)
            assert "No problems found." in await agent.text("check_issue", issue="2026-02")
            built = await agent.text("build_issue", issue="2026-02")
            assert "Hello, friend. Write to team@example.org, not to boss@example.org." in built
            assert "news@example.org" not in built
            assert "@media (prefers-color-scheme:dark)" in built
            proposed = await agent.text("propose_broadcast", issue="2026-02", segment="teachers")
            assert "Proposal 1: 2026-02 to teachers, 2 subscribers, at once." in proposed
            assert "newsletter send 2026-02 --proposal 1" in proposed

    anyio.run(work)
    assert "2026-02  teachers" in run(root, "proposals").stdout
    assert "There are no broadcasts" in run(root, "status").stdout


def test_the_tools_are_told_with_what_they_take(tmp_path: Path) -> None:
    root = write_workspace(tmp_path / "newsletter")

    async def ask() -> None:
        async with connected(root, tmp_path / "log") as agent:
            listed = (await agent.session.list_tools()).tools
            assert {tool.name for tool in listed} == set(tools.TOOLS)
            for tool in listed:
                assert tool.description
                assert tool.input_schema["additionalProperties"] is False
                assert tool.annotations is not None
                assert tool.annotations.open_world_hint is False
                words = f"{tool.name} {tool.input_schema['properties'].keys()}"
                assert not {word for word in ("send", "approve", "subscriber", "email", "address") if word in words}
            changing = [tool.name for tool in listed if tool.annotations and not tool.annotations.read_only_hint]
            assert changing == ["write_file", "write_image", "propose_broadcast"]

    anyio.run(ask)


def test_what_an_agent_is_shown_is_for_no_one_on_the_list(tmp_path: Path) -> None:
    letter = "Dear {{ first_name | default('you') }} {{ last_name }} at {{ email }}: [leave]({{ unsubscribe_url }})\n"
    root = write_workspace(tmp_path / "newsletter", {"issues/2026-02/letter.md": letter})
    write_list(root / "list.csv", 3)
    run(root, "subscribers", "import", "list.csv")

    async def look() -> None:
        async with connected(root, tmp_path / "log") as agent:
            built = text_of(await agent.call("build_issue", issue="2026-02"))
            checked = text_of(await agent.call("check_issue", issue="2026-02"))
            for told in (built, checked):
                assert "person" not in told.casefold()
                assert "example.org" not in told.replace("www.example.org", "").replace("news.example.org", "")

    anyio.run(look)


def test_a_picture_shows_the_email_at_the_width_of_a_phone(tmp_path: Path) -> None:
    letter = f"{LETTER}\n![A square](images/square.png)\n" + "\n{{ email }}\n" * 40
    files = {"issues/2026-02/letter.md": letter, "issues/2026-02/images/square.png": small_png(300, 300)}
    root = write_workspace(tmp_path / "newsletter", files)

    async def look() -> bytes:
        async with connected(root, tmp_path / "log") as agent:
            await agent.refused("preview_issue", issue="2026-02", screen="watch")
            answer = await agent.call("preview_issue", issue="2026-02", screen="phone", scheme="dark")
            assert not answer.is_error, text_of(answer)
            (picture,) = pictures_of(answer)
            return base64.b64decode(picture.data)

    with Image.open(io.BytesIO(anyio.run(look))) as picture:
        assert picture.size[0] == 375
        assert picture.size[1] > 800
        colors = picture.convert("RGB").getcolors(maxcolors=2**24) or []
        assert max(colors)[1] < (80, 80, 80)  # the color of most of it
        teal = [count for count, color in colors if color[0] < 40 and min(color[1:]) > 100]  # type: ignore[index]
        assert sum(teal) > 100 * 100


def test_an_issue_with_a_link_to_another_place_is_not_shown(tmp_path: Path) -> None:
    root = write_workspace(tmp_path / "newsletter", {"issues/2026-02/issue.yaml": f"{ISSUE}  - secret\n"})
    (tmp_path / "secret.md").write_text("---\ntype: text\n---\nThe secret\n")
    (root / "issues" / "2026-02" / "secret.md").symlink_to(tmp_path / "secret.md")

    async def look() -> None:
        async with connected(root, tmp_path / "log") as agent:
            for tool in ("build_issue", "check_issue", "preview_issue"):
                assert "secret.md is a link" in await agent.refused(tool, issue="2026-02")
            assert "secret.md" not in await agent.text("list_files", issue="2026-02")

    anyio.run(look)


def test_settings_are_read_for_each_call_and_their_mistakes_told(tmp_path: Path) -> None:
    root = write_workspace(tmp_path / "newsletter")

    async def work() -> None:
        async with connected(root, tmp_path / "log") as agent:
            assert "Segments: everyone, teachers" in await agent.text("list_issues")
            (root / "newsletter.toml").write_text(CONFIG.replace("teachers =", "nurses ="))
            assert "Segments: everyone, nurses" in await agent.text("list_issues")
            (root / "newsletter.toml").write_text(CONFIG.replace("Small Press <news@", "Small Press <news"))
            assert "newsletter.toml:4: " in await agent.refused("list_issues")

    anyio.run(work)


def test_changes_are_logged_with_their_place(tmp_path: Path) -> None:
    root = write_workspace(tmp_path / "newsletter")

    async def work() -> None:
        async with connected(root, tmp_path / "log") as agent:
            replaces = fingerprint_of(LETTER.encode())
            await agent.text("write_file", issue="2026-02", path="letter.md", text="x", replaces=replaces)
            await agent.refused("write_file", issue="2026-02", path="ada@example.org.md", text="x", replaces="x")
            await agent.text("list_issues")

    anyio.run(work)
    lines = [json.loads(line) for line in (root / "logs" / "mcp.log").read_text().splitlines()]
    facts = [{name: line[name] for name in ("what", "tool", "issue", "path") if name in line} for line in lines]
    assert facts == [
        {"what": "started"},
        {"what": "done", "tool": "write_file", "issue": "2026-02", "path": "letter.md"},
        {"what": "refused", "tool": "write_file", "issue": "2026-02", "path": "a***@example.org.md"},
        {"what": "ended"},
    ]


GARBAGE = [
    *(b"", b"x", b"{}", b"[]", b"null", b"\xff\xfe", b"{" * 10_000, b"[" * 100_000, b'"' + b"x" * 3_000_000 + b'"'),
    *(b'{"jsonrpc": "2.0", "id": 2, "method": "tools/call"}', b'{"jsonrpc": "2.0", "id": "\\ud800", "method": "ping"}'),
    b'{"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "read_file", "arguments": "x"}}',
    b'{"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": {"name": "list_issues", "arguments": {"a": 1e999}}',
    b'{"jsonrpc": "2.0", "id": 5, "method": "resources/read", "params": {"uri": "file:///etc/passwd"}}',
    b'{"jsonrpc": "2.0", "id": 6, "method": "prompts/get", "params": {"name": "x"}}',
    b'{"jsonrpc": "2.0", "id": 7, "method": "logging/setLevel", "params": {"level": "debug"}}',
    b'{"jsonrpc": "2.0", "id": 8, "method": "completion/complete", "params": {}}',
    b'{"jsonrpc": "2.0", "id": 9, "method": "initialize", "params": {}}',
    b'{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}',
    b'{"jsonrpc": "2.0", "id": 1, "result": {}}',
]


def test_what_is_no_message_ends_nothing_and_tells_nothing(tmp_path: Path) -> None:
    root = write_workspace(tmp_path / "newsletter")
    lines = [json.dumps(GREETING).encode(), json.dumps({**HEADER, "method": "notifications/initialized"}).encode()]
    asked = {"name": "list_issues", "arguments": {}}
    last = json.dumps({**HEADER, "id": 99, "method": "tools/call", "params": asked}).encode()
    pipe = subprocess.PIPE
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(command("mcp"), cwd=root, env=environment(), stdin=pipe, stdout=pipe, stderr=log) as server,
    ):
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(b"\n".join((*lines, *GARBAGE, last, b"")))
        server.stdin.flush()
        answers = []
        while not any(answer.get("id") == 99 for answer in answers):
            answers.append(json.loads(server.stdout.readline()))
        server.stdin.close()
        told = b"".join((json.dumps(answers).encode(), server.stdout.read(), (tmp_path / "log").read_bytes()))
        assert server.wait(60) == 0
    assert "2026-02" in json.dumps(next(answer for answer in answers if answer.get("id") == 99))
    for word in (b"Traceback", b"root:", str(tmp_path).encode()):
        assert word not in told
    assert not list((root / "logs").glob("report-*"))


def test_a_call_that_takes_too_long_is_stopped_and_the_next_one_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    working = Worker(write_workspace(tmp_path), "test")
    try:
        assert not working.answer("list_issues", {}).is_error
        stopped = working._process
        assert stopped is not None
        assert stopped.pid is not None
        os.kill(stopped.pid, signal.SIGSTOP)
        quick = replace(tools.TOOLS["list_issues"], seconds=0.2)
        monkeypatch.setattr(worker, "TOOLS", {**tools.TOOLS, "list_issues": quick})
        late = working.answer("list_issues", {})
        assert late.is_error
        assert "took longer than" in late.text
        assert stopped.exitcode == -signal.SIGKILL
        monkeypatch.undo()
        assert not working.answer("list_issues", {}).is_error
        running = working._process
        assert running is not None
        assert running.pid is not None
        os.kill(running.pid, signal.SIGKILL)  # as a system without memory would
        running.join()
        assert "ended unexpectedly" in working.answer("list_issues", {}).text
        assert not working.answer("list_issues", {}).is_error
    finally:
        working.end()


def test_no_secret_but_that_of_the_database_stays_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {"SENDGRID_API_KEY": "x" * 9, "NEWSLETTER_SMTP_PASSWORD": "y" * 9, "NEWSLETTER_KEY": "z" * 40}
    given: Mapping[str, str] = {**secrets, "PGPASSWORD": "p" * 9, "PATH": "/bin", "LANG": "C"}
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    forget_secrets()
    assert dict(os.environ) == {name: given[name] for name in ("PGPASSWORD", "PATH", "LANG")}


def test_help_and_a_terminal_load_no_library_of_the_protocol(tmp_path: Path) -> None:
    loaded = (
        "import sys; from newsletter.cli import app, mcp; print([m for m in sys.modules if m.split('.')[0] == 'mcp'])"
    )
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
