"""Who is not mailed, as a director keeps it: one by one, from files, and in line with the provider."""

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.program import command, environment, run, write_list
from tests.fakes.sendgrid_api import SendGridApi
from tests.postgresql import PostgresServer
from tests.workspaces import CONFIG, write_workspace

KEY = {"SENDGRID_API_KEY": "SG.test-key"}
FORGET_KEY = {"NEWSLETTER_KEY": "0123456789abcdef0123456789abcdef"}
TOPICS = '\n[topics]\nnews = "News"\nevents = "Events"\n'
LONG_AGO = datetime.now(UTC) - timedelta(days=9)


@pytest.fixture
def api() -> Iterator[SendGridApi]:
    """SendGrid's API on loopback."""
    with SendGridApi() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def workspace(tmp_path: Path, api: SendGridApi, request: pytest.FixtureRequest) -> Path:
    """A workspace with two topics and two people on its list, which sends through the API."""
    tables = f'{TOPICS}[provider]\nuse = "sendgrid"\n[provider.sendgrid]\napi_url = "{api.url}"\n'
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgresql_server")
        tables += f'[database]\nurl = "{server.fresh_database()}"\n'
    write_workspace(tmp_path, {"newsletter.toml": CONFIG + tables})
    write_list(tmp_path / "list.csv", 2)
    run(tmp_path, "subscribers", "import", "list.csv")
    return tmp_path


def listed(root: Path, *options: str) -> list[tuple[str, str, str]]:
    found = json.loads(run(root, "suppressions", "list", "--json", *options).stdout)
    return [(each["email"], each["topic"], each["reason"]) for each in found]


