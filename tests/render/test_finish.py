"""What MJML gets wrong is corrected in the emails of any theme, and nothing else is changed."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from newsletter.render.mjml import compile_mjml, finish_html
from tests.render.mjml_documents import DOCUMENTS

PAGE = (
    '<!doctype html><html lang="und" dir="auto"><head><title>T</title></head><body style="margin:0">'
    '<div style="display:none;font-size:1px;color:#ffffff;line-height:1px;max-height:0px;opacity:0">Preheader</div>'
    '<div role="article" lang="und" dir="auto"><!--[if mso | IE]><table width="600"><tr><td><![endif]-->'
    '<table class="a"><tr><td><img src="cid:a"><img src="cid:b" alt="B"></td></tr></table>'
    '<!--[if mso]><v:rect fill="true"><v:fill src="x" /></v:rect><![endif]-->'
    '<table class="data"><tr><th scope="col">H</th></tr></table>'
    "<!--[if mso | IE]></td></tr></table><![endif]--></div></body></html>"
)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
ADDED = re.compile(r' role="presentation"| alt=""')


def finished(page: str = PAGE) -> str:
    return finish_html(page, language="de", direction="ltr")


def in_outlook(html: str) -> str:
    """The HTML as classic Outlook reads it."""
    html = re.sub(r"<!--\[if !mso[^\]]*\]><!-->.*?<!--<!\[endif\]-->", "", html, flags=re.DOTALL)
    return re.sub(r"<!--\[if [^\]]*\]>|<!\[endif\]-->", "", html)


def elsewhere(html: str) -> str:
    """The HTML as all other email apps read it."""
    return COMMENT.sub("", html)


def test_layout_tables_get_a_role_inside_outlooks_comments_too() -> None:
    html = finished()
    assert '<!--[if mso | IE]><table role="presentation" width="600">' in html
    assert '<table role="presentation" class="a">' in html


@pytest.mark.parametrize(
    "table",
    [
        '<table class="data"><tr><td>12</td></tr></table>',
        "<table><tr><th>Day</th></tr></table>",
        "<table><caption>Days</caption><tr><td>Monday</td></tr></table>",
        '<table role="none"><tr><td>laid out</td></tr></table>',
    ],
)
def test_a_table_of_data_or_with_a_role_of_its_own_gets_none(table: str) -> None:
    assert table in finished(PAGE.replace('<table class="data">', f"{table}<table>"))


def test_a_table_around_one_of_data_is_layout() -> None:
    inner = "<table><tr><th>Day</th></tr></table>"
    page = PAGE.replace('<table class="data">', f"<table class='around'><tr><td>{inner}</td></tr></table><table>")
    assert f"<table role=\"presentation\" class='around'><tr><td>{inner}" in finished(page)


def test_pictures_without_words_are_marked_as_decoration() -> None:
    html = finished()
    assert '<img alt="" src="cid:a">' in html
    assert '<img src="cid:b" alt="B">' in html
    assert '<v:rect alt="" fill="true"><v:fill alt="" src="x" />' in html


def test_the_root_and_every_child_of_the_body_name_their_language_and_direction() -> None:
    html = finished()
    assert '<html lang="de" dir="ltr">' in html
    assert re.search(r'<div lang="de" dir="ltr" style="display:none[^"]*">Preheader', html)
    assert '<div role="article" lang="de" dir="ltr">' in html


def test_a_language_that_the_theme_states_is_kept() -> None:
    assert '<div role="article" lang="fr" dir="ltr">' in finished(
        PAGE.replace('article" lang="und"', 'article" lang="fr"')
    )


def test_the_preheader_is_hidden_without_white_on_white() -> None:
    html = finished()
    assert "#ffffff" not in html
    assert '<div lang="de" dir="ltr" style="display:none;max-height:0;overflow:hidden;mso-hide:all;">Preheader' in html


def test_what_a_theme_hides_itself_is_left_alone() -> None:
    own = '<div lang="de" dir="ltr" style="display:none;color:red">mine</div>'
    assert own in finished(re.sub(r"<div style=.*?</div>", own, PAGE))


def test_the_doctype_is_written_as_inliners_and_checkers_know_it() -> None:
    assert finished().startswith("<!DOCTYPE html><html")


def test_all_else_stays_byte_for_byte() -> None:
    hidden = re.compile(r'style="display:none[^"]*"')
    stated = re.compile(r' lang="[^"]*"| dir="[^"]*"')
    before, after = (stated.sub("", hidden.sub("", ADDED.sub("", page))) for page in (PAGE, finished()))
    assert after.replace("<!DOCTYPE", "<!doctype") == before


@settings(max_examples=60)
@given(document=DOCUMENTS, language=st.sampled_from(["de", "ar"]))
def test_whatever_a_theme_is_made_of_is_finished(document: str, language: str) -> None:
    direction = "rtl" if language == "ar" else "ltr"
    compiled = compile_mjml(document, direction=direction)
    html = finish_html(compiled, language=language, direction=direction)

    assert [ADDED.sub("", comment) for comment in COMMENT.findall(html)] == [
        ADDED.sub("", comment) for comment in COMMENT.findall(compiled)
    ]
    assert elsewhere(html).count("<v:") == 0
    for tag in re.findall(r"<(?:img|v:rect|v:fill|v:image)\b[^>]*>", html):
        assert " alt=" in tag
    for view in (in_outlook(html), elsewhere(html)):
        root = lxml_html.document_fromstring(view)
        assert all(is_spoken_of_rightly(table) for table in root.iter("table"))
        for element in (root, *root.find("body").iterchildren("div")):
            assert element.get("lang") not in {None, "", "und"}
            assert element.get("dir") in {"ltr", "rtl"}
    assert finish_html(html, language=language, direction=direction) == html


@settings(max_examples=30)
@given(document=DOCUMENTS)
def test_text_is_never_left_as_small_as_mjml_makes_it(document: str) -> None:
    root = lxml_html.document_fromstring(elsewhere(compile_mjml(document)))
    assert [size for element in texts(root.find("body")) if (size := size_of(element)) < 14] == []


def is_spoken_of_rightly(table: lxml_html.HtmlElement) -> bool:
    """Whether a table of data has no role, and any other has one."""
    own = [cell for cell in table.iter("th", "caption") if next(cell.iterancestors("table")) is table]
    return (table.get("role") is None) == bool(own)


def texts(body: lxml_html.HtmlElement) -> Iterator[lxml_html.HtmlElement]:
    """The elements that hold words themselves."""
    for element in body.iter("*"):
        if any((words or "").strip() for words in (element.text, *(child.tail for child in element))):
            yield element


def size_of(element: lxml_html.HtmlElement) -> float:
    """The size of its text in pixels. The default is 16, and hidden text counts as infinitely large."""
    for holder in (element, *element.iterancestors()):
        style = holder.get("style") or ""
        if "display:none" in style:
            return 100
        if match := re.search(r"font-size:([\d.]+)(?:px)?", style):
            return float(match[1])
    return 16


def test_the_first_of_two_attributes_counts_as_in_a_browser() -> None:
    finished = finish_html(
        '<html lang="en" dir="ltr"><body><div lang="en" dir="ltr"><table CLASS="data" class="x"></table>'
        '<table class="x" class="data"></table></div></body></html>',
        language="en",
        direction="ltr",
    )

    assert '<table CLASS="data" class="x">' in finished
    assert '<table role="presentation" class="x" class="data">' in finished
