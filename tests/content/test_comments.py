"""Notes to oneself: they go, and everything else keeps its line."""

import pytest

from newsletter.content.comments import without_comments


@pytest.mark.parametrize(
    ("text", "left", "lines"),
    [
        ("Hello <!-- ask Ana --> there", "Hello  there", (5,)),
        ("one\n<!-- a note -->\ntwo", "one\ntwo", (5, 7)),
        ("one\n\n<!-- of\n\nthree lines -->\n\ntwo", "one\n\n\ntwo", (5, 6, 10, 11)),
        ("<!-- begins\nand ends --> with words\nmore", "with words\nmore", (6, 7)),
        ("- a\n  <!-- between -->\n- b", "- a\n- b", (5, 7)),
        ("<!-- a --><!-- b -->\nx", "x", (6,)),
        ("words <!-- a --> <!-- b -->\nmore", "words\nmore", (5, 6)),
        ("<!-- only a note -->", "", (5,)),
        ("    <!-- a --> code", "    code", (5,)),
    ],
)
def test_a_comment_goes_and_lines_stay(text: str, left: str, lines: tuple[int, ...]) -> None:
    plain = without_comments(text, first_line=5)
    assert (plain.text, plain.lines, plain.unclosed) == (left, lines, None)


@pytest.mark.parametrize(
    "text",
    [
        "`<!-- code -->`",
        "``a ` <!-- code -->``",
        "```\n<!-- code -->\n```",
        "~~~ html\n<!-- code -->\n~~~",
        "> ```\n> <!-- code -->\n> ```",
        r"\<!-- meant -->",
        "no comment at all",
    ],
)
def test_code_and_what_a_backslash_protects_stay(text: str) -> None:
    assert without_comments(text, first_line=1).text == text


@pytest.mark.parametrize(
    ("text", "line"), [("a\n<!-- b\nc", 2), ("<!-- a --> b\n\nc <!--", 3), ("it`s <!-- not code\n\n`", 1)]
)
def test_a_comment_that_never_ends_is_found_at_its_line(text: str, line: int) -> None:
    assert without_comments(text, first_line=1).unclosed == line


def test_an_apostrophe_typed_as_a_backtick_opens_no_code_across_paragraphs() -> None:
    assert without_comments("it`s <!-- a note -->\n\nthe cat`s", first_line=1).text == "it`s\n\nthe cat`s"
