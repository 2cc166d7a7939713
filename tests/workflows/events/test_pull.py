"""Emptying the mailbox: each email has its effect once and ends in the right folder, whatever happens in between."""

from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.errors import InputError, ProviderError
from newsletter.mailbox.imap import ImapMailbox
from newsletter.store.notices import notices_to_tell
from newsletter.store.suppressions import list_suppressions
from newsletter.workflows.events.pull import PASSWORD as VARIABLE
from newsletter.workflows.events.pull import pull_events
from tests.mailbox.corpus import EXPECTED, mail
from tests.mailbox.imap_server import PASSWORD, USERNAME, ImapServer
from tests.store.empty_file import open_test_database
from tests.workflows.events.worlds import NOW, list_of_readers, write_corpus
from tests.workspaces import CONFIG, write_workspace

PROCESSED, UNCLEAR = "Newsletter processed", "Newsletter unclear"
ENVIRON = {VARIABLE: PASSWORD}
BLOCKING = {
    name
    for name, each in EXPECTED.items()
    if each.kind in {"hard", "complaint", "unsubscribe"} and each.cause != "no-such-domain"
} - {"only-the-recipient"}  # anyone can write a report about an address


def config_of(tmp_path: Path, port: int) -> Config:
    mailbox = (
        f'[mailbox]\naddress = "*@bounces.example.org"\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
        f'username = "{USERNAME}"\n'
    )
    return load_config(write_workspace(tmp_path / "workspace", {"newsletter.toml": f"{CONFIG}\n{mailbox}"}))


def test_the_mailbox_is_emptied_into_two_folders(tmp_path: Path, imap_server: ImapServer) -> None:
    config = config_of(tmp_path, imap_server.port)
    opened: list[int] = []
    with open_test_database(tmp_path / "list.db") as database:
        list_of_readers(database)
        emails = write_corpus(database, tmp_path / "mails")
        imap_server.add(file.read_bytes() for file in sorted((tmp_path / "mails").iterdir()))

        tally = pull_events(config, database, ENVIRON, now=NOW, on_open=opened.append)

        assert {found.email for found in list_suppressions(database)} == {emails[name] for name in BLOCKING}
    assert (opened, tally.emails) == ([len(EXPECTED)], len(EXPECTED))
    assert imap_server.count("INBOX") == 0
    assert imap_server.count(PROCESSED) == len(EXPECTED) - 4
    assert sorted(imap_server.subjects(UNCLEAR)) == [
        "Fwd: failure notice",
        "Mail delivery failed: returning message to sender",
        "Re: News of November",
        "Undelivered Mail Returned to Sender",
    ]


def test_a_dry_run_reads_and_leaves_everything_where_it_is(tmp_path: Path, imap_server: ImapServer) -> None:
    config = config_of(tmp_path, imap_server.port)
    with open_test_database(tmp_path / "list.db") as database:
        list_of_readers(database)
        write_corpus(database, tmp_path / "mails")
        imap_server.add(file.read_bytes() for file in sorted((tmp_path / "mails").iterdir()))

        tally = pull_events(config, database, ENVIRON, now=NOW, is_dry_run=True)

        assert list(list_suppressions(database)) == []
    assert tally.emails == imap_server.count("INBOX") == len(EXPECTED)
    assert imap_server.count(PROCESSED) == 0


def test_after_a_crash_before_the_move_an_email_is_read_again_and_changes_nothing(
    tmp_path: Path, imap_server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(tmp_path, imap_server.port)
    with open_test_database(tmp_path / "list.db") as database:
        list_of_readers(database)
        write_corpus(database, tmp_path / "mails")
        imap_server.add(file.read_bytes() for file in sorted((tmp_path / "mails").iterdir())[:20])
        with monkeypatch.context() as broken:
            broken.setattr(ImapMailbox, "move", _break)
            with pytest.raises(ProviderError, match="gone"):
                pull_events(config, database, ENVIRON, now=NOW)
        before = sorted(found.email for found in list_suppressions(database))

        again = pull_events(config, database, ENVIRON, now=NOW)

        assert before
        assert sorted(found.email for found in list_suppressions(database)) == before
    assert (again.emails, again.ingested.added, imap_server.count("INBOX")) == (20, 0, 0)


def _break(*_arguments: object) -> None:
    raise ProviderError("the connection is gone")


def test_the_reviewers_are_told_about_a_complaint_of_someone_unknown(tmp_path: Path, imap_server: ImapServer) -> None:
    config = config_of(tmp_path, imap_server.port)
    imap_server.add([mail("arf-yahoo"), mail("new-owner")])
    with open_test_database(tmp_path / "list.db") as database:
        list_of_readers(database)

        tally = pull_events(config, database, ENVIRON, now=NOW)

        (notice,) = notices_to_tell(database, not_after=NOW, now=NOW)
    assert "1 complaint in the mailbox cannot be traced to a person; read the folder Newsletter unclear" in str(notice)
    assert (tally.complaints_of_nobody, imap_server.count(UNCLEAR)) == (1, 2)


@pytest.mark.parametrize("mailbox", ["", '[mailbox]\naddress = "*@bounces.example.org"\n'])
def test_without_a_server_it_says_what_to_add(tmp_path: Path, mailbox: str) -> None:
    config = load_config(write_workspace(tmp_path / "workspace", {"newsletter.toml": f"{CONFIG}\n{mailbox}"}))
    with open_test_database(tmp_path / "list.db") as database, pytest.raises(InputError, match="add the IMAP server"):
        pull_events(config, database, ENVIRON, now=NOW)


def test_without_a_password_it_names_the_variable(tmp_path: Path) -> None:
    config = config_of(tmp_path, 1)
    with open_test_database(tmp_path / "list.db") as database, pytest.raises(ProviderError, match=VARIABLE):
        pull_events(config, database, {}, now=NOW)
