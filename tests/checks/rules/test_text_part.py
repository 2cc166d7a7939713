"""The plain text against the HTML."""

from tests.checks.conftest import Workspace


def test_a_link_that_the_text_part_lacks_is_told_where_it_is_written(workspace: Workspace) -> None:
    workspace.edit("txt", "{{ section.fields.video.url }}", "")

    assert workspace.findings() == [("S2", "meditation.md:5")]


def test_a_longer_address_does_not_stand_for_a_shorter_one(workspace: Workspace) -> None:
    workspace.edit("txt", "{{ section.fields.video.url }}", "{{ section.fields.video.url }}s/all")

    assert workspace.findings() == [("S2", "meditation.md:5")]


def test_an_address_between_signs_is_found(workspace: Workspace) -> None:
    workspace.edit("txt", "{{ section.fields.video.url }}", "(<{{ section.fields.video.url }}>).")

    assert workspace.findings() == []


def test_a_mail_address_is_found_without_its_scheme(workspace: Workspace) -> None:
    workspace.edit("letter", "A book", "Write to [hello@example.org](mailto:hello@example.org?subject=Book), a book")

    assert workspace.findings() == []


def test_a_text_part_that_says_little_is_told(workspace: Workspace) -> None:
    workspace.edit("letter", "the days grow longer", " ".join(f"day{number}" for number in range(120)))
    workspace.edit("txt", "{{ prose_text(section.prose) }}", "https://example.org/study https://example.org/poem")

    assert workspace.findings() == [("S2", "letter.md:9")]


def test_a_text_part_that_leaves_a_little_out_is_fine(workspace: Workspace) -> None:
    workspace.edit("txt", "{{ when(item) }}", "")

    assert workspace.findings() == []
