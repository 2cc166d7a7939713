"""What email apps need to find in the HTML, and what they refuse."""

from collections.abc import Callable

import pytest

from tests.checks.conftest import Workspace, findings_of, summary, with_html

THEME = "issue.yaml"  # where a fault belongs that no line of the content caused


def found_in(workspace: Workspace, edit: Callable[[str], str]) -> list[tuple[str, str]]:
    return summary(findings_of(with_html(workspace.subject(), edit)))


def in_head(html: str) -> Callable[[str], str]:
    return lambda part: part.replace("</head>", f"{html}</head>")


def in_body(html: str) -> Callable[[str], str]:
    return lambda part: part.replace("</body>", f'<div lang="en" dir="ltr">{html}</div></body>')


@pytest.mark.parametrize(
    "css",
    [
        "@media screen { @font-face { font-family: x } }",
        "@media screen { p { color: red } @media print { p { color: blue } } }",
        "p { @media screen { color: red } }",
    ],
)
def test_a_nested_rule_blocks(workspace: Workspace, css: str) -> None:
    assert found_in(workspace, in_head(f"<style>{css}</style>")) == [("S5", THEME)]


@pytest.mark.parametrize(
    "css",
    [
        "@media screen { p { color: red } } @font-face { font-family: x }",
        "@media screen { /* @media inside */ p { content: '@media {' } }",
        "@media screen{p{color:red}}@media print{p{color:red}}",
    ],
)
def test_rules_side_by_side_are_fine(workspace: Workspace, css: str) -> None:
    assert found_in(workspace, in_head(f"<style>{css}</style>")) == []


def test_a_missing_doctype_blocks(workspace: Workspace) -> None:
    assert found_in(workspace, lambda part: part.replace("<!DOCTYPE html>", "")) == [("S7", THEME)]


def test_a_second_doctype_blocks(workspace: Workspace) -> None:
    assert found_in(workspace, lambda part: part.replace("<!DOCTYPE html>", "<!DOCTYPE html>" * 2)) == [("S7", THEME)]


def test_the_case_of_the_doctype_does_not_matter(workspace: Workspace) -> None:
    assert found_in(workspace, lambda part: part.replace("<!DOCTYPE html>", "\n<!doctype HTML>")) == []


@pytest.mark.parametrize(
    "html",
    [
        "<!--[if mso]><p>open",
        "<!--[if mso]><!--[if mso]><p></p><![endif]-->",
        "<!--<![endif]-->",
        '<!--[if mso]><table role="presentation"><tr><td><![endif]-->',
        "<!--[if mso]></td><![endif]-->",
    ],
)
def test_unbalanced_comments_for_outlook_block(workspace: Workspace, html: str) -> None:
    assert found_in(workspace, lambda part: part.replace("</html>", f"{html}</html>")) == [("S8", THEME)]


@pytest.mark.parametrize(
    "html",
    [
        "<!--[if !mso]><!--><p>for all but Outlook</p><!--<![endif]-->",
        '<!--[if mso]><table role="presentation"><tr><td><![endif]-->x<!--[if mso]></td></tr></table><![endif]-->',
        '<!--[if mso]><v:rect alt=""><v:fill alt="" src="cid:x" /></v:rect><![endif]-->',
        "<!-- only a remark -->",
    ],
)
def test_balanced_comments_for_outlook_are_fine(workspace: Workspace, html: str) -> None:
    assert found_in(workspace, in_body(html)) == []


@pytest.mark.parametrize(
    "html",
    [
        "<script></script>",
        "<form></form>",
        '<iframe src="https://example.org"></iframe>',
        '<div style="background: #FFF url( data:image/png;base64,AA )"></div>',
        '<!--[if mso]><v:image alt="" src="data:image/png;base64,AA" /><![endif]-->',
    ],
)
def test_active_and_embedded_content_blocks(workspace: Workspace, html: str) -> None:
    assert found_in(workspace, in_body(html)) == [("S9", THEME)]


def test_words_about_scripts_and_data_are_fine(workspace: Workspace) -> None:
    workspace.edit("letter", "A book", "Our `<script>` of the play, src=data: and all, a book")

    assert workspace.findings() == []


@pytest.mark.parametrize(
    "html",
    [
        '<link rel="stylesheet" href="https://fonts.example.com/x.css">',
        "<style>@import url(https://fonts.example.com/x.css);</style>",
    ],
)
def test_a_style_sheet_from_elsewhere_is_told(workspace: Workspace, html: str) -> None:
    assert found_in(workspace, in_head(html)) == [("S11", THEME)]


def test_a_link_element_of_another_kind_is_fine(workspace: Workspace) -> None:
    assert found_in(workspace, in_head('<link rel="canonical" href="https://example.org/x">')) == []


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
