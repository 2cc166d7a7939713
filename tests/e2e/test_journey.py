"""The way of a director: from an empty folder to mail in the outbox, with the commands as they are typed."""

import csv
import json
import re
import shutil
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.e2e.program import run, write_list
from tests.fakes.sendgrid_api import SendGridApi
from tests.workspaces import CONFIG, ISSUE, write_workspace

PAST_EVENT = "---\ntitle: A workshop\nstarts: 2026-02-25 08:00\nends: 2026-02-25 11:00\n---\nWords about it.\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with five people on the list, two of them teachers."""
    root = write_workspace(tmp_path)
    write_list(root / "list.csv", 5)
    run(root, "subscribers", "import", "list.csv")
    return root


def with_past_event(root: Path) -> Path:
    return write_workspace(
        root,
        {
            "issues/2026-02/issue.yaml": ISSUE + "  - events\n",
            "issues/2026-02/events/index.md": "---\ntitle: Events\n---\n",
            "issues/2026-02/events/workshop.md": PAST_EVENT,
        },
    )


def test_a_new_workspace_builds_checks_and_tests_as_it_is(tmp_path: Path) -> None:
    run(tmp_path, "init", "news")
    root = tmp_path / "news"
    built = run(root, "build")
    assert "email.html" in built.stdout
    checked = run(root, "check").stdout
    assert " error" not in checked
    assert "letter.md:5: warning “Your Name” is a text that comes with a new workspace" in checked
    assert "3 added" in " ".join(run(root, "subscribers", "import", "recipients.example.csv").stdout.split()[::-1])
    tested = run(root, "test", next((root / "issues").iterdir()).name, "--to", "reviewers", "--yes")
    assert "2 test emails for 2 reviewers, in outbox/" in tested.stdout
    (first, _) = sorted((root / "outbox").rglob("*.eml"))
    assert message_from_bytes(first.read_bytes(), policy=policy.default)["Subject"].startswith("[TEST] Welcome")


def test_init_leaves_a_folder_with_something_in_it_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert "is not empty" in run(tmp_path, "init", expect=2).stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_new_issue_is_a_copy_with_a_date_of_its_own(workspace: Path) -> None:
    run(workspace, "new", "2026-03", "--from", "2026-02", "--date", "2026-03-19")
    assert "date: 2026-03-19" in (workspace / "issues/2026-03/issue.yaml").read_text()
    assert (workspace / "issues/2026-03/letter.md").read_text() == (workspace / "issues/2026-02/letter.md").read_text()
    assert "already exists" in run(workspace, "new", "2026-03", expect=2).stderr


def test_build_writes_what_a_person_can_open(workspace: Path) -> None:
    run(workspace, "build", "2026-02")
    names = {path.name for path in (workspace / "build/2026-02").iterdir()}
    assert names == {"email.html", "email.txt", "email.eml", "report.txt", "pictures"}
    assert "Dear Friends," in (workspace / "build/2026-02/email.html").read_text()
    assert "Dear Friends," in (workspace / "build/2026-02/email.txt").read_text()


def test_a_subscribers_own_mail_is_built_without_naming_them(workspace: Path) -> None:
    done = run(workspace, "build", "--as", "person1@example.org")
    built = workspace / "build" / "2026-02"
    assert "person1@example.org" in (built / "subscriber.eml").read_text(encoding="utf-8")
    names = [str(path) for path in workspace.rglob("*")]
    assert not any("person1" in told for told in (done.stdout, done.stderr, *names))
    assert not (workspace / "logs").exists()
    for nobody in ("person99@example.org", ""):
        assert "no subscriber has the address" in run(workspace, "build", "--as", nobody, expect=2).stderr
    note = "would not receive this issue"
    assert note not in done.stderr
    run(workspace, "suppressions", "add", "person1@example.org", "--reason", "unsubscribed", "--yes")
    assert f"{note}: unsubscribed" in run(workspace, "build", "--as", "person1@example.org").stderr


