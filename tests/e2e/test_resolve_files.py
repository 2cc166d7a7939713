"""Single emails settled by what the log of a mail server says."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.program import run, write_list
from tests.fakes.sendgrid_api import Fault, SendGridApi
from tests.workspaces import CONFIG, write_workspace

KEY = {"SENDGRID_API_KEY": "SG.test-key"}
PEOPLE = 5


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A workspace in which five emails of one broadcast are unconfirmed."""
    with SendGridApi() as api:
        provider = f'\n[provider]\nuse = "sendgrid"\n[provider.sendgrid]\napi_url = "{api.url}"\n'
        write_workspace(tmp_path, {"newsletter.toml": CONFIG + provider})
        write_list(tmp_path / "list.csv", PEOPLE)
        run(tmp_path, "subscribers", "import", "list.csv")
        api.script(Fault.RESET)
        run(tmp_path, "send", "2026-02", "--to", "everyone", "--yes", env=KEY, expect=1)
        yield tmp_path


def resolve(root: Path, *arguments: str, expect: int = 0) -> Any:
    return run(root, "resolve", "1", *arguments, env=KEY, expect=expect)


def write(root: Path, name: str, *lines: str) -> str:
    (root / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return name


def tally(root: Path) -> tuple[int, int, int]:
    """How many are accepted, waiting and unknown."""
    found = json.loads(run(root, "status", "1", "--json").stdout)
    assert found["adds_up"]
    return found["tally"]["accepted"], found["tally"]["waiting"], found["tally"]["unknown"]


def message_id(root: Path, number: int) -> str:
    """The Message-ID of the email to person `number`, as the command tells it."""
    told = resolve(root, expect=1).stderr
    pattern = next(word for word in told.split() if ".NUMBER@" in word).rstrip(".")
    with closing(sqlite3.connect(root / "newsletter.db")) as connection:
        email = f"person{number}@example.org"
        found = connection.execute("SELECT id FROM subscriber WHERE email = ?", (email,)).fetchone()
    return pattern.replace("NUMBER", str(found[0] if found else 999))


def test_the_command_says_where_to_look_and_what_for(root: Path) -> None:
    told = " ".join(resolve(root, expect=1).stderr.split())
    assert "The log of your mail server" in told
    assert ".NUMBER@example.org>" in told
    assert "newsletter resolve 1 --sent FILE" in told


def test_addresses_and_message_ids_settle_single_emails(root: Path) -> None:
    sent = write(root, "sent.txt", "person0@example.org", f"  {message_id(root, 1)}  ", "", "<PERSON2@Example.org>,")
    missing = write(root, "missing.txt", f"cleanup[7]: 4F2: message-id={message_id(root, 3)}")

    told = resolve(root, "--sent", sent, "--not-sent", missing, "--yes", "--because", "the log", expect=1)

    assert "3 emails counted as sent" in told.stdout
    assert "1 email ready to be sent again" in told.stdout
    assert "newsletter resume 1" in told.stderr
    assert tally(root) == (3, 1, 1)
    assert "assumed to be sent: the log" in run(root, "audit", "1", "person2@example.org").stdout
    run(root, "resume", "1", "--yes", env=KEY, expect=1)
    assert tally(root) == (4, 0, 1)


def test_lines_about_other_emails_are_ignored_and_said(root: Path) -> None:
    first = write(root, "sent.txt", "person0@example.org")
    resolve(root, "--sent", first, "--yes", expect=1)
    both = write(
        root, "sent.txt", "person0@example.org", "stranger@example.org", message_id(root, 99), "person1@example.org"
    )

    told = resolve(root, "--sent", both, "--yes", expect=1)

    assert "3 lines about emails that are not unconfirmed: ignored" in told.stderr
    assert tally(root) == (2, 0, 3)


def test_all_of_a_batch_may_be_named(root: Path) -> None:
    everyone = write(root, "sent.txt", *(f"person{number}@example.org" for number in range(PEOPLE)))
    assert "5 accepted + " in resolve(root, "--sent", everyone, "--yes").stdout
    assert tally(root) == (PEOPLE, 0, 0)


def test_lines_of_a_mail_log_name_their_addresses(root: Path) -> None:
    log = (
        "Feb 19 08:00:0{number} mail postfix/smtp[71]: 4F6D12: to=<person{number}@example.org>, "
        "relay=mx.example.net[192.0.2.1]:25, delay=0.5, dsn=2.0.0, status=sent (250 2.0.0 OK)"
    )
    sent = write(root, "sent.txt", *(log.format(number=number) for number in (0, 3)))
    resolve(root, "--sent", sent, "--yes", expect=1)
    assert tally(root) == (2, 0, PEOPLE - 2)


def test_every_mistake_in_a_file_is_named_and_nothing_is_changed(root: Path) -> None:
    lines = ("person0@example.org", "status=sent", "two words@example.org", "<b9-0a1b.7@example.org>")
    sent = write(root, "sent.txt", *lines)
    told = resolve(root, "--sent", sent, "--yes", expect=2).stderr
    assert "sent.txt:4: this is an email of broadcast 9, not of broadcast 1" in told
    assert "sent.txt:2: 'status=sent' is neither an address nor a Message-ID of broadcast 1" in told
    assert "sent.txt:3:" in told
    assert "write one address or Message-ID per line" in told
    assert tally(root) == (0, 0, PEOPLE)


def test_an_email_in_both_files_is_refused(root: Path) -> None:
    sent = write(root, "sent.txt", "person0@example.org", "person1@example.org")
    missing = write(root, "missing.txt", message_id(root, 1))
    told = resolve(root, "--sent", sent, "--not-sent", missing, "--yes", expect=2).stderr
    assert "both name person1@example.org" in told
    assert tally(root) == (0, 0, PEOPLE)


def test_it_asks_first_and_excludes_the_other_decisions(root: Path) -> None:
    sent = write(root, "sent.txt", "person0@example.org")
    assert "add --yes" in resolve(root, "--sent", sent, expect=2).stderr
    assert (
        "decide only about the emails in their files"
        in resolve(root, "--sent", sent, "--resend", "--yes", expect=2).stderr
    )
    assert (
        "decide only about the emails in their files"
        in resolve(root, "--not-sent", sent, "--chunk", "1", "--yes", expect=2).stderr
    )
    assert "there is no file none.txt" in resolve(root, "--sent", "none.txt", "--yes", expect=2).stderr
    assert tally(root) == (0, 0, PEOPLE)


def test_what_was_not_sent_of_a_canceled_broadcast_is_canceled(root: Path) -> None:
    missing = write(root, "missing.txt", "person0@example.org")
    resolve(root, "--not-sent", missing, "--yes", expect=1)
    run(root, "cancel", "1", "--yes", env=KEY, expect=1)
    missing = write(root, "missing.txt", "person1@example.org")
    assert "1 email canceled" in resolve(root, "--not-sent", missing, "--yes", expect=1).stdout
    assert tally(root) == (0, 0, PEOPLE - 2)