def test_addresses_are_added_listed_and_let_back(workspace: Path) -> None:
    assert "No addresses are blocked" in run(workspace, "suppressions", "list").stdout
    run(workspace, "suppressions", "add", "Ana@Example.org", "bo@example.org", "--because", "=by phone")
    run(workspace, "suppressions", "add", "bo@example.org", "--topic", "events", "--reason", "complained")
    again = run(workspace, "suppressions", "add", "ana@example.org", "cy@example.org", "--reason", "manual")

    assert "1 new address blocked" in again.stdout
    assert "1 of 2 was already blocked" in again.stderr
    assert listed(workspace) == [
        ("Ana@example.org", "", "manual"),
        ("bo@example.org", "", "unsubscribed"),
        ("bo@example.org", "events", "complained"),
        ("cy@example.org", "", "manual"),
    ]
    assert listed(workspace, "--topic", "events") == [("bo@example.org", "events", "complained")]
    assert listed(workspace, "--reason", "complained") == [("bo@example.org", "events", "complained")]
    table = run(workspace, "suppressions", "list", "--limit", "3")
    assert "Ana@example.org  all email  manual" in table.stdout
    assert "3 of 4 (2 manual, 1 complained, 1 unsubscribed). --limit 4 shows more" in table.stderr

    preview = run(workspace, "suppressions", "remove", "ANA@example.org", "--because", "she wrote", "--dry-run")
    assert "=by phone" in preview.stdout
    assert len(listed(workspace)) == 4
    back = run(workspace, "suppressions", "remove", "bo@example.org", "--because", "he wrote", "--yes")
    assert "bo@example.org can be emailed again" in back.stdout
    assert "Still blocked: events." in back.stderr
    assert "he wrote" in run(workspace, "subscribers", "show", "bo@example.org").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add",), "write them as arguments or use --file FILE"),
        (("add", "ana@example.org", "--file", "x.csv"), "but not both"),
        (("add", "somebody", "nobody"), "'nobody' is not an email address"),
        (
            ("add", "ana@example.org", "--topic", "event"),
            "there is no topic 'event' in newsletter.toml; did you mean events?",
        ),
        (("add", "--file", "no.csv"), "there is no file no.csv in "),
        (("list", "--topic", "event"), "did you mean events?"),
        (("remove", "ana@example.org"), "the reason is missing; add --because"),
        (("remove", "ana@example.org", "--because", "x"), "'ana@example.org' is not a blocked address"),
        (("remove", "ana@example.org", "--because", "x", "--topic", "event"), "did you mean events?"),
        (("remove",), "give either an address with the reason"),
        (("sync", "--since", "lately"), "--since lately is not a date; write it as 2026-02-01"),
    ],
)
def test_a_wrong_argument_is_told(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    write_workspace(tmp_path, {"newsletter.toml": CONFIG + TOPICS})

    assert message in run(tmp_path, "suppressions", *arguments, expect=2).stderr


def test_a_file_is_taken_as_a_whole_or_not_at_all(workspace: Path) -> None:
    file = workspace / "left.csv"
    file.write_text("email,topic\nana@example.org,\nbo@example,events\ncy@example.org,even\n", encoding="utf-8")
    refused = run(workspace, "suppressions", "add", "--file", "left.csv", expect=2).stderr
    assert "left.csv:3: 'bo@example' is not" in refused
    assert "left.csv:4: there is no topic 'even' in newsletter.toml; did you mean events?" in refused
    assert listed(workspace) == []

    file.write_text("email,topic\nana@example.org,\nbo@example.org,events\n", encoding="utf-8")
    added = run(workspace, "suppressions", "add", "--file", "left.csv", "--reason", "complained")
    assert "2 new addresses blocked" in added.stdout
    assert listed(workspace) == [("ana@example.org", "", "complained"), ("bo@example.org", "events", "complained")]


def test_a_dry_run_tells_how_many_get_mail_now(workspace: Path) -> None:
    (workspace / "by.csv").write_text("email\nperson0@example.org\nPerson0@example.org\ncy@example.org\n")

    previewed = run(workspace, "suppressions", "add", "--file", "by.csv", "--dry-run").stdout

    assert [line.split()[-1] for line in previewed.splitlines()] == ["3", "2", "1"]
    assert listed(workspace) == []


def test_of_a_tools_whole_export_only_who_left_is_taken(workspace: Path) -> None:
    (workspace / "all.csv").write_text(
        "Email Address,OPTIN_TIME,CONFIRM_TIME,UNSUB_TIME\nperson0@example.org,2024-01-01,2024-01-01,\n"
        "bo@example.org,2024-01-01,2024-01-01,2025-03-04 05:06:07\n"
    )

    added = run(workspace, "suppressions", "add", "--file", "all.csv")

    assert "1 new address blocked" in added.stdout
    assert "Skipped 1 of 2 rows: these people did not unsubscribe." in added.stderr
    assert listed(workspace) == [("bo@example.org", "", "unsubscribed")]
    assert "2025-03-04" in run(workspace, "suppressions", "list").stdout


OPT_OUTS = (
    "Email,Portal Bounce,Portal Unsubscribe,Portal Spam Report,Global Bounce,Marketing Information,Events\n"
    "person0@example.org,FALSE,FALSE,FALSE,FALSE,FALSE,TRUE\nana@example.org,FALSE,TRUE,FALSE,FALSE,FALSE,FALSE\n"
    "ben@example.org,FALSE,FALSE,FALSE,FALSE,TRUE,FALSE\ncara@example.org,,,TRUE,,,\neva@example.org,,,,,,\n"
)


def test_who_left_one_subscription_type_is_not_blocked_from_all_email(workspace: Path) -> None:
    (workspace / "l.csv").write_text(OPT_OUTS)

    added = run(workspace, "suppressions", "add", "--file", "l.csv", "--yes")

    assert "Skipped 1 of 5 rows: these people did not unsubscribe." in added.stderr
    assert "Skipped Marketing Information in 1 of 5 rows: no topic in newsletter.toml has that name" in added.stderr
    assert listed(workspace) == [
        ("ana@example.org", "", "unsubscribed"),
        ("cara@example.org", "", "complained"),
        ("person0@example.org", "events", "unsubscribed"),
    ]


def test_a_file_with_nothing_but_unknown_subscription_types_blocks_no_one(workspace: Path) -> None:
    (workspace / "l.csv").write_text("\n".join(line for line in OPT_OUTS.split("\n") if line[:4] in {"Emai", "ben@"}))

    added = run(workspace, "suppressions", "add", "--file", "l.csv")

    assert "Skipped Marketing Information in 1 of 1 rows" in added.stderr
    assert listed(workspace) == []


def test_it_asks_where_a_file_holds_many_or_people_who_get_mail(workspace: Path) -> None:
    (workspace / "mailed.csv").write_text("email\nperson0@example.org\ncy@example.org\n")
    (workspace / "many.csv").write_text("".join(f"left{number}@example.org\n" for number in range(101)))

    assert "add --yes" in run(workspace, "suppressions", "add", "--file", "many.csv", expect=2).stderr
    code, said = _answer(workspace, "suppressions", "add", "--file", "mailed.csv", said="n")
    assert code == 1
    assert "Block 2 addresses (1 currently emailed)?" in said
    assert listed(workspace) == []

    run(workspace, "suppressions", "add", "--file", "mailed.csv", "--yes")
    run(workspace, "suppressions", "add", "--file", "many.csv", "--yes")
    assert len(listed(workspace)) == 103
    assert "No new addresses were blocked" in run(workspace, "suppressions", "add", "--file", "many.csv").stdout


def test_whoever_is_let_back_and_not_on_the_list_is_said(workspace: Path) -> None:
    run(workspace, "suppressions", "add", "cy@example.org")

    back = run(workspace, "suppressions", "remove", "cy@example.org", "--because", "she wrote", "--yes").stderr

    assert "they are not on the list, or no consent is on record" in back
    assert "newsletter subscribers add cy@example.org" in back


def test_an_export_is_private_and_can_be_added_again(workspace: Path) -> None:
    run(workspace, "suppressions", "add", "+ana@example.org", "bo@example.org", "--because", "=HYPERLINK(1)")
    run(workspace, "suppressions", "add", "bo@example.org", "--topic", "news", "--reason", "manual")
    before = run(workspace, "suppressions", "list", "--json").stdout

    run(workspace, "suppressions", "export", "out.csv")
    assert (workspace / "out.csv").stat().st_mode & 0o777 == 0o600
    assert "already exists" in run(workspace, "suppressions", "export", "out.csv", expect=2).stderr
    assert run(workspace, "suppressions", "export").stdout == (workspace / "out.csv").read_text(encoding="utf-8")
    assert not any(line.startswith(("+", "=")) for line in (workspace / "out.csv").read_text().splitlines())
    run(workspace, "suppressions", "export", "out.json")
    assert json.loads((workspace / "out.json").read_text(encoding="utf-8")) == json.loads(before)
    for email, *topic in (("+ana@example.org",), ("bo@example.org",), ("bo@example.org", "--topic", "news")):
        run(workspace, "suppressions", "remove", email, *topic, "--because", "to see it again", "--yes")
    assert listed(workspace) == []

    run(workspace, "suppressions", "add", "--file", "out.csv")
    assert run(workspace, "suppressions", "list", "--json").stdout == before


def test_sync_brings_both_sides_in_line(workspace: Path, api: SendGridApi) -> None:
    api.suppressions.put("bounces", "person0@example.org", LONG_AGO, reason="550 no such user")
    api.suppressions.put("spam_reports", "back@example.org", LONG_AGO)
    run(workspace, "suppressions", "add", "back@example.org", "ours@example.org")
    run(workspace, "suppressions", "remove", "back@example.org", "--because", "asked", "--yes")

    preview = run(workspace, "suppressions", "sync", "--dry-run", env=KEY)
    assert "nothing was changed" in preview.stderr
    assert listed(workspace) == [("ours@example.org", "", "unsubscribed")]
    assert "add --yes" in run(workspace, "suppressions", "sync", env=KEY, expect=2).stderr
    assert listed(workspace) == [("ours@example.org", "", "unsubscribed")]
    done = run(workspace, "suppressions", "sync", "--yes", env=KEY)

    heads, *rows = [line.split() for line in preview.stdout.splitlines()]
    assert heads == ["sendgrid", "there", "new", "here", "new", "there", "removed", "there"]
    assert rows == [
        ["unsubscribes", "0", "0", "1", "0"],
        ["bounces", "1", "1", "0"],
        ["invalid", "emails", "0", "0", "0"],
        ["spam", "reports", "1", "0", "1"],
        ["blocks", "0"],
    ]
    assert "your list: 1 new address blocked" in done.stdout
    assert "sendgrid: 1 added to its list of unsubscribed addresses, 1 removed from its lists" in done.stdout
    assert listed(workspace) == [("ours@example.org", "", "unsubscribed"), ("person0@example.org", "", "bounced")]
    assert api.suppressions.emails("unsubscribes") == ["ours@example.org"]
    assert api.suppressions.emails("spam_reports") == []
    assert "your list: no new addresses blocked" in run(workspace, "suppressions", "sync", env=KEY).stdout


def test_who_says_no_leaves_the_providers_lists_as_they_are(workspace: Path, api: SendGridApi) -> None:
    api.suppressions.put("bounces", "person0@example.org", LONG_AGO)
    run(workspace, "suppressions", "add", "ours@example.org")

    code, said = _answer(workspace, "suppressions", "sync", said="n")

    assert code == 1
    assert "Change 1 entry in sendgrid's lists?" in said
    assert "sendgrid's lists were not changed" in said
    assert api.suppressions.emails("unsubscribes") == []
    assert len(listed(workspace)) == 2


def test_who_says_no_lets_nobody_back(workspace: Path) -> None:
    run(workspace, "suppressions", "add", "ana@example.org")

    code, said = _answer(workspace, "suppressions", "remove", "ana@example.org", "--because", "asked", said="n")

    assert code == 1
    assert "Allow email to ana@example.org again, from the next broadcast on?" in said
    assert len(listed(workspace)) == 1


def test_forgotten_people_stay_out_and_are_given_up_with_the_key(workspace: Path, api: SendGridApi) -> None:
    run(workspace, "subscribers", "forget", "person0@example.org", "--yes", env=FORGET_KEY)
    api.suppressions.put("bounces", "person0@example.org", LONG_AGO)
    assert "set NEWSLETTER_KEY" in run(workspace, "suppressions", "sync", env=KEY, expect=2).stderr
    synced = run(workspace, "suppressions", "sync", env={**KEY, **FORGET_KEY})
    assert "1 erased from your list" in synced.stderr
    refused = run(workspace, "suppressions", "add", "person0@example.org", expect=2)
    assert "set NEWSLETTER_KEY" in refused.stderr
    skipped = run(workspace, "suppressions", "add", "person0@example.org", env=FORGET_KEY)
    assert "Skipped 1 address of erased people" in skipped.stderr
    assert listed(workspace) == []

    assert "1 person was erased" in run(workspace, "suppressions", "remove", "--erased", "--dry-run").stdout
    assert "add --yes" in run(workspace, "suppressions", "remove", "--erased", expect=2).stderr
    assert "1 fingerprint deleted" in run(workspace, "suppressions", "remove", "--erased", "--yes").stdout
    run(workspace, "suppressions", "sync", env=KEY)
    assert listed(workspace) == [("person0@example.org", "", "bounced")]


@pytest.mark.parametrize("use", ["outbox", "smtp"])
def test_a_provider_without_lists_says_so(tmp_path: Path, use: str) -> None:
    settings = f'\n[provider]\nuse = "{use}"\n[provider.smtp]\nhost = "127.0.0.1"\n'
    write_workspace(tmp_path, {"newsletter.toml": CONFIG + settings})

    assert f"{use} keeps no list of blocked addresses" in run(tmp_path, "suppressions", "sync", expect=2).stderr


def _answer(root: Path, *arguments: str, said: str) -> tuple[int, str]:
    """Runs a command on a terminal where a person types an answer; its exit code, and what it said."""
    terminal, own = pty.openpty()
    done = subprocess.Popen(
        command(*arguments),
        cwd=root,
        env=environment(KEY),
        stdin=own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    os.write(terminal, f"{said}\n".encode())
    output, _ = done.communicate(timeout=60)
    os.close(own)
    os.close(terminal)
    return done.returncode, output
