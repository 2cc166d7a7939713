"""A follow-up as a director sends it: another subject, to those who are known not to have opened the issue."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.store.opening import open_database
from newsletter.system.moments import text_of
from tests.e2e.program import run, write_list
from tests.workspaces import write_workspace

SUBJECT = "Last days"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose issue went to five people three days ago. Four had agreed to tracking, and one opened it."""
    root = write_workspace(tmp_path_factory.mktemp("followed"))
    with (root / "newsletter.toml").open("a", encoding="utf-8") as file:
        file.write('\n[tracking]\nmode = "consented"\n\n[delivery]\nrequire_approval = true\n')
    write_list(root / "list.csv", 5)
    run(root, "subscribers", "import", "list.csv")
    run(root, "approve", "2026-02", "--by", "Ana", "--yes")
    run(root, "send", "2026-02", "--to", "everyone", "--yes")
    then = text_of(datetime.now(UTC) - timedelta(days=3))
    with closing(open_database(root / "newsletter.db")) as database, database.transaction() as connection:
        for change in (
            "UPDATE subscriber SET tracking_consented_at = '2020-01-01T00:00:00Z' WHERE email <> 'person1@example.org'",
            "UPDATE broadcast SET tracking = 'consented', created_at = :then",
            "UPDATE chunk SET changed_at = :then",
            "INSERT INTO reaction (broadcast, type, subscriber, last_at) "
            "SELECT 1, 'opened', id, :then FROM subscriber WHERE email = 'person2@example.org'",
        ):
            connection.execute(change, {"then": then})
    return root


def test_a_follow_up_is_approved_sent_and_accounted_for(workspace: Path) -> None:
    follow_up = ("send", "--follow-up", "2026-02", "--subject", SUBJECT)
    refused = run(workspace, *follow_up, "--yes", expect=1)
    assert "newsletter approve 2026-02 --subject 'Last days' --by NAME" in refused.stdout + refused.stderr
    run(workspace, "approve", "2026-02", "--subject", SUBJECT, "--by", "Ana", "--yes")

    planned = run(workspace, *follow_up, "--dry-run")
    assert "everyone: 3 subscribers" in planned.stdout
    assert "1 opened it" in planned.stdout
    assert "1 without known opens" in planned.stdout
    assert "4 of the 5 people who received 2026-02" in planned.stderr

    sent = run(workspace, *follow_up, "--yes")
    assert "Broadcast 2: follow-up of 2026-02 to everyone" in sent.stdout
    mails = sorted((workspace / "outbox").glob("*2*/*.eml")) or sorted((workspace / "outbox").rglob("*.eml"))
    subjects = [line for mail in mails for line in mail.read_text().splitlines() if line == f"Subject: {SUBJECT}"]
    assert len(subjects) == 3

    assert "2026-02 (follow-up)" in run(workspace, "status").stdout
    assert "Follow-up: 3 accepted." in run(workspace, "status", "2026-02").stdout
    audited = json.loads(run(workspace, "audit", "2", "--list", "excluded", "--json").stdout)
    assert {each["email"]: each["reason"] for each in audited} == {
        "person1@example.org": "without known opens",
        "person2@example.org": "opened it",
    }
    again = run(workspace, *follow_up, "--yes", expect=2)
    assert "3 already in broadcast 2" in again.stderr
    plain = run(workspace, "send", "2026-02", "--to", "everyone", "--yes", expect=2)
    assert "5 already in broadcast 1" in plain.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--follow-up",), "a follow-up needs a subject of its own"),
        (("--to", "everyone", "--subject", SUBJECT), "--subject is only for a follow-up"),
        (("--follow-up", "--subject", SUBJECT, "--proposal", "1"), "a proposal is not a follow-up"),
        (("--follow-up", "--subject", SUBJECT, "--subject", "More"), "is the second one in the same language"),
    ],
)
def test_options_that_do_not_belong_together_are_said(workspace: Path, options: tuple[str, ...], said: str) -> None:
    assert said in run(workspace, "send", "2026-02", *options, "--dry-run", expect=2).stderr
