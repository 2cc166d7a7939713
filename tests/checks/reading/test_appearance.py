"""How text looks by what is declared for it, for what is around it, and for the night."""

import pytest
from lxml import etree

from newsletter.checks.reading.appearance import Appearance, Look, Run, read_appearance
from newsletter.checks.reading.styles import ways_in


def appearance_of(body: str, css: str = "") -> Appearance:
    html = f"<html><head><style>{css}</style></head><body>{body}</body></html>"
    root = etree.fromstring(html.encode(), etree.HTMLParser(encoding="utf-8"))
    return read_appearance(root, ways_in(root))


def look_of(body: str, css: str = "") -> Look:
    """The look of the text `x`."""
    (run,) = (run for run in appearance_of(body, css).runs if run.text.strip() == "x")
    return run.look


@pytest.mark.parametrize(
    ("body", "size"),
    [
        ("<p>x</p>", 16),
        ("<h1>x</h1>", 32),
        ('<p style="font-size:13px">x</p>', 13),
        ('<p style="font-size:12pt">x</p>', 16),
        ('<p style="font-size:20px"><b style="font-size:80%">x</b></p>', 16),
        ('<p style="font: bold 15px/1.5 Georgia, serif">x</p>', 15),
        ('<p style="font: 15px Georgia; font-size: 18px">x</p>', 18),
        ('<p style="font-size:1.5rem">x</p>', 24),
        ('<td style="font-size:0px"><div style="font-size:17px">x</div></td>', 17),
    ],
)
def test_a_size_is_read_in_every_unit_and_from_what_is_around(body: str, size: float) -> None:
    assert look_of(body).size == pytest.approx(size)


@pytest.mark.parametrize(
    ("body", "leading"),
    [
        ("<p>x</p>", 1.2),
        ('<p style="font-size:20px;line-height:30px">x</p>', 1.5),
        ('<p style="line-height:1.6"><span style="font-size:30px">x</span></p>', 1.6),
        ('<p style="line-height:24px"><span style="font-size:12px">x</span></p>', 2),
        ('<p style="line-height:150%;font-size:20px">x</p>', 1.5),
        ('<p style="line-height:2"><span style="line-height:normal">x</span></p>', 1.2),
    ],
)
def test_a_line_height_is_told_in_sizes_of_the_letters(body: str, leading: float) -> None:
    assert look_of(body).leading == pytest.approx(leading)


def test_rules_of_the_head_count_and_the_elements_own_style_wins() -> None:
    css = "p { font-size: 13px; color: red } .a { font-size: 15px } p.a { text-align: justify }"

    assert look_of("<p>x</p>", css).size == 13
    assert look_of('<p class="a">x</p>', css).size == 15
    assert look_of('<p class="a" style="font-size:17px">x</p>', css).size == 17
    assert look_of('<p class="a">x</p>', css).align == "justify"
    assert str(look_of("<p>x</p>", css).color) == "#FF0000"


def test_an_important_rule_wins_over_the_elements_own_style() -> None:
    assert look_of('<p style="font-size:17px">x</p>', "p { font-size: 13px !important }").size == 13


@pytest.mark.parametrize("css", ["@media (max-width: 600px) { p { font-size: 9px } }", "p:hover { font-size: 9px }"])
def test_rules_that_do_not_hold_at_rest_on_a_wide_screen_are_left_aside(css: str) -> None:
    assert look_of("<p>x</p>", css).size == 16


@pytest.mark.parametrize(
    ("body", "is_underlined"),
    [
        ('<a href="#">x</a>', True),
        ("<a>x</a>", False),
        ('<a href="#" style="text-decoration:none">x</a>', False),
        ('<a href="#" style="text-decoration:none"><span style="text-decoration:underline">x</span></a>', True),
        ('<a href="#" style="text-decoration:none;border-bottom:1px solid red">x</a>', True),
        ('<a href="#" style="text-decoration:none;border-bottom:0">x</a>', False),
        ('<p style="border-bottom:1px solid red">x</p>', False),
        ("<u>x</u>", True),
    ],
)
def test_what_is_underlined(body: str, is_underlined: bool) -> None:
    assert look_of(body).is_underlined is is_underlined


@pytest.mark.parametrize(
    ("body", "ground", "is_over_picture"),
    [
        ("<p>x</p>", "#FFFFFF", False),
        ('<td bgcolor="#222222">x</td>', "#222222", False),
        ('<td bgcolor="#222222" style="background:#333">x</td>', "#333333", False),
        ('<div style="background:url(a.png)">x</div>', "#FFFFFF", True),
        ('<div style="background:#222 url(a.png)">x</div>', "#222222", True),
        ('<div style="background:url(a.png)"><p style="background:#EEE">x</p></div>', "#EEEEEE", False),
        ('<td background="a.png">x</td>', "#FFFFFF", True),
        ('<div style="background:rgba(0,0,0,0.5)">x</div>', "#808080", False),
        ('<div style="background:#222;background-color:transparent">x</div>', "#FFFFFF", False),
    ],
)
def test_what_text_lies_on(body: str, ground: str, is_over_picture: bool) -> None:
    look = look_of(f"<table><tr>{body}</tr></table>" if body.startswith("<td") else body)

    assert (str(look.ground), look.is_over_picture) == (ground, is_over_picture)


