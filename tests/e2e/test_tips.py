"""Tips for each reader's own mailbox, from the files to the outbox, with the commands as they are typed."""

import json
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.e2e.program import run
from tests.steps import steps_file
from tests.workspaces import CONFIG, ISSUE, write_workspace

STEPS = {  # words of each app's steps that stand in no other's
    "gmail-phone": "Choose “Move”.",
    "gmail-desktop": "Drag this email onto the “Primary” tab",
    "apple-mail": "Choose “Categorize Sender”",
    "outlook": "Choose “Move to Focused Inbox”",
    "yahoo": "Choose “Add to contacts” and save.",
    "other": "Add the address that this email came from to your contacts.",
}
READERS = {
    "ana@gmail.com": {"gmail-phone", "gmail-desktop"},
    "Bo@Me.com": {"apple-mail"},
    "cy@hotmail.fr": {"outlook"},
    "di@aol.com": {"yahoo"},
    "ed@example.org": {"other"},
    "fe@proton.me": {"other"},
}
TIPS = "---\ntitle: Help us find your inbox\nshow: own\n---\nA few steps.\n"
VARIANTS = """\
1 see the steps for Gmail
1 see the steps for iCloud
1 see the steps for Outlook, Hotmail
1 see the steps for Yahoo, AOL
2 see the steps for other mailboxes"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with readers at every mailbox provider that has steps of its own, and at two that have none."""
    reviewers = 'reviewers = ["Ana Lima <ana@gmail.com>", "noor@example.net"]'
    root = write_workspace(
        tmp_path,
        {
            "newsletter.toml": CONFIG.replace(CONFIG.splitlines()[-1], reviewers),
            "issues/2026-02/issue.yaml": ISSUE + "  - tips\n",
            "issues/2026-02/tips.md": TIPS,
            "list.csv": "email,consented_at,consent_source\n"
            + "".join(f"{email},2025-01-01,test\n" for email in READERS),
        },
    )
    run(root, "subscribers", "import", "list.csv")
    return root


def apps_in(text: str) -> set[str]:
    words = " ".join(text.split())
    return {app for app, step in STEPS.items() if step in words}


def outbox(root: Path) -> dict[str, tuple[str, set[str], set[str]]]:
    """What each address got: the subject, and the apps whose steps stand in the HTML and in the text."""
    mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in (root / "outbox").rglob("*.eml")]
    return {
        mail["To"].addresses[0].addr_spec: (
            mail["Subject"],
            apps_in(mail.get_body(("html",)).get_content()),
            apps_in(mail.get_body(("plain",)).get_content()),
        )
        for mail in mails
    }


def lines_of(told: str) -> list[str]:
    return [" ".join(line.split()) for line in told.splitlines()]


def test_every_reader_gets_the_steps_for_their_own_mailbox(workspace: Path) -> None:
    run(workspace, "send", "2026-02", "--to", "everyone", "--yes")

    got = {email.casefold(): (html, text) for email, (_, html, text) in outbox(workspace).items()}
    assert got == {email.casefold(): (apps, apps) for email, apps in READERS.items()}


def test_the_plan_and_the_status_say_how_many_see_which_steps(workspace: Path) -> None:
    planned = run(workspace, "send", "2026-02", "--to", "everyone", "--dry-run").stdout
    run(workspace, "send", "2026-02", "--to", "everyone", "--yes")
    stood = run(workspace, "status", "1").stdout

    for told in (planned, stood):
        assert f"variants {VARIANTS}".splitlines() == [line for line in lines_of(told) if "see the steps" in line]
    found = json.loads(run(workspace, "status", "1", "--json").stdout)["variants"]
    assert found[0] == {"segments": [], "mailbox": "gmail", "deliveries": 1}
    assert [each["deliveries"] for each in found] == [1, 1, 1, 1, 2]


def test_build_writes_a_file_for_each_mailbox(workspace: Path) -> None:
    run(workspace, "build", "2026-02")

    folder = workspace / "build/2026-02"
    assert apps_in((folder / "email.txt").read_text()) == {"other"}
    assert apps_in((folder / "email.gmail.txt").read_text()) == {"gmail-phone", "gmail-desktop"}
    assert {path.name for path in folder.glob("*.html")} == {
        "email.html",
        "email.gmail.html",
        "email.icloud.html",
        "email.outlook.html",
        "email.yahoo.html",
    }
    assert "  Outlook, Hotmail: " in (folder / "report.txt").read_text()


def test_a_reviewer_gets_what_readers_at_their_own_mailbox_get(workspace: Path) -> None:
    tested = run(workspace, "test", "2026-02", "--yes").stdout

    assert "2 test emails for 2 reviewers, in outbox/" in tested
    assert outbox(workspace) == {
        "ana@gmail.com": (
            "[TEST Gmail] A small letter for everybody",
            READERS["ana@gmail.com"],
            READERS["ana@gmail.com"],
        ),
        "noor@example.net": ("[TEST other mailboxes] A small letter for everybody", {"other"}, {"other"}),
    }


def test_an_approval_names_every_variant_and_ends_with_an_edit_of_the_steps(workspace: Path) -> None:
    approved = run(workspace, "approve", "2026-02", "--by", "Ana Lima", "--yes").stdout
    assert "with the steps for Gmail" in approved
    assert "with the steps for other mailboxes" in approved

    write_workspace(workspace, {"templates/tips/en.yaml": steps_file().replace("Choose “Move”.", "Tap “Move”.")})
    write_workspace(workspace, {"issues/2026-02/issue.yaml": ISSUE + "  - tips\n", "issues/2026-02/tips.md": TIPS})
    again = run(workspace, "approve", "2026-02", "--by", "Ana Lima", "--yes").stdout
    assert "changed since Ana Lima approved" in again


def test_a_mistake_in_the_steps_is_a_finding_with_its_line(workspace: Path) -> None:
    (workspace / "templates/tips").mkdir(parents=True)
    (workspace / "templates/tips/en.yaml").write_text("gmail-phone:\n  titel: Gmail\n")

    told = run(workspace, "check", "2026-02", expect=1).stdout

    assert "templates/tips/en.yaml:2: error unknown key 'gmail-phone › titel'; did you mean title?" in told
