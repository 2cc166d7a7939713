"""What apps made of emails, by the threads and tests that quote their output. Each pair is written after one."""

import re
from typing import NamedTuple

import pytest

from newsletter.checks.clients.simulation.gmail import CLIP_BYTES
from newsletter.checks.clients.simulation.programs import APPS
from newsletter.checks.clients.simulation.simulate import Simulated, simulate
from newsletter.checks.clients.table import load_carried

BY_KEY = {app.key: app for app in APPS}


class Pair(NamedTuple):
    """An email before and after an app, each as its style sheets and the inside of what the app shows."""

    source: str
    app: str
    sheets: tuple[str, ...]
    body: str
    sheets_after: tuple[str, ...]
    body_after: str


def shown(app: str, html: str) -> Simulated:
    return simulate(BY_KEY[app], html, load_carried())


def html_of(sheets: tuple[str, ...], body: str) -> str:
    head = "".join(f"<style>{sheet}</style>" for sheet in sheets)
    return f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>"


def squeezed(css: str) -> str:
    """CSS without the spaces and semicolons that mean nothing."""
    return re.sub(r"\s*([{};:,>])\s*", r"\1", " ".join(css.split())).replace(";}", "}").strip()


def sheets_in(html: str) -> tuple[str, ...]:
    return tuple(filter(None, map(squeezed, re.findall(r"<style[^>]*>(.*?)</style>", html, re.DOTALL))))


def body_in(html: str) -> str:
    (body,) = re.findall(r"<body[^>]*>(.*)</body>", html, re.DOTALL)
    return re.sub(r'style="([^"]*)"', lambda found: f'style="{squeezed(found[1])}"', body.strip())


def in_gmail(body: str) -> str:
    return f'<div class="msg1a2b"><u></u><div>{body}</div></div>'


def in_outlook(body: str) -> str:
    return f'<div class="rps_1a2b"><div>{body}</div></div>'


def in_yahoo(body: str) -> str:
    return f'<div id="yiv1234567890"><div>{body}</div></div>'


