"""A workspace with a list and a relay on loopback, and its studio, for the tests of what can be sent from it."""

import asyncio
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import urlencode

import httpx
from starlette.applications import Starlette

from newsletter.config import Config, load_config
from newsletter.model.broadcast import Tally
from newsletter.model.finding import Means
from newsletter.store.database import Database
from newsletter.web.studio.application import studio_app
from newsletter.workflows.send.courier import Courier
from newsletter.workflows.send.status import line_of, list_statuses
from tests.e2e.relay import OnStep, Relay
from tests.serving import served_app
from tests.store.builders import add_people
from tests.store.empty_file import open_test_database
from tests.workspaces import CONFIG, write_workspace

ORIGIN = "http://127.0.0.1:8025"
PEOPLE = 5
OWN_PAGES = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
SENDING = "/2026-02/sending"
Form = Mapping[str, str | Sequence[str]]
NOW_TO_EVERYONE: Form = {"segment": "everyone", "when": "now"}


@dataclass
class SendingWorld:
    """The workspace, its relay and its studio."""

    root: Path
    relay: Relay
    without: Sequence[Means] = tuple(Means)
    courier: Courier = field(default_factory=Courier)
    app: Starlette = field(init=False)

    def __post_init__(self) -> None:
        folder = self.root / "issues/2026-02"
        self.app = studio_app(load_config(self.root), folder, courier=self.courier, without=self.without)

    @property
    def config(self) -> Config:
        return load_config(self.root)

    @property
    def letter(self) -> Path:
        return self.root / "issues/2026-02/letter.md"

    def edit(self, old: str = "small letter", new: str = "quiet letter") -> None:
        """Changes the content of the issue."""
        self.letter.write_text(self.letter.read_text().replace(old, new))

    @contextmanager
    def database(self) -> Iterator[Database]:
        config = self.config
        with open_test_database(config.database, workspace=config.root) as database:
            yield database

    def ask(self, method: str, path: str, *, headers: Mapping[str, str], body: bytes = b"") -> httpx.Response:
        """One request, as it is given."""

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
                kind = {"Content-Type": "application/x-www-form-urlencoded"}
                return await client.request(method, path, headers={**kind, **headers}, content=body)

        with ThreadPoolExecutor(1) as thread:  # a browser of the tests keeps a loop in the main thread
            return thread.submit(lambda: asyncio.run(asked())).result()

    def get(self, path: str) -> httpx.Response:
        return self.ask("GET", path, headers={})

    @cached_property
    def token(self) -> str:
        found = re.search(r'name="token" value="([^"]+)"', self.get(SENDING).text)
        assert found is not None
        return found[1]

    def submit(self, path: str, form: Form = {}) -> httpx.Response:  # noqa: B006 - never changed
        """A form sent from one of the studio's pages; the answer itself, which may lead elsewhere."""
        body = urlencode({"token": self.token, **form}, doseq=True).encode()
        return self.ask("POST", path, headers=OWN_PAGES, body=body)

    def question(self, path: str, form: Form = {}) -> str:  # noqa: B006 - never changed
        """Sends a form that is answered with a question; the address of the question."""
        answer = self.submit(path, form)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def planned(self, form: Form = NOW_TO_EVERYONE) -> str:
        """The address of the question whether to send."""
        return self.question(f"{SENDING}/plan", form)

    def confirm(self, question: str, people: int | None = None) -> httpx.Response:
        """Answers a question; the answer itself."""
        return self.submit(question, {} if people is None else {"people": str(people)})

    def approve(self) -> None:
        self.confirm(self.question(f"{SENDING}/approval", {"by": "Ana Lima"}))

    def test(self) -> None:
        self.confirm(self.question(f"{SENDING}/test", {"to": ["Ana Lima <ana@example.org>"]}))

    def wait(self) -> None:
        """Waits until the studio's threads have ended."""
        for thread in threading.enumerate():
            if thread.name.startswith("broadcast-"):
                thread.join()

    def broadcasts(self) -> int:
        with self.database() as database:
            return len(list_statuses(database))

    def tally(self, number: int = 1) -> Tally:
        with self.database() as database:
            return line_of(database, number).tally

    @property
    def mailed(self) -> dict[str, int]:
        """How many emails each subscriber got, without those to reviewers."""
        return {email: count for email, count in self.relay.taken.items() if email.startswith("person") and count}


@contextmanager
def sending_world(
    root: Path,
    *,
    settings: str = "",
    database: str = "",
    people: int = PEOPLE,
    without: Sequence[Means] = tuple(Means),
    on_step: OnStep = lambda _step, _recipient: None,
    config: str = CONFIG,
) -> Iterator[SendingWorld]:
    """Yields a workspace in `root`. `settings` are added to its newsletter.toml, `database` is a URL for its list."""
    with Relay(on_step=on_step) as relay:
        smtp = f"""
[provider]
use = "smtp"

[provider.smtp]
host = "127.0.0.1"
port = {relay.port}
security = "none"
concurrency = 1
"""
        url = f'[database]\nurl = "{database}"\n' if database else ""
        write_workspace(root, {"newsletter.toml": f"{config}\n{settings}\n{url}\n{smtp}"})
        world = SendingWorld(root, relay, without)
        with world.database() as opened:
            add_people(opened, people)
        assert world.token  # remembered, because an issue with errors has no form
        try:
            yield world
        finally:
            world.courier.end()


@contextmanager
def served_world(world: SendingWorld) -> Iterator[str]:
    """Serves the studio by a thread; the address of the issue's page."""
    with served_app(world.app, http="h11") as port:
        yield f"http://127.0.0.1:{port}/2026-02/"
