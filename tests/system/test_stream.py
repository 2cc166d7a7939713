"""Connections end at their deadline, whatever the other side does."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.system import stream as module
from newsletter.system.environment import certificate_notes
from newsletter.system.http_exchange import UnansweredError, ask
from newsletter.system.stream import Stream, TimeLimit, open_stream
from tests.checks.network.surroundings import authority, server_context
from tests.fakes.web_server import Page, WebServer


@pytest.fixture
def both() -> Iterator[tuple[Stream, socket.socket]]:
    """A connection, and its other end."""
    ours, theirs = socket.socketpair()
    with theirs:
        yield Stream(ours), theirs
    ours.close()


def test_steps_that_each_succeed_end_at_the_deadline_of_the_whole(both: tuple[Stream, socket.socket]) -> None:
    stream, theirs = both
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.01):
            theirs.sendall(b"x")

    dripping = threading.Thread(target=drip)
    dripping.start()
    deadline, heard = TimeLimit(0.2), []
    with pytest.raises(TimeoutError, match="no complete answer within"):
        heard.extend(stream.receive(1, deadline) for _ in range(10_000))
    over.set()
    dripping.join()
    assert heard


def test_what_nobody_reads_is_not_sent_for_ever(both: tuple[Stream, socket.socket]) -> None:
    stream, _ = both

    with pytest.raises(TimeoutError, match="no complete answer within"):
        stream.send(bytes(50_000_000), TimeLimit(0.1))


@pytest.fixture
def over_tcp() -> Iterator[tuple[Stream, socket.socket]]:
    """A connection as `open_stream` makes it, and its other end."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ours = open_stream("127.0.0.1", listening.getsockname()[1], TimeLimit(5))
        theirs, _ = listening.accept()
    with theirs:
        yield ours, theirs
    ours.close()


def test_a_peer_that_reads_slowly_does_not_move_the_deadline(over_tcp: tuple[Stream, socket.socket]) -> None:
    stream, theirs = over_tcp
    over = threading.Event()

    def sip() -> None:
        while not over.wait(0.01):
            theirs.recv(4096)

    sipping = threading.Thread(target=sip)
    sipping.start()
    with pytest.raises(TimeoutError, match="no complete answer within"):
        stream.send(bytes(200_000_000), TimeLimit(0.2))
    over.set()
    sipping.join()


def test_all_arrives_at_a_peer_that_reads_after_several_waits(
    over_tcp: tuple[Stream, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, theirs = over_tcp
    monkeypatch.setattr(module, "_WAIT_SECONDS", 0.01)
    content = bytes(range(250)) * 100_000
    heard = bytearray()
    begins = threading.Event()

    def read_late() -> None:
        begins.wait(0.1)
        while len(heard) < len(content) and (piece := theirs.recv(1_000_000)):
            heard.extend(piece)
        begins.wait(0.1)
        theirs.sendall(b"done")

    reading = threading.Thread(target=read_late)
    reading.start()
    stream.send(content, TimeLimit(20))
    assert stream.receive(4, TimeLimit(20)) == b"done"
    reading.join()
    assert bytes(heard) == content


def test_a_name_that_is_never_looked_up_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    real = socket.getaddrinfo

    def slow(host: str, *arguments: object, flags: int = 0, **options: object) -> object:
        if not flags:
            over.wait(20)
        return real(host, *arguments, flags=flags, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(module.socket, "getaddrinfo", slow)
    with pytest.raises(TimeoutError):
        open_stream("mail.example.org", 25, TimeLimit(0.1))
    over.set()


def test_the_next_address_is_tried_if_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_server(("127.0.0.1", 0)) as gone:
        closed = gone.getsockname()
        gone.close()
        found = [(socket.AF_INET, closed), (socket.AF_INET, listening.getsockname())]
        monkeypatch.setattr(module, "_looked_up", lambda *_: found)

        stream = open_stream("mail.example.org", 25, TimeLimit(5))
        stream.close()
        monkeypatch.setattr(module, "_looked_up", lambda *_: found[:1])
        with pytest.raises(ConnectionRefusedError):
            open_stream("mail.example.org", 25, TimeLimit(5))


def test_a_name_that_cannot_be_one_is_an_error_of_its_own() -> None:
    with pytest.raises(UnicodeError):
        open_stream("x" * 70 + ".example.org", 25, TimeLimit(5))


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The certificates of the tests, as SSL_CERT_FILE names them."""
    path = tmp_path / "authority.pem"
    authority().cert_pem.write_to_path(str(path))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


def status_of(url: str) -> int:
    return ask("GET", url, deadline=TimeLimit(20), headers={}).status


@pytest.mark.parametrize("there", ["nowhere/keys.log", "keys.log"])
def test_the_keys_of_a_connection_are_written_nowhere(
    there: str, trusted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / there))
    with WebServer(tls=server_context("127.0.0.1"), pages={"/": Page()}) as server:
        assert status_of(f"{server.url}/") == 200
    assert not (tmp_path / there).exists()


@pytest.mark.parametrize("variable", ["SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_other_settings_that_lead_nowhere_change_nothing(
    variable: str, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "/nowhere/at-all")
    with WebServer(tls=server_context("127.0.0.1"), pages={"/": Page()}) as server:
        assert status_of(f"{server.url}/") == 200


def test_without_the_file_of_certificates_the_system_decides_and_a_note_says_so(
    trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert certificate_notes() == ()
    trusted.unlink()
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))

    with WebServer(tls=server_context("127.0.0.1"), pages={"/": Page()}) as server, pytest.raises(UnansweredError):
        status_of(f"{server.url}/")

    (note,) = certificate_notes()
    assert note.startswith(f"SSL_CERT_FILE is {trusted}, which cannot be read, so the system's certificates are used;")
    assert note.endswith("unset SSL_CERT_FILE")


def test_a_server_that_no_one_vouches_for_is_not_trusted() -> None:
    with WebServer(tls=server_context("127.0.0.1"), pages={"/": Page()}) as server, pytest.raises(UnansweredError):
        status_of(f"{server.url}/")
