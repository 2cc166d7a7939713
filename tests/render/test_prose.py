"""Markdown as HTML with the theme's author CSS on its tags."""

import re

import pytest

from newsletter.content.keys import read_line
from newsletter.content.markdown import parse_markdown
from newsletter.language.direction import Direction
from newsletter.model.prose import ProseLine
from newsletter.render.memory import Memory
from newsletter.render.pictures import ShownPicture
from newsletter.render.prose import line_html, prose_html

CSS = ".prose p { margin: 0 } .prose h3 { font-family: Georgia, 'Source Serif 4', serif }"


def html_of(markdown: str, *, level: int = 3, width: int = 536, natural: int = 1072) -> str:
    prose = parse_markdown(markdown, path="letter.md").prose
    return str(
        prose_html(
            prose,
            css=CSS,
            heading_level=level,
            picture=lambda path, space: ShownPicture(
                src=f"cid:{path}", width=min(natural, space.width), height=min(natural, space.width) // 2
            ),
            width=width,
            memory=Memory(),
        )
    )


@pytest.mark.parametrize(
    ("markdown", "level", "expected"),
    [
        ("# a", 3, ["h3"]),
        ("## a\n\n### b", 3, ["h3", "h4"]),
        ("## a\n\n##### b", 2, ["h2", "h5"]),
        ("# a\n\n###### b", 4, ["h4", "h6"]),
    ],
)
def test_headings_begin_at_the_level_of_their_place(markdown: str, level: int, expected: list[str]) -> None:
    html = html_of(markdown, level=level)
    assert [tag for tag in ("h1", "h2", "h3", "h4", "h5", "h6") if f"<{tag}" in html] == expected


def test_author_css_is_on_the_tags() -> None:
    assert html_of("Hello").replace("\n", "") == '<div class="prose"><p style="margin:0">Hello</p></div>'


def test_raw_html_is_text() -> None:
    assert "<script" not in html_of("Hello <script>alert(1)</script>")


def test_quotes_stay_inside_double_quoted_attributes() -> None:
    html = html_of('![She said "yes" & left](a.png)\n\n# Title')
    assert 'alt="She said &quot;yes&quot; &amp; left"' in html
    assert "font-family:Georgia, &quot;Source Serif 4&quot;, serif" in html
    assert "='" not in html


def test_a_picture_is_as_wide_as_its_place_and_shrinks_on_a_phone() -> None:
    html = html_of("![A hill](hill.png)", width=432)
    assert 'width="432"' in html
    assert "width:100%" in html
    assert "max-width:432px" in html


def test_a_small_picture_is_not_made_larger() -> None:
    assert 'width="200"' in html_of("![A dot](dot.png)", natural=200)


def test_a_picture_can_be_shown_smaller_but_no_wider_than_its_place() -> None:
    assert 'width="120"' in html_of('![A dot](dot.png "120 px")')
    assert 'width="432"' in html_of('![A dot](dot.png "500 px")', width=432)


def test_a_decorative_picture_is_passed_by_when_the_mail_is_read_out() -> None:
    html = html_of('![](line.png "decorative")')
    assert 'alt="" role="presentation"' in html
    assert "title=" not in html


def test_words_on_two_lines_stay_apart() -> None:
    assert "<strong>bold</strong> <a " in html_of("**bold**\n[link](https://example.org)")


def test_the_head_of_a_column_is_announced() -> None:
    html = html_of("| a |\n|---|\n| 1 |")
    assert '<th scope="col"' in html
    assert '<table class="data"' in html


def test_prose_against_the_mails_direction_says_so_and_begins_at_its_own_side() -> None:
    css = ".prose p[dir=ltr] { text-align: left }"
    prose = parse_markdown("Hello there", path="letter.md").prose
    html = prose_html(
        prose,
        css=css,
        heading_level=3,
        picture=lambda path: ShownPicture(src=path, width=1, height=1),
        width=536,
        memory=Memory(),
        direction=Direction.RIGHT_TO_LEFT,
    )
    assert '<p dir="ltr" style="text-align:left">' in html


def test_no_prose_is_no_markup() -> None:
    assert html_of("") == ""


def test_notes_tasks_and_languages_are_marked_for_everyone() -> None:
    html = html_of("{lang=es}\nHola[^1], [grüß *dich*]{lang=de}.\n\n- [ ] one\n- [x] two\n\n[^1]: Note.")
    assert '<p lang="es"' in html
    assert "<sup>[1]</sup>" in html
    assert '<span lang="de">grüß <em>dich</em></span>' in html
    assert re.findall(r'<li class="task"[^>]*>(.)', html) == ["☐", "☑"]
    assert re.search(r'<div class="notes quiet"[^>]*><p[^>]*>\[1\] Note\.</p></div>', html.replace("\n", ""))


def test_a_line_of_a_key_is_inline_and_says_its_direction() -> None:
    line = read_line("*Dear* [friends](https://www.example.org), `x` and [Hola]{lang=es}")
    assert isinstance(line, ProseLine)
    css = ".prose a { color: #9c3353 }"
    html = line_html(line, css=css, memory=Memory(), direction=Direction.LEFT_TO_RIGHT)
    assert html.startswith('<span class="prose"><em>Dear</em> <a href="https://www.example.org" style="color:#9c3353">')
    turned = line_html(line, css=css, memory=Memory(), direction=Direction.RIGHT_TO_LEFT)
    assert turned.startswith('<span class="prose" dir="ltr">')
