"""A workspace with pictures and variants, a visitor of its studio, the studio as a process, and a browser."""

import asyncio
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from newsletter.config import Config, load_config
from newsletter.model.audience import SuppressionReason
from newsletter.store.suppressions import add_suppression
from newsletter.web.studio.application import studio_app
from newsletter.web.studio.watch import Pulse
from tests.browser import running_browser
from tests.e2e.program import command, environment
from tests.serving import served_app
from tests.store.builders import NOW, add, row
from tests.store.empty_file import open_test_database
from tests.workspaces import CONFIG, LETTER, write_workspace

ISSUE = """\
subject: A letter for {{ first_name | default("everybody") }}
preheader: A few words about small things, and a link that leads somewhere.
title: A small letter
date: 2026-02-19
sections:
  - letter
  - section: teaching
    only: teachers
"""
TEACHING = """\
---
type: text
title: For those who teach
---
Words for teachers alone.
"""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Asks an app for pages, as a browser on this machine would."""

    app: Starlette

    def get(self, path: str, *, host: str = "127.0.0.1:8025") -> httpx.Response:
        """One request, carrying this Host header."""
        return self._ask("GET", path, {"Host": host}, {})

    def post(self, path: str, fields: Mapping[str, str]) -> httpx.Response:
        """A form, sent from one of the app's own pages."""
        return self._ask("POST", path, {"Origin": "http://127.0.0.1:8025", "Sec-Fetch-Site": "same-origin"}, fields)

    def _ask(self, method: str, path: str, headers: dict[str, str], fields: Mapping[str, str]) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8025") as client:
                return await client.request(method, path, headers=headers, data=fields or None)

        return asyncio.run(ask())


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with two issues; the newer one has a picture, and a section that one segment alone sees."""
    picture = BytesIO()
    Image.new("RGB", (40, 30), "#9C3353").save(picture, "PNG")
    return write_workspace(
        tmp_path / "workspace",
        {
            "newsletter.toml": f'{CONFIG}\n[checks]\nwithout = ["network"]\n',
            "issues/2026-01/issue.yaml": ISSUE.split("  - section", maxsplit=1)[0].replace(
                "A small letter", "An older letter"
            ),
            "issues/2026-01/letter.md": "An older letter, of January.\n",
            "issues/2026-02/issue.yaml": ISSUE,
            "issues/2026-02/letter.md": f"{LETTER}\n![A red field](images/field.png)\n",
            "issues/2026-02/teaching.md": TEACHING,
            "issues/2026-02/images/field.png": picture.getvalue(),
        },
    )


@pytest.fixture
def config(workspace: Path) -> Config:
    """The workspace's settings."""
    return load_config(workspace)


@pytest.fixture
def issue_folder(workspace: Path) -> Path:
    """The issue that the studio is opened with."""
    return workspace / "issues/2026-02"


@pytest.fixture
def visitor(config: Config, issue_folder: Path) -> Visitor:
    """A visitor of a studio that has just been opened."""
    return Visitor(studio_app(config, issue_folder))


@pytest.fixture
def database(config: Config) -> None:
    """A list with Maria, who teaches, and Leo, who has left."""
    with open_test_database(config.database) as database:
        add(
            database,
            row(
                "maria@example.org",
                first_name="Maria",
                last_name="Silva",
                language="es",
                timezone="Asia/Tokyo",
                tags=("teacher",),
            ),
            row("leo@example.org", first_name="Leo"),
        )
        add_suppression(database, "leo@example.org", SuppressionReason.UNSUBSCRIBED, now=NOW)


@dataclass(frozen=True, slots=True)
class ServedStudio:
    """A studio that knows subscribers, behind a real server on loopback."""

    port: int
    posted: list[int]  # the status of each answer to a POST

    @property
    def url(self) -> str:
        """Its address, as a browser has it."""
        return f"http://127.0.0.1:{self.port}/"


@pytest.fixture
def served(config: Config, issue_folder: Path, database: None) -> Iterator[ServedStudio]:
    """The studio with its subscribers, served by a thread."""
    pulse = Pulse()
    app = studio_app(config, issue_folder, pulse=pulse)
    posted: list[int] = []

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        async def note(message: Message) -> None:
            if scope.get("method") == "POST" and message["type"] == "http.response.start":
                posted.append(message["status"])
            await send(message)

        await app(scope, receive, note)

    with served_app(noting, http="h11") as port:
        yield ServedStudio(port, posted)


@dataclass(frozen=True, slots=True)
class RunningStudio:
    """`newsletter preview` as a process."""

    url: str
    process: subprocess.Popen[str]

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=20)


@contextmanager
def running_studio(workspace: Path, *options: str) -> Iterator[RunningStudio]:
    """The studio of a workspace, listening."""
    process = subprocess.Popen(
        command("preview", "2026-02", "--no-open", *options),
        cwd=workspace,
        env=environment({"PYTHONUNBUFFERED": "1"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        yield RunningStudio(process.stdout.readline().strip(), process)
        if process.poll() is None:
            process.kill()


@pytest.fixture
def studio(workspace: Path) -> Iterator[RunningStudio]:
    """The studio on a port that no other test has."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with running_studio(workspace, "--port", str(port)) as studio:
        yield studio


@pytest.fixture(scope="module")  # its event loop is in the way of other modules' tests
def browser() -> Iterator[Browser]:
    """A real browser. Each page is in a context of its own, without what other tests have stored."""
    with running_browser() as browser:
        yield browser
