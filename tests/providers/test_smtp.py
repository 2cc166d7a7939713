"""What an SMTP relay may do to a chunk, and what is known of each recipient afterwards."""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from newsletter.model.broadcast import Doubt, Ending, NextStep, Outcome, OutgoingChunk, Verdict
from newsletter.providers.base import Provider
from tests.providers.mailings import ENVELOPE, chunk, mailing, recipient
from tests.providers.smtp_server import PASSWORD, TAKEN, SmtpServer
from tests.providers.workspace import opened, smtp_settings

PEOPLE = tuple(recipient(number, f"person{number}@example.org") for number in range(1, 7))
FIRST, SECOND, THIRD = (person.email for person in PEOPLE[:3])


@pytest.fixture(params=[(), ("PIPELINING",)], ids=["one by one", "pipelined"])
def server(request: pytest.FixtureRequest) -> Iterator[SmtpServer]:
    """A relay that behaves as the test says, with and without pipelining."""
    with SmtpServer() as running:
        running.behavior.extensions = request.param
        yield running


def test_an_email_comes_from_its_own_return_path_or_from_that_of_the_mailing(
    server: SmtpServer, tmp_path: Path
) -> None:
    ana, bo, *_ = PEOPLE
    own = ana._replace(return_path="b.1.7.abcdefgh@bounces.example.org")
    to_mailbox = mailing(envelope=replace(ENVELOPE, mailbox="bounces@example.org"))

    _submit(opened(tmp_path, smtp_settings(server.port)), chunk(own, bo))
    _submit(opened(tmp_path, smtp_settings(server.port)), chunk(own, bo, of=to_mailbox))

    senders = ["b.1.7.abcdefgh@bounces.example.org", ENVELOPE.from_email]
    assert [mail.sender for mail in server.taken] == [*senders, senders[0], "bounces@example.org"]
    assert [b"\r\nPrecedence: bulk\r\n" in mail.content for mail in server.taken] == [False, False, True, True]


def test_a_refused_address_is_invalid_with_the_words_of_the_relay(server: SmtpServer, tmp_path: Path) -> None:
    server.behavior.on_rcpt = lambda to: "550 5.1.1 no such user" if to == SECOND else "250 ok"

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    refusal = "550 5.1.1 no such user"
    assert outcome == Outcome(verdict=Verdict.ACCEPTED, invalid={2: refusal}, undeliverable=frozenset({2}))
    assert _taken(server) == [1, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "refusal",
    [
        "552 5.2.2 user over quota",
        "550 5.2.1 mailbox disabled",
        "550 5.4.1 no answer from host",
        "550 5.7.1 closed group",
        "550 5.1.0 rejected",
        "550 no such user",
    ],
)
def test_a_refusal_that_another_day_may_not_bring_says_nothing_about_the_address(
    server: SmtpServer, tmp_path: Path, refusal: str
) -> None:
    server.behavior.on_rcpt = lambda to: refusal if to == SECOND else "250 ok"

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    assert outcome == Outcome(verdict=Verdict.ACCEPTED, invalid={2: refusal})


@pytest.mark.parametrize("refusal", ["554 refused", "550 5.7.1 local policy", "550 5.7.1 looks like spam"])
def test_a_refusal_that_may_be_about_us_or_about_them_is_a_doubt(
    server: SmtpServer, tmp_path: Path, refusal: str
) -> None:
    server.behavior.on_rcpt = lambda to: refusal if to == SECOND else "250 ok"

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    doubt = Doubt(words=refusal, ending=Ending.REJECTED, is_last_word=False)
    assert outcome == Outcome(verdict=Verdict.ACCEPTED, doubted={2: doubt})


