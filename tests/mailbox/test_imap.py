"""Reading a mailbox: a real server, and servers that misbehave."""

import socket
import ssl
import time
from collections.abc import Callable, Sequence

import pytest

from newsletter.errors import ProviderError
from newsletter.mailbox.imap import opened_mailbox
from newsletter.settings.mailbox import MailboxSettings
from tests.fakes.raw_server import raw_server
from tests.mailbox.corpus import mail
from tests.mailbox.imap_server import PASSWORD, RECEIVED_AT, USERNAME, ImapServer

GREETING = b"* OK ready\r\n"
CAPABLE = b"* CAPABILITY IMAP4rev1 MOVE AUTH=PLAIN\r\n"


def settings_of(port: int, **more: object) -> MailboxSettings:
    keys = {"address": "*@bounces.example.org", "host": "127.0.0.1", "port": port, "security": "none"}
    return MailboxSettings.model_validate({**keys, "username": USERNAME, **more})


def read_all(settings: MailboxSettings, password: str = "secret", *, moves: bool = False) -> None:
    with opened_mailbox(settings, password) as mailbox:
        mailbox.open_folder()
        if moves:
            mailbox.make_folders()
        for _ in mailbox.batches(moves=moves):
            pass


def email(subject: str) -> bytes:
    return f"From: a@example.org\r\nSubject: {subject}\r\n\r\nHi\r\n".encode()


def test_all_emails_are_read_once_and_moved_in_order(imap_server: ImapServer) -> None:
    settings, wanted = settings_of(imap_server.port), [f"email {number}" for number in range(120)]
    imap_server.add(map(email, wanted))

    with opened_mailbox(settings, PASSWORD) as mailbox:
        assert mailbox.open_folder() == 120
        mailbox.make_folders()
        sizes = []
        for mails in mailbox.batches(moves=True):
            sizes.append(len(mails))
            mailbox.move(mails[1:], settings.processed)
            mailbox.move(mails[:1], settings.unclear)

    assert (sizes, imap_server.count("INBOX")) == ([50, 50, 20], 0)
    assert imap_server.subjects(settings.unclear) == ["email 0", "email 50", "email 100"]
    assert sorted(imap_server.subjects(settings.processed) + imap_server.subjects(settings.unclear)) == sorted(wanted)


def test_reading_without_moving_changes_nothing(imap_server: ImapServer) -> None:
    imap_server.add(email(f"email {number}") for number in range(60))

    with opened_mailbox(settings_of(imap_server.port), PASSWORD) as mailbox:
        mailbox.open_folder()
        read = [each for mails in mailbox.batches(moves=False) for each in mails]

    assert len({each.uid for each in read}) == imap_server.count("INBOX") == 60


def test_an_email_comes_as_it_was_sent_with_the_time_it_was_received(imap_server: ImapServer) -> None:
    content = mail("softbank-full").replace(b"\n", b"\r\n")
    imap_server.add([content])

    with opened_mailbox(settings_of(imap_server.port), PASSWORD) as mailbox:
        mailbox.open_folder()
        ((found,),) = mailbox.batches(moves=False)

    assert (found.content, found.received_at) == (content, RECEIVED_AT)


def test_of_a_large_email_only_the_beginning_is_transferred(imap_server: ImapServer) -> None:
    imap_server.add([email("large") + b"x" * 3_000_000])

    with opened_mailbox(settings_of(imap_server.port), PASSWORD) as mailbox:
        mailbox.open_folder()
        ((found,),) = mailbox.batches(moves=False)

    assert len(found.content) == 1_000_000


def test_folders_with_any_name_are_made(imap_server: ImapServer) -> None:
    settings = settings_of(imap_server.port, processed="Rückläufer erledigt", unclear="日本 (x)")
    imap_server.add([email("one")])

    with opened_mailbox(settings, PASSWORD) as mailbox:
        mailbox.open_folder()
        mailbox.make_folders()
        mailbox.make_folders()
        for mails in mailbox.batches(moves=True):
            mailbox.move(mails, settings.processed)

    assert imap_server.count("INBOX") == 0


@pytest.mark.parametrize(
    ("more", "password", "says"),
    [
        ({}, "wrong", "cannot be read"),
        ({"folder": "No such folder"}, PASSWORD, "cannot be read"),
    ],
)
def test_a_wrong_setting_is_said_without_the_password(
    imap_server: ImapServer, more: dict[str, str], password: str, says: str
) -> None:
    with pytest.raises(ProviderError) as caught:
        read_all(settings_of(imap_server.port, **more), password)

    assert says in str(caught.value)
    assert password not in str(caught.value)
    assert "NEWSLETTER_IMAP_PASSWORD" in str(caught.value)


def script(*pieces: bytes, ends_with: Callable[[socket.socket], None] | None = None) -> Callable[[socket.socket], None]:
    """Answers each command with the next piece, in which `TAG` stands for the command's tag."""

    def meet(connection: socket.socket) -> None:
        connection.sendall(pieces[0])
        for piece in pieces[1:]:
            tag = connection.recv(65536).split(b" ")[0]
            if not tag:
                return
            connection.sendall(piece.replace(b"TAG", tag))
        if ends_with is not None:
            ends_with(connection)

    return meet


def drip(connection: socket.socket) -> None:
    """Sends one byte at a time, for ever: a line that never ends."""
    while True:
        connection.sendall(b"*")
        time.sleep(0.05)


def be_silent(connection: socket.socket) -> None:
    time.sleep(20)