RED, GREEN = "p { color: red }", "p { color: green }"
TEXT = "<p>Words</p>"
PAIRS = (
    Pair(
        "email-bugs #21: an at-rule inside an at-rule",
        "gmail-web",
        (RED, f"{GREEN} @media (max-width:9px) {{ @viewport {{ width:9px }} }}", f"{GREEN} @ {{ @ }}"),
        TEXT,
        (".msg1a2b p{color:red}",),
        in_gmail(TEXT),
    ),
    Pair(
        "email-bugs #13: !IMPORTANT in capitals",
        "gmail-web",
        ("p { color: red !important }", "p { color: green !IMPORTANT }"),
        '<p style="color:red !important">A</p><p style="color:green !IMPORTANT; margin:0">B</p>',
        (".msg1a2b p{color:red !important}",),
        in_gmail('<p style="color:red !important">A</p><p>B</p>'),
    ),
    Pair(
        "caniemail, rgba(), note 2: a color without commas",
        "gmail-ios",
        (f"{GREEN} i {{ color: rgb(0 128 0 / 1) }}", RED),
        '<p style="color:rgb(0 128 0); margin:0">A</p><p style="color:rgb(0, 128, 0)">B</p>',
        (".msg1a2b p{color:red}",),
        in_gmail('<p>A</p><p style="color:rgb(0,128,0)">B</p>'),
    ),
    Pair(
        "email-bugs #90: 16 KB of styles",
        "gmail-web",
        (RED, GREEN + " " * 16_384, "i { color: blue }"),
        TEXT,
        (".msg1a2b p{color:red}",),
        in_gmail(TEXT),
    ),
    Pair(
        "caniemail, <style>, note 1: a style element in the body",
        "gmail-android",
        (RED,),
        f"<style>{GREEN}</style>{TEXT}",
        (".msg1a2b p{color:red}",),
        in_gmail(TEXT),
    ),
    Pair(
        "hteumeuleu.com, 2021-04-09: renamed classes, and u + .body",
        "gmail-web",
        ("u + .body .a { color: red }", "#b { color: green }"),
        '<div class="body"><p class="a c" id="b">Words</p></div>',
        (".msg1a2b u + .m_1a2bbody .m_1a2ba{color:red}", ".msg1a2b #m_1a2bb{color:green}"),
        in_gmail('<div class="m_1a2bbody"><p class="m_1a2ba m_1a2bc" id="m_1a2bb">Words</p></div>'),
    ),
    Pair(
        "email-bugs #135: gradients in a style attribute",
        "gmail-android",
        (".a { background-image: linear-gradient(orange, pink) }",),
        '<div class="a" style="background-image:linear-gradient(orange,pink); color:red">A</div>',
        (".msg1a2b .m_1a2ba{background-image:linear-gradient(orange,pink)}",),
        in_gmail('<div class="m_1a2ba" style="color:red">A</div>'),
    ),
    Pair(
        "Google's page: queries for width, orientation and resolution",
        "gmail-web",
        (
            "@media only screen and (max-width:480px) { p { color: red } }"
            "@media (min-height:9px) { p { color: red } } @media (prefers-color-scheme:dark) { p { color: red } }",
        ),
        TEXT,
        ("@media only screen and (max-width:480px){.msg1a2b p{color:red}}",),
        in_gmail(TEXT),
    ),
    Pair(
        "email-bugs #88: the body becomes a div, classes get x_",
        "outlook-com",
        ("body { color: red } .a { color: green }",),
        '<p class="a" id="b">Words</p>',
        (".rps_1a2b > div{color:red}.rps_1a2b .x_a{color:green}".replace(" > ", ">"),),
        in_outlook('<p class="x_a" id="x_b">Words</p>'),
    ),
    Pair(
        "email-bugs #64 and caniemail, attribute selectors: not beside a class, and not renamed",
        "outlook-com",
        ('.a[b] { color: red } td[b] { color: red } [b] .a { color: red } [class="a"] { color: red }',),
        TEXT,
        ('.rps_1a2b td[b]{color:red}.rps_1a2b [b] .x_a{color:red}.rps_1a2b [class="a"]{color:red}',),
        in_outlook(TEXT),
    ),
    Pair(
        "email-bugs #61: two classes on one element",
        "outlook-com",
        (".a.b { color: red } .b { color: green }",),
        TEXT,
        (".rps_1a2b .x_b{color:green}",),
        in_outlook(TEXT),
    ),
    Pair(
        "caniemail, @media, note 2: a query in a query",
        "outlook-com",
        ("@media screen { p { color: red } @media (max-width:9px) { p { color: green } } }",),
        TEXT,
        ("@media screen{.rps_1a2b p{color:red}}",),
        in_outlook(TEXT),
    ),
    Pair(
        "email-bugs #22: classes with _ and -",
        "yahoo-web",
        ("._a { color: red } .-b { color: red } .c__ { color: red } .d_e { color: green }",),
        '<p class="_a">Words</p>',
        ("#yiv1234567890 .yiv1234567890d_e{color:green}",),
        in_yahoo('<p class="yiv1234567890_a">Words</p>'),
    ),
    Pair(
        "email-bugs #49: prefixed selectors and classes",
        "yahoo-web",
        (".box { width: 600px } #b p { color: red }",),
        '<div class="box" id="b">Words</div>',
        ("#yiv1234567890 .yiv1234567890box{width:600px}#yiv1234567890 #yiv1234567890b p{color:red}",),
        in_yahoo('<div class="yiv1234567890box" id="yiv1234567890b">Words</div>'),
    ),
    Pair(
        "email-bugs #149: a comma in a query",
        "yahoo-web",
        (
            "i { color: red } @media screen and (max-width: 450px), (orientation: landscape) { i { color: red } } "
            + GREEN,
        ),
        TEXT,
        ("#yiv1234567890 i{color:red}",),
        in_yahoo(TEXT),
    ),
    Pair(
        "email-bugs #79: a background image without quotes",
        "yahoo-web",
        (),
        """<p style="background:url(https://example.org/a.png)">A</p>"""
        """<p style="background:url('https://example.org/a.png')">B</p>""",
        (),
        in_yahoo("""<p>A</p><p style="background:url('https://example.org/a.png')">B</p>"""),
    ),
    Pair(
        "caniemail, height and border-radius: min-height, and no slash",
        "yahoo-phone",
        (),
        '<p style="height:40px; border-radius:10px/20px">A</p>',
        (),
        in_yahoo('<p style="min-height:40px">A</p>'),
    ),
    Pair(
        "caniemail, prefers-color-scheme: Fastmail's @supports",
        "fastmail",
        ("@supports (display:grid) { p { color: red } } p { color: green }",),
        TEXT,
        ("p{color:green}",),
        TEXT,
    ),
    Pair(
        "Proton Mail's source: positions, heights, forms and the dark query",
        "proton",
        ("@media (prefers-color-scheme: dark) { p { color: red } }",),
        '<form>A</form><p style="position:absolute; height:100%; max-height:100%">B</p>',
        (),
        '<span>A</span><p style="position:relative;max-height:100%">B</p>',
    ),
    Pair(
        "caniemail, !important, note 3: no space before it",
        "orange",
        ("p { color: red!important } i { color: green !important }",),
        TEXT,
        ("i{color:green}",),
        TEXT,
    ),
    Pair(
        "email-bugs #65: white among dark colors",
        "apple-mail-ios",
        (
            "p { background-color: #ffffff } @media (prefers-color-scheme: dark) {"
            " body { background-color: #ffffff } p { background-color: #fffffe; color: #FFF } }",
        ),
        TEXT,
        ("p{background-color:#ffffff}@media (prefers-color-scheme:dark){p{background-color:#fffffe}}",),
        TEXT,
    ),
    Pair(
        "email-bugs #75: only the first class",
        "outlook-windows",
        (".a { color: red } .b { color: blue }",),
        '<div class="a b">A</div><div class="b a">B</div>',
        ("table{font-family:inherit;font-weight:normal;line-height:normal}",),
        '<div class="a" style="color:red">A</div><div class="b" style="color:blue">B</div>',
    ),
    Pair(
        "email-bugs #31: !important in a style attribute",
        "outlook-windows",
        (),
        '<p style="color:red !important; font-size:9px">A</p>',
        ("table{font-family:inherit;font-weight:normal;line-height:normal}",),
        '<p style="font-size:9px">A</p>',
    ),
    Pair(
        "hteumeuleu.com, 2020-07-07: conditional comments",
        "outlook-windows",
        (),
        "<!--[if gte mso 9]><p>A</p><![endif]--><!--[if !mso]><!--><p>B</p><!--<![endif]-->"
        "<!--[if lt mso 16]>C<![endif]--><!--[if (mso)|(IE)]><p>D</p><![endif]-->",
        ("table{font-family:inherit;font-weight:normal;line-height:normal}",),
        "<p>A</p><p>D</p>",
    ),
    Pair(
        "caniemail, padding, width, margin and display: by element",
        "outlook-windows",
        (),
        '<div style="padding:9px; width:9px; color:red"><p style="margin:0 auto; display:flex">A</p></div>'
        '<table><tr><td style="padding:9px; border:9px solid red">B</td></tr></table>',
        ("table{font-family:inherit;font-weight:normal;line-height:normal}",),
        '<div style="color:red"><p style="margin:0 0">A</p></div>'
        '<table><tr><td style="padding:9px;border:8px solid red">B</td></tr></table>',
    ),
)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.source)
def test_an_app_makes_of_an_email_what_it_was_seen_to_make(pair: Pair) -> None:
    html = shown(pair.app, html_of(pair.sheets, pair.body)).html
    assert sheets_in(html) == pair.sheets_after
    assert body_in(html) == pair.body_after


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.source)
def test_what_an_app_changes_is_listed_with_its_source(pair: Pair) -> None:
    before = html_of(pair.sheets, pair.body)
    renamed_only = "renamed" in pair.source or "prefixed" in pair.source or "classes get x_" in pair.source
    losses = shown(pair.app, before).losses
    assert losses or renamed_only or "conditional" in pair.source
    assert all(loss.why and loss.rule.title and loss.count for loss in losses)


