"""Read email from an IMAP mailbox, and move what was read to other folders. Nothing is ever deleted.

`imap_tools` speaks IMAP. The connection under it is ours, so that every answer has a deadline and a largest size, and
the certificate of the server is verified.
"""

import imaplib
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from imap_tools import BaseMailBox, ImapToolsError
from imap_tools.utils import check_command_status

from newsletter.errors import ProviderError
from newsletter.mailbox.files import StoredMail
from newsletter.mailbox.received import MOST_BYTES
from newsletter.model.address import masked
from newsletter.settings.mailbox import MailboxSettings
from newsletter.system.stream import Stream, TimeLimit, open_stream, trusted_authorities

_AT_ONCE = 50  # emails in one request
_LARGEST_ANSWER = MOST_BYTES + 100_000  # bytes of one literal; the rest of a larger email is not asked for
_LONGEST_LINE = 200_000
_READ_BYTES = 65_536
_INTERNALDATE = re.compile(rb'INTERNALDATE "([^"]{10,40})"')
_UID = re.compile(rb"\bUID ([0-9]{1,10})\b")
_ERRORS = (OSError, imaplib.IMAP4.error, ImapToolsError, ValueError, LookupError, AttributeError, TypeError)
_CANNOT_MOVE = "the server cannot move email to another folder (it has neither MOVE nor UIDPLUS)"


class ImapMail(StoredMail, frozen=True):
    """An email in the folder that is open."""

    uid: str


class ImapMailbox:
    """A mailbox whose folder is open. Its methods raise ProviderError if the server does not do what is asked."""

    def __init__(self, box: "_Box", settings: MailboxSettings, secret: str) -> None:
        self._box = box
        self._settings = settings
        self._secret = secret
        self._count = 0

    def open_folder(self) -> int:
        """Open the folder that is read. Return the number of emails in it."""
        with self._explained():
            (_, answers) = self._box.folder.set(self._settings.folder)
            self._count = int(answers[0] or b"0")
            return self._count

    def make_folders(self) -> None:
        """Create the folders to which email is moved, unless they exist. Raise an error if nothing can be moved."""
        with self._explained():
            if not {"MOVE", "UIDPLUS"} & set(self._box.client.capabilities):
                raise imaplib.IMAP4.error(_CANNOT_MOVE)
            for folder in (self._settings.processed, self._settings.unclear):
                if not self._box.folder.exists(folder):
                    self._box.folder.create(folder)

    def batches(self, *, moves: bool) -> Iterator[list[ImapMail]]:
        """Yield the emails in the folder, some at a time, oldest first.

        If the caller moves each batch before it asks for the next one, the next one takes its place. At most as many
        emails are read as there were in the beginning, so this ends even if new ones keep coming.
        """
        seen: set[str] = set()
        for start in range(1, self._count + 1, _AT_ONCE):
            first = 1 if moves else start
            last = first + min(_AT_ONCE, self._count - start + 1) - 1
            mails = self._fetched(f"{first}:{last}")
            if seen.intersection(mail.uid for mail in mails):
                raise self._error("the server did not move the emails that it was asked to move")
            seen.update(mail.uid for mail in mails)
            yield mails

    def move(self, mails: Sequence[ImapMail], folder: str) -> None:
        """Move emails to a folder."""
        if not mails:
            return
        uids = ",".join(mail.uid for mail in mails)
        with self._explained():
            if "MOVE" in self._box.client.capabilities:
                self._box.move(uids, folder)
                return
            # Without MOVE, only these emails are removed from the folder: not others that someone marked as deleted.
            self._box.copy(uids, folder)
            for command in (("STORE", uids, "+FLAGS", r"(\Deleted)"), ("EXPUNGE", uids)):
                check_command_status(self._box.client.uid(*command), imaplib.IMAP4.error)

    def _fetched(self, numbers: str) -> list[ImapMail]:
        wanted = f"(UID INTERNALDATE BODY.PEEK[]<0.{MOST_BYTES}>)"
        with self._explained():
            status, answers = self._box.client.fetch(numbers, wanted)
            if status != "OK":
                raise imaplib.IMAP4.error(str(answers))
            return list(_mails(answers, self._settings.folder))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except _ERRORS as err:
            raise self._error(str(err) or type(err).__name__) from err

    def _error(self, words: str) -> ProviderError:
        return _error(self._settings, words.replace(self._secret, "•••"))


@contextmanager
def opened_mailbox(settings: MailboxSettings, password: str) -> Iterator[ImapMailbox]:
    """Log in to the mailbox, and log out at the end. Raise ProviderError if it cannot be opened."""
    try:
        box = _Box(settings)
    except _ERRORS as err:
        raise _error(settings, str(err) or type(err).__name__) from err
    try:
        opened = ImapMailbox(box, settings, password)
        with opened._explained():
            _log_in(box, settings.username or "", password)
        yield opened
        with suppress(*_ERRORS):  # the work is done
            box.logout()
    finally:
        box.client.shutdown()


