"""People who left, as a person types it: the question about a column, both answers, and people in doubt."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.e2e.program import command, environment, run
from tests.workspaces import write_workspace

UNCLEAR = "email,Left\nana@example.org,2020\nben@example.org,\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with Ana, Ben and Cy on the list."""
    root = write_workspace(tmp_path)
    people = [f"{name}@example.org,2025-01-01,form" for name in ("ana", "ben", "cy")]
    (root / "list.csv").write_text("\n".join(["email,consented_at,consent_source", *people]))
    run(root, "subscribers", "import", "list.csv")
    return root


def import_of(root: Path, content: str, *options: str, expect: int = 0) -> str:
    (root / "other.csv").write_text(content)
    done = run(root, "subscribers", "import", "other.csv", *options, expect=expect)
    return done.stdout + done.stderr


def emailed(root: Path) -> set[str]:
    """Return the names of the people on the list whose addresses are not blocked."""
    listed = json.loads(run(root, "subscribers", "list", "--json").stdout)
    blocked = json.loads(run(root, "suppressions", "list", "--json").stdout)
    return {each["email"].partition("@")[0] for each in listed} - {each["email"].partition("@")[0] for each in blocked}


def answered(root: Path, content: str, said: str) -> tuple[int, str]:
    """Import a list on a terminal where a person types an answer. Return the exit code, and the output."""
    (root / "other.csv").write_text(content)
    terminal, own = pty.openpty()
    done = subprocess.Popen(
        command("subscribers", "import", "other.csv"),
        cwd=root,
        env=environment(),
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


@pytest.mark.parametrize(
    ("name", "cell"), [("Left", "2020"), ("Newsletter", "no"), ("Remarks", "opted out"), ("Retirée", "oui")]
)
def test_an_unclear_column_stops_the_import_with_both_answers(workspace: Path, name: str, cell: str) -> None:
    content = f"email,{name}\nana@example.org,{cell}\nben@example.org,\n"

    told = import_of(workspace, content, expect=2)

    assert f"other.csv:2: the column {name!r} may say who unsubscribed: a cell in it is {cell!r}" in told
    assert f'--map "{name}=unsubscribed"' in told
    assert f'--map "{name}="' in told
    assert emailed(workspace) == {"ana", "ben", "cy"}

    import_of(workspace, content, "--map", f"{name}=")
    assert emailed(workspace) == {"ana", "ben", "cy"}

    import_of(workspace, content, "--map", f"{name}=unsubscribed")
    assert "ana" not in emailed(workspace)
    assert "cy" in emailed(workspace)


@pytest.mark.parametrize(("said", "code", "left"), [("y", 0, {"ben", "cy"}), ("no", 0, {"ana", "ben", "cy"})])
def test_at_a_terminal_a_person_is_asked(workspace: Path, said: str, code: int, left: set[str]) -> None:
    done, told = answered(workspace, UNCLEAR, said)

    assert "Line 2: Left is '2020'. Does this column say who unsubscribed?" in told
    assert (done, emailed(workspace)) == (code, left)


@pytest.mark.parametrize("said", ["stop", "", "perhaps"])
def test_no_clear_answer_imports_nothing(workspace: Path, said: str) -> None:
    done, told = answered(workspace, UNCLEAR, said)

    assert done == 2
    assert told.rstrip().endswith("Nothing was imported.")
    assert "error:" not in told
    assert emailed(workspace) == {"ana", "ben", "cy"}


@pytest.mark.parametrize(
    "rows",
    [
        "ana@example.org,yes,Ann,Smith\nana@example.org,,Ann\ndi@example.org,yes,Di,Doe\ndi@example.org,,Di\n",
        'ana@example.org,"yes\nby phone",Ann\nana@example.org,,Ann\ndi@example.org,"yes\n!",Di\ndi@example.org,,Di\n',
        "di@example.org,,Di\nana@example.org,,Ann\nana@example.org,2025-01-01,Ann,Smith\ndi@example.org,x,Di,Doe\n",
    ],
)
def test_row_that_cannot_be_read_keeps_its_person_out(workspace: Path, rows: str) -> None:
    told = import_of(workspace, f"email,Unsubscribed,Name\n{rows}", "--basis", "member", expect=1)

    assert emailed(workspace) == {"ben", "cy"}
    assert "In doubt: 1 person on your list." in told
    listed = json.loads(run(workspace, "suppressions", "list", "--json").stdout)
    assert [(each["email"], each["reason"]) for each in listed] == [("ana@example.org", "in doubt")]


def test_list_of_blocks_with_an_unclear_column_is_not_used_before_an_answer(workspace: Path) -> None:
    (workspace / "left.csv").write_text("email,Newsletter\nana@example.org,nein\nben@example.org,ja\n")

    refused = run(workspace, "suppressions", "add", "--file", "left.csv", "--yes", expect=2)
    assert '--map "Newsletter=unsubscribed"' in refused.stderr
    assert emailed(workspace) == {"ana", "ben", "cy"}

    options = ("--map", "Newsletter=unsubscribed", "--yes")
    run(workspace, "suppressions", "add", "--file", "left.csv", *options)
    assert emailed(workspace) == {"ben", "cy"}


def test_people_who_left_and_are_not_on_the_list_are_blocked_on_request(workspace: Path) -> None:
    content = "email,status\ndi@example.org,unsubscribed\nel@example.org,bounced\nben@example.org,active\n"

    told = import_of(workspace, content, expect=1)
    assert "next: newsletter subscribers import other.csv --leavers suppress" in told
    assert "corrected" not in told
    assert "No addresses are blocked." in run(workspace, "suppressions", "list").stdout

    import_of(workspace, content, "--leavers", "suppress")
    blocked = json.loads(run(workspace, "suppressions", "list", "--json").stdout)
    assert {(each["email"], each["reason"]) for each in blocked} == {
        ("di@example.org", "unsubscribed"),
        ("el@example.org", "bounced"),
    }


@pytest.mark.parametrize(
    ("row", "has_to_be_corrected"),
    [("ana@example.org,unsubscribed", False), ("di@example.org,pending", False), ("di@example.org,inactive", True)],
)
def test_only_rows_that_can_be_corrected_are_to_be_corrected(
    workspace: Path, row: str, has_to_be_corrected: bool
) -> None:
    content = f"email,status\n{row}\nben@example.org,active\nel@example.org,unsubscribed\n"

    told = import_of(workspace, content, expect=1)

    assert ("once you have corrected the rejected rows" in told) is has_to_be_corrected
    assert ("next: newsletter segments" in told) is not has_to_be_corrected


@pytest.mark.parametrize("status", ["inactive", "on holiday", "soft bounce"])
def test_a_person_in_doubt_gets_no_email_until_someone_answers(workspace: Path, status: str) -> None:
    content = f"email,status\nana@example.org,{status}\nben@example.org,subscribed\ncy@example.org,{status}\n"
    doubt = "newsletter suppressions list --reason 'in doubt'"

    planned = import_of(workspace, content, "--dry-run")
    assert "In doubt: 2 people on your list." in planned
    assert doubt not in planned

    told = import_of(workspace, content)
    assert "In doubt: 2 people on your list. No email is sent to them until you say whether they left." in told
    assert f"next: {doubt}" in told
    assert "next: newsletter suppressions add EMAIL" in told
    assert 'next: newsletter suppressions remove EMAIL --because "…"' in told
    listed = run(workspace, "suppressions", "list", "--reason", "in doubt").stdout
    assert "cannot tell whether this person left" in listed

    sent = run(workspace, "send", "2026-02", "--to", "everyone", "--yes")
    assert "2 in doubt" in " ".join((sent.stdout + sent.stderr).split())
    assert len(list((workspace / "outbox").rglob("*.eml"))) == 1
    audited = run(workspace, "audit", "1", "ana@example.org").stdout
    assert audited.startswith("No.")
    assert "in doubt" in audited

    added = run(workspace, "suppressions", "add", "ana@example.org").stdout
    assert "now with the reason unsubscribed" in added
    run(workspace, "suppressions", "remove", "cy@example.org", "--because", "she wrote that she reads it", "--yes")
    assert emailed(workspace) == {"ben", "cy"}
    run(workspace, "send", "2026-02", "--to", "everyone", "--yes")
    assert len(list((workspace / "outbox").rglob("*.eml"))) == 2
