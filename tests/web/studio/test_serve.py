"""The studio as a process: it listens on loopback, and lets go of everything when it is interrupted."""

import socket
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from newsletter.config import Config
from newsletter.errors import InputError
from newsletter.web.studio.serve import DEFAULT_PORT, serve_preview
from tests.web.studio.conftest import RunningStudio, running_studio


def is_free(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) != 0


def never(url: str) -> None:
    pytest.fail(f"it listens at {url}")


def test_it_says_where_it_listens_once_it_answers(studio: RunningStudio) -> None:
    assert urlsplit(studio.url).hostname == "127.0.0.1"
    with urllib.request.urlopen(f"{studio.url}2026-02/", timeout=20) as answer:
        assert answer.status == 200


def test_ctrl_c_ends_it_with_pages_open_and_frees_its_port(studio: RunningStudio) -> None:
    streams = [urllib.request.urlopen(f"{studio.url}2026-02/events", timeout=20) for _ in range(3)]
    for stream in streams:
        assert stream.readline() == b"retry: 1000\n"
    assert studio.interrupt() == 0
    for stream in streams:
        stream.read()
        stream.close()
    assert is_free(int(urlsplit(studio.url).port or 0))
    assert studio.process.stderr is not None
    assert "Traceback" not in studio.process.stderr.read()


def test_a_second_studio_finds_another_port(workspace: Path) -> None:
    with running_studio(workspace) as first, running_studio(workspace) as second:
        ports = [urlsplit(studio.url).port or 0 for studio in (first, second)]
        assert ports[0] != ports[1]
        assert min(ports) >= DEFAULT_PORT


def test_a_port_that_is_taken_is_refused(studio: RunningStudio, config: Config, issue_folder: Path) -> None:
    taken = urlsplit(studio.url).port
    with pytest.raises(InputError, match=f"port {taken}: another program does; choose another --port"):
        serve_preview(config, issue_folder, port=taken, on_ready=never)


def test_a_port_that_does_not_exist_is_refused(config: Config, issue_folder: Path) -> None:
    with pytest.raises(InputError, match="there is no such port"):
        serve_preview(config, issue_folder, port=70_000, on_ready=never)


def test_an_open_page_is_told_of_a_save(studio: RunningStudio, issue_folder: Path) -> None:
    with urllib.request.urlopen(f"{studio.url}2026-02/events", timeout=20) as stream:
        first = next(line for line in stream if line.startswith(b"data: "))
        letter = issue_folder / "letter.md"
        letter.write_text(letter.read_text() + "\nOne more line.\n")
        second = next(line for line in stream if line.startswith(b"data: "))
    assert first != second
