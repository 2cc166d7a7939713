"""A real IMAP server on loopback: pymap, which keeps its email in memory."""

import imaplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

USERNAME, PASSWORD = "bounces@example.org", 's3 "crét\\'
RECEIVED_AT = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
_START_SECONDS = 60


class ImapServer:
    """A running server with one account, whose folders a test can fill and look into."""

    def __init__(self, port: int, cwd: Path) -> None:
        self.port = port
        self.folder = cwd

    def add(self, contents: Iterable[bytes], folder: str = "INBOX") -> None:
        """Puts emails into a folder."""
        with self._client() as client:
            for content in contents:
                status, answers = client.append(folder, None, imaplib.Time2Internaldate(RECEIVED_AT), content)
                assert status == "OK", answers

    def subjects(self, folder: str) -> list[str]:
        """The Subject of each email in a folder, in order."""
        with self._client() as client:
            if client.select(f'"{folder}"', readonly=True)[0] != "OK":
                return []
            _, answers = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
            return [answer[1].decode().partition(":")[2].strip() for answer in answers if isinstance(answer, tuple)]

    def count(self, folder: str) -> int:
        """The number of emails in a folder, 0 if there is no such folder."""
        with self._client() as client:
            status, answers = client.select(f'"{folder}"', readonly=True)
            return int(answers[0] or b"0") if status == "OK" else 0

    def empty(self) -> None:
        """Deletes all email and all folders but the first."""
        with self._client() as client:
            client.select("INBOX")
            client.store("1:*", "+FLAGS", r"(\Deleted)")
            client.expunge()
        with self._client() as client:
            for line in client.list()[1]:
                name = line.decode().rpartition('" ')[2].strip('"') if isinstance(line, bytes) else "INBOX"
                if name != "INBOX":
                    client.delete(f'"{name}"')

    @contextmanager
    def _client(self) -> Iterator[imaplib.IMAP4]:
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=30) as client:
            client.authenticate("PLAIN", lambda _: f"\0{USERNAME}\0{PASSWORD}".encode())
            yield client


@contextmanager
def running_imap_server(folder: Path) -> Iterator[ImapServer]:
    """Starts the server as a process of its own, and ends it afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    account = ("dict", "--demo-user", USERNAME, "--demo-password", PASSWORD)
    program = (sys.executable, "-c", "from pymap.main import main; main()")
    listens = ("--host", "127.0.0.1", "--port", str(port), "--no-tls")
    with (folder / "imap.log").open("wb") as log:
        process = subprocess.Popen((*program, *listens, *account), stdout=log, stderr=log, cwd=folder)
    try:
        _wait_for(port, process, folder / "imap.log")
        yield ImapServer(port, folder)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(_START_SECONDS * 10):
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"the IMAP server does not answer: {log.read_text()}")
