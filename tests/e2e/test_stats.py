"""The page about the audience, as a person asks for it."""

import json
from pathlib import Path

import pytest
from lxml import etree

from tests.e2e.program import run, write_list
from tests.workspaces import write_workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a list of five, of whom one left."""
    root = write_workspace(tmp_path_factory.mktemp("counted"))
    write_list(root / "list.csv", 5)
    run(root, "subscribers", "import", "list.csv")
    run(root, "suppressions", "add", "person0@example.org")
    run(root, "send", "2026-02", "--to", "everyone", "--yes")
    return root


def test_the_page_counts_everybody_and_names_nobody(workspace: Path) -> None:
    page = run(workspace, "subscribers", "stats", env={"COLUMNS": "80"})

    assert "5 people on the list" in page.stdout
    assert "can be emailed" in page.stdout
    assert "█" in page.stdout
    assert "@" not in page.stdout + page.stderr
    assert max(map(len, page.stdout.splitlines())) <= 80
    assert "next: newsletter subscribers stats --chart growth.svg" in page.stderr


def test_a_terminal_without_block_characters_gets_ascii(workspace: Path) -> None:
    page = run(workspace, "subscribers", "stats", env={"PYTHONIOENCODING": "ascii:strict", "COLUMNS": "80"})

    assert page.stdout.isascii()
    assert "####" in page.stdout


def test_a_script_gets_figures_that_add_up(workspace: Path) -> None:
    data = json.loads(run(workspace, "subscribers", "stats", "--json").stdout)

    facts, growth = data["facts"], data["growth"]
    assert facts["people"] == 5
    assert facts["mailable"] + facts["all_suppressed"] + facts["without_consent"] + facts["paused"] == 5
    assert growth["before"] + sum(month["net"] for month in growth["months"]) == growth["after"] == 4
    assert len(growth["months"]) == 12
    assert data["sources"]["groups"] == [{"source": "test", "people": 5, "left": 1}]
    assert data["mailboxes"]["providers"] == [{"provider": "other", "title": "Other", "people": 5}]
    assert data["engagement"]["received"] == 4
    assert [each["count"] for each in data["candidates"]] == [None, None]
    assert [each["added"] for each in data["imports"]] == [5]


def test_the_chart_is_written_once_and_again_only_by_force(workspace: Path) -> None:
    run(workspace, "subscribers", "stats", "--since", "2025-01", "--chart", "growth.svg")
    again = run(workspace, "subscribers", "stats", "--chart", "growth.svg", expect=2)
    run(workspace, "subscribers", "stats", "--chart", "growth.svg", "--force")

    assert "already exists" in again.stderr
    assert etree.parse(workspace / "growth.svg").getroot().get("role") == "img"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--since", "yesterday"), "is not a month; write it as 2026-02"),
        (("--since", "2999-01"), "in the future"),
        (("--chart", "growth.png"), "write --chart growth.svg"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(workspace: Path, options: tuple[str, ...], words: str) -> None:
    assert words in run(workspace, "subscribers", "stats", *options, expect=2).stderr


def test_an_empty_list_says_how_to_begin(tmp_path: Path) -> None:
    root = write_workspace(tmp_path)

    page = run(root, "subscribers", "stats")

    assert page.stdout == "There are no subscribers yet.\n"
    assert "next: newsletter subscribers import FILE" in page.stderr
