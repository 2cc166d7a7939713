"""Words that run against the mail's direction say so in its HTML."""

import pytest
from markupsafe import Markup

from newsletter.content.markdown import parse_markdown
from newsletter.language.direction import Direction
from newsletter.render.directions import directed, with_directions

LEFT, RIGHT = Direction.LEFT_TO_RIGHT, Direction.RIGHT_TO_LEFT


def directions_of(markdown: str, around: Direction) -> list[tuple[str, object]]:
    """Which blocks state a direction, and the marks inside them."""
    found: list[tuple[str, object]] = []
    for token in with_directions(parse_markdown(markdown, path="a.md").prose.tokens, around):
        if "dir" in token.attrs:
            found.append((token.tag, token.attrs["dir"]))
        found += [("span", child.content) for child in token.children or [] if child.type == "html_inline"]
    return found


def span(direction: Direction) -> list[tuple[str, object]]:
    return [("span", f'<span dir="{direction}">'), ("span", "</span>")]


@pytest.mark.parametrize(
    ("markdown", "around", "expected"),
    [
        ("Hello", LEFT, []),
        ("مرحبا بكم", RIGHT, []),
        ("Hello there", RIGHT, [("p", "ltr")]),
        ("## Hello there", RIGHT, [("h2", "ltr")]),
        ("> Hello there\n>\n> and more", RIGHT, [("blockquote", "ltr")]),
        ("- one\n- two", RIGHT, [("ul", "ltr")]),
        ("1. one\n   - two", RIGHT, [("ol", "ltr")]),
        ("- مرحبا\n- Hello there", RIGHT, span(LEFT)),
        ("- مرحبا\n\n- Hello there", RIGHT, span(LEFT)),
        ("- Hello\n- مرحبا بكم", LEFT, span(RIGHT)),
        ("Say «مرحبا بكم» 3 times", LEFT, span(RIGHT)),
        ("اكتب إلى a@example.org.", RIGHT, span(LEFT)),
        ("| أ | b |\n|---|---|\n| مرحبا بكم | Hello |", RIGHT, [("th", "ltr"), ("td", "ltr")]),
        ("| a | b |\n|---|---|\n| c | d |", RIGHT, [("table", "ltr")]),
    ],
)
def test_blocks_and_phrases_that_run_the_other_way_say_so(
    markdown: str, around: Direction, expected: list[tuple[str, object]]
) -> None:
    assert directions_of(markdown, around) == expected


def test_tokens_that_others_share_are_not_changed() -> None:
    prose = parse_markdown("Hello *there*", path="a.md").prose
    before = [token.as_dict() for token in prose.tokens]
    with_directions(prose.tokens, RIGHT)
    assert [token.as_dict() for token in prose.tokens] == before


@pytest.mark.parametrize(
    ("text", "around", "expected"),
    [
        ("A & B", LEFT, "A &amp; B"),
        ("Live (LOTT-28)", RIGHT, '<span dir="ltr">Live (LOTT-28)</span>'),
        ("زر https://www.example.org/", RIGHT, 'زر <span dir="ltr">https://www.example.org/</span>'),
        (Markup("<b>Live</b>"), RIGHT, "<b>Live</b>"),
    ],
)
def test_a_line_of_a_template_says_so_too(text: str, around: Direction, expected: str) -> None:
    assert directed(text, around) == expected