def test_what_is_hidden_is_not_told() -> None:
    body = '<p hidden>x</p><div style="display:none"><p>y</p></div><p class="gone">z</p><script>a</script>'

    assert appearance_of(body, ".gone { display: none }").runs == ()


def test_a_color_of_the_night_counts_where_it_wins() -> None:
    night = "@media (prefers-color-scheme: dark) { .a { color: #EEEEEE%s } }"

    assert look_of('<p class="a" style="color:#111">x</p>', night % " !important").keeps_color_at_night is False
    assert look_of('<p class="a" style="color:#111">x</p>', night % "").keeps_color_at_night is True
    assert look_of('<p class="a">x</p>', night % "").keeps_color_at_night is False
    held = '<p class="a" style="color:#111 !important">x</p>'
    assert look_of(held, night % " !important").keeps_color_at_night is True


def test_a_color_of_the_night_is_inherited_until_one_of_the_day_is_said_again() -> None:
    night = "@media (prefers-color-scheme: dark) { .a { color: #EEEEEE !important } }"

    assert look_of('<div class="a" style="color:#111"><b>x</b></div>', night).keeps_color_at_night is False
    again = look_of('<div class="a" style="color:#111"><b style="color:#222">x</b></div>', night)
    assert (again.keeps_color_at_night, str(again.night_color)) == (True, "#222222")


def test_rules_for_outlook_are_told_apart_from_those_for_the_night() -> None:
    look = look_of('<p class="a" style="color:#111">x</p>', "[data-ogsc] .a { color: #EEE !important }")

    assert (look.keeps_color_at_night, look.keeps_color_in_outlook) == (True, False)
    assert str(look.color) == "#111111"


def test_each_ground_is_told_with_the_first_words_on_it() -> None:
    grounds = appearance_of(
        '<div style="background:#111"><p>first</p><p style="background:#111">second</p></div>'
    ).grounds

    assert [(ground.tag, ground.text) for ground in grounds] == [("p", "second"), ("div", "first")]


def test_a_paragraph_is_a_block_with_the_inline_elements_in_it() -> None:
    runs: tuple[Run, ...] = appearance_of('<div>a<p>b <a href="/x"><b>c</b></a> d</p>e</div>').runs

    assert [(run.text.strip(), run.link) for run in runs] == [
        ("a", None),
        ("b", None),
        ("c", "/x"),
        ("d", None),
        ("e", None),
    ]
    assert runs[0].block == runs[4].block != runs[1].block == runs[2].block == runs[3].block


def test_css_that_nobody_can_read_changes_nothing() -> None:
    assert (
        look_of('<p style="font-size:;;color:}{">x</p>', "p { color: } @media { } ]] p::before { color: red }").size
        == 16
    )


@pytest.mark.parametrize("selector", ["v|p", "p:hover", "p::before", "p:nonsense", "p[", "*|*:before"])
def test_a_rule_that_concerns_no_element_of_a_mail_is_left_out(selector: str) -> None:
    assert look_of("<p>x</p>", f"{selector} {{ font-size: 9px }} p {{ line-height: 2 }}").size == 16


@pytest.mark.parametrize(
    ("selector", "sizes"),
    [
        ("p + p", [16, 9, 9]),
        ("p ~ p", [16, 9, 9]),
        ("p:first-child", [9, 16, 16]),
        ("p:last-child", [16, 16, 9]),
        ("p:nth-child(2)", [16, 9, 16]),
    ],
)
def test_elements_with_equal_ways_may_differ_by_what_is_around_them(selector: str, sizes: list[int]) -> None:
    for _ in range(2):  # the second time, what follows from the ways is known
        runs = appearance_of("<p>x</p><p>x</p><p>x</p>", f"{selector} {{ font-size: 9px }}").runs

        assert [run.look.size for run in runs] == sizes


def test_what_is_known_of_a_way_is_not_used_for_another_style_sheet_or_another_way() -> None:
    assert look_of('<div class="a"><p>x</p></div>', ".a p { font-size: 9px }").size == 9
    assert look_of('<div class="a"><p>x</p></div>', ".a p { font-size: 8px }").size == 8
    assert look_of('<div class="b"><p>x</p></div>', ".a p { font-size: 9px }").size == 16
    assert look_of('<div class="a"><div><p>x</p></div></div>', ".a > p { font-size: 9px }").size == 16
