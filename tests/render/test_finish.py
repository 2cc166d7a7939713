"""What MJML leaves wrong is put right, and nothing else is touched."""

import re

from newsletter.render.finish import finish_html

PAGE = (
    '<html lang="de"><head><title>T</title></head><body style="margin:0">'
    '<div style="display:none;font-size:1px;color:#ffffff;line-height:1px;">Preheader</div>'
    '<div role="article" lang="de"><!--[if mso | IE]><table width="600"><tr><td><![endif]-->'
    '<table class="a"><tr><td><img src="cid:a"><img src="cid:b" alt="B"></td></tr></table>'
    '<!--[if mso]><v:rect fill="true"><v:fill src="x" /></v:rect><![endif]-->'
    '<table class="data"><tr><th scope="col">H</th></tr></table>'
    "<!--[if mso | IE]></td></tr></table><![endif]--></div></body></html>"
)


def finished() -> str:
    return finish_html(PAGE, language="de", direction="ltr")


def test_layout_tables_get_a_role_inside_outlooks_comments_too() -> None:
    html = finished()
    assert '<!--[if mso | IE]><table role="presentation" width="600">' in html
    assert '<table role="presentation" class="a">' in html


def test_a_table_of_data_gets_no_role() -> None:
    assert '<table class="data">' in finished()


def test_pictures_without_words_are_marked_as_decoration() -> None:
    html = finished()
    assert '<img alt="" src="cid:a">' in html
    assert '<img src="cid:b" alt="B">' in html
    assert '<v:rect alt="" fill="true"><v:fill alt="" src="x" />' in html


def test_every_child_of_the_body_names_its_language_and_direction() -> None:
    body = finished().split("<body", 1)[1]
    assert re.search(r'<div lang="de" dir="ltr" style="display:none[^"]*">Preheader', body)
    assert '<div role="article" lang="de">' in body


def test_the_preheader_is_hidden_without_white_on_white() -> None:
    html = finished()
    assert "#ffffff" not in html
    assert "display:none" in html


def test_all_else_stays_byte_for_byte() -> None:
    html = finished()
    for added in (' role="presentation"', ' alt=""', ' lang="de" dir="ltr"'):
        html = html.replace(added, "")
    hidden = re.compile(r'<div style="display:none[^"]*">')
    assert hidden.sub("", html).replace('role="article" lang="de"', "") == hidden.sub("", PAGE).replace(
        'role="article" lang="de"', ""
    )