def test_variants_are_built_and_sent_to_whom_they_are_for(workspace: Path) -> None:
    only = ISSUE + "  - section: teaching\n    only: teachers\n"
    write_workspace(
        workspace,
        {
            "issues/2026-02/issue.yaml": only,
            "issues/2026-02/teaching.md": "---\ntype: text\ntitle: For teachers\n---\nOnly teachers read this line.\n",
        },
    )
    run(workspace, "build", "2026-02")
    built = workspace / "build/2026-02"
    assert "Only teachers" not in (built / "email.html").read_text()
    assert "Only teachers" in (built / "email.teachers.html").read_text()
    planned = run(workspace, "send", "2026-02", "--to", "everyone", "--dry-run").stdout
    assert "2 see what is only for teachers" in planned
    assert "3 see only what everyone sees" in planned
    run(workspace, "send", "2026-02", "--to", "everyone", "--yes")
    mails = [
        message_from_bytes(path.read_bytes(), policy=policy.default) for path in (workspace / "outbox").rglob("*.eml")
    ]
    special = [mail["To"] for mail in mails if "Only teachers read" in mail.get_body(("plain",)).get_content()]
    assert len(mails) == 5
    assert sorted(special) == ["Person1 <person1@example.org>", "Person3 <person3@example.org>"]


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_check_reports_in_every_form_and_ends_with_one(workspace: Path, form: str) -> None:
    write_workspace(workspace, {"issues/2026-02/letter.md": "---\ngreting: Hi\n---\n"})
    told = run(workspace, "check", "2026-02", "--format", form, expect=1).stdout
    if form == "json":
        (finding,) = json.loads(told)["findings"]
        assert finding["place"] == {"path": "issues/2026-02/letter.md", "line": 2}
    else:
        assert {"text": "issues/2026-02/letter.md:2: error", "github": "::error file=issues/2026-02/letter.md,line=2"}[
            form
        ] in told


def test_check_explains_every_rule(workspace: Path) -> None:
    told = run(workspace, "check", "--list").stdout
    assert all(f" ({rule}): " in told for rule in ("S3", "S6", "A3", "A4", "A5", "L1", "L2", "E1", "S10", "S15", "S16"))


def test_an_issue_is_judged_by_its_own_date_until_it_is_sent(workspace: Path) -> None:
    with_past_event(workspace)
    run(workspace, "check", "2026-02")
    refused = run(workspace, "send", "2026-02", "--to", "everyone", "--yes", expect=1)
    assert "events/workshop.md:4: error" in refused.stdout
    assert "[E1]" in refused.stdout
    assert not (workspace / "outbox").exists()
    assert "There are no broadcasts yet" in run(workspace, "status").stdout


def test_a_waiver_needs_a_reason_and_stands_in_the_ledger(workspace: Path) -> None:
    with_past_event(workspace)
    send = ("send", "2026-02", "--to", "everyone", "--yes", "--waive", "E1")
    assert "needs its own --because" in run(workspace, *send, expect=2).stderr
    assert "needs a reason" in run(workspace, *send, "--because", " ", expect=2).stderr
    assert "there is no check 'E99'" in run(workspace, *send[:-1], "E99", "--because", "x", expect=2).stderr
    run(workspace, *send, "--because", "the replay is what we announce")
    assert "E1: the replay is what we announce" in run(workspace, "status", "1").stdout


def test_a_dry_run_sends_nothing_and_writes_nothing(workspace: Path) -> None:
    told = run(workspace, "send", "2026-02", "--to", "teachers", "--dry-run")
    assert "teachers: 2 subscribers" in told.stdout
    assert not (workspace / "outbox").exists()
    assert "There are no broadcasts yet" in run(workspace, "status").stdout


def test_nothing_is_sent_where_nobody_can_be_asked(workspace: Path) -> None:
    assert "add --yes" in run(workspace, "send", "2026-02", "--to", "everyone", expect=2).stderr
    assert "add --yes" in run(workspace, "test", "2026-02", "--to", "reviewers", expect=2).stderr
    assert not (workspace / "outbox").exists()


def test_status_adds_up(workspace: Path) -> None:
    run(workspace, "send", "2026-02", "--to", "teachers", "--yes")
    run(workspace, "send", "2026-02", "--to", "everyone", "--yes")
    told = run(workspace, "status", "2").stdout
    assert "3 accepted + 2 excluded + 0 invalid + 0 canceled + 0 unconfirmed = 5 total" in told
    assert "2 already in broadcast 1" in told
    found = json.loads(run(workspace, "status", "2", "--json").stdout)
    assert found["adds_up"]
    assert found["tally"]["accepted"] == 3