def test_the_refusals_in_a_row_are_counted_over_the_chunks_of_a_connection(server: SmtpServer, tmp_path: Path) -> None:
    asked: list[str] = []

    def refuse(to: str) -> str:
        asked.append(to)
        return "550 5.7.1 local policy"

    server.behavior.on_rcpt = refuse
    with opened(tmp_path, smtp_settings(server.port)).session() as session:
        outcomes = [session.submit(chunk(*PEOPLE[start : start + 2], number=start)) for start in (0, 2, 4)]

    assert [len(outcome.doubted) for outcome in outcomes] == [2, 2, 0]
    assert all(doubt.is_last_word for outcome in outcomes for doubt in outcome.doubted.values())
    assert (outcomes[-1].next_step, outcomes[-1].refused_in_a_row) == (NextStep.PAUSE, 5)
    assert (set(outcomes[-1].blameless), outcomes[-1].retry_after_seconds) == ({5}, None)
    assert len(asked) == 5  # the sixth was not tried


def test_people_who_were_refused_before_say_nothing_new_about_us(server: SmtpServer, tmp_path: Path) -> None:
    server.behavior.on_rcpt = lambda _to: "450 4.2.0 try later"

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), replace(chunk(*PEOPLE), tries=1))

    assert set(outcome.deferred) == {1, 2, 3, 4, 5, 6}
    assert outcome.next_step is NextStep.GO_ON


def test_a_quota_pauses_at_the_first_refusal_until_it_is_renewed(server: SmtpServer, tmp_path: Path) -> None:
    server.behavior.on_rcpt = lambda to: "250 ok" if to == FIRST else "550 5.4.5 Daily user sending quota exceeded"

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step, outcome.retry_after_seconds) == (
        Verdict.ACCEPTED,
        NextStep.PAUSE,
        3600,
    )
    assert set(outcome.blameless) == {2}
    assert outcome.unsent == {3, 4, 5, 6}


def test_a_relay_with_a_rate_is_waited_for_and_nobody_is_to_blame(server: SmtpServer, tmp_path: Path) -> None:
    server.behavior.on_rcpt = lambda to: "250 ok" if to == FIRST else "451 4.7.1 message rate limit exceeded"

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    assert (outcome.next_step, outcome.may_wait_long) == (NextStep.WAIT, True)
    assert (set(outcome.blameless), outcome.unsent) == ({2}, {3, 4, 5, 6})
    assert not outcome.deferred


def test_a_relay_that_allows_fewer_connections_retires_this_one(server: SmtpServer, tmp_path: Path) -> None:
    server.behavior.on_mail = lambda _sender: "421 4.7.0 too many connections from this host"

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.RETIRE)
    assert not outcome.blameless


def test_a_relay_that_has_taken_nothing_is_not_believed_about_addresses(server: SmtpServer, tmp_path: Path) -> None:
    server.behavior.on_rcpt = lambda _to: "550 5.1.1 no such user"

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    assert set(outcome.doubted) == {1, 2, 3, 4, 5, 6}
    assert not outcome.undeliverable


def test_a_sender_refused_only_when_a_recipient_is_named_pauses(server: SmtpServer, tmp_path: Path) -> None:
    server.behavior.on_rcpt = lambda _to: "550 5.1.8 Sender address rejected: Domain not found"

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.PAUSE)
    assert not outcome.invalid


def test_a_limit_that_is_reached_halfway_leaves_the_rest_unsent(server: SmtpServer, tmp_path: Path) -> None:
    server.behavior.on_rcpt = lambda to: "250 ok" if to in {FIRST, SECOND} else "550 5.4.5 Daily sending quota exceeded"

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.ACCEPTED, NextStep.PAUSE)
    assert outcome.unsent | outcome.blameless.keys() == {3, 4, 5, 6}
    assert not outcome.invalid
    assert "quota" in outcome.reason


def test_a_mailbox_that_refuses_after_the_content_is_invalid(server: SmtpServer, tmp_path: Path) -> None:
    server.behavior.on_content = lambda to: "552 5.2.2 mailbox full" if to == SECOND else TAKEN

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    assert outcome == Outcome(verdict=Verdict.ACCEPTED, invalid={2: "552 5.2.2 mailbox full"})


def test_a_recipient_refused_for_now_is_deferred_and_the_others_do_not_wait(server: SmtpServer, tmp_path: Path) -> None:
    server.behavior.on_rcpt = lambda to: "450 4.2.0 greylisted" if to == SECOND else "250 ok"

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.ACCEPTED, NextStep.GO_ON)
    assert outcome.deferred == {2: "450 4.2.0 greylisted"}
    assert _taken(server) == [1, 3, 4, 5, 6]


