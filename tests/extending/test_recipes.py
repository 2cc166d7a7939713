"""Each page of `docs/extending/`, followed to the letter, leads to what it promises in the files that it names."""

import mailbox
import re
from collections.abc import Callable, Mapping

import pytest

from tests.extending.conftest import REPOSITORY
from tests.extending.recipe import WORKSPACE, Copy, files_named, follow
from tests.postgresql import PostgresServer

FOLDER = REPOSITORY / "docs" / "extending"
HEADINGS = ("What you get", "The files", "Steps", "Try it")


def nothing_more(copy: Copy) -> None:
    """Every promise of the page is in the lines that it shows."""


def rule_is_on_the_page(copy: Copy) -> None:
    assert "## Long link text (A13)" in (copy.root / "docs/checks/accessibility.md").read_text(encoding="utf-8")
    assert "[Long link text (A13)](checks/accessibility.md#" in (copy.root / "docs/checks.md").read_text("utf-8")


def words_are_in_the_html(copy: Copy) -> None:
    html = built(copy, "email.html")
    assert 'lang="da"' in html
    assert all(words in html for words in ("Føj til kalenderen", "Afmeld", "hver onsdag", "Træk mailen"))


def episode_is_in_the_html(copy: Copy) -> None:
    assert '<a class="accent" href="https://www.example.org/1"' in built(copy, "email.html")


def everyone_is_in_the_mbox_at_the_pace(copy: Copy) -> None:
    box = mailbox.mbox(copy.root / WORKSPACE / "example.mbox")
    try:
        assert len({str(mail["To"]) for mail in box}) == len(box) == 3
        assert len({mail.get_from() for mail in box}) == 3, "these lines have the time: one email a second"
    finally:
        box.close()


def built(copy: Copy, name: str) -> str:
    (path,) = (copy.root / WORKSPACE / "build").glob(f"*/{name}")
    return path.read_text(encoding="utf-8")


# What a page promises and does not show, by the page.
FURTHER: Mapping[str, Callable[[Copy], None]] = {
    "bounce": nothing_more,
    "check": rule_is_on_the_page,
    "column": nothing_more,
    "command": nothing_more,
    "language": words_are_in_the_html,
    "provider": everyone_is_in_the_mbox_at_the_pace,
    "section-type": episode_is_in_the_html,
}

# Pages that explain what a recipe uses, and add nothing themselves.
REFERENCES = {"provider-reference": "provider"}


@pytest.mark.parametrize("name", FURTHER)
def test_page_leads_to_what_it_promises_in_the_files_that_it_names(copy: Copy, name: str) -> None:
    page = FOLDER / f"{name}.md"
    changed = follow(page, copy)
    assert changed == files_named(page)
    FURTHER[name](copy)
    written = " ".join(path for path in sorted(changed) if path.endswith(".py"))
    copy.run(f"cd {copy.root} && ruff check {written} && ruff format --check {written}")


def test_column_is_added_to_a_database_of_postgresql_too(copy: Copy, postgresql_server: PostgresServer) -> None:
    url = postgresql_server.fresh_database()

    def name_the_database(command: str) -> None:
        if command == f"newsletter init {WORKSPACE}":
            with (copy.root / WORKSPACE / "newsletter.toml").open("a", encoding="utf-8") as settings:
                settings.write(f'\n[database]\nurl = "{url}"\n')

    try:
        follow(FOLDER / "column.md", copy, after=name_the_database)
        assert not (copy.root / WORKSPACE / "newsletter.db").exists()
    finally:
        postgresql_server.drop_database(url)


def test_every_page_is_followed_listed_and_built_alike() -> None:
    pages = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    index = pages.pop("README")
    for reference, recipe in REFERENCES.items():
        assert f"]({reference}.md)" in index
        assert f"]({reference}.md" in pages[recipe]
        del pages[reference]
    assert set(pages) == set(FURTHER)
    for name, text in pages.items():
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert f"]({name}.md)" in index
        assert tuple(each for each in headings if each in HEADINGS) == HEADINGS
