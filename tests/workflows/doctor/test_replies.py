"""Whether replies arrive, as the mail server of the address says, and without sending anything."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.checks.network.names import Names
from newsletter.config import load_config
from newsletter.model.diagnosis import Health
from newsletter.settings.authentication import AuthenticationSettings
from newsletter.workflows.doctor import replies
from newsletter.workflows.doctor.replies import reply_items
from tests.fakes.name_server import NameServer
from tests.fakes.scripted_relay import SILENCE, scripted_relay, usual
from tests.workspaces import write_workspace


@pytest.fixture
def names() -> Iterator[NameServer]:
    with NameServer() as server:
        server.put("example.org", "MX", "10 mx.example.org.")
        server.put("mx.example.org", "A", "127.0.0.1")
        yield server


@pytest.mark.parametrize(
    ("replies_of_server", "health", "words"),
    [
        ({}, Health.OK, "takes email for hello@example.org"),
        ({"RCPT": "550 5.1.1 no such user\r\n"}, Health.ERROR, "550 5.1.1 no such user"),
        ({"RCPT": "450 4.7.1 greylisted\r\n"}, Health.NOT_JUDGED, "does not say"),
        ({"MAIL": "451 4.7.1 come back later\r\n"}, Health.NOT_JUDGED, "does not say"),
        ({"GREETING": "554 5.7.1 not from there\r\n"}, Health.NOT_JUDGED, "cannot be asked from here"),
        ({"RCPT": SILENCE}, Health.NOT_JUDGED, "cannot be asked from here"),
    ],
)
def test_the_server_is_asked_and_sent_nothing(
    tmp_path: Path,
    names: NameServer,
    monkeypatch: pytest.MonkeyPatch,
    replies_of_server: dict[str, str],
    health: Health,
    words: str,
) -> None:
    asked: list[str] = []

    def answer(command: str) -> str:
        asked.append(command)
        return replies_of_server.get(command, usual(command, ""))

    monkeypatch.setattr(replies, "is_public", lambda _: True)
    monkeypatch.setattr(replies, "_SECONDS", 1.0)
    config = load_config(write_workspace(tmp_path))
    settings = AuthenticationSettings.model_validate({"nameservers": [names.place]})
    with scripted_relay(answer) as port:
        monkeypatch.setattr(replies, "_PORT", port)
        (item,) = reply_items(config, Names(settings.nameserver_addresses))
    assert item.health is health
    assert words in item.what
    assert "DATA" not in asked


def test_a_server_inside_a_network_is_not_asked(tmp_path: Path, names: NameServer) -> None:
    config = load_config(write_workspace(tmp_path))
    settings = AuthenticationSettings.model_validate({"nameservers": [names.place]})
    (item,) = reply_items(config, Names(settings.nameserver_addresses))
    assert item.health is Health.NOT_JUDGED
