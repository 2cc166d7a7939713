"""Segments as a director meets them: shown, listed, typed, and sent to."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.e2e.program import run, write_list
from tests.workspaces import CONFIG, write_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with five people on the list, two of them teachers, and a second segment."""
    root = write_workspace(
        tmp_path, {"newsletter.toml": CONFIG.replace("[reviewers]", "few = 'email < \"person2\"'\n[reviewers]")}
    )
    write_list(root / "list.csv", 5)
    run(root, "subscribers", "import", "list.csv")
    return root


def test_segments_are_shown_with_what_they_share_and_some_of_their_people(workspace: Path) -> None:
    told = run(workspace, "segments").stdout

    assert "teachers and few       1" in told
    assert "person1@example.org, person3@example.org" in told
    assert "in teachers" in run(workspace, "segments", "--overlap", "teachers").stdout


def test_one_segment_is_shown_in_full(workspace: Path) -> None:
    run(workspace, "suppressions", "add", "person1@example.org")
    told = run(workspace, "segments", "teachers").stdout

    assert 'tagged("teacher")' in told
    assert "1 unsubscribed" in told
    assert "person3@example.org" in told


def test_segments_are_data_for_a_script(workspace: Path) -> None:
    overview = json.loads(run(workspace, "segments", "--json").stdout)
    portrait = json.loads(run(workspace, "segments", "teachers", "--json").stdout)

    assert [(one["name"], one["people"]) for one in overview["segments"]] == [
        ("everyone", 5),
        ("teachers", 2),
        ("few", 2),
    ]
    assert overview["overlaps"] == [{"segments": ["teachers", "few"], "people": 1}]
    assert portrait["mailable"] == 2


def test_segment_with_a_mistake_is_shown_among_the_others_and_the_command_fails(workspace: Path) -> None:
    toml = workspace / "newsletter.toml"
    toml.write_text(toml.read_text().replace("[segments]", "[segments]\nbad = 'languag = \"es\"'"))
    line = toml.read_text().splitlines().index("[segments]") + 2

    shown = run(workspace, "segments", expect=2)
    data = json.loads(run(workspace, "segments", "--json", expect=2).stdout)

    assert [row.split()[0] for row in shown.stdout.splitlines()[1:5]] == ["everyone", "bad", "teachers", "few"]
    assert f"newsletter.toml:{line}: segment bad: no subscriber has the field 'languag'; did you mean" in shown.stderr
    assert [broken["name"] for broken in data["broken"]] == ["bad"]
    assert data["broken"][0]["mistakes"][0]["place"] == f"newsletter.toml:{line}"
    assert "2" in run(workspace, "segments", "teachers").stdout


def test_segment_that_is_not_used_is_said_until_it_is(workspace: Path) -> None:
    assert "Not used yet: teachers, few." in run(workspace, "segments").stderr

    run(workspace, "send", "2026-02", "--to", "teachers", "--yes")

    assert "Not used yet: few. No section of an issue names it" in run(workspace, "segments").stderr


def test_value_that_no_subscriber_has_is_said_wherever_it_is_compared(workspace: Path) -> None:
    toml = workspace / "newsletter.toml"
    toml.write_text(toml.read_text().replace("[segments]", "[segments]\nodd = 'language != \"fi\"'"))
    told = "note: No subscriber has the value 'fi' in language."

    for arguments in (
        ("segments",),
        ("segments", "odd"),
        ("segments", "--json"),
        ("subscribers", "list", "--segment", "odd"),
        ("subscribers", "list", "--where", 'not language = "FI"', "--csv"),
        ("send", "2026-02", "--to", "odd", "--dry-run"),
    ):
        assert run(workspace, *arguments).stderr.count(told) == 1


def test_new_workspace_has_no_segment_that_is_not_used(tmp_path: Path) -> None:
    run(tmp_path, "init", "letter")

    assert "Not used yet" not in run(tmp_path / "letter", "segments").stderr


def test_list_shows_whom_an_expression_means(workspace: Path) -> None:
    listed = run(workspace, "subscribers", "list", "--where", 'not tagged("teacher")', "--limit", "2")

    assert [line.split()[0] for line in listed.stdout.splitlines()[1:]] == [
        "person0@example.org",
        "person2@example.org",
    ]
    assert "2 of 3. --limit 3 shows more" in listed.stderr
    assert "2 subscribers in total" in run(workspace, "subscribers", "list", "--segment", "teachers").stderr


def test_list_is_written_whole_for_a_spreadsheet_and_for_a_script(workspace: Path) -> None:
    table = run(workspace, "subscribers", "list", "--segment", "teachers", "--csv").stdout
    people = json.loads(run(workspace, "subscribers", "list", "--json").stdout)

    assert [row["email"] for row in csv.DictReader(io.StringIO(table))] == [
        "person1@example.org",
        "person3@example.org",
    ]
    assert len(people) == 5
    assert people[1]["tags"] == ["teacher"]
    assert people[1]["mail"] == "mailed"


def test_list_of_nobody_says_so(tmp_path: Path) -> None:
    listed = run(write_workspace(tmp_path), "subscribers", "list")

    assert "There are no subscribers yet" in listed.stdout
    assert "newsletter subscribers import" in listed.stderr


def test_issue_is_sent_to_whom_an_expression_means(workspace: Path) -> None:
    expression = 'tagged("teacher") and not received("2026-02")'
    dry = run(workspace, "send", "2026-02", "--where", expression, "--dry-run").stdout
    run(workspace, "send", "2026-02", "--where", expression, "--yes")

    assert "ad hoc: 2 subscribers" in dry
    assert expression in dry
    assert "ad hoc" in run(workspace, "status").stdout
    assert (
        "segment ad hoc has no subscribers"
        in run(workspace, "send", "2026-02", "--where", expression, "--yes", expect=2).stderr
    )


def test_misspelled_name_is_marked_and_nothing_is_sent(workspace: Path) -> None:
    told = run(workspace, "send", "2026-02", "--where", 'tagged("techer")', "--yes", expect=2).stderr

    assert "did you mean teacher?" in told
    assert told.splitlines()[-2:] == ['  tagged("techer")', "         ^"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("send", "2026-02", "--yes"), "add --to SEGMENT, --to everyone or --where EXPRESSION"),
        (("send", "2026-02", "--to", "everyone", "--where", "everyone", "--yes"), "give only one of them"),
        (("subscribers", "list", "--segment", "few", "--where", "everyone"), "give only one of them"),
        (("subscribers", "list", "--csv", "--json"), "give only one of them"),
        (("segments", "few", "--overlap", "teachers"), "--overlap compares all segments"),
        (("segments", "nobody"), "there is no segment 'nobody'"),
    ],
)
def test_what_cannot_be_meant_together_is_refused(workspace: Path, arguments: tuple[str, ...], told: str) -> None:
    assert told in run(workspace, *arguments, expect=2).stderr


def test_help_names_the_table_in_brackets(workspace: Path) -> None:
    assert "[segments]" in run(workspace, "segments", "--help").stdout
