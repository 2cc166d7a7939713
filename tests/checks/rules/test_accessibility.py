"""Languages, roles, words for pictures, the outline of headings."""

from collections.abc import Callable

import pytest

from newsletter.model.finding import Severity
from tests.checks.conftest import Workspace, findings_of, summary, with_html


def found_in(workspace: Workspace, edit: Callable[[str], str]) -> list[tuple[str, str]]:
    return summary(findings_of(with_html(workspace.subject(), edit)))


def in_body(html: str) -> Callable[[str], str]:
    return lambda part: part.replace("</h1>", f"</h1>{html}")


@pytest.mark.parametrize("attributes", ["", 'lang="und" dir="ltr"', 'lang="en" dir="auto"', 'lang="ar" dir="ltr"'])
def test_a_child_of_the_body_without_language_or_direction_blocks(workspace: Workspace, attributes: str) -> None:
    found = found_in(workspace, lambda part: part.replace("</body>", f"<div {attributes}>x</div></body>"))

    assert found == [("A1", "issue.yaml")]


def test_a_language_with_a_region_or_from_right_to_left_is_fine(workspace: Workspace) -> None:
    html = '<div lang="pt-BR" dir="ltr">x</div><div lang="he" dir="rtl">x</div></body>'

    assert found_in(workspace, lambda part: part.replace("</body>", html)) == []


def test_the_html_element_needs_a_language_too(workspace: Workspace) -> None:
    assert found_in(workspace, lambda part: part.replace('<html lang="en"', "<html", 1)) == [("A1", "issue.yaml")]


@pytest.mark.parametrize(
    "html",
    [
        "<table><tr><td>x</td></tr></table>",
        '<table role="grid"><tr><td><table class="data"><tr><th scope="col">x</th></tr></table></td></tr></table>',
        "<!--[if mso]><table><tr><td>x</td></tr></table><![endif]-->",
    ],
)
def test_a_layout_table_without_a_role_blocks(workspace: Workspace, html: str) -> None:
    assert found_in(workspace, in_body(html)) == [("A2", "issue.yaml")]


def test_a_table_of_data_needs_no_role(workspace: Workspace) -> None:
    workspace.edit("letter", "A book", "| Day | Place |\n| --- | --- |\n| Friday | Galway |\n\nA book")

    assert workspace.findings() == []


def test_a_picture_with_empty_brackets_blocks_at_its_line(workspace: Workspace) -> None:
    workspace.edit("letter", "![Two hands around a cup]", "![ ]")

    (finding,) = findings_of(workspace.subject())

    assert (finding.rule, finding.severity, finding.place.line) == ("A3", Severity.ERROR, 12)
    assert "write one in the brackets: ![what it shows](…)" in finding.remedy


@pytest.mark.parametrize("words", ["cup.png", "IMG_2041", "Screenshot 12"])
def test_a_picture_described_by_a_file_name_is_told(workspace: Workspace, words: str) -> None:
    workspace.edit("letter", "![Two hands around a cup]", f"![{words}]")

    assert workspace.findings() == [("A3", "letter.md:12")]


def test_a_picture_marked_as_decorative_needs_no_words(workspace: Workspace) -> None:
    workspace.edit("letter", "![Two hands around a cup](images/cup.png)", '![](images/cup.png "decorative")')

    assert "A3" not in {rule for rule, _ in workspace.findings()}


def test_an_image_without_alt_blocks_where_its_file_is_named(workspace: Workspace) -> None:
    assert found_in(workspace, _without_alt_of_portrait) == [("A3", "letter.md:5")]


def _without_alt_of_portrait(html: str) -> str:
    start = html.find("cid:ana")
    opened = html.rfind("<img", 0, start)
    return html if start == -1 else html[:opened] + html[opened:].replace('alt=""', "", 1)


def test_a_shape_of_outlook_without_alt_blocks(workspace: Workspace) -> None:
    html = '<!--[if mso]><v:rect><v:fill alt="" src="cid:x" /></v:rect><![endif]-->'

    assert found_in(workspace, in_body(html)) == [("A3", "issue.yaml")]


def test_decoration_with_an_empty_alt_is_fine(workspace: Workspace) -> None:
    html = '<img src="cid:x" alt=""><!--[if mso]><v:rect alt=""></v:rect><![endif]-->'

    assert found_in(workspace, in_body(html)) == []


def test_a_missing_title_blocks(workspace: Workspace) -> None:
    workspace.edit("mjml", "<mj-title>{{ issue.title }}</mj-title>", "")

    assert workspace.findings() == [("A5", "issue.yaml:3")]


def test_a_mail_without_a_highest_heading_blocks(workspace: Workspace) -> None:
    workspace.edit("mjml", "<h1>{{ issue.title }}</h1>", "<p>{{ issue.title }}</p>")

    assert ("A5", "issue.yaml:3") in workspace.findings()


def test_two_highest_headings_block(workspace: Workspace) -> None:
    workspace.edit("mjml", "<h2>{{ section.fields.title }}</h2>", "<h1>{{ section.fields.title }}</h1>")

    assert ("A5", "issue.yaml:3") in workspace.findings()


def test_a_skipped_heading_level_is_told_at_its_line(workspace: Workspace) -> None:
    workspace.edit("letter", "A book", "A book\n\n##### Small print\n\nand")

    assert workspace.findings() == [("A5", "letter.md:18")]


def test_headings_may_fall_by_one_and_rise_by_many(workspace: Workspace) -> None:
    workspace.edit("letter", "A book", "A book\n\n### Small print\n\n#### Smaller\n\n## Large again\n\nand")

    assert workspace.findings() == []


def test_markdown_that_begins_with_a_low_heading_is_fine(workspace: Workspace) -> None:
    workspace.edit("letter", "## What we read", "#### What we read")

    assert workspace.findings() == []
