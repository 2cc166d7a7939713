"""Name servers and web servers on loopback, and a workspace that uses them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.checks.base import Circumstances
from newsletter.checks.network import web
from newsletter.model.finding import Means
from newsletter.system.hosts import is_public
from tests.checks.conftest import Workspace
from tests.checks.network.surroundings import (
    SITES,
    Surroundings,
    authority,
    publish_sound_zone,
    server_context,
    sound_pages,
)
from tests.fakes.name_server import NameServer
from tests.fakes.web_server import WebServer

NOW = datetime(2026, 2, 27, 9, tzinfo=UTC)


@pytest.fixture
def name_server() -> Iterator[NameServer]:
    """A name server that knows nothing."""
    with NameServer() as server:
        yield server


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trusts the tests' authority, as SSL_CERT_FILE has it everywhere in the program."""
    certificates = tmp_path / "authority.pem"
    authority().cert_pem.write_to_path(str(certificates))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates))


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes 127.0.0.1 stand for the internet: a name that leads there is public. 127.0.0.2 stays private."""
    monkeypatch.setattr(web, "is_public", lambda address: address == "127.0.0.1" or is_public(address))


@pytest.fixture
def surroundings(
    name_server: NameServer, workspace: Workspace, trusted: None, internet: None
) -> Iterator[Surroundings]:
    """Sound ones: nothing of D, H4 or E3 is to be found."""
    publish_sound_zone(name_server)
    name_server.put(SITES, "A", "127.0.0.1")
    with sound_pages(server_context("127.0.0.1")) as pages, WebServer() as sites:
        workspace.edit("toml", "https://news.example.org", pages.url)
        circumstances = Circumstances(
            memory_folder=workspace.root / "answers", now=NOW, without=frozenset(Means) - {Means.NETWORK}
        )
        settings = workspace.root / "newsletter.toml"
        tables = f'\n[provider]\nuse = "sendgrid"\n\n[authentication]\nnameservers = ["{name_server.place}"]\n'
        settings.write_text(settings.read_text() + tables)
        yield Surroundings(name_server, pages, sites, workspace, circumstances)
