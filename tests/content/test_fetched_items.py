"""Sections whose items come from a feed or a calendar: the key, its mistakes, and the order of the items."""

from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.content.keys import as_plain, read_plain
from newsletter.errors import FaultError
from newsletter.model.issue_fields import FetchedItems, ListFields
from newsletter.workflows.compose.editing import open_file
from newsletter.workflows.compose.form_fields import every_field
from tests.content.test_loader import load, mistakes
from tests.content.test_translations import SPANISH, workspace
from tests.workspaces import ISSUE, write_workspace

INDEX = "issues/2026-02/events/index.md"


def with_items(root: Path, items: str, **files: str) -> Path:
    issue = {"issues/2026-02/issue.yaml": ISSUE.replace("  - letter\n", "  - events\n")}
    others = {f"issues/2026-02/events/{name}.md": text for name, text in files.items()}
    return write_workspace(root, {**issue, INDEX: f"---\ntitle: Events\nitems: {items}\n---\n", **others})


@pytest.mark.parametrize(
    ("items", "address"),
    [
        ("{feed: https://e.example.org/x.xml}", "https://e.example.org/x.xml"),
        ("{calendar: webcal://e.example.org/x.ics, most: 3, days: 30}", "https://e.example.org/x.ics"),
    ],
)
def test_items_can_come_from_an_address(tmp_path: Path, items: str, address: str) -> None:
    fields = load(with_items(tmp_path, items)).sections[0].fields
    assert isinstance(fields, ListFields)
    assert isinstance(fields.items, FetchedItems)
    assert fields.items.address == address


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ("{feed: nope}", "items › feed: 'nope' is not a web address"),
        ("{feed: 'https://x.org/{{ email }}'}", "is not a web address"),
        ("{feed: 'file:///etc/passwd'}", "is not a web address"),
        ("{most: 5}", "items: the items come from nowhere"),
        ("{feed: https://x.org/a, calendar: https://x.org/b}", "items: the items come from a feed already"),
        ("{feed: https://x.org/a, days: 3}", "items: a feed has no days to look ahead"),
        ("{feed: https://x.org/a, most: 21}", "items › most: the number is too large; write 20 or less"),
        ("{calendar: https://x.org/a, days: 0}", "items › days: the number is too small; write 1 or more"),
        ("{feeed: https://x.org/a}", "unknown key 'items › feeed'; did you mean feed?"),
        ("5", "items: must be a list"),
        ("[a, 'b/c']", "items › item 2: 'b/c' is not a name"),
    ],
)
def test_a_mistake_is_told_once_at_its_line_without_the_name_of_a_form(tmp_path: Path, items: str, told: str) -> None:
    (found,) = mistakes(with_items(tmp_path, items, a="---\ntitle: A\n---\n"))[:1]
    assert found.startswith(f"{INDEX}:3: ")
    assert told in found
    assert not any("listed>" in each or "fetched>" in each for each in mistakes(tmp_path))


def test_such_a_section_needs_a_folder(tmp_path: Path) -> None:
    root = write_workspace(tmp_path, {"issues/2026-02/issue.yaml": f"{ISSUE}  - events\n"})
    (root / "issues/2026-02/events.md").write_text("---\ntitle: Events\nitems: {feed: https://x.org/a}\n---\n")
    (told,) = mistakes(root)
    assert told.startswith("issues/2026-02/events.md:3: a section without a folder cannot have items")


def test_what_was_published_last_comes_first_after_the_events(tmp_path: Path) -> None:
    files = {
        "a": "---\ntitle: A\npublished: 2026-02-01 09:00\n---\n",
        "b": "---\ntitle: B\npublished: 2026-02-02 09:00\n---\n",
        "c": "---\ntitle: C\n---\n",
        "d": "---\ntitle: D\nstarts: 2026-03-01\n---\n",
    }
    (section,) = load(with_items(tmp_path, "{feed: https://x.org/a}", **files)).sections
    assert [item.fields.title for item in section.items] == ["D", "B", "A", "C"]


def test_the_feed_is_the_same_in_every_language(tmp_path: Path) -> None:
    files = {
        "events/index.md": "---\ntitle: Events\nitems: {feed: https://x.org/a}\n---\n",
        "events/index.es.md": "---\ntitle: Cursos\nitems: {feed: https://x.org/b}\n---\n",
    }
    (told,) = mistakes(workspace(tmp_path, {**SPANISH, **files}))
    assert told.startswith("issues/2026-02/events/index.es.md:3: `items` is the same in every language")


@pytest.mark.parametrize(
    ("items", "names"),
    [
        ("{feed: https://x.org/a}", ["items/feed", "items/calendar"]),
        ("[a]", ["items/0", "items/1"]),
    ],
)
def test_the_studio_has_fields_for_what_is_written(tmp_path: Path, items: str, names: list[str]) -> None:
    issue = load(with_items(tmp_path, items, a="---\ntitle: A\nfrom: https://x.org/a\ndigest: x\n---\n"))
    fields = every_field(open_file(load_config(tmp_path), tmp_path / "issues/2026-02", INDEX).fields)
    assert [field.name for field in fields if field.name.startswith("items")] == names
    item = open_file(load_config(tmp_path), tmp_path / "issues/2026-02", issue.sections[0].items[0].source.path)
    assert not {"from", "origin", "digest", "etag", "published"} & {field.name for field in every_field(item.fields)}


@pytest.mark.parametrize("text", [r"a\: b", r"\:", "*a*", "<b>", "&amp;", "<!-- a -->", "[x](y)", ":smile:", "2^10^"])
def test_a_text_is_written_so_that_it_is_read_as_it_is(text: str) -> None:
    assert read_plain(as_plain(text)) == text


def test_plain_words_are_written_as_they_are() -> None:
    assert as_plain("Plans & hopes: “all” of 2026 (and more), a_b!") == "Plans & hopes: “all” of 2026 (and more), a_b!"
    with pytest.raises(FaultError):
        read_plain("*a*")