def test_refusals_for_now_in_a_row_spare_the_rest(server: SmtpServer, tmp_path: Path) -> None:
    asked: list[str] = []

    def slow_down(to: str) -> str:
        asked.append(to)
        return "451 4.3.0 try again"

    server.behavior.on_rcpt = slow_down

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.WAIT)
    assert len(asked) == 5
    assert not server.taken


def test_a_relay_that_refuses_the_sender_pauses(server: SmtpServer, tmp_path: Path) -> None:
    server.behavior.on_mail = lambda _sender: "550 5.7.1 not your domain"

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.PAUSE)
    assert "not your domain" in outcome.reason
    assert "resume" in outcome.reason
    assert not outcome.invalid


def test_a_relay_that_relays_for_nobody_pauses_and_blames_no_address(server: SmtpServer, tmp_path: Path) -> None:
    server.behavior.on_rcpt = lambda _to: "554 5.7.1 Relay access denied"

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.PAUSE)
    assert not outcome.invalid


def test_a_rule_against_one_address_is_about_the_address(server: SmtpServer, tmp_path: Path) -> None:
    server.behavior.on_rcpt = lambda to: "550 5.7.1 closed group" if to == FIRST else "250 ok"

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    assert outcome == Outcome(verdict=Verdict.ACCEPTED, invalid={1: "550 5.7.1 closed group"})


def test_a_message_that_is_too_large_stops(server: SmtpServer, tmp_path: Path) -> None:
    server.behavior.on_content = lambda _to: "552 5.3.4 message too big"

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.REJECTED, NextStep.STOP)
    assert "message too big" in outcome.reason
    assert not outcome.invalid


def test_a_message_refused_halfway_leaves_the_rest_unsent(server: SmtpServer, tmp_path: Path) -> None:
    server.behavior.on_content = lambda to: "554 5.6.0 no such content" if to == THIRD else TAKEN

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.ACCEPTED, NextStep.STOP)
    assert outcome.unsent == {3, 4, 5, 6}
    assert _taken(server) == [1, 2]


def test_a_connection_lost_in_the_content_leaves_one_uncertain(server: SmtpServer, tmp_path: Path) -> None:
    server.behavior.on_content = lambda to: None if to == SECOND else TAKEN

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    assert outcome.verdict is Verdict.ACCEPTED
    assert set(outcome.uncertain) == {2}
    assert not outcome.unsent
    assert _taken(server) == [1, 2, 3, 4, 5, 6]  # it had been taken, and was not sent again
    assert server.connections == 2


def test_connections_lost_again_and_again_leave_the_rest_unsent(server: SmtpServer, tmp_path: Path) -> None:
    server.behavior.on_content = lambda to: TAKEN if to == FIRST else None

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    assert outcome.verdict is Verdict.ACCEPTED
    assert set(outcome.uncertain) == {2, 3}
    assert outcome.unsent == {4, 5, 6}
    assert outcome.reason


def test_a_chunk_of_one_lost_in_the_content_is_unknown(server: SmtpServer, tmp_path: Path) -> None:
    server.behavior.on_content = lambda _to: None

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(PEOPLE[0]))

    assert outcome.verdict is Verdict.UNKNOWN


def test_a_connection_lost_before_the_content_is_surely_unsent(server: SmtpServer, tmp_path: Path) -> None:
    server.behavior.on_rcpt = lambda to: None if to == THIRD else "250 ok"

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.ACCEPTED, NextStep.WAIT)
    assert set(outcome.deferred) == {3}  # the relay may break off because of them
    assert outcome.unsent == {4, 5, 6}
    assert not outcome.uncertain
    assert _taken(server) == [1, 2]


def test_a_connection_that_idled_out_is_opened_again(server: SmtpServer, tmp_path: Path) -> None:
    with opened(tmp_path, smtp_settings(server.port)).session() as session:
        first = session.submit(chunk(*PEOPLE[:3]))
        server.hang_up()
        second = session.submit(chunk(*PEOPLE[3:], number=2))

    assert first == second == Outcome(verdict=Verdict.ACCEPTED)
    assert _taken(server) == [1, 2, 3, 4, 5, 6]
    assert server.connections == 2


