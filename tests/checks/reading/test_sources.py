"""From what stands in the mail to the line of the user's file."""

import pytest

from newsletter.checks.reading.sources import index_sources
from tests.checks.conftest import ISSUE, Workspace


def place_of(workspace: Workspace, kind: str, *words: str) -> str | None:
    subject = workspace.subject()
    sources = index_sources([subject.issue], subject.config)
    find = {"text": sources.place_of_text, "link": sources.place_of_link, "picture": sources.place_of_picture}[kind]
    place = find(*words)
    return None if place is None else str(place).removeprefix(f"{ISSUE}/")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("What we read", "letter.md:14"),
        ("the poem that opens it.", "letter.md:16"),
        ("A DAY OF REST", "events/workshop.md:2"),
        ("Ana Lima", "letter.md:4"),
        ("7 Quay Street", "newsletter.toml:5"),
        ("What we read A book, and the poem", "letter.md:14"),
        ("nobody wrote this", None),
        ("–", None),
    ],
)
def test_a_text_is_found_where_it_is_written(workspace: Workspace, text: str, place: str | None) -> None:
    assert place_of(workspace, "text", text) == place


@pytest.mark.parametrize(
    ("address", "text", "place"),
    [
        ("https://example.org/study", "our study of kindness", "letter.md:10"),
        ("https://example.org/video", "", "meditation.md:5"),
        ("https://example.org/rest", "other words", "events/workshop.md:10"),
        ("https://example.org", "", "newsletter.toml:6"),
        ("https://example.com", "", None),
    ],
)
def test_a_link_is_found_where_its_address_is_written(
    workspace: Workspace, address: str, text: str, place: str | None
) -> None:
    assert place_of(workspace, "link", address, text) == place


def test_of_several_links_to_an_address_the_one_with_the_words_is_meant(workspace: Workspace) -> None:
    workspace.edit(
        "letter", "[the poem that opens it](https://example.org/poem)", "[a poem](https://example.org/study)"
    )

    assert place_of(workspace, "link", "https://example.org/study", "A poem") == "letter.md:16"


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("cid:cup-0123456789ab.png@newsletter", "letter.md:12"),
        ("https://example.org/images/ana-0123456789ab.png", "letter.md:5"),
        ("still-0123456789ab.jpg", "meditation.md:4"),
        ("cid:other-0123456789ab.png@newsletter", None),
    ],
)
def test_a_picture_is_found_where_its_file_is_named(workspace: Workspace, address: str, place: str | None) -> None:
    assert place_of(workspace, "picture", address) == place
