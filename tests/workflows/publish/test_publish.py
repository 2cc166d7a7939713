"""The archive of a workspace: what is public, what is rendered again, and what sending does."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.destinations.destination import Published, SitePlan
from newsletter.errors import InputError, MistakesError
from newsletter.model.broadcast import Outcome, OutgoingChunk
from newsletter.store.database import Database
from newsletter.workflows.publish.on_sending import publish_sent
from newsletter.workflows.publish.publish import (
    Edition,
    destination_of,
    make_edition,
    pages_removed,
    plan_edition,
    publish_edition,
)
from tests.store.builders import add_people
from tests.store.empty_file import open_test_database
from tests.workflows.send.carriers import ACCEPTED, Carrier
from tests.workflows.send.scheduled import THURSDAY, freeze_at, run_at
from tests.workspaces import CONFIG, ISSUE, LETTER, write_workspace

NOW = datetime(2026, 2, 20, 9, tzinfo=UTC)
ARCHIVE = '\n[archive]\nurl = "https://letters.example.org"\nto = "site"\n'
EVENT = "---\ntitle: A meeting\nstarts: 2026-03-07 08:00\nends: 2026-03-07 11:00\n---\nWe sit under the tree.\n"


def workspace(root: Path, visibility: str = "public", **files: str) -> Config:
    """A workspace with an archive. `files` are by the name of the issue: what its issue.yaml also has."""
    issues = {f"issues/{name.replace('_', '-')}/issue.yaml": f"{more}\n{ISSUE}" for name, more in files.items()}
    letters = {path.replace("issue.yaml", "letter.md"): LETTER for path in issues}
    settings = {"newsletter.toml": f'{CONFIG}{ARCHIVE}visibility = "{visibility}"\n'}
    return load_config(write_workspace(root, {**settings, **issues, **letters}))


def edition_of(config: Config, database: Database | None = None, now: datetime = NOW) -> Edition:
    return make_edition(config, database, now=now)


def paths(edition: Edition) -> set[str]:
    return {file.path for file in edition.files if file.path.endswith(".html")}


def publish(config: Config, now: datetime = NOW) -> Published:
    return publish_edition(config, edition_of(config, now=now), destination_of(config), lambda _done, _total: None)


def plan(config: Config) -> SitePlan:
    return plan_edition(edition_of(config), destination_of(config))


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[tuple[Config, Database]]:
    """A workspace whose issue is public after it was sent, and 25 people."""
    config = workspace(tmp_path, "after sending")
    with open_test_database(config.database) as database:
        add_people(database, 25)
        yield config, database


@pytest.mark.parametrize(
    ("visibility", "has_page", "is_listed"),
    [("public", True, True), ("unlisted", True, False), ("none", False, False), ("after sending", False, False)],
)
def test_each_visibility_is_respected(tmp_path: Path, visibility: str, has_page: bool, is_listed: bool) -> None:
    config = workspace(tmp_path, "none", **{"2026_03": f"visibility: {visibility}"})
    edition = edition_of(config)
    assert ("2026-03/index.html" in paths(edition)) == has_page
    elsewhere = [file for file in edition.files if b"2026-03" in file.content and not file.path.startswith("2026-03/")]
    assert bool(elsewhere) == is_listed


def test_the_index_for_the_search_has_public_pages_alone(tmp_path: Path) -> None:
    config = workspace(tmp_path, **{"2026_03": "visibility: unlisted"})
    publish(config)
    entry = json.loads((config.root / "site/pagefind/pagefind-entry.json").read_text())
    assert {language: found["page_count"] for language, found in entry["languages"].items()} == {"en": 1}


def test_nothing_about_a_reader_is_on_a_page(tmp_path: Path) -> None:
    letter = LETTER + "\n[Your choices]({{ preferences_url }}) for {{ email }}, {{ city | default('your town') }}\n"
    config = workspace(tmp_path)
    (config.root / "issues/2026-02/letter.md").write_text(letter)
    (page,) = (file.content.decode() for file in edition_of(config).files if file.path == "2026-02/index.html")
    assert "Dear Friends," in page
    assert "your town" in page
    assert 'href="https://news.example.org/join">Your choices' in page
    assert "mfq" not in page


def test_sections_of_a_segment_are_not_public(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    write_workspace(
        tmp_path,
        {
            "newsletter.toml": (tmp_path / "newsletter.toml").read_text(),
            "issues/2026-02/issue.yaml": ISSUE + "  - section: teaching\n    only: teachers\n",
            "issues/2026-02/teaching.md": "---\ntype: text\n---\nFor teachers alone.\n",
        },
    )
    assert not any(b"For teachers alone" in file.content for file in edition_of(config).files)


def test_publishing_twice_writes_nothing_and_one_change_writes_little(tmp_path: Path) -> None:
    config = workspace(tmp_path, **{"2026_03": ""})
    assert "2026-02/index.html" in publish(config).written
    assert publish(config) == Published(unchanged=publish(config).unchanged)
    (config.root / "issues/2026-03/letter.md").write_text(f"{LETTER}\nOne more line.\n")
    written = publish(config).written
    assert "2026-03/index.html" in written
    assert "2026-02/index.html" not in written


def add_event(config: Config) -> None:
    """Give the February issue an event, of which publishing keeps a record in the issue's folder."""
    issue = config.root / "issues/2026-02"
    (issue / "issue.yaml").write_text(ISSUE + "  - events\n")
    (issue / "events").mkdir()
    (issue / "events/index.md").write_text("---\ntitle: Events\n---\n")
    (issue / "events/meeting.md").write_text(EVENT)


