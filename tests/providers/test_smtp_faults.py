"""Relays that break off, fall silent, drop what they hear or send anything: what is known of the message then."""

import socket
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.model.broadcast import NextStep, Outcome, Verdict
from newsletter.system import smtp_connection
from newsletter.system.smtp_connection import SmtpLimits
from tests.fakes.raw_server import raw_server, saying
from tests.fakes.scripted_relay import SILENCE, scripted_relay, usual
from tests.providers.hostile import ERRORS, fail_at
from tests.providers.mailings import chunk, recipient
from tests.providers.workspace import opened, smtp_settings

ANA, BEN, CARL = (recipient(number, f"{name}@example.org") for number, name in enumerate(("ana", "ben", "carl"), 1))


def test_a_challenge_that_cannot_be_read_is_a_refusal_to_work_for_us(tmp_path: Path) -> None:
    def challenge(command: str) -> str:
        return "334 abc\r\n" if command == "AUTH" else usual(command, "250-AUTH CRAM-MD5\r\n")

    with scripted_relay(challenge) as port:
        setup = smtp_settings(port, more='username = "letter"')
        with opened(tmp_path, setup, {"NEWSLETTER_SMTP_PASSWORD": "s3cret"}).session() as session:
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
        return SILENCE if command == silent_at else usual(command, extensions)

    with scripted_relay(answer) as port:
        outcome = _submit_one(tmp_path, port)

    assert (outcome.verdict, outcome.next_step) == (verdict, next_step)


@pytest.mark.parametrize("extensions", ["", "250-PIPELINING\r\n"], ids=["one by one", "pipelined"])
def test_a_relay_that_speaks_unasked_is_met_again_over_another_connection(tmp_path: Path, extensions: str) -> None:
    contents: list[str] = []

    def answer(command: str) -> str:
        if command == ".":
            contents.append(command)
            return "250 taken\r\n421 that was enough\r\n" if len(contents) == 1 else "250 taken\r\n"
        return usual(command, extensions)

    with scripted_relay(answer) as port:
        provider = opened(tmp_path, smtp_settings(port))
        with provider.session() as session:
            outcomes = [session.submit(chunk(person, number=person.delivery)) for person in (ANA, BEN)]

    assert outcomes == [Outcome(verdict=Verdict.ACCEPTED)] * 2
    assert len(contents) == 2


def _submit_one(folder: Path, port: int) -> Outcome:
    with opened(folder, _impatient(port, seconds=0.3)).session() as session:
        return session.submit(chunk(ANA))


def _impatient(port: int, *, seconds: float = 0.05) -> str:
    return smtp_settings(port).replace("timeout_seconds = 5", f"timeout_seconds = {seconds}")


@pytest.mark.parametrize("dropping", ["RCPT refused", "MAIL accepted"])
def test_a_relay_that_drops_pipelined_commands_gets_one_at_a_time(tmp_path: Path, dropping: str) -> None:
    """It announces PIPELINING, and drops what has arrived after a command: a refused one, or every first one."""
    connections: list[bool] = []  # one entry each: whether anything was dropped
    refused = BEN.email

    def meet(connection: socket.socket) -> None:
        connections.append(False)
        connection.sendall(b"220 hi\r\n")
        heard, is_content = b"", False
        while True:
            while (b"\r\n.\r\n" if is_content else b"\r\n") not in heard:
                if not (piece := connection.recv(65536)):
                    return
                heard += piece
            line, _, heard = heard.partition(b"\r\n.\r\n" if is_content else b"\r\n")
            word = "." if is_content else line[:4].decode().upper().strip()
            is_refused = word == "RCPT" and refused.encode() in line
            if heard and (is_refused if dropping == "RCPT refused" else word == "MAIL"):
                heard, connections[-1] = b"", True
            said = "550 5.1.1 no such user\r\n" if is_refused else usual(word, "250-PIPELINING\r\n")
            is_content = word == "DATA"
            connection.sendall(said.encode())

    with raw_server(meet) as port, opened(tmp_path, _impatient(port, seconds=0.3)).session() as session:
        outcome = session.submit(chunk(ANA, BEN, CARL))
        again = session.submit(chunk(ANA, BEN, CARL, number=2))

    for each in (outcome, again):
        assert (each.verdict, each.unsent, each.uncertain) == (Verdict.ACCEPTED, frozenset(), {})
        assert each.invalid == {BEN.delivery: "550 5.1.1 no such user"}
    assert connections == [True, False]  # the second connection sends one command at a time, and is kept


@pytest.mark.parametrize("closes", [True, False])
def test_a_refusal_stands_though_the_rest_of_a_pipeline_is_never_answered(tmp_path: Path, closes: bool) -> None:
    def meet(connection: socket.socket) -> None:
        connection.sendall(b"220 hi\r\n")
        connection.recv(65536)
        connection.sendall(b"250-relay\r\n250 PIPELINING\r\n")
        connection.recv(65536)
        connection.sendall(b"250 ok\r\n550 5.1.1 no such user\r\n")
        if not closes:
            connection.recv(1)

    with raw_server(meet) as port, opened(tmp_path, _impatient(port, seconds=0.3)).session() as session:
        outcome = session.submit(chunk(BEN))

    # Nothing was accepted after it, so the relay is not believed about the address.
    assert outcome.doubted[BEN.delivery].words == "550 5.1.1 no such user"
    assert (outcome.invalid, outcome.unsent, outcome.uncertain) == ({}, frozenset(), {})


