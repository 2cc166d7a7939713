"""A workspace's own templates, and what is said when one of them is wrong."""

from html import unescape

import pytest

from newsletter.errors import InputError, MistakesError
from tests.render.conftest import Render, picture_bytes
from tests.workspaces import CONFIG

POEM_ISSUE = """\
subject: A small letter for everybody
preheader: A few words about small things, and a link that leads somewhere.
title: A small letter
date: 2026-02-19
sections: [letter, poem]
"""
POEM = (
    "---\ntitle: A poem\nbutton: {label: Read it aloud, url: https://www.example.org/poem}\n---\nRoses & **violets**.\n"
)


def poem(template: str) -> dict[str, str]:
    return {
        "issues/2026-02/issue.yaml": POEM_ISSUE,
        "issues/2026-02/poem.md": POEM,
        "templates/sections/poem.mjml.j2": template,
    }


def test_a_section_type_needs_one_template_of_rows(render: Render) -> None:
    rows = "<mj-text><h2>{{ section.fields.title }}</h2>{{ prose(section.prose) }}</mj-text>"
    mail = render(poem(rows))
    assert "<h2>A poem</h2>" in mail.html
    assert "<strong>violets</strong>" in mail.html
    assert "Roses & violets." in mail.text
    assert "https://www.example.org/poem" in mail.text


def test_a_section_type_may_be_whole_mjml_sections(render: Render) -> None:
    columns = "<mj-column><mj-text>One</mj-text></mj-column><mj-column><mj-text>Two</mj-text></mj-column>"
    html = render(poem(f"<mj-section>{columns}</mj-section>")).html
    assert html.count("mj-column-per-50") >= 2
    assert "<mj-" not in html


def test_a_section_type_may_use_the_parts_of_the_theme(render: Render) -> None:
    template = (
        '{% from "parts/blocks.mjml.j2" import block, heading, closing with context %}'
        "{% call block(ruled=ruled) %}{{ heading(section.fields) }}{{ closing(section.fields) }}{% endcall %}"
    )
    html = render(poem(template)).html
    assert "A poem</h2>" in html
    assert ">Read it aloud</a>" in html


def test_a_workspace_overrides_one_file_and_keeps_the_rest(render: Render) -> None:
    html = render(
        {"templates/parts/footer.mjml.j2": "<mj-section><mj-column><mj-text>Our end</mj-text></mj-column></mj-section>"}
    ).html
    assert "Our end" in html
    assert "Dear Friends," in html


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("<mj-text>\n{% if %}\n</mj-text>", 2),
        ("<mj-text>\n\n{{ section.nothing }}</mj-text>", 3),
        ("<mj-text>\n{{ section.fields.title + 1 }}</mj-text>", 2),
        ("<mj-text>\n{{ 1 / 0 }}</mj-text>", 2),
        ('<mj-text>\n{{ picture("images/none.png") }}</mj-text>', 2),
    ],
)
def test_an_error_in_a_template_names_its_file_and_line(render: Render, template: str, line: int) -> None:
    with pytest.raises(MistakesError, match=rf"^templates/sections/poem\.mjml\.j2:{line}: "):
        render(poem(template))


def test_an_unknown_component_in_a_template_is_an_error(render: Render) -> None:
    with pytest.raises(InputError, match="mj-poem"):
        render(poem("<mj-poem>Roses</mj-poem>"))


def test_a_missing_logo_is_an_error_that_names_it(render: Render) -> None:
    with pytest.raises(MistakesError, match=r"brand/logo\.png"):
        render({"newsletter.toml": CONFIG + '\n[brand]\nlogo = "brand/logo.png"\n'})


def test_brand_colors_and_fonts_reach_every_part(render: Render) -> None:
    brand = (
        "\n[brand]\nheading_font = \"'Source Serif 4', serif\"\n"
        '[brand.light]\naccent = "#005A9C"\n[brand.dark]\naccent = "#9CD2FF"\n'
    )
    html = render(
        {"newsletter.toml": CONFIG + brand, "issues/2026-02/letter.md": "# T\n\n[link](https://example.org)"}
    ).html
    assert "#9C3353" not in html
    assert "#F2A7BA" not in html
    assert "#005A9C" in html
    assert "#9CD2FF" in html
    assert "Source Serif 4" in html


LABELED = {
    "issues/2026-02/issue.yaml": POEM_ISSUE.replace("[letter, poem]", "[letter, events, meditation, tips]"),
    "issues/2026-02/letter.md": (
        "---\ntranslate: {text: Also, link: {label: in English, url: https://www.example.org/en}}\n---\n"
        "Read [one](https://www.example.org/1) or [two](https://www.example.org/2).\n"
    ),
    "issues/2026-02/events/index.md": "---\nlink: {label: Calendar, url: https://www.example.org/all}\n---\n",
    "issues/2026-02/events/evening.md": (
        "---\ntitle: Evening\nstarts: 2026-03-05 19:00\nnotes: [{label: Bring, text: a cushion}]\n---\nCome.\n"
    ),
    "issues/2026-02/meditation.md": (
        "---\nvideo: {url: https://www.example.org/v, still: images/still.png, alt: breathing}\n---\nListen.\n"
    ),
    "issues/2026-02/tips.md": "---\ncards: [{title: Gmail, steps: [Open it.]}]\n---\n",
    "issues/2026-02/images/still.png": picture_bytes(1200, 675),
    "newsletter.toml": CONFIG + '[[brand.social]]\nname = "Mastodon"\nurl = "https://www.example.org/m"\n',
}
LABELS = ("in English", "one", "two", "Calendar", "Gmail", "Mastodon")


@pytest.mark.parametrize(
    ("language", "words", "in_html", "in_text"),
    [
        ("en", ("Play", "Add to calendar", "Website", "Unsubscribe"), ": ", ": "),
        ("fr", ("Lire", "Ajouter au calendrier", "Site web", "Se désabonner"), "\N{NO-BREAK SPACE}: ", " : "),
        ("ja", ("再生", "カレンダーに追加", "ウェブサイト", "配信停止"), "\N{FULLWIDTH COLON}", "\N{FULLWIDTH COLON}"),
    ],
)
def test_every_label_has_the_colon_of_the_language(
    render: Render, language: str, words: tuple[str, ...], in_html: str, in_text: str
) -> None:
    issue = {"issues/2026-02/issue.yaml": f"{LABELED['issues/2026-02/issue.yaml']!s}language: {language}\n"}
    mail = render({**LABELED, **issue})
    play, calendar, *others = words

    lines = mail.text.splitlines()
    assert f"{play}{in_text}breathing" in lines
    assert f"Bring{in_text}a cushion" in lines
    for label in (*LABELS, calendar, *others):
        assert any(line.endswith(f"{label}{in_text}".rstrip()) for line in lines), label

    html = unescape(mail.html)
    assert f'alt="{play}{in_html}breathing"' in html
    assert f'aria-label="{calendar}{in_html}Evening (' in html
    assert f"<strong>Bring{in_html}</strong>a cushion" in html
