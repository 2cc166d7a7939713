"""Whatever SendGrid, a proxy or a library does, a request ends in an outcome, and soon."""

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.model.broadcast import NextStep, Outcome, Verdict
from newsletter.system import http_exchange
from tests.fakes.raw_server import answering, raw_server, read_request
from tests.fakes.sendgrid_api import SendGridApi
from tests.providers.hostile import ERRORS, fail_at
from tests.providers.mailings import chunk, recipient
from tests.providers.sendgrid.parts import API_KEY, sendgrid, submit

PEOPLE = (recipient(1, "ana@example.org"), recipient(2, "ben@example.org"))
_ACCEPTED = b"HTTP/1.1 202 Accepted\r\nX-Message-Id: m\r\n"


def outcome_with(meet: Callable[[socket.socket], None], folder: Path, *, seconds: float = 20) -> Outcome:
    """The outcome of a chunk that is handed to such a server."""
    with raw_server(meet) as port:
        return submit(sendgrid(folder, f"http://127.0.0.1:{port}", more=f"timeout_seconds = {seconds}"), chunk(*PEOPLE))


@pytest.mark.parametrize(
    ("answer", "verdict", "next_step"),
    [
        (_ACCEPTED + b"Content-Length: 0\r\n\r\n", Verdict.ACCEPTED, NextStep.GO_ON),
        (_ACCEPTED + b"\r\n", Verdict.ACCEPTED, NextStep.GO_ON),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + _ACCEPTED + b"\r\n", Verdict.ACCEPTED, NextStep.GO_ON),
        (b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + _ACCEPTED + b"\r\n", Verdict.ACCEPTED, NextStep.GO_ON),
        (_ACCEPTED + b"Content-Length: 18446744073709551616\r\n\r\n", Verdict.UNKNOWN, NextStep.GO_ON),
        (_ACCEPTED + b"Content-Length: 9000000000000000000\r\n\r\n", Verdict.UNKNOWN, NextStep.GO_ON),
        (_ACCEPTED + b"Content-Length: -1\r\n\r\n", Verdict.UNKNOWN, NextStep.GO_ON),
        (_ACCEPTED + b"Content-Length: 1, 2\r\n\r\n", Verdict.UNKNOWN, NextStep.GO_ON),
        (_ACCEPTED + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", Verdict.UNKNOWN, NextStep.GO_ON),
        (b"HTTP/1.1 307 X\r\nLocation: http://[127.0.0.1/\r\n\r\n", Verdict.READY, NextStep.PAUSE),
        (b"HTTP/1.1 99 Odd\r\n\r\n", Verdict.UNKNOWN, NextStep.GO_ON),
        (b"HTTP/1.1 101 Switching\r\n\r\n", Verdict.UNKNOWN, NextStep.GO_ON),
        (b"SSH-2.0-OpenSSH\r\n", Verdict.UNKNOWN, NextStep.GO_ON),
        (b"", Verdict.UNKNOWN, NextStep.GO_ON),
    ],
)
def test_an_odd_answer_is_read_carefully(tmp_path: Path, answer: bytes, verdict: Verdict, next_step: NextStep) -> None:
    outcome = outcome_with(answering(answer), tmp_path)

    assert (outcome.verdict, outcome.next_step) == (verdict, next_step)


@pytest.mark.parametrize(
    ("begin", "endless"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"", b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"),
        (_ACCEPTED, b"X-More: x\r\n"),
        (_ACCEPTED, b"x"),
        (_ACCEPTED + b"\r\n", b"x" * 1000),
        (_ACCEPTED + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"", b"\0"),
    ],
)
def test_an_endless_answer_is_not_read_to_the_end(tmp_path: Path, begin: bytes, endless: bytes) -> None:
    def meet(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(begin)
        piece = endless * (1 + 65536 // len(endless))
        for _ in range(1_000):  # some 65 MB
            connection.sendall(piece)
        pytest.fail("all of it was read")

    assert outcome_with(meet, tmp_path).verdict is Verdict.UNKNOWN


def test_a_dripping_answer_ends_at_the_limit_of_the_whole(tmp_path: Path) -> None:
    over = threading.Event()

    def meet(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(_ACCEPTED)
        while not over.wait(0.02):
            connection.sendall(b"x")

    outcome = outcome_with(meet, tmp_path, seconds=0.3)
    over.set()  # until now the server would have gone on for ever

    assert outcome.verdict is Verdict.UNKNOWN
    assert "within 0.3 seconds" in outcome.reason


_SENSE = [b"HTTP/1.1 202 Accepted\r\n", b"HTTP/1.1 429 Slow\r\n", b"HTTP/1.1 400 X\r\n", b"Content-Length: 2\r\n"]
_SENSE += [b"\r\n", b"{}", b"Date: x\r\n", b"X-RateLimit-Reset: \xff\r\n"]
_SENSE += [b'{"errors":[{"field":"personalizations.9.to","message":1}]}']


@given(pieces=st.lists(st.one_of(st.sampled_from(_SENSE), st.binary(max_size=40)), max_size=8))
@settings(max_examples=80)
def test_whatever_is_answered_there_is_an_outcome(pieces: list[bytes]) -> None:
    with TemporaryDirectory() as folder:
        outcome = outcome_with(answering(b"".join(pieces)), Path(folder))

    assert outcome.verdict is not Verdict.ACCEPTED or b" 202" in b"".join(pieces)
    assert API_KEY not in outcome.reason


@given(error=ERRORS, method=st.sampled_from(["send", "receive"]), number=st.integers(0, 3))
@settings(max_examples=80)
def test_whatever_a_library_raises_there_is_a_true_outcome(error: Exception, method: str, number: int) -> None:
    with TemporaryDirectory() as folder, SendGridApi(api_key=API_KEY) as api, pytest.MonkeyPatch.context() as patch:
        fail_at(patch, method, number, error)
        outcome = submit(sendgrid(Path(folder), api.url, more="timeout_seconds = 0.5"), chunk(*PEOPLE))

    if outcome.verdict is Verdict.ACCEPTED:
        assert len(api.accepted) == len(PEOPLE)
    elif outcome.verdict is Verdict.READY:
        assert api.accepted == []


@given(error=ERRORS, is_connecting=st.booleans())
@settings(max_examples=40)
def test_whatever_is_raised_before_a_request_there_is_an_outcome(error: Exception, is_connecting: bool) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        if is_connecting:
            patch.setattr(http_exchange, "open_stream", fail)
        else:
            patch.setattr("python_http_client.client.Client._build_url", fail)
        outcome = submit(sendgrid(Path(folder), "http://127.0.0.1:9"), chunk(*PEOPLE))

    assert outcome.verdict is (Verdict.READY if is_connecting else Verdict.UNKNOWN)
