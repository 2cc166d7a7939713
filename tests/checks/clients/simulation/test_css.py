"""Style sheets that are read, edited and written again."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.checks.clients.simulation.css import (
    CssDeclaration,
    CssGroup,
    CssNode,
    CssRule,
    CssStatement,
    edited,
    read_declarations,
    read_sheet,
    split_commas,
    written_declarations,
    written_sheet,
)

SHEET = """
@import url("a.css");
@font-face { font-family: A; src: url(a.woff) }
p, .a > b { color: RED; margin: 0 auto !important; width: calc(1px + 2px)!important }
@media screen, print and (min-width: 9px) { p { color: red } @media (orientation: portrait) { i { color: blue } } }
.a { color: red; &:hover { color: blue } }
"""


def test_what_is_read_can_be_written_and_read_again() -> None:
    nodes = read_sheet(SHEET)
    assert read_sheet(written_sheet(nodes)) == nodes
    assert [type(node) for node in nodes] == [CssStatement, CssStatement, CssRule, CssGroup, CssRule]


@given(st.text(max_size=200))
def test_no_style_sheet_is_too_odd_to_be_read_and_written(css: str) -> None:
    once = written_sheet(read_sheet(css))
    assert read_sheet(once) == read_sheet(written_sheet(read_sheet(once)))
    written_declarations(read_declarations(css))


def test_the_space_before_important_is_kept_because_some_apps_care() -> None:
    color, margin, width = (each for each in read_declarations("color:RED;margin:0 !important;width:1px!IMPORTANT"))
    assert (color.value, color.bang, color.is_important) == ("RED", "", False)
    assert (margin.bang, width.bang) == (" !important", "!important")
    assert written_declarations([margin, width]) == "margin:0 !important; width:1px!important"


def test_custom_properties_keep_their_case_and_others_do_not() -> None:
    assert read_declarations("--Ab: 1; COLOR: red") == (CssDeclaration("--Ab", "1"), CssDeclaration("color", "red"))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("p, .a:not(b, c) > i", ("p", ".a:not(b, c) > i")),
        ('[a="x,y"], b', ('[a="x,y"]', "b")),
        ("rgb(1, 2, 3), url(a,b)", ("rgb(1, 2, 3)", "url(a,b)")),
        (" , a , ", ("a",)),
    ],
)
def test_commas_in_brackets_and_strings_do_not_part(text: str, pieces: tuple[str, ...]) -> None:
    assert split_commas(text) == pieces


def test_an_edit_sees_what_is_around_a_rule_and_empties_groups() -> None:
    seen: list[tuple[str, int]] = []

    def edit(node: CssNode, around: tuple[CssRule | CssGroup, ...]) -> Iterable[CssNode]:
        if isinstance(node, CssRule):
            seen.append((node.selectors[0], len(around)))
            return () if "i" in node.selectors else (node,)
        return (node,)

    left = written_sheet(edited(read_sheet(SHEET), edit))
    assert seen == [("p", 0), ("p", 1), ("i", 2), (".a", 0), ("&:hover", 1)]
    assert "orientation" not in left
    assert "screen" in left