LOGGED_IN = (
    GREETING,
    CAPABLE + b"TAG OK done\r\n",
    b"TAG OK done\r\n",
    CAPABLE + b"TAG OK done\r\n",
    b"* 1 EXISTS\r\nTAG OK done\r\n",
)


@pytest.mark.parametrize(
    ("pieces", "ends_with"),
    [
        ((b"",), be_silent),
        ((b"",), drip),
        ((b"* BYE busy\r\n",), None),
        ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), None),
        ((GREETING,), None),
        ((GREETING, b"TAG NO done\r\n"), None),
        ((GREETING, b"* CAPABILITY IMAP4rev1\r\n"), drip),
        ((*LOGGED_IN[:2], b"TAG NO [AUTHENTICATIONFAILED] wrong\r\n"), None),
        ((*LOGGED_IN[:4], b"TAG NO no such folder\r\n"), None),
        ((*LOGGED_IN, b"* 1 FETCH (UID 1 BODY[]<0> {99999999}\r\n"), be_silent),
        ((*LOGGED_IN, b"* 1 FETCH (UID 1 BODY[]<0> {900000}\r\n"), drip),
        ((*LOGGED_IN, b"* 1 FETCH (UID 1 BODY[]<0> {5}\r\nhe"), None),
        ((*LOGGED_IN, b"x" * 300_000), be_silent),
        ((*LOGGED_IN, b"TAG BAD what\r\n"), None),
    ],
)
def test_a_server_that_misbehaves_ends_in_an_error_soon(
    pieces: Sequence[bytes], ends_with: Callable[[socket.socket], None] | None
) -> None:
    with raw_server(script(*pieces, ends_with=ends_with)) as port:
        where = rf"127\.0\.0\.1:{port} cannot be read"
        with pytest.raises(ProviderError, match=where):
            read_all(settings_of(port, timeout_seconds=0.5))


def over_tls(server_tls: ssl.SSLContext, *, starts_late: bool) -> Callable[[socket.socket], None]:
    """A server with an empty folder, which encrypts at once or when it is asked to."""

    def meet(connection: socket.socket) -> None:
        connection.sendall(GREETING if starts_late else b"")
        while starts_late and (line := connection.recv(65536)):
            tag = line.split(b" ")[0]
            connection.sendall((CAPABLE if b"CAPABILITY" in line else b"") + tag + b" OK done\r\n")
            if b"STARTTLS" in line:
                break
        with server_tls.wrap_socket(connection, server_side=True) as encrypted:
            encrypted.sendall(b"" if starts_late else GREETING)
            while line := encrypted.recv(65536):
                tag = line.split(b" ")[0]
                encrypted.sendall(CAPABLE + b"* 0 EXISTS\r\n" + tag + b" OK done\r\n")

    return meet


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.usefixtures("trusted")
def test_an_encrypted_mailbox_is_read(server_tls: ssl.SSLContext, security: str) -> None:
    with raw_server(over_tls(server_tls, starts_late=security == "starttls")) as port:
        read_all(settings_of(port, host="localhost", security=security))


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_server_with_an_unknown_certificate_gets_no_password(server_tls: ssl.SSLContext, security: str) -> None:
    with raw_server(over_tls(server_tls, starts_late=security == "starttls")) as port:
        where = f"localhost:{port} cannot be read .*certificate"
        with pytest.raises(ProviderError, match=where):
            read_all(settings_of(port, host="localhost", security=security))


def test_nothing_is_said_in_the_clear_if_the_server_does_not_encrypt() -> None:
    heard: list[bytes] = []

    def meet(connection: socket.socket) -> None:
        connection.sendall(GREETING)
        while line := connection.recv(65536):
            heard.append(line)
            tag = line.split(b" ")[0]
            connection.sendall(CAPABLE + tag + (b" NO not now\r\n" if b"STARTTLS" in line else b" OK done\r\n"))

    with raw_server(meet) as port, pytest.raises(ProviderError, match="does not encrypt"):
        read_all(settings_of(port, security="starttls"))

    assert b"secret" not in b"".join(heard)


def test_what_comes_unencrypted_after_starttls_is_refused() -> None:
    def meet(connection: socket.socket) -> None:
        connection.sendall(GREETING)
        while line := connection.recv(65536):
            tag = line.split(b" ")[0]
            injected = b"* CAPABILITY IMAP4rev1 X\r\n" if b"STARTTLS" in line else b""
            connection.sendall((b"" if injected else CAPABLE) + tag + b" OK done\r\n" + injected)

    with raw_server(meet) as port, pytest.raises(ProviderError, match="does not encrypt"):
        read_all(settings_of(port, security="starttls"))


def test_a_server_that_cannot_move_email_is_refused_before_anything_is_read() -> None:
    plain = b"* CAPABILITY IMAP4rev1\r\nTAG OK done\r\n"
    server = script(GREETING, plain, b"TAG OK done\r\n", plain, b"* 1 EXISTS\r\nTAG OK done\r\n")

    with raw_server(server) as port, pytest.raises(ProviderError, match="cannot move email"):
        read_all(settings_of(port, timeout_seconds=2), moves=True)


def test_a_server_that_does_not_move_what_it_should_is_noticed(imap_server: ImapServer) -> None:
    imap_server.add(email(f"email {number}") for number in range(60))

    with pytest.raises(ProviderError, match="did not move"):
        read_all(settings_of(imap_server.port), PASSWORD, moves=True)
