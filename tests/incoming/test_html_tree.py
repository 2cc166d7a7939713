"""HTML from elsewhere keeps its text, however deeply it is nested."""

from datetime import date

import pytest

from newsletter.incoming.entries import markdown_of
from newsletter.incoming.html_tree import tree_of
from newsletter.incoming.past_issues import PastIssue
from newsletter.workflows.issues.import_ import page_of
from tests.effort import growth_of_processor_time


def nested(tag: str, levels: int) -> str:
    opening = "".join(f"<{each}>" for each in tag.split())
    closing = "".join(f"</{each}>" for each in reversed(tag.split()))
    return f"<p>first</p>{opening * levels}inside{closing * levels}<p>last</p>"


@pytest.mark.parametrize("tag", ["div", "blockquote", "b", "table tr td", "ul li", "span a"])
@pytest.mark.parametrize("levels", [3, 90, 130, 400])
def test_deep_nesting_loses_tags_and_no_text(tag: str, levels: int) -> None:
    html = nested(tag, levels)
    page, _ = page_of(PastIssue(place="a.html", subject="a", day=date(2024, 3, 5), html=html), {})

    for text in (tree_of(html).text_content(), page.html, markdown_of(html), markdown_of(html, is_bare=True)):
        assert text.index("first") < text.index("inside") < text.index("last")


def test_nesting_without_end_is_told() -> None:
    page, _ = page_of(PastIssue(place="a.html", subject="a", day=date(2024, 3, 5), html=nested("div", 5000)), {})

    assert page.is_broken


@pytest.mark.parametrize("unit", ["<b>x</b>", "<p>x<br>", "<a href='#'>x</a>y"])
def test_many_parts_at_a_great_depth_take_linear_time(unit: str) -> None:
    assert growth_of_processor_time(lambda text: tree_of("<div>" * 110 + text), unit, 3000) < 20
