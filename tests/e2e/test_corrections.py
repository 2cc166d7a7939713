"""Corrections as a person types them: the change is shown, and more than one person is changed only after a yes."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.program import command, environment, run


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    run(tmp_path, "init", "news")
    (tmp_path / "news" / "l.csv").write_text(
        "email,tags,first_name\nana@example.org,wrong,Wrong\nbo@example.org,wrong,Bo\n"
    )
    run(tmp_path / "news", "subscribers", "import", "l.csv", "--basis", "members")
    return tmp_path / "news"


def test_wrong_tag_and_name_of_one_person_are_taken_off(workspace: Path) -> None:
    options = ("ana@example.org", "--untag", "wrong", "--set", "first_name=Ana")

    done = run(workspace, "subscribers", "edit", *options)

    assert "Wrong → Ana" in done.stdout
    assert "wrong → none" in done.stdout
    assert "Ana" in run(workspace, "subscribers", "show", "ana@example.org").stdout
    assert "already" in run(workspace, "subscribers", "edit", *options).stdout


def test_many_are_edited_after_a_yes(workspace: Path) -> None:
    options = ("--where", 'tagged("wrong")', "--untag", "wrong")

    assert "2 of them would change" in run(workspace, "subscribers", "edit", *options, "--dry-run").stdout
    refused = run(workspace, "subscribers", "edit", *options, expect=2)
    assert "--yes" in refused.stderr
    assert "2 people changed" in run(workspace, "subscribers", "edit", *options, "--yes").stdout
    assert "no one" not in run(workspace, "subscribers", "list", "--where", 'tagged("wrong")').stdout


def test_expression_that_means_no_one_is_said_with_a_note_before_anything_is_asked(workspace: Path) -> None:
    done = run(workspace, "subscribers", "edit", "--where", 'first_name = "Zoe"', "--tag", "x", "--dry-run")

    assert done.stdout == "No subscriber matches.\n"
    assert "note: No subscriber has the value 'Zoe' in first_name." in done.stderr
    assert "Dry run: nothing was changed." in done.stderr


def test_name_is_answered_with_the_two_columns(workspace: Path) -> None:
    done = run(workspace, "subscribers", "edit", "ana@example.org", "--set", "name=Cloe", expect=2)

    assert "there is no column 'name'; write first_name or last_name" in done.stderr


def test_import_that_changes_nothing_does_not_use_up_the_undo(workspace: Path) -> None:
    (workspace / "wrong.csv").write_text("email\ncy@example.org\n")
    run(workspace, "subscribers", "import", "wrong.csv", "--basis", "members")
    run(workspace, "subscribers", "import", "wrong.csv", "--basis", "members")

    assert "The import of wrong.csv was undone." in run(workspace, "subscribers", "undo-import", "--yes").stdout
    assert "cy@example.org" not in run(workspace, "subscribers", "list").stdout


def test_lost_consent_is_said(workspace: Path) -> None:
    done = run(workspace, "subscribers", "edit", "ana@example.org", "--clear", "consent_basis")

    assert "yes → no, so no email is sent" in done.stdout


def test_new_address_is_said_to_block_the_old_one(workspace: Path) -> None:
    done = run(workspace, "subscribers", "edit", "ana@example.org", "--set", "email=lima@example.com")

    assert "ana@example.org → lima@example.com" in done.stdout
    assert "ana@example.org is blocked now" in done.stderr


@pytest.mark.parametrize("options", [("--tag", "a"), ("ana@example.org", "--segment", "everyone", "--tag", "a")])
def test_people_are_named_in_one_way(workspace: Path, options: tuple[str, ...]) -> None:
    assert "in one way" in run(workspace, "subscribers", "edit", *options, expect=2).stderr


def test_import_of_the_wrong_file_is_undone_after_a_yes(workspace: Path) -> None:
    (workspace / "wrong.csv").write_text("email,first_name\nana@example.org,Anna\ncy@example.org,Cy\n")
    run(workspace, "subscribers", "import", "wrong.csv", "--basis", "members")

    assert "--yes" in run(workspace, "subscribers", "undo-import", expect=2).stderr
    done = run(workspace, "subscribers", "undo-import", "--yes")

    assert "The import of wrong.csv was undone." in done.stdout
    listed = run(workspace, "subscribers", "list").stdout
    assert "cy@example.org" not in listed
    assert "Anna" not in listed
    assert "wrong.csv (undone)" in run(workspace, "subscribers", "stats").stdout
    assert "can be undone, once" in run(workspace, "subscribers", "undo-import", "--yes", expect=2).stderr


def test_what_an_undo_keeps_is_listed(workspace: Path) -> None:
    run(workspace, "subscribers", "edit", "ana@example.org", "--set", "first_name=Ana")

    done = run(workspace, "subscribers", "undo-import", "--dry-run")

    assert "ana@example.org stays on the list: edited since" in done.stderr
    assert "Ana" in run(workspace, "subscribers", "list").stdout


def answer_yes_after(meanwhile: Callable[[], object], workspace: Path, *arguments: str) -> tuple[int, str]:
    """Run a command on a terminal. At its question, do something else first, and then answer yes."""
    mine, its = os.openpty()
    with subprocess.Popen(
        command(*arguments), cwd=workspace, env=environment(), stdin=its, stdout=its, stderr=its, text=True
    ) as process:
        os.close(its)
        shown = ""
        while "[y/N]" not in shown:
            shown += os.read(mine, 4096).decode()
        meanwhile()
        os.write(mine, b"y\n")
        try:
            while more := os.read(mine, 4096):
                shown += more.decode()
        except OSError:  # Linux reports the end of a terminal in this way
            pass
    os.close(mine)
    return process.returncode, shown


def test_an_undo_is_not_of_another_import_than_the_one_that_was_confirmed(workspace: Path) -> None:
    (workspace / "other.csv").write_text("email\ncy@example.org\n")

    code, shown = answer_yes_after(
        lambda: run(workspace, "subscribers", "import", "other.csv", "--basis", "members"),
        workspace,
        "subscribers",
        "undo-import",
    )

    assert code == 2
    assert "another list was imported in the meantime" in shown
    assert "cy@example.org" in run(workspace, "subscribers", "list").stdout


def test_no_one_is_edited_whom_the_question_did_not_count(workspace: Path) -> None:
    (workspace / "other.csv").write_text("email,tags\ncy@example.org,wrong\n")

    code, shown = answer_yes_after(
        lambda: run(workspace, "subscribers", "import", "other.csv", "--basis", "members"),
        workspace,
        *("subscribers", "edit", "--where", 'tagged("wrong")', "--untag", "wrong"),
    )

    assert code == 0
    assert "2 people changed" in shown
    tagged = run(workspace, "subscribers", "list", "--where", 'tagged("wrong")').stdout
    assert "cy@example.org" in tagged
    assert "bo@example.org" not in tagged
