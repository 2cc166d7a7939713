"""What is read from a relay, however it arrives; and what is known where nothing does."""

import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator

import pytest

from newsletter.system.smtp_connection import (
    NotOfferedError,
    RefusedError,
    SmtpConnection,
    SmtpLimits,
    SmtpReply,
    connect,
    log_in,
)
from newsletter.system.stream import Stream
from tests.fakes.scripted_relay import scripted_relay


def _base64(words: str) -> str:
    return b64encode(words.encode()).decode()


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


def _write_in_pieces(relay: socket.socket, heard: bytes, size: int) -> None:
    for start in range(0, len(heard), size):
        try:
            relay.sendall(heard[start : start + size])
        except OSError:
            return
        time.sleep(0.001)


@pytest.mark.parametrize(
    ("offered", "replies", "sent"),
    [
        ("PLAIN LOGIN", b"235 ok\r\n", ["AUTH PLAIN " + _base64("\0übung\0geh-heimüber")]),
        ("LOGIN", b"334 a\r\n334 b\r\n235 ok\r\n", ["AUTH LOGIN", _base64("übung"), _base64("geh-heimüber")]),
        ("PLAIN LOGIN", b"504 no\r\n334 a\r\n334 b\r\n235 ok\r\n", ["AUTH PLAIN", "AUTH LOGIN"]),
    ],
)
def test_names_and_passwords_are_sent_in_utf_8(
    both: tuple[SmtpConnection, socket.socket], offered: str, replies: bytes, sent: list[str]
) -> None:
    connection, relay = both
    connection.extensions = {"auth": offered}
    relay.sendall(replies)

    log_in(connection, "übung", "geh-heimüber")

    heard = relay.recv(65536).decode().split("\r\n")
    for line in sent:
        assert any(each.startswith(line) for each in heard)


def test_the_challenge_of_rfc_2195_is_answered(both: tuple[SmtpConnection, socket.socket]) -> None:
    connection, relay = both
    connection.extensions = {"auth": "CRAM-MD5"}
    relay.sendall(b"334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\r\n235 ok\r\n")

    log_in(connection, "tim", "tanstaaftanstaaf")

    assert relay.recv(65536).split(b"\r\n")[1] == b"dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"


@pytest.mark.parametrize(("offered", "error"), [("PLAIN", RefusedError), ("XOAUTH2", NotOfferedError)])
def test_a_login_that_fails_is_tried_once(
    both: tuple[SmtpConnection, socket.socket], offered: str, error: type[Exception]
) -> None:
    connection, relay = both
    connection.extensions = {"auth": f"{offered} LOGIN" if offered == "PLAIN" else offered}
    relay.sendall(b"535 5.7.8 wrong password\r\n")

    with pytest.raises(error):
        log_in(connection, "ana", "wrong")


def _script(*replies: str) -> Callable[[str], str]:
    said = iter(replies)
    return lambda _command: next(said)


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        (["554 no service\r\n"], RefusedError),
        (["220 hi\r\n", "502 no\r\n", "502 no\r\n"], RefusedError),
        (["220 hi\r\n", "250 relay\r\n"], NotOfferedError),
        (["220 hi\r\n", "250-relay\r\n250 STARTTLS\r\n", "454 not now\r\n"], RefusedError),
        (["220 hi\r\n", "250-relay\r\n250 STARTTLS\r\n", "220 go\r\n250 injected\r\n"], ConnectionError),
    ],
)
def test_a_connection_that_cannot_be_encrypted_is_not_opened(replies: list[str], error: type[Exception]) -> None:
    with scripted_relay(_script(*replies)) as port, pytest.raises(error):
        connect("127.0.0.1", port, "starttls", SmtpLimits().within(5))


def test_a_server_that_knows_no_ehlo_is_greeted_by_helo() -> None:
    with scripted_relay(_script("220 hi\r\n", "502 no\r\n", "250 relay\r\n", "221 bye\r\n")) as port:
        relay = connect("127.0.0.1", port, "none", SmtpLimits().within(5))
        assert relay.extensions == {}
        relay.quit()


def test_extensions_are_kept_with_their_parameters() -> None:
    ehlo = "250-relay\r\n250-SIZE 1000\r\n250-AUTH LOGIN\r\n250-AUTH=PLAIN\r\n250 PIPELINING\r\n"
    with scripted_relay(_script("220 hi\r\n", ehlo, "221 bye\r\n")) as port:
        relay = connect("127.0.0.1", port, "none", SmtpLimits().within(5))
        assert relay.extensions == {"size": "1000", "auth": "LOGIN PLAIN", "pipelining": ""}
        relay.quit()
