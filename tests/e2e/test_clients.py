"""`newsletter clients` as a director uses it: the readers' email apps, what an issue loses, a newer table."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checks.clients.published import answer
from tests.e2e.program import run
from tests.fakes.web_server import Page, WebServer
from tests.workspaces import CONFIG, write_workspace

OWN_CSS = ".prose p { margin: 0 0 16px; display: grid; }\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return write_workspace(tmp_path)


@pytest.fixture
def web() -> Iterator[WebServer]:
    with WebServer(pages={"/data.json": Page(body=answer())}) as server:
        yield server


def table(workspace: Path) -> Path:
    return workspace / "caniemail.json"


def left_behind(workspace: Path) -> list[str]:
    """Files that a refresh may have left half written."""
    return [path.name for path in workspace.iterdir() if "caniemail" in path.name]


def test_the_readers_are_shown_with_the_table_and_its_license(workspace: Path) -> None:
    shown = run(workspace, "clients")

    assert "5%    Outlook on Windows        outlook.windows" in shown.stdout
    assert "hey          desktop-webmail" in shown.stdout
    assert "as of 2026-" in shown.stderr
    assert "MIT" in shown.stderr


def test_an_issue_of_the_built_in_theme_is_whole_for_all_and_says_why(workspace: Path) -> None:
    shown = run(workspace, "clients", "2026-02").stdout

    assert shown.startswith("Your readers' email apps can display everything that matters in 2026-02.\n")
    assert "@media (prefers-color-scheme): the email stays light" in shown
    assert "58%: Gmail, Outlook on Windows, Yahoo! Mail" in shown


def test_what_readers_will_not_see_is_shown_and_found_with_its_line(workspace: Path) -> None:
    (workspace / "templates").mkdir()
    (workspace / "templates" / "author.css.j2").write_text(OWN_CSS)

    shown = run(workspace, "clients", "2026-02").stdout
    found = run(workspace, "check", "2026-02").stdout

    assert (
        "Parts of 2026-02 that some readers cannot see\n  display: grid\n    not shown to 5%: Outlook on Windows"
        in shown
    )
    assert "    used in: templates/author.css.j2:1\n    what to do: " in shown
    assert "templates/author.css.j2:1: warning display: grid does not work for 5%" in found


def test_a_script_gets_each_loss_with_who_has_it_and_caniemails_remarks(workspace: Path) -> None:
    told = json.loads(run(workspace, "clients", "2026-02", "--json").stdout)
    media = next(loss for loss in told["losses"] if loss["feature"] == "css-at-media")

    assert told["issue"] == "2026-02"
    assert told["table"]["license"].startswith("MIT")
    assert (media["unseen_by"], media["unseen_percent"]) == (["outlook.windows"], 5)
    assert media["accepted_because"].startswith("email apps without it show the wide layout")
    assert "Partial. Not supported with non Google accounts." in media["partly_by"]["gmail.ios"]
    assert json.loads(run(workspace, "clients", "--json").stdout)["readers_percent"]["outlook.windows"] == 5


def test_an_unknown_mail_program_is_a_mistake_with_its_line(workspace: Path) -> None:
    settings = f"{CONFIG}\n[checks.clients]\ngmial = 40\n"
    (workspace / "newsletter.toml").write_text(settings)
    line = settings.splitlines().index("gmial = 40") + 1

    for command in (["clients"], ["build", "2026-02"]):
        refused = run(workspace, *command, expect=2).stderr
        assert f"newsletter.toml:{line}: clients › 'gmial' is not an email app" in refused
        assert "did you mean gmail?" in refused


def test_a_newer_table_is_kept_in_the_workspace_and_used(workspace: Path, web: WebServer) -> None:
    done = run(workspace, "clients", "--refresh", "--from", f"{web.url}/data.json")

    assert "the table dated 2099-01-02 to caniemail.json" in done.stderr
    (workspace / "newsletter.toml").write_text(f"{CONFIG}\n[checks.clients]\ngmail = 40\n")
    assert json.loads(run(workspace, "clients", "--json").stdout)["table"]["date"] == "2099-01-02"

    again = run(workspace, "clients", "--refresh", "--from", f"{web.url}/data.json")
    assert "already have the latest table, dated 2099-01-02" in again.stderr


def test_an_older_table_changes_nothing(workspace: Path, web: WebServer) -> None:
    web.pages["/data.json"] = Page(body=answer(date="2020-01-01"))

    done = run(workspace, "clients", "--refresh", "--from", f"{web.url}/data.json")

    assert "already have the latest table, dated 2026-" in done.stderr
    assert left_behind(workspace) == []


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (Page(status=503), "the server returned 503"),
        (Page(body=b"<html>Moved</html>"), "this is not version 1 of caniemail's table (line 1 is not JSON"),
        (Page(body=answer(stats={"gmail": {"ios": {"2024": "?"}}})), "data › 0 › stats › gmail › ios › 2024"),
        (Page(body=answer()[:-100]), "is not JSON"),
        (Page(body=b" " * 20_000_001), "larger than 20 MB"),
        (Page(status=302, location="/data.json"), "the table cannot be fetched"),
    ],
)
def test_a_wrong_answer_is_refused_and_the_table_at_hand_stays(
    workspace: Path, web: WebServer, page: Page, why: str
) -> None:
    run(workspace, "clients", "--refresh", "--from", f"{web.url}/data.json")
    before = table(workspace).read_bytes()
    web.pages["/data.json"] = page

    refused = run(workspace, "clients", "--refresh", "--from", f"{web.url}/data.json", expect=2).stderr

    assert why in refused
    assert table(workspace).read_bytes() == before
    assert left_behind(workspace) == ["caniemail.json"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/data.json", "file:///etc/passwd", "caniemail"])
def test_what_cannot_be_fetched_is_said_plainly(workspace: Path, url: str) -> None:
    refused = run(workspace, "clients", "--refresh", "--from", url, expect=2).stderr
    assert f"{url}: the table cannot be fetched" in refused
    assert "the current table is still used" in refused


def test_a_refresh_puts_a_damaged_table_right(workspace: Path, web: WebServer) -> None:
    table(workspace).write_text("{")
    assert "caniemail.json: this file is damaged" in run(workspace, "build", "2026-02", expect=2).stderr

    run(workspace, "clients", "--refresh", "--from", f"{web.url}/data.json")

    assert json.loads(table(workspace).read_text())["date"] == "2099-01-02"


def test_a_refresh_puts_a_damaged_table_right_even_if_the_published_one_is_older(
    workspace: Path, web: WebServer
) -> None:
    table(workspace).write_text("{")
    web.pages["/data.json"] = Page(body=answer(date="2020-01-01"))

    done = run(workspace, "clients", "--refresh", "--from", f"{web.url}/data.json")

    assert "Saved the table dated 2026-" in done.stderr
    assert json.loads(run(workspace, "clients", "--json").stdout)["table"]["date"].startswith("2026-")


def test_a_table_that_an_earlier_version_wrote_is_used_as_it_is(workspace: Path, web: WebServer) -> None:
    run(workspace, "clients", "--refresh", "--from", f"{web.url}/data.json")
    table(workspace).write_text(table(workspace).read_text().replace('"license"', '"licence"'))
    (workspace / "newsletter.toml").write_text(f"{CONFIG}\n[checks.clients]\ngmail = 40\n")

    shown = run(workspace, "clients", "--json")

    assert json.loads(shown.stdout)["table"]["date"] == "2099-01-02"
    assert "licence" not in shown.stderr


def test_a_source_without_a_refresh_is_refused(workspace: Path) -> None:
    assert "add --refresh" in run(workspace, "clients", "--from", "https://example.org", expect=2).stderr
