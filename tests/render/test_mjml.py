"""The compiler's faults are caught here, and its comments are joined."""

import pytest

from newsletter.errors import InputError
from newsletter.render.mjml import compile_mjml

PAGE = "<mjml><mj-body><mj-section><mj-column>{}</mj-column></mj-section></mj-body></mjml>"


def test_an_unknown_component_is_an_error_that_names_it() -> None:
    with pytest.raises(InputError, match="mj-txt"):
        compile_mjml(PAGE.format("<mj-text><mj-txt>Hello</mj-txt></mj-text>"))


def test_broken_mjml_is_an_error() -> None:
    with pytest.raises(InputError, match="cannot be compiled"):
        compile_mjml("<mjml><mj-body>")


def test_outlooks_comments_stay_balanced_after_they_are_joined() -> None:
    html = compile_mjml(PAGE.format("<mj-text>Hello</mj-text>"))
    assert html.count("<!--[if") == html.count("<![endif]-->")
    assert "<![endif]--><!--[if mso | IE]>" not in html


@pytest.mark.parametrize("font", ["Roboto", "Open Sans", "Lato", "Ubuntu"])
def test_no_font_is_fetched_from_elsewhere(font: str) -> None:
    html = compile_mjml(PAGE.format(f'<mj-text font-family="{font}, Arial">Hello</mj-text>'))
    assert "<link" not in html
    assert "@import" not in html


def test_what_stands_in_outlooks_comments_stays_when_they_are_joined() -> None:
    source = PAGE.format(
        "<mj-text>A</mj-text></mj-column><mj-column><mj-raw><!--[if !mso]><!--><tr><td>not for Outlook</td></tr>"
        "<!--<![endif]--><!--[if mso | IE]><tr><td>for Outlook</td></tr><![endif]--></mj-raw>"
    )
    html = compile_mjml(source)
    assert "<!--<![endif]--><!--[if mso | IE]><tr><td>for Outlook</td></tr><![endif]-->" in html


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ('<mj-carousel><mj-carousel-image src="https://www.example.org/a.png" /></mj-carousel>', "mj-carousel"),
        (
            "<mj-accordion><mj-accordion-element><mj-accordion-title>A</mj-accordion-title></mj-accordion-element>"
            "</mj-accordion>",
            "icon-wrapped-url",
        ),
        (
            '<mj-social><mj-social-element name="facebook" href="/">F</mj-social-element></mj-social>',
            "another company's server",
        ),
        ('<mj-social><mj-social-element name="nowhere" href="/">N</mj-social-element></mj-social>', "without a source"),
        ("<mj-text><img alt='A hill'></mj-text>", "without a source"),
    ],
)
def test_what_harms_readers_is_refused_with_what_to_do(body: str, named: str) -> None:
    with pytest.raises(InputError, match=named):
        compile_mjml(PAGE.format(body))


def test_a_picture_whose_words_hold_signs_of_markup_has_a_source() -> None:
    html = compile_mjml(PAGE.format('<mj-text><img alt="1 < 2 > 0" src="cid:hill"></mj-text>'))
    assert 'src="cid:hill"' in html


def test_gmail_keeps_the_style_sheet_of_an_accordion() -> None:
    html = compile_mjml(
        PAGE.format(
            '<mj-accordion icon-wrapped-url="/a.png" icon-unwrapped-url="/b.png"><mj-accordion-element>'
            "<mj-accordion-title>A</mj-accordion-title></mj-accordion-element></mj-accordion>"
        )
    )
    assert "mj-accordion-checkbox" in html
    assert "@goodbye" not in html


def test_text_that_a_theme_gives_no_size_is_large_enough_to_read() -> None:
    assert "font-size:16px;line-height:1.5" in compile_mjml(PAGE.format("<mj-text>Hello</mj-text>"))


@pytest.mark.parametrize(
    "head",
    [
        '<mj-head><mj-attributes><mj-all font-size="18px" /></mj-attributes></mj-head>',
        '<mj-head><mj-attributes><mj-text font-size="18px" /></mj-attributes></mj-head>',
    ],
)
def test_a_size_that_the_theme_states_wins(head: str) -> None:
    html = compile_mjml(PAGE.format("<mj-text>Hello</mj-text>").replace("<mj-body>", f"{head}<mj-body>"))
    assert "font-size:18px" in html
    assert "font-size:16px" not in html


def test_a_mail_from_right_to_left_begins_at_the_right() -> None:
    html = compile_mjml(PAGE.format("<mj-text>مرحبا</mj-text>"), direction="rtl")
    assert "direction:ltr" not in html
    assert "text-align:left;color" not in html
    assert "text-align:right" in html


@pytest.mark.parametrize(
    "words",
    [
        "Lire\N{NO-BREAK SPACE}: la vidéo",
        "cafe\N{COMBINING ACUTE ACCENT}",
        "\N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16}",
        "धन्यवाद",
        "שָׁלוֹם\N{RIGHT-TO-LEFT MARK}",
        "C:\\news",
        "two\nlines",
        "&#160;&quot;&amp;",
    ],
)
@pytest.mark.parametrize(
    "tag", ['<mj-image src="https://www.example.org/a.png" alt="{}"/>', '<mj-text><p title="{}">Hello</p></mj-text>']
)
def test_the_words_of_an_attribute_are_not_changed(tag: str, words: str) -> None:
    html = compile_mjml(PAGE.format(tag.format(words)))
    assert f'"{words}"' in html


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("{}a{end}{}b{end}{}c{end}", "{}abc{end}"),
        ("{}a{end} {}b{end}", "{}a{end} {}b{end}"),
        ("<!--[if gte mso 9]>a{end}{}b{end}{}c{end}", "<!--[if gte mso 9]>a{end}{}bc{end}"),
        ("<!--[if !mso]><!-->a<!--{end}{}b{end}{}c{end}", "<!--[if !mso]><!-->a<!--{end}{}bc{end}"),
        ("{}a--><p>b</p>{end}{}c{end}", "{}a--><p>b</p>{end}{}c{end}"),
    ],
)
def test_only_comments_of_the_same_kind_are_joined(written: str, left: str) -> None:
    raw, wanted = (
        text.replace("{}", "<!--[if mso | IE]>").replace("{end}", "<![endif]-->") for text in (written, left)
    )

    assert wanted in compile_mjml(PAGE.format(f"<mj-raw>{raw}</mj-raw>"))
