"""What is read from a relay, however it arrives; and what is known where nothing does."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from newsletter.model.broadcast import NextStep, Outcome, Verdict
from newsletter.system.smtp_connection import SmtpConnection, SmtpLimits, SmtpReply
from newsletter.system.stream import Stream
from tests.providers.mailings import chunk, recipient
from tests.providers.workspace import opened, smtp_settings

ANA, BEN = recipient(1, "ana@example.org"), recipient(2, "ben@example.org")
_SILENCE = "silence"  # until the other side gives up


@pytest.fixture
def both() -> Iterator[tuple[SmtpConnection, socket.socket]]:
    """A connection, and what the relay writes to."""
    ours, theirs = socket.socketpair()
    connection = SmtpConnection(Stream(ours), SmtpLimits())
    with theirs:
        yield connection, theirs
    connection.close()


@pytest.mark.parametrize(
    ("heard", "reply"),
    [
        (b"250 ok\r\n", SmtpReply(250, b"ok")),
        (b"250\r\n", SmtpReply(250, b"")),
        (b"250 ok\n", SmtpReply(250, b"ok")),
        (b"250-one\r\n250-two\r\n250 three\r\n", SmtpReply(250, b"one\ntwo\nthree")),
        (b"550 5.1.1 no\r\n", SmtpReply(550, b"5.1.1 no")),
        (b"what?\r\n", SmtpReply(-1, b"what?")),
        (b"\r\n", SmtpReply(-1, b"")),
        (b"250-one\r\nwhat?\r\n", SmtpReply(-1, b"what?")),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_reply_is_the_same_in_whatever_pieces_it_comes(
    both: tuple[SmtpConnection, socket.socket], heard: bytes, reply: SmtpReply, size: int
) -> None:
    connection, relay = both
    writer = threading.Thread(target=_write_in_pieces, args=(relay, heard, size))

    writer.start()
    got = connection.reply(5)
    writer.join()

    assert got == reply
    assert not connection.has_unasked


def test_replies_that_come_together_are_given_one_by_one(both: tuple[SmtpConnection, socket.socket]) -> None:
    connection, relay = both
    relay.sendall(b"250 one\r\n250-two\r\n250 2\r\n354 three\r\n")

    assert [connection.reply(5).code for _ in range(2)] == [250, 250]
    assert connection.has_unasked
    assert connection.reply(5) == SmtpReply(354, b"three")


@pytest.mark.parametrize("heard", [b"", b"25", b"250-one\r\n", b"x" * 100_000, b"250-one\r\n" * 1000])
def test_a_reply_without_an_end_is_a_broken_connection(
    both: tuple[SmtpConnection, socket.socket], heard: bytes
) -> None:
    connection, relay = both
    writer = threading.Thread(target=_write_in_pieces, args=(relay, heard, 50_000))

    writer.start()
    relay_is_done = threading.Thread(target=lambda: (writer.join(), relay.shutdown(socket.SHUT_WR)))
    relay_is_done.start()
    with pytest.raises(OSError, match="relay"):
        connection.reply(5)
    connection.close()
    relay_is_done.join()


def test_a_closed_connection_says_so(both: tuple[SmtpConnection, socket.socket]) -> None:
    connection, _ = both

    connection.close()
    connection.close()

    assert not connection.is_open
    for use in (lambda: connection.reply(5), lambda: connection.send(b"NOOP\r\n")):
        with pytest.raises(OSError, match="closed"):
            use()


def test_a_reply_that_comes_too_slowly_is_a_broken_connection() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        connection = SmtpConnection(Stream(ours), SmtpLimits())
        theirs.sendall(b"250 o")
        with pytest.raises(TimeoutError, match="no complete answer within"):
            connection.reply(0.05)
        connection.close()


def test_a_challenge_that_cannot_be_read_is_a_refusal_to_work_for_us(tmp_path: Path) -> None:
    def challenge(command: str) -> str:
        return "334 abc\r\n" if command == "AUTH" else _usual(command, "250-AUTH CRAM-MD5\r\n")

    with _relay(challenge) as port:
        settings = smtp_settings(port, more='username = "letter"')
        with opened(tmp_path, settings, {"NEWSLETTER_SMTP_PASSWORD": "s3cret"}).session() as session:
            outcome = session.submit(chunk(ANA))

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.PAUSE)


@pytest.mark.parametrize("extensions", ["", "250-PIPELINING\r\n"], ids=["one by one", "pipelined"])
@pytest.mark.parametrize(
    ("silent_at", "verdict", "next_step"),
    [
        ("GREETING", Verdict.READY, NextStep.WAIT),
        ("EHLO", Verdict.READY, NextStep.WAIT),
        ("MAIL", Verdict.READY, NextStep.WAIT),
        ("RCPT", Verdict.READY, NextStep.WAIT),
        ("DATA", Verdict.READY, NextStep.WAIT),
        (".", Verdict.UNKNOWN, NextStep.GO_ON),
    ],
)
def test_a_relay_that_falls_silent_has_taken_the_message_only_after_its_content(
    tmp_path: Path, extensions: str, silent_at: str, verdict: Verdict, next_step: NextStep
) -> None:
    def answer(command: str) -> str:
        return _SILENCE if command == silent_at else _usual(command, extensions)

    with _relay(answer) as port:
        outcome = _submit_one(tmp_path, port)

    assert (outcome.verdict, outcome.next_step) == (verdict, next_step)


@pytest.mark.parametrize("extensions", ["", "250-PIPELINING\r\n"], ids=["one by one", "pipelined"])
def test_a_relay_that_speaks_unasked_is_met_again_over_another_connection(tmp_path: Path, extensions: str) -> None:
    contents: list[str] = []

    def answer(command: str) -> str:
        if command == ".":
            contents.append(command)
            return "250 taken\r\n421 that was enough\r\n" if len(contents) == 1 else "250 taken\r\n"
        return _usual(command, extensions)

    with _relay(answer) as port:
        provider = opened(tmp_path, smtp_settings(port))
        with provider.session() as session:
            outcomes = [session.submit(chunk(person, number=person.delivery)) for person in (ANA, BEN)]

    assert outcomes == [Outcome(verdict=Verdict.ACCEPTED)] * 2
    assert len(contents) == 2


def _usual(command: str, extensions: str) -> str:
    return {
        "GREETING": "220 hi\r\n",
        "EHLO": f"250-relay\r\n{extensions}250 8BITMIME\r\n",
        "DATA": "354 go on\r\n",
        ".": "250 taken\r\n",
    }.get(command, "250 ok\r\n")


def _submit_one(folder: Path, port: int) -> Outcome:
    settings = smtp_settings(port).replace("timeout_seconds = 5", "timeout_seconds = 0.3")
    with opened(folder, settings).session() as session:
        return session.submit(chunk(ANA))


@contextmanager
def _relay(answer: Callable[[str], str]) -> Iterator[int]:
    """A relay whose every reply the test decides, by the first word of a command; it takes many connections."""
    stopping = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            said = answer("GREETING")
            while said != _SILENCE:
                connection.sendall(said.encode())
                command = _next_command(lines, is_content=said.startswith("354"))
                if not command:
                    return
                said = answer(command)
            stopping.wait(10)

    def accept() -> None:
        while not stopping.is_set():
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                continue
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)
        accepting = threading.Thread(target=accept)
        accepting.start()
        yield listening.getsockname()[1]
        stopping.set()
        accepting.join()


def _next_command(lines: Iterator[bytes], *, is_content: bool) -> str:
    try:
        for line in lines:
            word = line.split(b" ")[0].strip().decode("latin-1")
            if not is_content or word == ".":
                return word.upper()
    except OSError:
        pass
    return ""


def _write_in_pieces(relay: socket.socket, heard: bytes, size: int) -> None:
    for start in range(0, len(heard), size):
        try:
            relay.sendall(heard[start : start + size])
        except OSError:
            return
        time.sleep(0.001)
