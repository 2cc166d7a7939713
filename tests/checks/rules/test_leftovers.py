"""Merge tags and placeholders that were never replaced."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.checks.rules.leftovers import placeholders_in
from newsletter.model.slots import MergeField
from tests.checks.conftest import Workspace, findings_of, summary, with_html


@pytest.mark.parametrize(
    "words",
    [
        "TODO",
        "TODO:",
        "(TK)",
        "TK,",
        "TKTK",
        "FIXME",
        "XXX",
        "XXXX",
        "Lorem ipsum dolor",
        "[insert the date]",
        "*|FNAME|*",
        "<% name %>",
    ],
)
def test_a_placeholder_in_prose_blocks_at_its_line(workspace: Workspace, words: str) -> None:
    workspace.edit("letter", "grow longer", f"grow longer\nand {words} too")

    assert workspace.findings() == [("S6", "letter.md:10")]


@pytest.mark.parametrize(
    "words",
    [
        "TKMaxx",
        "TK Maxx",
        "todo",
        "Todo lo que amamos",
        "a to-do list",
        "XX",
        "TODOS",
        "the letters W|X|Y",
        "[insert]",
        "lorem",
        "https://example.org/TODO",
        "#TODO-1/TK",
        "@TK",
        "100 % {very sure}",
    ],
)
def test_words_that_look_like_placeholders_are_fine(workspace: Workspace, words: str) -> None:
    workspace.edit("letter", "grow longer", f"grow longer\nand {words} too")

    assert workspace.findings() == []


def test_a_placeholder_in_front_matter_blocks_at_its_key(workspace: Workspace) -> None:
    workspace.edit("workshop", "Reserve a place for the day of rest", "Reserve TK")

    assert workspace.findings() == [("S6", "events/workshop.md:9")]


def test_a_placeholder_in_a_picture_s_words_blocks(workspace: Workspace) -> None:
    workspace.edit("letter", "Two hands around a cup", "TODO describe the cup")

    assert workspace.findings() == [("S6", "letter.md:12")]


def test_a_placeholder_of_the_settings_blocks(workspace: Workspace) -> None:
    workspace.edit("toml", "7 Quay Street", "TODO Street")

    assert workspace.findings() == [("S6", "newsletter.toml:5")]


def test_a_placeholder_of_the_theme_blocks(workspace: Workspace) -> None:
    workspace.edit("txt", "Unsubscribe:", "FIXME\nUnsubscribe:")

    assert workspace.findings() == [("S6", "issue.yaml")]


def test_each_placeholder_is_told_at_each_of_its_lines(workspace: Workspace) -> None:
    workspace.edit("letter", "grow longer", "TODO grow longer")
    workspace.edit("meditation", "Sit down", "TODO sit down")

    assert workspace.findings() == [("S6", "letter.md:9"), ("S6", "meditation.md:8")]


def test_a_spanish_title_that_the_text_part_sets_in_capitals_is_fine(workspace: Workspace) -> None:
    workspace.edit("issue", "date:", "language: es\ndate:")
    workspace.edit("issue", "title: The first days of March", "title: Todo lo que la primavera trae")

    assert "S6" not in {rule for rule, _ in workspace.findings()}


def test_a_spanish_heading_in_capitals_is_fine_and_a_note_is_not(workspace: Workspace) -> None:
    workspace.edit("issue", "date:", "language: es\ndate:")
    workspace.edit("letter", "## What we read", "## TODO LO QUE LEEMOS")
    workspace.edit("meditation", "Sit down", "TODO: una frase")

    assert [found for found in workspace.findings() if found[0] == "S6"] == [("S6", "meditation.md:8")]


def test_a_tag_of_another_program_in_an_address_blocks_at_its_line(workspace: Workspace) -> None:
    workspace.edit("letter", "https://example.org/poem", "https://example.org/poem?n=%7B%7Bname%7D%7D")

    assert workspace.findings() == [("S6", "letter.md:16")]


@pytest.mark.parametrize("leftover", ["{{ first_name }}", MergeField("first_name").token, "{% if member %}"])
def test_a_tag_that_the_theme_leaves_blocks(workspace: Workspace, leftover: str) -> None:
    edited = with_html(workspace.subject(), lambda part: part.replace("</h1>", f" {leftover}</h1>"))

    assert summary(findings_of(edited)) == [("S6", "issue.yaml")]


def test_braces_that_close_style_rules_are_fine(workspace: Workspace) -> None:
    css = "<style>@media screen{p{color:red}}</style>"
    edited = with_html(workspace.subject(), lambda part: part.replace("</head>", f"{css}</head>"))

    assert summary(findings_of(edited)) == []


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Lu", "Lt"])))
def test_text_without_capitals_holds_no_note(text: str) -> None:
    found = list(placeholders_in(text, "en"))

    assert all(placeholder.casefold().startswith(("lorem", "[insert")) for placeholder in found)