def _log_in(box: "_Box", username: str, password: str) -> None:
    if username.isascii() and password.isascii():
        box.login(username, password, initial_folder=None)
    else:
        box.login_utf8(username, password, initial_folder=None)
    box.client.ask_capabilities()  # many servers name MOVE and UIDPLUS only now


def _mails(answers: Sequence[Any], folder: str) -> Iterator[ImapMail]:
    """Yield the emails in the answer to FETCH. For each, it has a pair of a head and a content, then a rest."""
    for place, answer in enumerate(answers):
        if not isinstance(answer, tuple) or len(answer) != 2:
            continue
        rest = answers[place + 1] if place + 1 < len(answers) else b""
        head = answer[0] + (rest if isinstance(rest, bytes) else b"")
        if uid := _UID.search(head):
            number = uid[1].decode()
            yield ImapMail(f"{folder}, email {number}", answer[1], _internal_date(head), number)


def _internal_date(head: bytes) -> datetime:
    """Return when the server received an email. Every server says so (RFC 3501, section 7.4.2)."""
    match = _INTERNALDATE.search(head)
    with suppress(ValueError, TypeError, IndexError):
        if match is not None:
            # It is `23-Nov-2026 08:00:00 +0000`, and email has spaces where this has dashes.
            return parsedate_to_datetime(match[1].decode("ascii").replace("-", " ", 2)).astimezone(UTC)
    return datetime.now(UTC).replace(microsecond=0)


def _error(settings: MailboxSettings, words: str) -> ProviderError:
    said = masked("".join(sign if sign.isprintable() else " " for sign in words))[:300]
    check = "check [mailbox] in newsletter.toml, and NEWSLETTER_IMAP_PASSWORD"
    return ProviderError(f"the mailbox at {settings.host}:{settings.imap_port} cannot be read ({said}); {check}")


class _Box(BaseMailBox):
    """The mailbox as `imap_tools` knows it, over our own connection."""

    def __init__(self, settings: MailboxSettings) -> None:
        self._settings = settings
        super().__init__()

    client: "_Client"

    def _get_mailbox_client(self) -> "_Client":
        client = _Client(self._settings)
        try:
            if self._settings.security == "starttls":
                client.start_tls()
        except BaseException:
            client.shutdown()
            raise
        return client


class _Client(imaplib.IMAP4):
    """A connection on which every answer must be complete within a time, and may not be larger than expected."""

    def __init__(self, settings: MailboxSettings) -> None:
        self._settings = settings
        self._received = bytearray()
        self._emails = 0  # in the answer to the last command
        super().__init__(settings.host or "", settings.imap_port)

    def open(self, host: str = "", port: int = 0, timeout: float | None = None) -> None:
        """Connect."""
        self._limit = TimeLimit(self._settings.timeout_seconds)
        self._stream: Stream = open_stream(host, port, self._limit)
        try:
            if self._settings.security == "tls":
                self._encrypt()
        except BaseException:
            self.shutdown()
            raise

    def start_tls(self) -> None:
        """Encrypt the connection, and ask again what the server can do: what it said before may be forged."""
        status, answers = self._simple_command("STARTTLS")
        if status != "OK" or self._received:
            raise ssl.SSLError(f"the server does not encrypt the connection: {answers!r}")
        self._encrypt()
        self.ask_capabilities()

    def ask_capabilities(self) -> None:
        """Ask what the server can do."""
        self._get_capabilities()

    def _encrypt(self) -> None:
        self._stream.encrypt(trusted_authorities(), self._settings.host or "", self._limit)

    def send(self, data: Any) -> None:
        """Send a command. The answer to it must be complete before the time is up."""
        self._limit = TimeLimit(self._settings.timeout_seconds)
        self._emails = 0
        self._stream.send(data, self._limit)

    def read(self, size: int) -> bytes:
        """Return as many bytes of the answer: one email. Each email of an answer has as much time as an answer."""
        if size > _LARGEST_ANSWER:
            raise ValueError(f"an answer of {size:,} bytes is too large")
        self._emails += 1
        if self._emails <= _AT_ONCE:
            self._limit = TimeLimit(self._settings.timeout_seconds)
        while len(self._received) < size:
            self._receive()
        return self._taken(size)

    def readline(self) -> bytes:
        """Return the next line of the answer."""
        while (end := self._received.find(b"\n")) < 0:
            if len(self._received) > _LONGEST_LINE:
                raise ValueError("a line of the answer is too long")
            self._receive()
        return self._taken(end + 1)

    def shutdown(self) -> None:
        """Disconnect."""
        self._stream.close()

    def _receive(self) -> None:
        more = self._stream.receive(_READ_BYTES, self._limit)
        if not more:
            raise ConnectionError("the server closed the connection")
        self._received += more

    def _taken(self, size: int) -> bytes:
        taken = bytes(self._received[:size])
        del self._received[:size]
        return taken
