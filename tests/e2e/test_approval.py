"""A workspace that demands approval and a test: nothing leaves without both, and any edit asks for them again."""

from pathlib import Path

import pytest

from tests.e2e.program import run, write_list
from tests.workspaces import CONFIG, ISSUE, LETTER, write_workspace

DEMANDS = "\n[delivery]\nrequire_approval = true\nrequire_test = true\n"
SEND = ("send", "2026-02", "--to", "everyone", "--yes")
APPROVE = ("approve", "2026-02", "--by", "Ana Lima", "--yes")
TEST = ("test", "2026-02", "--to", "reviewers", "--yes")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with two people on the list, and both demands."""
    root = write_workspace(tmp_path, {"newsletter.toml": CONFIG + DEMANDS})
    write_list(root / "list.csv", 2)
    run(root, "subscribers", "import", "list.csv")
    return root


def broadcasts(root: Path) -> str:
    return run(root, "status").stdout


def test_what_was_tested_and_approved_is_sent(workspace: Path) -> None:
    refused = run(workspace, *SEND, expect=1).stdout
    assert "issues/2026-02: error no one has approved it" in refused
    assert "newsletter approve 2026-02 --by NAME [R1]" in refused
    assert "newsletter test 2026-02 --to reviewers [R2]" in refused
    assert "There are no broadcasts yet" in broadcasts(workspace)

    assert "newsletter approve 2026-02 --by NAME" in run(workspace, *TEST).stderr
    half = run(workspace, *SEND, expect=1).stdout
    assert "[R1]" in half
    assert "[R2]" not in half

    approved = run(workspace, *APPROVE)
    assert "Ana Lima approved 2026-02" in approved.stdout
    assert "2 accepted" in run(workspace, *SEND).stdout


def test_an_edit_after_the_yes_holds_the_broadcast_back(workspace: Path) -> None:
    run(workspace, *TEST)
    run(workspace, *APPROVE)
    write_workspace(
        workspace,
        {"newsletter.toml": CONFIG + DEMANDS, "issues/2026-02/letter.md": LETTER.replace("small letter", "new letter")},
    )

    refused = run(workspace, *SEND, expect=1).stdout

    assert "changed after Ana Lima approved it on" in refused
    shown = run(workspace, "approve", "2026-02", "--by", "Noor", expect=2)
    assert "changed since Ana Lima approved" in shown.stdout
    assert "no test email of this content has been sent" in shown.stdout


def test_a_demand_is_waived_like_a_check_and_stands_in_the_ledger(workspace: Path) -> None:
    run(workspace, *TEST)
    run(workspace, *SEND, "--waive", "R1", "--because", "Ana said yes on the phone")
    assert "R1: Ana said yes on the phone" in run(workspace, "status", "1").stdout
    assert "R1: Ana said yes on the phone" in run(workspace, "audit", "1").stdout


def test_approving_shows_what_is_approved_and_asks(workspace: Path) -> None:
    write_workspace(
        workspace,
        {
            "newsletter.toml": CONFIG + DEMANDS,
            "issues/2026-02/issue.yaml": ISSUE + "  - section: teaching\n    only: teachers\n",
            "issues/2026-02/teaching.md": "---\ntype: text\ntitle: For teachers\n---\nOnly teachers read this line.\n",
        },
    )
    told = run(workspace, "approve", "2026-02", "--by", "Ana Lima", expect=2)
    assert "add --yes" in told.stderr
    for words in ("A small letter for everybody", "what is only for teachers", "No problems found.", "not yet"):
        assert words in told.stdout
    assert "is not a name" in run(workspace, "approve", "2026-02", "--by", " ", "--yes", expect=2).stderr
    assert "[R1]" in run(workspace, *SEND, expect=1).stdout


def test_check_explains_the_demands(workspace: Path) -> None:
    told = run(workspace, "check", "--list").stdout
    assert " (R1): error, " in told
    assert " (R2): error, " in told
