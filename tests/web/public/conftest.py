"""The service for subscribers behind a real server on loopback, with a clock that a test moves."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlencode

import pytest
import trustme
from msgspec.structs import replace
from playwright.sync_api import Browser

from newsletter.config import Config, load_config
from newsletter.model.preferences import LinkRequestKind
from newsletter.store.database import Database
from newsletter.store.group_writer import GroupWriter
from newsletter.store.preferences import link_requests
from newsletter.store.subscribers import find_subscriber
from newsletter.store.suppressions import find_suppression
from newsletter.system.environment import VARIABLE, forget_key
from newsletter.web.public.app import service_app
from newsletter.web.public.service import Service
from newsletter.workflows.preferences.link_letters import queue_links
from newsletter.workflows.tracking.recorder import Recorder
from tests.browser import running_browser
from tests.serving import served_app
from tests.store.builders import ENVELOPE, NOW, add, row
from tests.store.conftest import database, engine, fresh_location, location  # noqa: F401 - each engine in turn
from tests.store.empty_file import open_test_database
from tests.workspaces import CONFIG, write_workspace

ORIGIN = "https://news.example.org"
SECRET = "a key of thirty-two letters, or so"  # NEWSLETTER_KEY of the service
KEY = forget_key({VARIABLE: SECRET}) or b""
TOPICS = '\n[topics]\nnews = "News and letters"\nevents = "Events & retreats"\n'


@dataclass(slots=True)
class Answer:
    """An answer, read to its end."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The page as text."""
        return self.body.decode()

    def value_of(self, name: str, *, form: int = 0) -> str:
        """The value of a hidden field of one of the page's forms."""
        mark = f'name="{name}" value="'
        return self.text.split("<form")[form + 1].split(mark)[1].split('"')[0]


@dataclass
class ServedPages:
    """A running service, the list behind it, and the time that it believes in."""

    config: Config
    database: Database
    port: int = 0
    now: datetime = NOW
    errors: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request, on a connection of its own. An underscore in a header's name stands for a dash."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.putrequest(method, path, skip_host="Host" in named, skip_accept_encoding=True)
        if body is not None and "Content-Length" not in named and "Transfer-Encoding" not in named:
            named["Content-Length"] = str(len(body))
        for name, value in named.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer: HTTPResponse = connection.getresponse()
        found = Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        connection.close()
        return found

    def get(self, path: str, **headers: str) -> Answer:
        """The page at a path."""
        return self.ask("GET", path, **headers)

    def press(self, path: str, fields: dict[str, str] | list[tuple[str, str]], **headers: str) -> Answer:
        """Send a form as a browser that shows our own page does."""
        named = {"Origin": ORIGIN, "Sec_Fetch_Site": "same-origin", **headers}
        kind = "application/x-www-form-urlencoded"
        return self.ask("POST", path, urlencode(fields).encode(), Content_Type=kind, **named)

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    def link(self, email: str, kind: str = "u") -> str:
        """The path of someone's personal link."""
        person = find_subscriber(self.database, email)
        assert person is not None
        return f"/{kind}/{person.id}-{person.token}"

    def preferences(self, email: str, *, days_ago: int = 0) -> str:
        """The path of the link to someone's preferences in an email of a while ago."""
        person = find_subscriber(self.database, email)
        assert person is not None
        envelope = replace(ENVELOPE, service_url="")
        return envelope.preferences_url(person.id, person.token, made_at=self.now - timedelta(days=days_ago))

    def asked(self, email: str, kind: LinkRequestKind) -> str:
        """The path of the newest link of a kind that someone asked for."""
        person = find_subscriber(self.database, email)
        assert person is not None
        queue_links(self.config, self.database, now=self.now, log=lambda *_, **__: None)
        with self.database.read() as connection:
            request = next(each for each in link_requests(connection, person.id) if each.kind is kind)
        assert request.recipient is not None
        return replace(ENVELOPE, service_url="").asked_url(request.recipient, request.token)

    def has_left(self, email: str) -> bool:
        """Whether someone gets no email at all."""
        return find_suppression(self.database, email) is not None


@pytest.fixture
def settings() -> str:
    """What newsletter.toml says; a test module may replace it."""
    return CONFIG + TOPICS


@pytest.fixture
def config(tmp_path: Path, settings: str) -> Config:
    """The workspace's settings."""
    return load_config(write_workspace(tmp_path / "workspace", {"newsletter.toml": settings}))


@contextmanager
def serving(
    config: Config,
    database: Database,  # noqa: F811
    listener: socket.socket | None = None,
    *,
    certificate: Path | None = None,
    key: bytes | None = KEY,
) -> Iterator[ServedPages]:
    """The running service; by default at a port of its own, and without TLS."""
    pages = ServedPages(config, database)
    with GroupWriter(database) as writer, Recorder(config, database) as recorder:
        service = Service(
            config=config, database=database, writer=writer, recorder=recorder, clock=lambda: pages.now, key=key
        )
        listener = listener or socket.create_server(("127.0.0.1", 0), backlog=512)
        with served_app(service_app(service), listener, ssl_certfile=certificate) as pages.port:
            yield pages


@pytest.fixture
def served(config: Config, database: Database) -> Iterator[ServedPages]:  # noqa: F811 - a fixture
    """The service, with Ana and Bo on the list."""
    add(database, row("ana@example.org", first_name="Ana"), row("bo@example.org", language="de"))
    with serving(config, database) as pages:
        yield pages


@pytest.fixture
def served_to_browsers(tmp_path: Path, settings: str) -> Iterator[ServedPages]:
    """The service under the address at which it listens, so that a browser's forms come from its own origin."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    url = f"https://127.0.0.1:{listener.getsockname()[1]}"
    chain = tmp_path / "chain.pem"
    issued = trustme.CA().issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(chain)
    root = write_workspace(tmp_path / "browsed", {"newsletter.toml": settings.replace(ORIGIN, url)})
    with (
        open_test_database(root / "newsletter.db", wait_seconds=1) as opened,
        serving(load_config(root), opened, listener, certificate=chain) as pages,
    ):
        add(opened, row("ana@example.org", first_name="Ana"), row("bo@example.org", language="ar"))
        yield pages


@pytest.fixture(scope="module")  # its event loop is in the way of other modules' tests
def browser() -> Iterator[Browser]:
    """Chromium."""
    with running_browser() as started:
        yield started