def test_gmail_cuts_after_102_kb_and_forgets_the_styles() -> None:
    html = html_of((RED,), "<p>First</p>" + "<p>x</p>" * (CLIP_BYTES // 8) + "<p>Last</p>")
    found = shown("gmail-web", html)
    assert "First" in found.html
    assert "Last" not in found.html
    assert "View entire message" in found.html
    assert sheets_in(found.html) == ()
    assert {loss.what for loss in found.losses} >= {"the end of the email", "<style>"}


def test_gmail_calls_an_email_with_a_control_character_clipped() -> None:
    found = shown("gmail-web", html_of((RED,), "<p>you\u0092re</p>"))
    assert "[Message clipped]" in found.html
    assert "[Message clipped]" not in shown("gmail-web", html_of((RED,), "<p>you’re</p>")).html


def test_vml_becomes_a_button_with_round_corners() -> None:
    button = (
        '<!--[if mso]><v:roundrect href="https://example.org" style="height:40px;width:200px;v-text-anchor:middle" '
        'arcsize="20%" fillcolor="#9C3353" stroke="f"><center>Go</center></v:roundrect><![endif]-->'
    )
    html = shown("outlook-windows", html_of((), button)).html
    (style,) = re.findall(r'<a style="([^"]*)"', html)
    drawn = set(squeezed(style).split(";"))
    assert drawn >= {"height:40px", "width:200px", "background-color:#9C3353", "border-radius:8px"}
