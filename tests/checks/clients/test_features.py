"""By which words the use of a feature is recognized in CSS and HTML."""

import pytest

from newsletter.checks.clients.features import Kind, Sign, Use
from newsletter.checks.clients.signs import (
    declares_ground,
    picture_format,
    signs_of_declarations,
    signs_of_sheet,
    uses_in,
)
from newsletter.checks.reading.document import read_document
from newsletter.model.readership import Readership
from newsletter.model.rendered import RenderedVariant
from newsletter.model.slots import Template


def signs(uses: frozenset[Use]) -> set[tuple[str, str]]:
    return {(use.sign.kind.name.lower(), use.sign.name) for use in uses}


def with_fallback(uses: frozenset[Use]) -> set[str]:
    return {use.sign.name for use in uses if use.has_fallback}


def used_by(html: str) -> set[tuple[str, str]]:
    return signs(uses_in(read_document(variant(html))).by_all)


def variant(html: str) -> RenderedVariant:
    text = Template((f"<!doctype html><html><head></head><body>{html}</body></html>",), ())
    word = Template(("x",), ())
    return RenderedVariant(
        readership=Readership(),
        language="en",
        subject=word,
        preheader=word,
        html=text,
        text=word,
        slots=(),
        pictures=(),
    )


@pytest.mark.parametrize(
    ("declarations", "sign"),
    [
        ("gap: 8px", ("property", "gap")),
        ("DISPLAY:Grid", ("value", "display: grid")),
        ("color: initial", ("value", "initial")),
        ("font-family: system-ui, serif", ("value", "system-ui")),
        ("color: red !important", ("value", "!important")),
        ("--accent: red", ("property", "--*")),
        ("width: calc(100% - 2rem)", ("function", "calc")),
        ("width: calc(100% - 2rem)", ("unit", "rem")),
        ("width: calc(100% - 2rem)", ("unit", "%")),
        ("background: url(a.png) no-repeat", ("property", "background-image")),
        ("background: url(a.webp?x=1)", ("picture", "webp")),
        ("background: repeating-linear-gradient(red, blue)", ("function", "linear-gradient")),
    ],
)
def test_a_style_attribute_is_read_by_property_value_function_and_unit(
    declarations: str, sign: tuple[str, str]
) -> None:
    assert sign in signs(signs_of_declarations(declarations))


@pytest.mark.parametrize(
    ("css", "sign"),
    [
        ("@media (min-width: 600px) and (prefers-color-scheme: dark) { a { gap: 0 } }", "prefers-color-scheme"),
        ("@media (-webkit-min-device-pixel-ratio: 2) { a { gap: 0 } }", "device-pixel-ratio"),
        ("@media screen { a { gap: 0 } }", "gap"),
        ("@supports (display: grid) { a { gap: 0 } }", "supports"),
        ("@import 'a.css';", "import"),
        ("a:hover { gap: 0 }", ":hover"),
        ("a:before { gap: 0 }", "::before"),
        (".a > .b { gap: 0 }", ">"),
        (".a + .b { gap: 0 }", "+"),
        ("p .b { gap: 0 }", "descendant"),
        ("p.a.b { gap: 0 }", "chaining"),
        ("p, .b { gap: 0 }", ","),
        ("[data-ogsc] .b { gap: 0 }", "attribute"),
        ("* { gap: 0 }", "*"),
        (".a { .b { gap: 0 } }", "nesting"),
    ],
)
def test_a_style_element_is_read_by_rules_and_selectors_too(css: str, sign: str) -> None:
    assert sign in {name for _, name in signs(signs_of_sheet(css))}


@pytest.mark.parametrize(
    ("css", "sign"),
    [
        ("li:nth-child(2n+1) { color: red }", "+"),
        ("[data-a='x > y'] { color: red }", ">"),
        ("/* a > b */ p { color: red }", ">"),
        ("p { color: red }", "class"),
        ("@font-face { font-family: A; src: url(a.woff2) }", "font-family"),
        ("@keyframes turn { to { opacity: 0 } }", "opacity"),
    ],
)
def test_what_only_looks_like_a_feature_is_not_taken_for_one(css: str, sign: str) -> None:
    assert sign not in {name for _, name in signs(signs_of_sheet(css))}


def test_an_earlier_declaration_of_the_same_property_is_a_fallback() -> None:
    uses = signs_of_declarations("width: 90%; width: calc(100% - 20px)")
    assert with_fallback(uses) == {"calc", "px"}
    assert with_fallback(signs_of_declarations("height: 9px; width: calc(1px + 2px)")) == set()


def test_what_stands_in_supports_has_a_fallback_outside() -> None:
    assert "display: grid" in with_fallback(signs_of_sheet("@supports (gap: 0) { a { display: grid } }"))


@pytest.mark.parametrize(
    ("style", "is_behind"),
    [
        ("background-color: #fff", True),
        ("background: white url(a.png)", True),
        ("background: url(a.png)", False),
        ("background-color: transparent; background-image: url(a.png)", False),
    ],
)
def test_a_color_behind_a_background_picture_is_its_fallback(*, style: str, is_behind: bool) -> None:
    assert declares_ground(style) is is_behind


@pytest.mark.parametrize(
    ("html", "sign"),
    [
        ("<video poster='a.svg'></video>", ("element", "video")),
        ("<video poster='a.svg'></video>", ("picture", "svg")),
        ("<img src='https://example.org/a.WEBP?w=2' alt=''>", ("picture", "webp")),
        ("<img src='data:image/png;base64,x' alt=''>", ("picture", "base64")),
        ("<img srcset='a 2x' src=a.png alt='a > b'>", ("attribute", "srcset")),
        ("<input>", ("element", "input type=text")),
        ("<a href='mailto:a@example.org'>a</a>", ("attribute", "href=mailto:")),
        ("<a href='#top'>a</a>", ("attribute", "href=#")),
        ("<p style='position:absolute'>a</p>", ("value", "position: absolute")),
    ],
)
def test_html_is_read_by_elements_attributes_and_pictures(html: str, sign: tuple[str, str]) -> None:
    assert sign in used_by(html)


def test_words_comments_and_what_only_word_reads_are_no_use() -> None:
    html = "<p>&lt;video&gt;</p><!-- <video> --><!--[if mso]><video></video><![endif]-->"
    assert ("element", "video") not in used_by(html)


def test_what_is_kept_from_word_is_known_as_such() -> None:
    uses = uses_in(read_document(variant("<!--[if !mso]><!--><video></video><!--<![endif]-->")))
    video = Use(Sign(Kind.ELEMENT, "video"), has_fallback=False)
    assert video in uses.without_word
    assert video not in uses.by_all


def test_an_address_that_cannot_be_read_has_no_format() -> None:
    assert picture_format("https://[hill.webp") is None
