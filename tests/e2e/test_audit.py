"""The account of a broadcast, as a person asks for it."""

import csv
import json
import re
from pathlib import Path

import pytest

from tests.e2e.program import run, write_list
from tests.workspaces import write_workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose first broadcast went to the two teachers of five, its second to the rest but one who left."""
    root = write_workspace(tmp_path_factory.mktemp("audited"))
    write_list(root / "list.csv", 5)
    run(root, "subscribers", "import", "list.csv")
    run(root, "suppressions", "add", "person0@example.org")
    run(root, "send", "2026-02", "--to", "teachers", "--yes")
    run(root, "send", "2026-02", "--to", "everyone", "--yes")
    return root


def test_the_account_adds_up_and_says_what_happened(workspace: Path) -> None:
    told = run(workspace, "audit", "2").stdout
    assert "2 accepted + 3 excluded + 0 invalid + 0 canceled + 0 unconfirmed = 5 total" in told
    assert "2 already in broadcast 1" in told
    assert "1 unsubscribed" in told
    assert re.search(r"^\S+ \S+ P[DS]T +created +5 people in segment everyone", told, re.MULTILINE)
    assert "frozen" not in told
    assert "done" in told
    found = json.loads(run(workspace, "audit", "2", "--json").stdout)
    assert found["adds_up"]
    assert [(request["state"], request["deliveries"]) for request in found["requests"]] == [("accepted", 2)]
    assert [entry["entry"] for entry in found["journal"]] == ["frozen", "done"]


def test_each_part_is_listed(workspace: Path) -> None:
    listed = {
        part: run(workspace, "audit", "2", "--list", part).stdout.splitlines()
        for part in ("accepted", "excluded", "invalid", "canceled", "unconfirmed", "rejected", "waiting", "being-sent")
    }
    assert {part: len(lines) for part, lines in listed.items() if lines} == {"accepted": 2, "excluded": 3}
    assert any("person0@example.org" in line and "unsubscribed" in line for line in listed["excluded"])
    found = json.loads(run(workspace, "audit", "2", "--list", "accepted", "--json").stdout)
    assert [delivery["email"] for delivery in found] == ["person2@example.org", "person4@example.org"]
    assert json.loads(run(workspace, "audit", "2", "--list", "unconfirmed", "--json").stdout) == []


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("Person2@example.org", "Yes. outbox accepted the email to Person2@example.org on 20"),
        ("person0@example.org", "No. person0@example.org was left out on 20"),
        ("person1@example.org", "already in broadcast 1"),
        ("stranger@example.net", "No. stranger@example.net was not a recipient of broadcast 2."),
    ],
)
def test_an_address_is_answered_for(workspace: Path, address: str, sentence: str) -> None:
    assert sentence in run(workspace, "audit", "2", address).stdout
    assert sentence in json.loads(run(workspace, "audit", "2", address, "--json").stdout)["answer"]


def test_where_else_somebody_got_the_issue_is_told(workspace: Path) -> None:
    told = run(workspace, "audit", "2", "person1@example.org").stdout
    assert "broadcast 1 of this issue: accepted on 20" in told


def test_everybody_can_be_had_in_a_file(workspace: Path) -> None:
    told = run(workspace, "audit", "2", "--csv", "account.csv")
    assert "Saved 5 people to account.csv" in told.stderr
    path = workspace / "account.csv"
    assert path.stat().st_mode & 0o077 == 0
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["status"] for row in rows) == ["accepted"] * 2 + ["excluded"] * 3
    assert "already exists" in run(workspace, "audit", "2", "--csv", "account.csv", expect=2).stderr
    run(workspace, "audit", "2", "--csv", "account.csv", "--list", "excluded", "--force")
    assert len(path.read_text().splitlines()) == 1 + 3


def test_what_does_not_go_together_is_refused(workspace: Path) -> None:
    told = run(workspace, "audit", "2", "person1@example.org", "--csv", "x.csv", expect=2).stderr
    assert "an address cannot be combined with --list or --csv" in told
    assert "there is no broadcast 9" in run(workspace, "audit", "9", expect=2).stderr