def test_a_relay_that_takes_few_messages_a_connection_gets_several_connections(
    server: SmtpServer, tmp_path: Path
) -> None:
    def after_two(_sender: str) -> str:
        is_full = len(server.taken) == 2 * server.connections
        return "421 4.7.0 too many messages in this connection" if is_full else "250 ok"

    server.behavior.on_mail = after_two

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    assert outcome == Outcome(verdict=Verdict.ACCEPTED)
    assert _taken(server) == [1, 2, 3, 4, 5, 6]
    assert server.connections == 3


@pytest.mark.parametrize(
    "words",
    [
        "452 4.5.3 Too many recipients in this session",
        "452 too many messages per connection",
        "550 5.7.1 message limit for this session reached",
    ],
)
def test_a_limit_for_each_connection_is_followed_at_once(server: SmtpServer, tmp_path: Path, words: str) -> None:
    def after_two(_to: str) -> str:
        return words if len(server.taken) == 2 * server.connections else "250 ok"

    server.behavior.on_rcpt = after_two

    outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*PEOPLE))

    assert outcome == Outcome(verdict=Verdict.ACCEPTED)
    assert server.connections == 3


@pytest.mark.parametrize("words", ["452 4.5.3 Too many recipients", "451 4.7.0 Too many concurrent connections"])
def test_after_a_limit_the_next_message_goes_over_a_new_connection(
    server: SmtpServer, tmp_path: Path, words: str
) -> None:
    """A relay that counts for each connection may leave it open."""
    server.behavior.on_rcpt = lambda _to: words if len(server.taken) == 2 * server.connections else "250 ok"

    with opened(tmp_path, smtp_settings(server.port)).session() as session:
        first = session.submit(chunk(*PEOPLE))
        second = session.submit(chunk(*PEOPLE[2:4], number=2))

    assert first.next_step in {NextStep.WAIT, NextStep.RETIRE}
    assert second == Outcome(verdict=Verdict.ACCEPTED)


def test_a_kept_connection_carries_all_chunks(server: SmtpServer, tmp_path: Path) -> None:
    with opened(tmp_path, smtp_settings(server.port)).session() as session:
        for number, person in enumerate(PEOPLE, start=1):
            session.submit(chunk(person, number=number))

    assert server.connections == 1
    assert len(server.taken) == 6


def test_where_nothing_listens_all_is_unsent(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]

    outcome = _submit(opened(tmp_path, smtp_settings(port)), chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.WAIT)
    assert f"127.0.0.1:{port}" in outcome.reason


def test_a_relay_without_starttls_gets_nothing(tmp_path: Path) -> None:
    with SmtpServer() as server:
        settings = smtp_settings(server.port, host="localhost", security="starttls")
        outcome = _submit(opened(tmp_path, settings), chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.PAUSE)
    assert "STARTTLS" in outcome.reason
    assert not server.taken


def test_a_relay_with_an_unknown_certificate_gets_nothing(tmp_path: Path, server_tls: ssl.SSLContext) -> None:
    with SmtpServer(tls=server_tls) as server:
        settings = smtp_settings(server.port, host="localhost", security="starttls")
        outcome = _submit(opened(tmp_path, settings), chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.PAUSE)
    assert "certificate" in outcome.reason
    assert not server.taken


@pytest.mark.usefixtures("trusted")
def test_a_wrong_password_pauses_and_stays_secret(tmp_path: Path, server_tls: ssl.SSLContext) -> None:
    with SmtpServer(tls=server_tls, demands_login=True) as server:
        settings = smtp_settings(server.port, host="localhost", security="starttls", more='username = "letter"')
        provider = opened(tmp_path, settings, {"NEWSLETTER_SMTP_PASSWORD": "wrong-relay-word"})
        outcome = _submit(provider, chunk(*PEOPLE))

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.PAUSE)
    assert "NEWSLETTER_SMTP_PASSWORD" in outcome.reason
    assert "wrong-relay-word" not in repr(outcome)
    assert not server.taken