def test_unchanged_issues_are_not_loaded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from newsletter.workflows.publish import contents

    config = workspace(tmp_path, **{"2026_03": ""})
    add_event(config)
    publish(config)
    loaded: list[str] = []
    load = contents.load_issue
    monkeypatch.setattr(contents, "load_issue", lambda *more: (loaded.append(more[1].name), load(*more))[1])
    publish(config)
    assert loaded == []
    (config.root / "issues/2026-03/letter.md").write_text(f"{LETTER}\nOne more line.\n")
    publish(config)
    assert loaded == ["2026-03"]


def test_removed_issues_are_gone_and_their_removal_is_in_the_plan(tmp_path: Path) -> None:
    config = workspace(tmp_path, **{"2026_03": ""})
    publish(config)
    (config.root / "issues/2026-03/issue.yaml").unlink()
    assert pages_removed(plan(config)) == ("2026-03/index.html",)
    publish(config)
    assert not (config.root / "site/2026-03").exists()


def test_only_a_changed_text_counts_as_changed(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    publish(config)
    publish(config, NOW + timedelta(days=1))
    (item,) = json.loads((config.root / "site/feed.json").read_text())["items"]
    assert item["date_modified"] == item["date_published"] == "2026-02-19T00:00:00-08:00"
    (config.root / "issues/2026-02/letter.md").write_text(f"{LETTER}\nOne more line.\n")
    publish(config, NOW + timedelta(days=2))
    (item,) = json.loads((config.root / "site/feed.json").read_text())["items"]
    assert item["date_modified"] == "2026-02-22T09:00:00+00:00"


def test_mistakes_in_issues_without_a_page_do_not_matter(tmp_path: Path) -> None:
    config = workspace(tmp_path, **{"2026_03": "visibility: none\nnonsense: 1"})
    assert "2026-02/index.html" in paths(edition_of(config))
    (config.root / "issues/2026-03/issue.yaml").write_text(f"visibility: public\nnonsense: 1\n{ISSUE}")
    with pytest.raises(MistakesError, match="unknown key 'nonsense'"):
        edition_of(config)


@pytest.mark.parametrize("name", ["i", "events", "en"])
def test_an_issue_cannot_have_an_address_that_the_archive_needs(tmp_path: Path, name: str) -> None:
    with pytest.raises(MistakesError, match=f"issues/{name}/issue.yaml: the archive needs the address {name}/"):
        edition_of(workspace(tmp_path, **{name: ""}))


def test_two_issues_cannot_have_the_same_id(tmp_path: Path) -> None:
    with pytest.raises(MistakesError, match="the issue 2026-02 has the id '2026-02' too"):
        edition_of(workspace(tmp_path, **{"2026_03": "id: 2026-02"}))


def test_an_issue_that_is_renamed_twice_keeps_all_its_addresses(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    issues = config.root / "issues"
    publish(config)
    for old, new in (("2026-02", "february"), ("february", "hearts"), ("hearts", "hearts-2")):
        (issues / old).rename(issues / new)
        (issues / new / "issue.yaml").write_text(f"id: 2026-02\n{ISSUE}")
        publish(config)
    site = config.root / "site"
    for former in ("2026-02", "february", "hearts"):
        page = (site / former / "index.html").read_text()
        assert '<meta http-equiv="refresh" content="0;url=https://letters.example.org/hearts-2/">' in page
        assert f"/{former}/ https://letters.example.org/hearts-2/ 301" in (site / "_redirects").read_text()
    (issues / "hearts-2" / "issue.yaml").write_text(f"id: 2026-02\nvisibility: none\n{ISSUE}")
    publish(config)
    assert not any((site / former).exists() for former in ("2026-02", "february", "hearts", "hearts-2"))


def test_events_have_pages_and_calendars(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    add_event(config)
    publish(config)
    site = config.root / "site"
    assert 'href="../events/2026-02-meeting/"' in (site / "2026-02/index.html").read_text()
    assert (site / "events/2026-02-meeting/index.html").is_file()
    assert (site / "calendar.ics").is_file()
    assert "events/2026-02-meeting/" in (site / "sitemap.xml").read_text()


def test_a_past_issue_of_another_tool_is_cleaned_and_listed(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    folder = config.root / "archive/2019-05"
    folder.mkdir(parents=True)
    (folder / "issue.yaml").write_text("subject: An old letter\ndate: 2019-05-01\nimported: true\n")
    (folder / "page.html").write_text(
        "<title>x</title><h1>Hello</h1><script>alert(1)</script><p onclick='x()' style='color:red'>Old words</p>"
        "<a href='javascript:x()'>bad</a><img src='http://tracker.example/p.gif' alt=''><iframe src='//x'></iframe>"
    )
    publish(config)
    page = (config.root / "site/2019-05/index.html").read_text()
    assert "<h2>Hello</h2>" in page
    assert "Old words" in page
    assert not any(bad in page for bad in ("alert", "onclick", "style=", "javascript", "tracker", "iframe"))
    assert "An old letter" in (config.root / "site/index.html").read_text()
    assert "Old words" in (config.root / "site/feed.xml").read_text()


def test_a_broken_image_of_a_past_issue_is_named_with_its_page(tmp_path: Path) -> None:
    page = '<p>Words</p><img src="tree.png" alt="A tree"><img src="https://www.example.org/a.png" alt="">'
    past = {"issue.yaml": "subject: Old\ndate: 2020-05-01\n", "page.html": page, "tree.png": "not an image"}
    config = workspace(tmp_path)
    (config.root / "archive/old").mkdir(parents=True)
    for name, content in past.items():
        (config.root / "archive/old" / name).write_text(content)
    with pytest.raises(MistakesError) as caught:
        edition_of(config)
    (mistake,) = caught.value.mistakes
    assert str(mistake).startswith("archive/old/page.html: the image tree.png cannot be read")
    assert "<" not in str(mistake)


def test_without_an_archive_the_command_says_what_to_add(tmp_path: Path) -> None:
    config = load_config(write_workspace(tmp_path))
    with pytest.raises(InputError, match=r"newsletter.toml has no \[archive\]"):
        destination_of(config)


def test_the_page_is_there_before_the_first_email_leaves(waiting: tuple[Config, Database]) -> None:
    config, database = waiting
    page = config.root / "site/2026-02/index.html"
    seen: list[bool] = []

    def note(_chunk: OutgoingChunk) -> Outcome:
        seen.append(page.is_file())
        return ACCEPTED

    carrier = Carrier(script=[note])
    freeze_at(config, database, carrier)
    publish_sent(config, database, now=NOW, say=pytest.fail)
    assert not page.exists()
    run_at(config, database, carrier, THURSDAY)
    assert seen == [True]


def test_a_failure_to_publish_is_said_and_stops_nothing(waiting: tuple[Config, Database]) -> None:
    config, database = waiting
    carrier = Carrier()
    freeze_at(config, database, carrier)
    (config.root / "site").mkdir()
    (config.root / "site/foreign.html").write_text("theirs")
    run_at(config, database, carrier, THURSDAY)
    assert len(carrier.taken) == 25
    said: list[str] = []
    publish_sent(config, database, now=NOW, say=said.append)
    assert len(said) == 1
    assert "already contains foreign.html" in said[0]


def test_sending_removes_no_page_without_asking(waiting: tuple[Config, Database]) -> None:
    config, database = waiting
    write_workspace(
        config.root,
        {"issues/2026-01/issue.yaml": f"visibility: public\n{ISSUE}", "issues/2026-01/letter.md": LETTER}
        | {"newsletter.toml": (config.root / "newsletter.toml").read_text()},
    )
    publish(config)
    (config.root / "issues/2026-01/issue.yaml").unlink()
    carrier = Carrier()
    freeze_at(config, database, carrier)
    run_at(config, database, carrier, THURSDAY)
    said: list[str] = []
    publish_sent(config, database, now=NOW, say=said.append)
    assert "1 of its files would be removed" in said[0]
    assert (config.root / "site/2026-01/index.html").is_file()
