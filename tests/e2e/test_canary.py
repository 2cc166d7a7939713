"""A canary as a person sees it: the plan, what waits, and the question before the others get it."""

import json
from pathlib import Path

from tests.e2e.program import run, write_list
from tests.workspaces import write_workspace


def emails(root: Path) -> int:
    return len(list(root.glob("outbox/**/*.eml")))


def test_a_few_people_get_it_first_and_the_others_once_a_person_says_so(tmp_path: Path) -> None:
    write_workspace(tmp_path)
    write_list(tmp_path / "list.csv", 250)
    run(tmp_path, "subscribers", "import", "list.csv")

    sent = run(tmp_path, "send", "2026-02", "--to", "everyone", "--canary", "--yes")

    assert (sent.returncode, emails(tmp_path)) == (0, 100)
    assert "100 people, drawn by lot at every mailbox provider, get it first" in sent.stdout
    assert "100 people got it first; the other 150 people wait for what comes back about them" in sent.stdout
    assert "too small to be sure to notice complaints" in sent.stderr
    run(tmp_path, "run-due")
    found = json.loads(run(tmp_path, "status", "1", "--json").stdout)
    assert (found["state"], found["waves"]["first"], found["waves"]["rest"]) == ("watching", 100, 150)
    assert emails(tmp_path) == 100

    going_on = run(tmp_path, "resume", "--yes")

    assert (going_on.returncode, emails(tmp_path)) == (0, 250)
    assert "whatever comes back" in going_on.stdout
    audited = run(tmp_path, "audit", "1").stdout
    assert "released" in audited