def test_the_limits_are_those_of_rfc_5321_unless_the_settings_shorten_them() -> None:
    limits = SmtpLimits()

    assert (limits.greeting, limits.command, limits.data, limits.block, limits.content) == (300, 300, 120, 180, 600)
    assert limits.within(None) == limits
    short = limits.within(150)
    assert (short.greeting, short.data, short.content, short.connection) == (150, 120, 150, 30)


@pytest.mark.parametrize(
    "endless",
    [b"250-more\r\n", b"250-" + b"a" * 2000 + b"\r\n", b"a", b"250 ok\r\n", b"\r\n", b"\0"],
    ids=["lines", "long lines", "one line", "replies", "empty lines", "zeros"],
)
@pytest.mark.parametrize("phase", [0, 1, 2, 3])
def test_an_endless_reply_is_not_read_to_the_end(tmp_path: Path, endless: bytes, phase: int) -> None:
    """The greeting, the reply to EHLO, those to the envelope, or that to the content never ends."""
    fine = [b"220 hi\r\n", b"250-relay\r\n250 PIPELINING\r\n", b"250 ok\r\n250 ok\r\n354 go\r\n"]

    def meet(connection: socket.socket) -> None:
        for reply in fine[:phase]:
            connection.sendall(reply)
            connection.recv(1 << 20)
        for _ in range(2_000):
            connection.sendall(endless * (1 + 65536 // len(endless)))
        pytest.fail("all of it was read")

    with raw_server(meet) as port, opened(tmp_path, smtp_settings(port)).session() as session:
        outcome = session.submit(chunk(ANA))

    is_taken = phase == 3 and endless == b"250 ok\r\n"  # the first of the replies is one
    assert outcome.verdict in ({Verdict.ACCEPTED} if is_taken else {Verdict.READY, Verdict.UNKNOWN})


def test_a_dripping_reply_ends_at_the_limit_of_the_whole(tmp_path: Path) -> None:
    over = threading.Event()

    def meet(connection: socket.socket) -> None:
        connection.sendall(b"220-")
        while not over.wait(0.02):
            connection.sendall(b"x")

    with raw_server(meet) as port:
        outcome = _submit_one(tmp_path, port)
        over.set()  # until now the relay would have gone on for ever

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.WAIT)
    assert "within 0.3 seconds" in outcome.reason


_SENSE = [b"220 hi\r\n", b"250-relay\r\n250 PIPELINING\r\n", b"250 ok\r\n", b"354 go\r\n", b"550 5.1.1 no\r\n"]
_SENSE += [
    b"421 bye\r\n",
    b"450 later\r\n",
    b"250 ok\r\n250 ok\r\n354 go\r\n",
    b"250-\xff\xfe\r\n250 ok\r\n",
    b"999 \r\n",
]


@given(pieces=st.lists(st.one_of(st.sampled_from(_SENSE), st.binary(max_size=40)), max_size=8))
@settings(max_examples=80)
def test_whatever_a_relay_sends_there_is_an_outcome(pieces: list[bytes]) -> None:
    with (
        TemporaryDirectory() as folder,
        raw_server(saying(pieces)) as port,
        opened(Path(folder), _impatient(port)).session() as session,
    ):
        outcome = session.submit(chunk(ANA, BEN))

    assert isinstance(outcome, Outcome)
    assert outcome.verdict is not Verdict.ACCEPTED or b"2" in b"".join(pieces)


@given(error=ERRORS, method=st.sampled_from(["send", "receive"]), number=st.integers(0, 9), pipelined=st.booleans())
@settings(max_examples=80)
def test_whatever_a_library_raises_there_is_a_true_outcome(
    error: Exception, method: str, number: int, pipelined: bool
) -> None:
    contents: list[str] = []

    def answer(command: str) -> str:
        contents.extend(["."] if command == "." else [])
        return usual(command, "250-PIPELINING\r\n" if pipelined else "")

    with TemporaryDirectory() as folder, scripted_relay(answer) as port, pytest.MonkeyPatch.context() as patch:
        provider = opened(Path(folder), smtp_settings(port))
        fail_at(patch, method, number, error)
        with provider.session() as session:
            outcome = session.submit(chunk(ANA))

    if outcome.verdict is Verdict.ACCEPTED:
        assert contents == ["."]
    elif outcome.verdict is Verdict.READY:
        assert contents == []


@given(error=ERRORS)
def test_whatever_connecting_raises_there_is_an_outcome(error: Exception) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(smtp_connection, "open_stream", fail)
        with opened(Path(folder), smtp_settings(25)).session() as session:
            outcome = session.submit(chunk(ANA))

    assert outcome.verdict is Verdict.READY
