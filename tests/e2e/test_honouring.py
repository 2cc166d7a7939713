"""Who is left out of a broadcast, and what is said of it: topics, consent, mailboxes that take nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.model.event import SoftBounce
from newsletter.store.opening import open_database
from newsletter.store.soft_bounces import add_soft_bounces
from tests.e2e.program import run, write_list
from tests.workspaces import CONFIG, ISSUE, write_workspace

TOPICS = '[topics]\nnews = "News and letters"\nevents = "Events and retreats"\n'
SEND = ("send", "2026-02", "--to", "everyone")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Topics, an issue about events, and six people of whom one never said yes."""
    files = {"newsletter.toml": CONFIG + TOPICS, "issues/2026-02/issue.yaml": ISSUE + "topics: [events]\n"}
    root = write_workspace(tmp_path, files)
    write_list(root / "list.csv", 5)
    with (root / "list.csv").open("a", encoding="utf-8") as file:
        file.write("bought@example.org,,,,\n")
    run(root, "subscribers", "import", "list.csv")
    return root


def receivers(root: Path) -> int:
    return len(list((root / "outbox").rglob("*.eml")))


def test_whoever_left_a_topic_keeps_the_other(workspace: Path) -> None:
    run(workspace, "suppressions", "add", "person1@example.org", "--topic", "events")

    planned = run(workspace, *SEND, "--dry-run").stdout
    assert "Events and retreats" in planned
    assert "1 left the topic events" in planned
    run(workspace, *SEND, "--yes")
    assert receivers(workspace) == 4
    assert "left the topic events" in run(workspace, "audit", "1", "person1@example.org").stdout

    run(workspace, "new", "2026-03")
    assert "topics: [events]" in (workspace / "issues/2026-03/issue.yaml").read_text()
    (workspace / "issues/2026-03/issue.yaml").write_text(ISSUE + "topics: [events, news]\n", encoding="utf-8")
    assert "left the topic" not in run(workspace, "send", "2026-03", "--to", "everyone", "--dry-run").stdout


def test_whoever_never_said_yes_is_left_out_until_a_basis_is_stated(workspace: Path) -> None:
    planned = run(workspace, *SEND, "--dry-run")
    assert "1 no consent on record" in planned.stdout
    assert "1 subscriber left out: no consent on record; import the list again" in planned.stderr
    assert "[L3]" in planned.stderr
    refused = run(workspace, *SEND, "--yes", "--waive", "L3", "--because", "we know them", expect=2)
    assert "L3: this check cannot be overridden" in refused.stderr

    run(workspace, "subscribers", "import", "list.csv", "--basis", "customers since 2020")

    planned = run(workspace, *SEND, "--dry-run")
    assert "everyone: 6 subscribers" in planned.stdout
    assert "L3" not in planned.stderr


def test_rules_of_the_audience_are_explained_with_the_others(workspace: Path) -> None:
    told = run(workspace, "check", "--list").stdout
    assert " (L3): warning, " in told


def test_an_address_that_keeps_bouncing_is_suppressed_by_the_next_broadcast(workspace: Path) -> None:
    now = datetime.now(UTC)
    with open_database(workspace / "newsletter.db") as database:
        add_soft_bounces(
            database,
            [SoftBounce(email="person2@example.org", at=now - timedelta(days=7 * week)) for week in range(5)],
        )

    said = "1 address soft-bounced too often and will be blocked before anything is sent"
    assert said in run(workspace, *SEND, "--dry-run").stderr
    assert "person2" not in run(workspace, "suppressions", "list").stdout
    sent = run(workspace, *SEND, "--yes")

    assert "1 address blocked after too many soft bounces" in sent.stderr
    assert receivers(workspace) == 4
    assert "person2@example.org" in run(workspace, "suppressions", "list", "--reason", "bounced").stdout


@pytest.mark.parametrize(
    ("topics", "written"),
    [("", ""), ('[topics]\nletters = "Letters"\nart = "Art"\n', "topics:\n  - letters\n")],
)
def test_the_first_issue_of_a_workspace_is_about_its_first_topic(tmp_path: Path, topics: str, written: str) -> None:
    (tmp_path / "newsletter.toml").write_text(CONFIG + topics, encoding="utf-8")
    (tmp_path / "issues").mkdir()

    run(tmp_path, "new", "2026-03")

    stands = (tmp_path / "issues/2026-03/issue.yaml").read_text(encoding="utf-8")
    assert stands.partition("date: ")[2].partition("\n")[2].startswith(f"{written}sections:")
    findings = [line for line in run(tmp_path, "check").stdout.splitlines() if line.startswith("issues/")]
    assert findings
    assert all("comes with a new workspace" in line for line in findings)
