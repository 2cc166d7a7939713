"""What surrounds the sections of an email: the masthead, and the footer in the issue's language."""

import re

import pytest
from lxml import html as lxml_html

from newsletter.config import builtin_theme
from newsletter.errors import MistakesError
from tests.render.conftest import Mail, Render, picture_bytes
from tests.workspaces import CONFIG, ISSUE

WORDING = '\n[newsletter.wording.ar]\nreason = "طلبت هذه الرسالة."\n'


def footer_of(mail: Mail) -> list[tuple[str, str | None, str | None]]:
    """The texts of the footer, each with the language and the direction that it states."""
    (footer,) = lxml_html.document_fromstring(mail.html).cssselect("div.foot")
    spans = [span for paragraph in footer.iter("p") for span in paragraph.findall(".//span")]
    told = [(" ".join(span.text_content().split()), span.get("lang"), span.get("dir")) for span in spans]
    return [each for each in told if each[0]]


def in_language(language: str) -> dict[str, str | bytes]:
    return {
        "newsletter.toml": CONFIG.replace("\n[service]", f"{WORDING}\n[service]"),
        "issues/2026-02/issue.yaml": f"{ISSUE}language: {language}\n",
    }


def test_the_footer_says_who_why_and_where_then_how_to_leave(render: Render) -> None:
    config = CONFIG.replace('organization = "Small Press"', 'organization = "The House of Letters"')
    mail = render({"newsletter.toml": config})
    order = [
        "The House of Letters",
        "You receive this letter",
        "Small Press, 1 Example Street",
        "Unsubscribe",
        "Website",
    ]
    for part in (mail.html.partition('class="outside foot"')[2], mail.text.rpartition("-" * 72)[2]):
        places = [part.index(words) for words in order]
        assert places == sorted(places)


def test_wording_in_the_issues_language_is_used_and_the_rest_says_its_own(render: Render) -> None:
    said = footer_of(render(in_language("ar")))
    assert ("طلبت هذه الرسالة.", None, None) in said
    assert ("Small Press, 1 Example Street, 12345 Example Town", "en", "ltr") in said


@pytest.mark.parametrize("language", ["ja", "de"])
def test_what_has_no_wording_is_marked_as_the_newsletters_language(render: Render, language: str) -> None:
    said = footer_of(render(in_language(language)))
    assert ("You receive this letter because you signed up for it.", "en", "ltr") in said


def test_in_the_newsletters_own_language_nothing_is_marked(render: Render) -> None:
    assert {(lang, way) for _, lang, way in footer_of(render(in_language("en-GB")))} == {(None, None)}


@pytest.mark.parametrize("width", [281, 480, 536])
def test_a_wide_logo_is_no_wider_than_the_screen(render: Render, width: int) -> None:
    brand = f'\n[brand]\nlogo = "logo.png"\nlogo_width = {width}\n'
    html = render({"newsletter.toml": CONFIG + brand, "logo.png": picture_bytes(1072, 120)}).html
    style = re.search(r'alt="Small Press" width="\d+" style="([^"]*)"', html)
    assert style is not None
    assert f"width:{width}px;height:auto;max-width:100%" in style[1]


def test_a_logo_for_the_night_alone_is_told_at_its_line(render: Render) -> None:
    with pytest.raises(
        MistakesError, match=r"newsletter\.toml:21: brand: `logo_dark` is only shown in place of `logo`"
    ):
        render({"newsletter.toml": f'{CONFIG}\n[brand]\nlogo_dark = "dark.png"\n'})


def test_without_a_logo_there_are_forty_pixels_above_and_below_the_masthead(render: Render) -> None:
    html = render().html
    assert re.search(
        r"padding:40px 32px 0 32px[^>]*>\s*<div[^>]*><p[^>]*letter-spacing:0.08em[^>]*padding:0px? 0 16px", html
    )


def test_links_to_pages_are_in_the_footers_order(render: Render) -> None:
    plain = render()
    for part in (plain.html, plain.text):
        assert "https://news.example.org/p/1-" in part
    assert re.search(r'href="https://news\.example\.org/p/1-[^"]*"[^>]*clicktracking="off"', plain.html)
    assert "View in browser" not in plain.html + plain.text

    pages = '{% set pages = {"browser": "https://www.example.org/b", "preferences": "https://www.example.org/p"} %}\n'
    frames = ("email.mjml.j2", "text/email.txt.j2")
    mail = render({f"templates/{name}": pages + (builtin_theme() / name).read_text() for name in frames})
    for part in (mail.html.partition('class="outside foot"')[2], mail.text.rpartition("-" * 72)[2]):
        places = [part.index(words) for words in ("Unsubscribe", "Preferences", "View in browser", "Website")]
        assert places == sorted(places)
    assert mail.html.index("View in browser") < mail.html.index("<h1")