def test_a_secret_that_the_relay_repeats_is_not_passed_on(tmp_path: Path) -> None:
    refusal = f"550 5.7.8 {PASSWORD} does not work here"
    with _Puppet(["220 hi", "250-relay\r\n250 AUTH PLAIN", "235 welcome", refusal]) as puppet:
        settings = smtp_settings(puppet.port, more='username = "letter"')
        outcome = _submit(opened(tmp_path, settings, {"NEWSLETTER_SMTP_PASSWORD": PASSWORD}), chunk(*PEOPLE))

    assert "does not work here" in outcome.reason
    assert PASSWORD not in repr(outcome)


@pytest.mark.parametrize("carries", [True, False])
def test_an_address_outside_ascii_needs_a_relay_that_carries_it(tmp_path: Path, carries: bool) -> None:
    with SmtpServer(smtputf8=carries) as server:
        people = (recipient(1, "josé@example.org"), recipient(2, "ana@example.org"))
        outcome = _submit(opened(tmp_path, smtp_settings(server.port)), chunk(*people))

    assert set(outcome.invalid) == (set() if carries else {1})
    assert [mail.recipient for mail in server.taken] == (
        ["josé@example.org", "ana@example.org"] if carries else ["ana@example.org"]
    )


def test_a_relay_that_waits_for_content_without_a_recipient_gets_an_empty_message(tmp_path: Path) -> None:
    replies = [
        "220 hi",
        "250-relay\r\n250 PIPELINING",
        "250 ok",
        "550 5.1.1 nobody",
        "354 go on",
        "554 no recipients",
        "250 reset",
    ]
    with _Puppet(replies) as puppet:
        outcome = _submit(opened(tmp_path, smtp_settings(puppet.port)), chunk(PEOPLE[0]))

    assert set(outcome.doubted) == {1}
    assert outcome.doubted[1].ending is Ending.UNDELIVERABLE
    assert puppet.heard[1:6] == ["MAIL FROM:<letter@example.org>", f"RCPT TO:<{FIRST}>", "DATA", ".", "RSET"]


def test_a_reply_that_makes_no_sense_after_the_content_leaves_it_unknown(tmp_path: Path) -> None:
    replies = ["220 hi", "250 relay", "250 ok", "250 ok", "354 go on", "what?"]
    with _Puppet(replies) as puppet:
        outcome = _submit(opened(tmp_path, smtp_settings(puppet.port)), chunk(PEOPLE[0]))

    assert outcome.verdict is Verdict.UNKNOWN


def test_a_relay_is_described_by_its_address_and_its_security(tmp_path: Path) -> None:
    settings = smtp_settings(587, host="mail.example.org", security="starttls", more="concurrency = 7")

    provider = opened(tmp_path, settings)

    assert provider.describe() == "SMTP relay mail.example.org:587, STARTTLS"
    assert provider.concurrency == 7


class _Puppet:
    """A relay that gives these replies in turn, one a line that it hears, and keeps what it heard."""

    def __init__(self, replies: list[str]) -> None:
        self._replies = replies
        self.heard: list[str] = []

    def __enter__(self) -> "_Puppet":
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._talk)
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._thread.join(10)
        self._socket.close()

    def _talk(self) -> None:
        connection, _ = self._socket.accept()
        with connection, connection.makefile("rb") as lines:
            connection.sendall(f"{self._replies[0]}\r\n".encode())
            is_content = False
            for reply in self._replies[1:]:
                line = lines.readline().decode().rstrip()
                while is_content and line != ".":
                    line = lines.readline().decode().rstrip()
                self.heard.append(line)
                connection.sendall(f"{reply}\r\n".encode())
                is_content = reply.startswith("354")


def _submit(provider: Provider, handed: OutgoingChunk) -> Outcome:
    with provider.session() as session:
        return session.submit(handed)


def _taken(server: SmtpServer) -> list[int]:
    """The numbers of the people whose mail was taken, in that order."""
    return [int(mail.recipient.removeprefix("person").partition("@")[0]) for mail in server.taken]
