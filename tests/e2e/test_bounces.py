"""The circle of bounces: sent over SMTP, returned to the mailbox, pulled, blocked, and left out next time."""

import json
import re
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.e2e.program import run, write_list
from tests.mailbox.imap_server import PASSWORD, USERNAME, running_imap_server
from tests.providers.smtp_server import SmtpServer, TakenMail
from tests.workspaces import CONFIG, ISSUE, write_workspace

PROVIDER = """
[provider]
use = "smtp"

[provider.smtp]
host = "127.0.0.1"
port = {port}
security = "none"
"""
MAILBOX = """
[mailbox]
address = "*@bounces.example.org"
"""
IMAP = """
host = "127.0.0.1"
port = {port}
security = "none"
username = "{username}"
"""
DSN = """\
Return-Path: <>
Date: {date}
From: MAILER-DAEMON@mx.example.org
To: {to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; {recipient}
Action: failed
Status: {status}
Diagnostic-Code: smtp; 550 {status} refused

--b--
"""


def send(root: Path, issue: str) -> list[TakenMail]:
    """Sends an issue over a real SMTP server, and returns what it took."""
    with SmtpServer() as server:
        (root / "newsletter.toml").write_text(
            CONFIG + PROVIDER.format(port=server.port) + (root / "mailbox.toml").read_text(), encoding="utf-8"
        )
        run(root, "send", issue, "--to", "everyone", "--yes")
    return server.taken


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = write_workspace(tmp_path, {"mailbox.toml": MAILBOX, "issues/2026-03/issue.yaml": ISSUE})
    (root / "issues/2026-03/letter.md").write_text("Another letter for March.\n", encoding="utf-8")
    write_list(root / "list.csv", 6)
    run(root, "subscribers", "import", "list.csv")
    return root


def bounce(mail: TakenMail, status: str = "5.1.1") -> bytes:
    date = message_from_bytes(mail.content)["Date"]
    return DSN.format(to=mail.sender, recipient=mail.recipient, status=status, date=date).encode()


def leave(mail: TakenMail) -> bytes:
    """The email that an app sends to the address in List-Unsubscribe."""
    header = message_from_bytes(mail.content, policy=policy.default)["List-Unsubscribe"]
    (address,) = re.findall(r"<mailto:([^>?]+)\?subject=unsubscribe>", header)
    date = message_from_bytes(mail.content)["Date"]
    return f"From: {mail.recipient}\nTo: {address}\nDate: {date}\nSubject: \n\n".encode()


def test_what_bounces_or_leaves_by_email_is_left_out_of_the_next_broadcast(workspace: Path) -> None:
    first = sorted(send(workspace, "2026-02"), key=lambda mail: mail.recipient)
    assert len(first) == 6
    assert len({mail.sender for mail in first}) == 6
    assert all(mail.sender.endswith("@bounces.example.org") for mail in first)
    with running_imap_server(workspace) as imap:
        more = IMAP.format(port=imap.port, username=USERNAME)
        (workspace / "mailbox.toml").write_text(MAILBOX + more, encoding="utf-8")
        (workspace / "newsletter.toml").write_text(CONFIG + MAILBOX + more, encoding="utf-8")
        imap.add([bounce(first[0]), bounce(first[1], "4.2.2"), leave(first[2])])
        secret = {"NEWSLETTER_IMAP_PASSWORD": PASSWORD}

        tried = run(workspace, "events", "pull", "--dry-run", env=secret)
        pulled = run(workspace, "events", "pull", env=secret)
        again = run(workspace, "events", "pull", "--json", env=secret)

        assert imap.count("Newsletter processed") == 3
    assert "Dry run: nothing was changed." in tried.stderr
    assert "bounces: the address does not work" in pulled.stdout
    assert PASSWORD not in pulled.stdout + pulled.stderr
    assert json.loads(again.stdout)["emails"] == 0
    listed = run(workspace, "suppressions", "list").stdout
    assert "person0@example.org" in listed
    assert "person2@example.org" in listed
    assert "person1@example.org" not in listed

    second = send(workspace, "2026-03")

    assert sorted(mail.recipient for mail in second) == [f"person{number}@example.org" for number in (1, 3, 4, 5)]


def test_bounces_are_imported_from_files_and_from_standard_input(workspace: Path) -> None:
    first = sorted(send(workspace, "2026-02"), key=lambda mail: mail.recipient)
    code, _, domain = first[1].sender.partition("@")
    forged = replace(first[1], sender=f"{code[:-1]}{'a' if code[-1] != 'a' else 'b'}@{domain}")
    (workspace / "bounces").mkdir()
    (workspace / "bounces/1.eml").write_bytes(bounce(first[0]))
    (workspace / "bounces/2.eml").write_bytes(bounce(forged))
    (workspace / "bounces/3.eml").write_bytes(b"From: ana@example.org\nSubject: A question\n\nWhen do you meet?\n")

    broken = b"Return-Path: <>\nFrom: \xff mailer-daemon\nSubject: \xff\n\n550 5.1.1 User unknown\n"
    (workspace / "bounces/4.eml").write_bytes(broken)

    told = run(workspace, "events", "import", "bounces", expect=1)

    assert "To read:" in told.stderr
    assert "bounces/3.eml: not understood: A question" in told.stderr
    assert "bounces/4.eml: hard, fits no email of yours: 550 5.1.1 User unknown" in told.stderr
    assert len(told.stderr.splitlines()) == 5
    assert "bounces/2.eml: hard, does not have the recipient's code, so it may be forged: " in told.stderr
    data = json.loads(run(workspace, "events", "import", "bounces", "--json", expect=1).stdout)
    assert (data["emails"], data["reports"]["hard"], data["new_events"]) == (4, 1, 0)
    assert "0" in run(workspace, "events", "import", "-").stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("import", "nothing.eml"), "nothing.eml"),
        (("pull",), "[mailbox] has no host"),
        (("import",), "FILE"),
    ],
)
def test_a_mistake_is_said(workspace: Path, arguments: tuple[str, ...], says: str) -> None:
    (workspace / "newsletter.toml").write_text(CONFIG + MAILBOX, encoding="utf-8")

    assert says in run(workspace, "events", *arguments, expect=2).stderr


def test_an_export_with_missing_columns_is_said_with_its_line(workspace: Path) -> None:
    (workspace / "activity.csv").write_text("processed,event,email\n2026-11-23,bounce,a@example.org\n")

    assert (
        "activity.csv:1: the columns unique_args are missing"
        in run(workspace, "events", "import", "activity.csv", expect=2).stderr
    )
