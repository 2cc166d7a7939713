"""The service reads the mailbox by itself, and a mail server that hangs keeps nothing else waiting."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from newsletter.config import Config, load_config
from newsletter.model.broadcast import OutgoingChunk
from newsletter.store.database import Database
from newsletter.store.suppressions import list_suppressions
from newsletter.system.signals import Interruption
from newsletter.workflows.events.pull import PASSWORD as VARIABLE
from newsletter.workflows.serve import pulling
from newsletter.workflows.serve.pulling import PULL_EVERY, Pulling, keep_pulling, reads_mailbox
from newsletter.workflows.serve.sending import keep_sending
from tests.mailbox.imap_server import PASSWORD, USERNAME, ImapServer
from tests.store.builders import add_people
from tests.store.empty_file import open_test_database
from tests.workflows.events.worlds import NOW, list_of_readers, write_corpus
from tests.workflows.send.carriers import ACCEPTED, Carrier
from tests.workflows.send.scheduled import THURSDAY, SetClock, freeze_at
from tests.workflows.serve.test_sending import Diary, no_report
from tests.workspaces import CONFIG, write_workspace

ENVIRON = {VARIABLE: PASSWORD}


def config_of(tmp_path: Path, port: int, more: str = "") -> Config:
    mailbox = (
        f'[mailbox]\naddress = "*@bounces.example.org"\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
        f'username = "{USERNAME}"\n{more}'
    )
    return load_config(write_workspace(tmp_path / "workspace", {"newsletter.toml": f"{CONFIG}\n{mailbox}"}))


def pulling_of(config: Config, database: Database, diary: Diary) -> Pulling:
    return Pulling(config, database, ENVIRON, log=diary, report=no_report, clock=lambda: NOW)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_test_database(tmp_path / "list.db") as opened:
        yield opened


@pytest.fixture
def silent_port() -> Iterator[int]:
    """The port of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_look_reads_what_came_and_says_so(tmp_path: Path, database: Database, imap_server: ImapServer) -> None:
    list_of_readers(database)
    write_corpus(database, tmp_path / "mails")
    imap_server.add(file.read_bytes() for file in sorted((tmp_path / "mails").iterdir()))
    diary = Diary()
    mailbox = pulling_of(config_of(tmp_path, imap_server.port), database, diary)

    waits = [mailbox.look(Event()) for _ in range(2)]

    assert list(list_suppressions(database))
    assert imap_server.count("INBOX") == 0
    assert waits == [PULL_EVERY, PULL_EVERY]
    assert len(diary.lines) == 2  # the second look found nothing, and said nothing
    assert diary.lines[0].endswith("emails in the mailbox were read")
    assert diary.lines[1] == "someone should read the folder Newsletter unclear of the mailbox"


def test_a_look_ends_after_one_batch_when_the_service_ends(
    tmp_path: Path, database: Database, imap_server: ImapServer
) -> None:
    imap_server.add(b"Subject: %d\r\n\r\nhello" % number for number in range(51))
    is_over = Event()
    is_over.set()

    pulling_of(config_of(tmp_path, imap_server.port), database, Diary()).look(is_over)

    assert imap_server.count("INBOX") == 1


def test_a_server_that_says_nothing_is_given_up_and_told_of_once(
    tmp_path: Path, database: Database, silent_port: int
) -> None:
    diary = Diary()
    mailbox = pulling_of(config_of(tmp_path, silent_port, "timeout_seconds = 0.2\n"), database, diary)

    waits = [mailbox.look(Event()) for _ in range(3)]

    (line,) = diary.lines
    assert f"the mailbox at 127.0.0.1:{silent_port} cannot be read" in line
    assert waits == [PULL_EVERY] * 3


def test_without_the_password_the_log_says_which_variable_to_set(
    tmp_path: Path, database: Database, silent_port: int
) -> None:
    diary = Diary()
    config = config_of(tmp_path, silent_port)

    Pulling(config, database, {}, log=diary, report=no_report, clock=lambda: NOW).look(Event())

    assert [VARIABLE in line for line in diary.lines] == [True]


def test_a_server_that_hangs_keeps_no_email_and_no_end_waiting(
    tmp_path: Path, database: Database, silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling, "_SECONDS_TO_END", 0.1)
    config, clock, done, interruption = config_of(tmp_path, silent_port), SetClock(), Event(), Interruption()

    def step(_chunk: OutgoingChunk) -> object:
        done.set()
        return ACCEPTED

    carrier = Carrier(script=[step])  # type: ignore[list-item]
    add_people(database, 3)
    freeze_at(config, database, carrier)
    clock.now = THURSDAY
    both = {"interruption": interruption, "log": Diary(), "report": no_report}
    with ExitStack() as running:
        running.enter_context(keep_pulling(config, database, ENVIRON, **both))  # type: ignore[arg-type]
        running.enter_context(keep_sending(config, database, lambda: carrier, clock=clock, **both))  # type: ignore[arg-type]
        assert done.wait(30)
        begun = time.monotonic()
    assert time.monotonic() - begun < timedelta(seconds=20).total_seconds()  # the server would have 60 seconds


@pytest.mark.parametrize(("host", "expected"), [('host = "127.0.0.1"\nusername = "x"\n', True), ("", False)])
def test_the_mailbox_is_read_only_if_a_server_is_named(tmp_path: Path, host: str, *, expected: bool) -> None:
    mailbox = f'[mailbox]\naddress = "*@bounces.example.org"\n{host}'
    files = {"newsletter.toml": f"{CONFIG}\n{mailbox}"}
    assert reads_mailbox(load_config(write_workspace(tmp_path / "workspace", files))) is expected


def test_without_a_mailbox_nothing_is_read(tmp_path: Path) -> None:
    assert not reads_mailbox(load_config(write_workspace(tmp_path / "workspace")))