def test_an_export_imports_as_unchanged(workspace: Path) -> None:
    run(workspace, "subscribers", "export", "--to", "out.csv")
    assert (workspace / "out.csv").stat().st_mode & 0o077 == 0
    with (workspace / "out.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 5
    assert run(workspace, "subscribers", "export").stdout == (workspace / "out.csv").read_text()
    facts = run(workspace, "subscribers", "import", "out.csv").stdout.split()
    assert facts[facts.index("unchanged") + 1] == "5"


def test_what_is_known_of_a_person_is_shown(workspace: Path) -> None:
    run(workspace, "send", "2026-02", "--to", "teachers", "--yes")
    told = run(workspace, "subscribers", "show", "PERSON1@example.org").stdout
    assert "Person1" in told
    assert "teacher" in told
    assert "2026-02" in told
    assert "nothing is known about" in run(workspace, "subscribers", "show", "x@example.org", expect=2).stderr


def test_segments_are_shown_with_their_counts(workspace: Path) -> None:
    told = run(workspace, "segments").stdout.split()
    assert told[told.index("everyone") + 1] == "5"
    assert told[told.index("teachers") + 1] == "2"


def test_a_test_copy_and_the_broadcast_are_the_same_message_but_for_its_marks(workspace: Path) -> None:
    with SendGridApi() as api:
        provider = f'\n[provider]\nuse = "sendgrid"\n[provider.sendgrid]\napi_url = "{api.url}"\n'
        (workspace / "newsletter.toml").write_text(CONFIG + provider)
        env = {"SENDGRID_API_KEY": "SG.test-key"}
        run(workspace, "test", "2026-02", "--to", "Person1 <person1@example.org>", "--yes", env=env)
        run(workspace, "send", "2026-02", "--to", "teachers", "--yes", env=env)
        copy, mail = (found for found in api.accepted if found.email == "person1@example.org")
    assert copy.subject == f"[TEST] {mail.subject}"
    link = mail.headers["List-Unsubscribe"].strip("<>")
    sample = copy.headers["List-Unsubscribe"].strip("<>")
    own, shown = (re.search(r"https://news\.example\.org/p/[\w.-]+", each.text) for each in (mail, copy))
    assert own is not None
    assert shown is not None
    assert copy.html.replace(sample, link).replace(shown[0], own[0]) == mail.html
    assert copy.text.replace(sample, link).replace(shown[0], own[0]) == mail.text


def test_whoever_asked_to_leave_is_never_mailed_whatever_is_imported(workspace: Path) -> None:
    run(workspace, "suppressions", "add", "Person1@example.org")
    assert "Person1@example.org" in run(workspace, "suppressions", "list").stdout
    assert "1 of them is blocked" in run(workspace, "subscribers", "import", "list.csv").stderr
    told = run(workspace, "send", "2026-02", "--to", "teachers", "--yes").stdout
    assert "1 accepted + 1 excluded + 0 invalid + 0 canceled + 0 unconfirmed = 2 total" in told
    assert "1 unsubscribed" in told
    assert "is not an email address" in run(workspace, "suppressions", "add", "somebody", expect=2).stderr
    run(workspace, "suppressions", "remove", "person1@example.org", "--because", "asked", "--yes")
    again = run(workspace, "suppressions", "remove", "person1@example.org", "--because", "asked", expect=2)
    assert "is not a blocked address" in again.stderr


def test_two_segments_at_once_are_refused_rather_than_one_forgotten(workspace: Path) -> None:
    told = run(workspace, "send", "2026-02", "--to", "teachers", "--to", "everyone", "--yes", expect=2).stderr
    assert "a broadcast goes to one segment" in told


def test_a_dry_run_needs_no_secret(workspace: Path) -> None:
    (workspace / "newsletter.toml").write_text(CONFIG + '\n[provider]\nuse = "sendgrid"\n')
    assert "everyone: 5 subscribers" in run(workspace, "send", "2026-02", "--to", "everyone", "--dry-run").stdout


def test_mail_without_a_section_for_some_readers_is_held_back(workspace: Path) -> None:
    only = ISSUE.replace("  - letter", "  - section: letter\n    only: teachers")
    write_workspace(workspace, {"issues/2026-02/issue.yaml": only})
    told = run(workspace, "check", "2026-02", expect=1).stdout
    assert "readers outside teachers would get an empty email" in told


def test_check_knows_the_fields_of_the_list_once_there_is_one(workspace: Path) -> None:
    write_workspace(
        workspace, {"issues/2026-02/letter.md": 'Hello {{ nikname | default("you") }}, here is a letter.\n'}
    )
    assert "no subscriber has the field 'nikname'" in run(workspace, "check", "2026-02", expect=1).stdout
    assert "1 error" in run(workspace, "build", "2026-02", expect=1).stderr


def test_a_first_issue_can_be_made_where_there_is_none(workspace: Path) -> None:
    shutil.rmtree(workspace / "issues/2026-02")
    run(workspace, "new", "2026-12", "--date", "2026-12-03")
    assert "email.html" in run(workspace, "build").stdout
