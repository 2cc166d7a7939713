"""Answers of SendGrid's API that are easily misread, and what is known of each recipient afterwards."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from newsletter.model.broadcast import NextStep, Recipient, Verdict
from newsletter.model.rendered import Picture
from newsletter.providers.base import Provider
from tests.fakes.sendgrid_api import Answer, SendGridApi
from tests.providers.mailings import chunk, mailing, recipient, variant
from tests.providers.sendgrid.parts import sendgrid, submit

PEOPLE = tuple(recipient(number, f"person{number}@example.org") for number in range(1, 7))
_LARGE = Picture(name="p.png", content_type="image/png", content=bytes(15_000_000), width=1, height=1)


def test_a_400_that_names_several_recipients_makes_all_of_them_invalid(api: SendGridApi, provider: Provider) -> None:
    api.script(_refusal("personalizations.1.to.0.email", "personalizations.4.to", "personalizations.1.substitutions"))

    outcome = submit(provider, chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.GO_ON)
    assert set(outcome.invalid) == {2, 5}


def test_a_400_that_names_the_message_beside_a_recipient_stops(api: SendGridApi, provider: Provider) -> None:
    api.script(_refusal("personalizations.1.to.0.email", "from.email"))

    outcome = submit(provider, chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.REJECTED, NextStep.STOP)
    assert not outcome.invalid
    assert "from.email" in outcome.reason


@pytest.mark.parametrize("body", [b"", b"<html>Bad Request</html>", b"[]", b'{"errors": null}', b'{"errors": [7]}'])
@pytest.mark.parametrize("status", [400, 415])
def test_a_refusal_without_a_field_is_about_the_message(
    api: SendGridApi, provider: Provider, status: int, body: bytes
) -> None:
    api.script(Answer(status=status, body=body))

    outcome = submit(provider, chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.REJECTED, NextStep.STOP)
    assert str(status) in outcome.reason


def test_one_mail_that_is_too_large_for_the_api_stops(api: SendGridApi, provider: Provider) -> None:
    api.script(Answer.error(413, "Payload too large"))

    outcome = submit(provider, chunk(PEOPLE[0]))

    assert (outcome.verdict, outcome.next_step) == (Verdict.REJECTED, NextStep.STOP)
    assert "use smaller images, or set url under [archive]" in outcome.reason


@pytest.mark.parametrize("people", [PEOPLE, PEOPLE[:1]])
def test_an_early_413_is_heard_though_the_connection_breaks(tmp_path: Path, people: Sequence[Recipient]) -> None:
    def refuse_early(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Our proxy takes 1 MB\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with _server(refuse_early) as url:
        outcome = submit(sendgrid(tmp_path, url), chunk(*people, of=mailing(variant(pictures=(_LARGE,)))))

    expected = (Verdict.READY, NextStep.SPLIT) if len(people) > 1 else (Verdict.REJECTED, NextStep.STOP)
    assert (outcome.verdict, outcome.next_step) == expected
    assert "SendGrid returned 413: Our proxy takes 1 MB" in outcome.reason
    assert ("smaller images" in outcome.reason) is (len(people) == 1)


@pytest.mark.parametrize("words", ["authorization required", "Maximum credits exceeded"])
def test_a_401_pauses_and_names_both_of_its_causes(api: SendGridApi, provider: Provider, words: str) -> None:
    api.script(Answer.error(401, words))

    outcome = submit(provider, chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.PAUSE)
    assert words in outcome.reason
    assert "SENDGRID_API_KEY" in outcome.reason
    assert "credits" in outcome.reason


def test_in_the_sandbox_a_202_is_still_an_acceptance(api: SendGridApi, tmp_path: Path) -> None:
    api.script(Answer(status=202, headers={"X-Message-Id": "queued"}))

    outcome = submit(sendgrid(tmp_path, api.url, more="sandbox = true"), chunk(*PEOPLE))

    assert (outcome.verdict, outcome.message_id) == (Verdict.ACCEPTED, "queued")


@pytest.mark.parametrize("status", [201, 203, 204, 206])
@pytest.mark.parametrize("more", ["", "sandbox = true"])
def test_any_other_success_leaves_all_unknown_and_pauses(
    api: SendGridApi, tmp_path: Path, status: int, more: str
) -> None:
    api.script(Answer(status=status))

    outcome = submit(sendgrid(tmp_path, api.url, more=more), chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.UNKNOWN, NextStep.PAUSE)


@pytest.mark.parametrize("status", [400, 401, 413, 429])
def test_a_refusal_that_is_cut_off_is_not_trusted(tmp_path: Path, status: int) -> None:
    def cut_off(connection: socket.socket) -> None:
        _read(connection)
        connection.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 500\r\nConnection: close\r\n\r\n{" % status)

    with _server(cut_off) as url:
        outcome = submit(sendgrid(tmp_path, url), chunk(*PEOPLE))

    assert outcome.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("answer", [b"", b"what?\r\n\r\n", b"HTTP/1.1 2", b"220 relay.example.org ESMTP\r\n"])
def test_an_answer_that_is_none_leaves_all_unknown(tmp_path: Path, answer: bytes) -> None:
    def answer_so(connection: socket.socket) -> None:
        _read(connection)
        connection.sendall(answer)

    with _server(answer_so) as url:
        outcome = submit(sendgrid(tmp_path, url), chunk(*PEOPLE))

    assert outcome.verdict is Verdict.UNKNOWN


def _refusal(*fields: str) -> Answer:
    errors = [{"message": "Does not contain a valid address.", "field": field, "help": None} for field in fields]
    return Answer(status=400, body=json.dumps({"errors": errors}).encode())


@contextmanager
def _server(meet: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that meets one connection."""

    def accept() -> None:
        connection, _ = listening.accept()
        with connection:
            meet(connection)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=accept)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(10)


def _read(connection: socket.socket) -> None:
    """Reads one request whole."""
    with connection.makefile("rb") as lines:
        length = 0
        while (line := lines.readline().strip().lower()) != b"":
            length = int(line.partition(b":")[2]) if line.startswith(b"content-length:") else length
        lines.read(length)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
