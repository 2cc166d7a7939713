"""`send --at`, `run-due` and `cancel` as they are typed, with a program that is killed at the worst moments."""

import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.program import command, environment, run, write_list
from tests.fakes.sendgrid_api import Answer, Fault, SendGridApi
from tests.postgresql import PostgresServer
from tests.workspaces import CONFIG, write_workspace

KEY = {"SENDGRID_API_KEY": "SG.test-key"}
SEND = ("send", "2026-02", "--to", "everyone", "--yes")
PERSON = "person0@example.org"
_TIMES = [
    ("broadcast", "due_at"),
    ("chunk", "due_at"),
    ("chunk", "hold_until"),
    ("held_batch", "due_at"),
    ("held_batch", "recall_ends_at"),
    ("last_run", "at"),
]
LONG_AFTER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with five people on the list, whose mail becomes files."""
    root = write_workspace(tmp_path)
    write_list(root / "list.csv", 5)
    run(root, "subscribers", "import", "list.csv")
    return root


def with_sendgrid(root: Path, api: SendGridApi, *, lead_minutes: int = 60) -> Path:
    delivery = f"\n[delivery]\nlead_minutes = {lead_minutes}\n"
    provider = f'\n[provider]\nuse = "sendgrid"\n[provider.sendgrid]\napi_url = "{api.url}"\ntimeout_seconds = 5\n'
    (root / "newsletter.toml").write_text(CONFIG + delivery + provider, encoding="utf-8")
    return root


def let_pass(root: Path, span: timedelta) -> None:
    """Moves every time in the ledger back, as if so long had gone by."""
    with closing(sqlite3.connect(root / "newsletter.db", isolation_level=None)) as connection:
        for table, column in _TIMES:
            for (text,) in connection.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {column} <> ''").fetchall():
                earlier = (datetime.fromisoformat(text) - span).replace(tzinfo=None).isoformat(timespec="seconds")
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (f"{earlier}Z", text))


def status(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(root, "status", "1", "--json").stdout)
    assert found["adds_up"]
    return found


def mails(root: Path) -> int:
    """How many emails are in the outbox, without those that tell the reviewers what went wrong."""
    return sum("notice" not in str(path.relative_to(root)) for path in (root / "outbox").rglob("*.eml"))


def test_a_scheduled_issue_leaves_when_a_timer_finds_it_due(workspace: Path) -> None:
    sent = run(workspace, *SEND, "--at", "in 2 hours")
    assert re.search(
        r"when +\w+day, \w+ \d+, 20\d\d, .* \(America/Los_Angeles\) · .*\d\d:\d\d UTC · in 2 hours", sent.stdout
    )
    assert "the service, a timer, a worker or this terminal must be running then: it sends the issue" in sent.stdout
    assert "No service, timer or worker seems to be running: none has ever run here" in sent.stderr
    assert "scheduled" in sent.stdout
    assert "newsletter run-due" in sent.stderr

    early = run(workspace, "run-due")
    assert (early.stdout, early.stderr, mails(workspace)) == ("", "", 0)
    assert "5 waiting; scheduled for" in run(workspace, "run-due", "--dry-run").stdout

    let_pass(workspace, timedelta(hours=2, minutes=5))
    due = run(workspace, "run-due")
    assert due.stdout == "broadcast 1 (2026-02 to everyone): 5 sent; done\n"
    assert (due.stderr, mails(workspace)) == ("", 5)
    again = run(workspace, "run-due")
    assert (again.stdout, mails(workspace)) == ("", 5)


def test_a_timers_run_is_logged_and_a_look_is_not(workspace: Path) -> None:
    run(workspace, "run-due", "--dry-run")
    assert not (workspace / "logs").exists()
    run(workspace, "run-due")
    lines = (workspace / "logs" / "run-due.log").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["what"] for line in lines] == ["started", "ended"]


def test_a_dry_run_of_a_schedule_reads_the_time_back_and_freezes_nothing(workspace: Path) -> None:
    told = run(workspace, "send", "2026-02", "--to", "everyone", "--at", "tomorrow 08:00", "--dry-run")
    assert "8:00 am P" in told.stdout
    assert "There are no broadcasts yet" in run(workspace, "status").stdout


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--at", "yesterday 08:00"), "'yesterday' is not a day; write it as 2026-02-19 08:00"),
        (("--at", "2026-02-19 08:00"), "2026-02-19 is in the past"),
        (("--local-time",), "--local-time needs a time"),
        (("--at", "tomorrow 08:00 UTC", "--local-time"), "delete --local-time"),
        (("--at", "tomorrow 08:00 PST"), "'PST' is not the full name of a time zone"),
    ],
)
def test_a_time_that_does_not_fit_is_refused(workspace: Path, options: tuple[str, ...], told: str) -> None:
    assert told in run(workspace, *SEND, *options, expect=2).stderr


def test_what_is_too_late_is_held_back_and_resume_sends_it(workspace: Path) -> None:
    run(workspace, *SEND, "--at", "in 2 hours")
    let_pass(workspace, timedelta(hours=9))
    held = run(workspace, "run-due", expect=1)
    assert "paused: scheduled for" in held.stdout
    assert "more than 6 hours late, so it was not sent automatically" in held.stdout
    assert "newsletter resume 1" in held.stderr
    assert mails(workspace) == 0
    assert run(workspace, "run-due").stdout == ""
    resumed = run(workspace, "resume", "--yes")
    assert "late emails are sent now" in resumed.stdout
    assert mails(workspace) == 5


def test_nothing_of_a_schedule_can_be_resumed_before_its_time(workspace: Path) -> None:
    run(workspace, *SEND, "--at", "in 2 hours")
    assert "no unfinished broadcast" in run(workspace, "resume", "--yes", expect=2).stderr
    assert "`newsletter cancel 1`, then send the issue again" in run(workspace, "resume", "1", "--yes", expect=2).stderr


def test_cancelling_asks_and_says_what_comes_of_it(workspace: Path) -> None:
    run(workspace, *SEND, "--at", "in 2 hours")
    assert "add --yes" in run(workspace, "cancel", "1", expect=2).stderr
    told = run(workspace, "cancel", "1", "--yes")
    assert "5, which will not be sent" in told.stdout
    assert "5 canceled" in told.stdout
    assert "it is already canceled" in run(workspace, "cancel", "1", "--yes", expect=2).stderr
    assert "there is no broadcast 7" in run(workspace, "cancel", "7", "--yes", expect=2).stderr
    run(workspace, *SEND)
    assert mails(workspace) == 5
    screens = [("status",), ("status", "1"), ("audit", "1"), ("audit", "2", PERSON), ("subscribers", "show", PERSON)]
    for words in screens:
        shown = run(workspace, *words).stdout
        assert "canceled" in shown
        assert "cancelled" not in shown


def test_local_time_lists_zones_before_anything_is_sent(workspace: Path) -> None:
    rows = "email,timezone,consented_at,consent_source\nana@example.net,Europe/Paris,2025-01-01,test\n"
    (workspace / "zones.csv").write_text(rows, encoding="utf-8")
    run(workspace, "subscribers", "import", "zones.csv")
    day = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}"
    told = run(workspace, *SEND, "--at", f"{day} 08:00", "--local-time")
    assert "8:00 am, in each subscriber's own time zone" in told.stdout
    assert re.search(r"first .*\(Europe/Paris\)", told.stdout)
    assert re.search(r"last .*\(America/Los_Angeles\)", told.stdout)
    assert "5 without a known time zone" in told.stdout
    assert [zone["zone"] for zone in status(workspace)["zones"]] == ["Europe/Paris", "America/Los_Angeles"]


def test_sendgrid_holds_what_is_scheduled_from_the_lead_on(workspace: Path) -> None:
    with SendGridApi() as api:
        with_sendgrid(workspace, api)
        told = run(workspace, *SEND, "--at", "in 20 hours", env=KEY)
        assert "the service, a timer, a worker or this terminal must be running from" in told.stdout
        assert "it sends the issue to sendgrid, which holds it until its time," in told.stdout
        assert run(workspace, "run-due", env=KEY).stdout == ""
        assert not api.accepted
        run(workspace, "cancel", "1", "--yes", env=KEY)


def test_with_a_longer_lead_sendgrid_holds_it_at_once(workspace: Path) -> None:
    with SendGridApi() as api:
        with_sendgrid(workspace, api, lead_minutes=71 * 60)
        told = run(workspace, *SEND, "--at", "in 20 hours", env=KEY)
        assert "must be running from now to" in told.stdout
        assert len(api.delivered(datetime.now(UTC) + timedelta(hours=19))) == 0
        assert len(api.delivered(datetime.now(UTC) + timedelta(hours=21))) == 5
        assert run(workspace, "run-due", env=KEY).stdout == ""


def test_cancelling_takes_back_what_sendgrid_holds(workspace: Path) -> None:
    with SendGridApi() as api:
        with_sendgrid(workspace, api, lead_minutes=71 * 60)
        run(workspace, *SEND, "--at", "in 20 hours", env=KEY)
        told = run(workspace, "cancel", "1", "--yes", env=KEY)
        assert "by sendgrid, which will be asked to drop them" in told.stdout
        assert status(workspace)["tally"]["cancelled"] == 5
        run(workspace, *SEND, env=KEY)
        assert Counter(mail.email for mail in api.delivered(LONG_AFTER)) == Counter(
            f"person{number}@example.org" for number in range(5)
        )


def test_a_cancel_that_is_killed_or_not_answered_is_finished_by_the_next(workspace: Path) -> None:
    with SendGridApi() as api:
        with_sendgrid(workspace, api, lead_minutes=71 * 60)
        run(workspace, *SEND, "--at", "in 20 hours", env=KEY)
        before = api.requests
        api.script(Fault.HANG)
        cancelling = subprocess.Popen(
            command("cancel", "1", "--yes"),
            cwd=workspace,
            env=environment(KEY),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while api.requests == before and cancelling.poll() is None:
            time.sleep(0.005)
        os.kill(cancelling.pid, signal.SIGKILL)
        cancelling.wait(timeout=30)
        assert status(workspace)["state"] == "cancelling"

        api.script(Answer.error(500, "Internal Server Error"))
        refused = run(workspace, "cancel", "1", "--yes", env=KEY, expect=3)
        assert "newsletter cancel 1" in refused.stderr
        assert status(workspace)["state"] == "cancelling"
        assert "through sendgrid, canceling" in run(workspace, "status", "1").stdout

        assert "5 canceled" in run(workspace, "run-due", env=KEY).stdout
        assert api.delivered(LONG_AFTER) == []
    assert status(workspace)["tally"]["cancelled"] == 5


def test_a_send_that_is_killed_while_mail_is_held_can_be_taken_up_or_cancelled(workspace: Path) -> None:
    with SendGridApi() as api:
        with_sendgrid(workspace, api, lead_minutes=71 * 60)
        api.script(Fault.NONE, Fault.HANG)  # the batch id, then the mail
        sending = subprocess.Popen(
            command(*SEND, "--at", "in 20 hours"),
            cwd=workspace,
            env=environment(KEY),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while api.requests < 2 and sending.poll() is None:
            time.sleep(0.005)
        os.kill(sending.pid, signal.SIGKILL)
        sending.wait(timeout=30)

        told = run(workspace, "run-due", env=KEY, expect=1)
        assert "5 unconfirmed; done" in told.stdout
        run(workspace, "cancel", "1", "--yes", env=KEY)
        assert api.delivered(LONG_AFTER) == []
    assert status(workspace)["tally"]["cancelled"] == 5


def test_without_a_batch_id_nothing_leaves_and_the_next_run_tries_again(workspace: Path) -> None:
    with SendGridApi() as api:
        with_sendgrid(workspace, api)
        api.script(Answer.error(500, "Internal Server Error"))
        told = run(workspace, *SEND, "--at", "in 30 minutes", env=KEY, expect=3)
        assert "gave no batch id" in told.stderr
        assert status(workspace)["state"] == "scheduled"
        assert "5 sent" in run(workspace, "run-due", env=KEY).stdout
        assert len(api.accepted) == 5


def test_a_run_without_its_key_fails_only_when_something_is_due(workspace: Path) -> None:
    with SendGridApi() as api:
        with_sendgrid(workspace, api)
        run(workspace, *SEND, "--at", "in 90 hours", env=KEY)
        assert run(workspace, "run-due").stderr == ""
        let_pass(workspace, timedelta(hours=89, minutes=30))
        assert "SENDGRID_API_KEY is not set" in run(workspace, "run-due", expect=3).stderr
        run(workspace, "run-due", env=KEY)
        assert len(api.accepted) == 5


def test_two_timers_at_the_same_moment_send_to_nobody_twice(workspace: Path) -> None:
    run(workspace, *SEND, "--at", "in 2 hours")
    let_pass(workspace, timedelta(hours=2, minutes=5))
    runs = [
        subprocess.Popen(
            command("run-due"),
            cwd=workspace,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    told = [each.communicate(timeout=60) for each in runs]
    assert [each.returncode for each in runs] == [0, 0, 0], told
    assert (mails(workspace), status(workspace)["tally"]["accepted"]) == (5, 5)


def test_what_is_scheduled_is_told_to_scripts(workspace: Path) -> None:
    run(workspace, *SEND, "--at", "in 2 hours")
    (found,) = json.loads(run(workspace, "run-due", "--dry-run", "--json").stdout)
    assert (found["broadcast"], found["would"], found["tally"]["waiting"]) == (1, "wait", 5)
    let_pass(workspace, timedelta(hours=2, minutes=5))
    (done,) = json.loads(run(workspace, "run-due", "--json").stdout)
    assert (done["did"], done["handed_over"], done["state"]) == ("hand over", 5, "done")


MANY = re.compile(r"\s+")


def plain(text: str) -> str:
    """A text with single spaces."""
    return MANY.sub(" ", text)


def test_who_leaves_while_sendgrid_holds_the_email_is_not_mailed(workspace: Path) -> None:
    with SendGridApi() as api:
        with_sendgrid(workspace, api)
        run(workspace, *SEND, "--at", "in 30 minutes", env=KEY)
        assert len(api.accepted) == 5

        told = run(workspace, "suppressions", "add", PERSON, env=KEY)
        assert "is blocked. No more email is sent to this address, apart from the following." in told.stdout
        assert f"Broadcast 1 (2026-02) to {PERSON} is already at sendgrid" in plain(told.stderr)
        assert "The service, a timer or a worker recalls it between" in told.stderr
        assert run(workspace, "run-due", env=KEY).stdout == ""

        let_pass(workspace, timedelta(minutes=12))
        api.accepted = [replace(mail, send_at=mail.leaves_at - timedelta(minutes=12)) for mail in api.accepted]
        assert "newsletter run-due" in run(workspace, "suppressions", "add", PERSON, env=KEY).stderr
        due = run(workspace, "run-due", env=KEY)
        assert "5 recalled from sendgrid, because 1 of these people left" in due.stdout
        assert "4 sent; 1 left out; done" in due.stdout
        assert Counter(mail.email for mail in api.delivered(LONG_AFTER)) == Counter(
            f"person{number}@example.org" for number in range(1, 5)
        )
    assert status(workspace)["tally"]["excluded"] == 1


@pytest.mark.parametrize("words", [("suppressions", "add", PERSON), ("subscribers", "forget", PERSON, "--yes")])
def test_who_leaves_too_late_is_told_so(workspace: Path, words: tuple[str, ...]) -> None:
    env = {**KEY, "NEWSLETTER_KEY": "ab" * 32}
    with SendGridApi() as api:
        with_sendgrid(workspace, api)
        run(workspace, *SEND, "--at", "in 8 minutes", env=KEY)
        told = run(workspace, *words, env=env)
        assert "apart from the following" in told.stdout
        assert re.search(
            r"Broadcast 1 \(2026-02\) to .* will still be sent by sendgrid on \w+day, .* It cannot be recalled: "
            "it is too close to its time to be recalled",
            plain(told.stderr),
        )
        late = run(workspace, "run-due", env=KEY, expect=1)
        assert "left, but will still get it on" in late.stderr
        assert run(workspace, "run-due", env=KEY).stderr == ""
        assert "will still be sent by sendgrid" in plain(run(workspace, "status", "1", env=KEY).stderr)


def test_an_import_and_a_sync_say_who_is_still_emailed(workspace: Path) -> None:
    with SendGridApi() as api:
        with_sendgrid(workspace, api)
        run(workspace, *SEND, "--at", "in 30 minutes", env=KEY)
        rows = f"email,unsubscribed\n{PERSON},yes\n"
        (workspace / "left.csv").write_text(rows, encoding="utf-8")
        told = run(workspace, "subscribers", "import", "left.csv", env=KEY)
        assert f"to {PERSON} is already at sendgrid" in plain(told.stderr)
        assert f"to {PERSON} is already at sendgrid" in plain(
            run(workspace, "suppressions", "sync", "--yes", env=KEY).stderr
        )


def test_status_warns_until_something_runs(workspace: Path) -> None:
    run(workspace, *SEND, "--at", "in 2 hours")
    warning = "No service, timer or worker seems to be running"
    assert warning in run(workspace, "status", "1").stderr
    run(workspace, "run-due")
    assert warning not in run(workspace, "status", "1").stderr
    let_pass(workspace, timedelta(minutes=16))
    assert "the last one ran 16 minutes ago" in plain(run(workspace, "status", "1").stderr)
    let_pass(workspace, timedelta(hours=2))
    run(workspace, "run-due")
    let_pass(workspace, timedelta(hours=1))
    assert warning not in run(workspace, "status", "1").stderr  # nothing is left to send


def test_a_terminal_that_stays_sends_the_issue_itself(workspace: Path) -> None:
    sent = subprocess.Popen(
        command(*SEND, "--at", "in 2 hours", "--awake", "here"),
        cwd=workspace,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert sent.stderr is not None
    while "This terminal sends the issue" not in sent.stderr.readline():
        assert sent.poll() is None
    let_pass(workspace, timedelta(hours=2, minutes=5))
    told, _ = sent.communicate(timeout=120)
    assert (sent.returncode, mails(workspace)) == (0, 5)
    assert "5 sent; done" in told


@pytest.mark.parametrize(("said", "is_worker"), [("t", False), ("", False), ("worker", True)])
def test_at_a_terminal_a_person_is_asked_what_will_be_running(workspace: Path, said: str, is_worker: bool) -> None:
    terminal, own = pty.openpty()
    sending = subprocess.Popen(
        command("send", "2026-02", "--to", "everyone", "--at", "in 2 hours"),
        cwd=workspace,
        env=environment(),
        stdin=own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    os.write(terminal, f"{said}\ny\n".encode())
    told, _ = sending.communicate(timeout=60)
    os.close(own)
    os.close(terminal)
    assert "What will be running then? [s/T/w/h]" in told
    assert sending.returncode == (2 if is_worker else 0)
    assert ("workers need PostgreSQL" in told) is is_worker
    assert ("scheduled" in run(workspace, "status").stdout) is not is_worker


@pytest.mark.parametrize(
    ("options", "told"),
    [(("--awake", "timer"), "--awake needs a time"), (("--at", "in 2 hours", "--awake", "worker"), "need PostgreSQL")],
)
def test_what_cannot_be_awake_is_refused(workspace: Path, options: tuple[str, ...], told: str) -> None:
    assert told in run(workspace, *SEND, *options, expect=2).stderr
    assert mails(workspace) == 0


def test_the_same_commands_schedule_and_cancel_on_postgresql(tmp_path: Path, postgresql_server: PostgresServer) -> None:
    with SendGridApi() as api:
        root = with_sendgrid(write_workspace(tmp_path), api)
        config = (root / "newsletter.toml").read_text(encoding="utf-8")
        url = postgresql_server.fresh_database()
        (root / "newsletter.toml").write_text(f'{config}\n[database]\nurl = "{url}"\n', encoding="utf-8")
        write_list(root / "list.csv", 5)
        run(root, "subscribers", "import", "list.csv")

        run(root, *SEND, "--at", "in 90 hours", env=KEY)
        assert "5 waiting; scheduled for" in run(root, "run-due", "--dry-run", env=KEY).stdout
        run(root, "cancel", "1", "--yes", env=KEY)
        run(root, *SEND, "--at", "in 30 minutes", "--local-time", env=KEY, expect=2)
        run(root, *SEND, "--at", "in 30 minutes", env=KEY)
        assert len(api.delivered(LONG_AFTER)) == 5
        run(root, "cancel", "2", "--yes", env=KEY)
        assert api.delivered(LONG_AFTER) == []
        assert run(root, "run-due", env=KEY).stdout == ""
