"""`newsletter fetch` as a director sees it: what is shown, asked and written."""

from collections.abc import Iterator
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from newsletter.cli.app import app
from newsletter.cli.compose import fetch as command
from newsletter.workflows.compose.fetch import plan_fetch
from tests.fakes.web_server import Page, WebServer
from tests.workflows.compose.test_fetch import entry, feed
from tests.workspaces import ISSUE, write_workspace


@pytest.fixture(scope="module")
def web() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


@pytest.fixture
def root(tmp_path: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with a section that takes items. The tests' server is on loopback, which no one else may be asked."""
    is_allowed = lambda address: ip_address(address).is_loopback  # noqa: E731
    monkeypatch.setattr(command, "plan_fetch", partial(plan_fetch, is_allowed=is_allowed))
    monkeypatch.chdir(tmp_path)
    web.pages["/feed.xml"] = Page(body=feed(entry("a", title="Garden [red]day[/red]"), entry("b")))
    source = f"---\ntype: community\ntitle: News\nitems: {{feed: {web.url}/feed.xml}}\n---\n"
    return write_workspace(
        tmp_path, {"issues/2026-02/issue.yaml": f"{ISSUE}  - news\n", "issues/2026-02/news/index.md": source}
    )


def run(*arguments: str, typed: str = "", expect: int = 0) -> Result:
    done = CliRunner().invoke(app, ["fetch", *arguments], input=typed, env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert done.exit_code == expect, done.output
    return done


def items(root: Path) -> list[str]:
    return sorted(path.name.rpartition("-")[0] for path in (root / "issues/2026-02/news").glob("*-*.md"))


def test_a_dry_run_shows_each_line_and_writes_nothing(root: Path) -> None:
    shown = run("2026-02", "--dry-run").stdout
    assert '+ title: "Garden [red]day[/red]"' in shown  # a tag of styles is only text
    assert '+   url: "https://blog.example.org/b"' in shown
    assert "digest" not in shown
    assert items(root) == []


def test_nothing_is_written_without_a_yes(root: Path) -> None:
    run("2026-02", expect=1)
    assert items(root) == []
    done = run("2026-02", "--yes")
    assert "Write" not in done.stdout
    assert "created  issues/2026-02/news/garden-red-day-red-" in done.stdout
    assert "newsletter check 2026-02" in done.output
    assert items(root) == ["b", "garden-red-day-red"]
    assert "There is nothing new to write." in run("2026-02").output


def test_a_change_is_shown_as_a_difference_and_what_is_kept_is_told(root: Path, web: WebServer) -> None:
    run("--yes")
    path = next((root / "issues/2026-02/news").glob("b-*.md"))
    path.write_text(path.read_text().replace("Text.", "Mine."))
    web.pages["/feed.xml"] = Page(body=feed(entry("b", html="<p>Better.</p>"), entry("c")))
    shown = run("--yes").stdout
    assert "it was edited here, and its entry has changed; to take that, delete the file and fetch again" in shown
    assert "it is no longer among the first 5 entries; delete the file if you no longer want it" in shown
    web.pages["/feed.xml"] = Page(body=feed(entry("c", html="<p>Better.</p>")))
    assert "    - Text.\n    + Better.\n" in run("--yes").stdout


def test_a_feed_that_fails_ends_with_status_1_and_the_rest_is_written(root: Path, web: WebServer) -> None:
    (root / "issues/2026-02/issue.yaml").write_text(f"{ISSUE}  - news\n  - more\n")
    (root / "issues/2026-02/more").mkdir()
    (root / "issues/2026-02/more/index.md").write_text(f"---\ntype: community\nitems:\n  feed: {web.url}/no\n---\n")
    told = run("--yes", expect=1).stdout
    assert "issues/2026-02/more/index.md:4: " in told
    assert "cannot be fetched: the server answers 404" in told
    assert items(root) == ["b", "garden-red-day-red"]


def test_no_address_inside_a_network_is_asked(tmp_path: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    web.requests.clear()
    monkeypatch.chdir(tmp_path)
    source = f"---\ntype: community\nitems: {{feed: {web.url}/feed.xml}}\n---\n"
    files = {"issues/2026-02/issue.yaml": f"{ISSUE}  - news\n", "issues/2026-02/news/index.md": source}
    write_workspace(tmp_path, files)
    assert "is inside a network" in run("--yes", expect=1).output
    assert web.requests == []
