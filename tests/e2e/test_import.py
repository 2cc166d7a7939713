"""`subscribers import` as a person types it: what it says of the file, of the rows, and what comes next."""

from pathlib import Path

import pytest

from tests.e2e.program import run

MAILCHIMP = (
    "Email Address,First Name,OPTIN_TIME,CONFIRM_TIME,LEID,EUID,TAGS,UNSUB_TIME\n"
    'ana@example.org,Ana,2018-02-12 10:54:27,2018-02-12 10:59:01,1,a,"""Friends""",\n'
    "bo@example.org,Bo,2018-02-12 10:54:27,,2,b,,2020-01-01 00:00:00\n"
)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    run(tmp_path, "init", "news")
    return tmp_path / "news"


def test_format_and_columns_are_said(workspace: Path) -> None:
    (workspace / "list.csv").write_text(MAILCHIMP)

    done = run(workspace, "subscribers", "import", "list.csv", expect=1)

    assert "list.csv: an export from Mailchimp with 8 columns" in done.stderr
    assert "Email Address → email" in done.stderr
    assert "OPTIN_TIME → consented_at, joined_at" in done.stderr
    assert "skipped: LEID, EUID" in done.stderr
    assert "list.csv:3: bo@example.org: unsubscribed (UNSUB_TIME is" in done.stderr
    shown = run(workspace, "subscribers", "show", "ana@example.org").stdout
    assert "Mailchimp" in shown
    assert "friends" in shown


def test_people_without_consent_are_said_with_the_way_to_state_a_basis(workspace: Path) -> None:
    (workspace / "my list.csv").write_text("Mail,Name\nana@gmial.com,Ana\n")
    options = ("--map", "Mail=email", "--map", "Name=first_name", "--tag", "fair")

    done = run(workspace, "subscribers", "import", "my list.csv", *options)

    assert "will get no email, because no consent is on record" in done.stderr
    again = "newsletter subscribers import 'my list.csv' --map Mail=email --map Name=first_name --tag fair"
    assert f'next: {again} --basis "…"' in done.stderr
    assert "my list.csv:2: ana@gmial.com: gmial.com looks like a typo for gmail.com" in done.stderr

    mended = run(workspace, "subscribers", "import", "my list.csv", *options, "--basis", "signed up at the fair")

    assert "will get no email" not in mended.stderr
    assert "next: newsletter segments" in mended.stderr


def test_rows_of_those_who_left_are_no_mistakes_to_correct(workspace: Path) -> None:
    (workspace / "left.csv").write_text("email,status\nana@example.org,unsubscribed\n")

    done = run(workspace, "subscribers", "import", "left.csv", expect=1)

    assert "next: newsletter subscribers import left.csv --leavers suppress" in done.stderr
    assert "corrected" not in done.stderr


def test_dry_run_changes_nothing_and_report_holds_every_row(workspace: Path) -> None:
    (workspace / "list.csv").write_text(MAILCHIMP)

    done = run(workspace, "subscribers", "import", "list.csv", "--dry-run", "--report", "rows.csv", expect=1)

    assert "nothing was changed" in done.stderr
    assert "next: newsletter subscribers import list.csv --report rows.csv   to import the file" in done.stderr
    assert (workspace / "rows.csv").read_text().splitlines()[:2] == [
        "line,email,fate,remark",
        "2,ana@example.org,added,",
    ]
    run(workspace, "subscribers", "show", "ana@example.org", expect=2)


def test_assumed_encoding_is_said_and_can_be_named(workspace: Path) -> None:
    (workspace / "list.csv").write_bytes("email,first_name\nzoe@example.org,Zoë\n".encode("cp1252"))

    assert "it was read as Windows-1252 (Zoë)" in run(workspace, "subscribers", "import", "list.csv").stderr
    refused = run(workspace, "subscribers", "import", "list.csv", "--encoding", "cp125", expect=2)
    assert "'cp125' is not the name of an encoding; write --encoding cp12" in refused.stderr


@pytest.mark.parametrize(
    ("content", "options", "what"),
    [
        (b"PK\x03\x04", (), "list.csv: it is a workbook"),
        (b"Reach me\nana@example.org\n", (), 'to use it, add --map "Reach me=email"'),
        (b"email\nana@example.org\n", ("--map", "Email Adress=email"), "--map names the column 'Email Adress', which"),
        (b"email\nana@example.org\n", ("--map", "email"), "has no = after the column name"),
        (b'email,x\n"ana@example.org,\n', (), "list.csv:2: the file cannot be read from here on"),
    ],
)
def test_what_is_no_list_is_refused_with_what_to_do(
    workspace: Path, content: bytes, options: tuple[str, ...], what: str
) -> None:
    (workspace / "list.csv").write_bytes(content)

    assert what in run(workspace, "subscribers", "import", "list.csv", *options, expect=2).stderr
