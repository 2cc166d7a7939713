"""Emails in several languages: what each says about its language, and sections borrowed from another one."""

import re
from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.content.loader import load_issue
from newsletter.model.readership import LANGUAGE
from newsletter.model.rendered import RenderedIssue, RenderedVariant
from newsletter.render.pipeline import render_issue
from newsletter.render.theme import Theme
from tests.render.conftest import REPOSITORY
from tests.render.values import slot_values
from tests.workspaces import CONFIG, ISSUE, write_workspace

ARABIC = {
    "letter.ar.md": "---\ngreeting: مرحبا {{ first_name }}،\n---\nهذه رسالة صغيرة عن أشياء صغيرة.\n",
    "about.md": "---\ntitle: About us\n---\nWe print small letters.\n",
}
HEADING = "subject.ar: رسالة إلى {{ first_name }}\npreheader.ar: كلمات قليلة\ntitle.ar: رسالة صغيرة\n"
ARCHIVE = '\n[archive]\nurl = "https://letters.example.org"\n'


def rendered(root: Path, *, settings: str = "", files: dict[str, str] | None = None) -> RenderedIssue:
    issue = ISSUE.replace("sections:", f"{HEADING}sections:") + "  - about\n"
    write_workspace(
        root,
        {
            "newsletter.toml": f'{CONFIG}{settings}\n[languages]\noffered = ["ar"]\nfallback = "section"\n',
            "issues/2026-02/issue.yaml": issue,
            **{f"issues/2026-02/{name}": text for name, text in {**ARABIC, **(files or {})}.items()},
        },
    )
    config, theme = load_config(root), Theme(root)
    return render_issue(load_issue(config, root / "issues/2026-02", theme.section_types), config, theme)


def in_language(found: RenderedIssue, code: str) -> RenderedVariant:
    return found.variant_for(found.fullest.readership.having(LANGUAGE, code))


def html_of(variant: RenderedVariant) -> str:
    return variant.html.fill(slot_values(variant.slots, {"first_name": "Ana"}))


def test_each_variant_is_in_its_language(tmp_path: Path) -> None:
    found = rendered(tmp_path)
    arabic, english = in_language(found, "ar"), in_language(found, "en")
    assert {variant.language for variant in found.judged} == {"en", "ar"}
    assert 'lang="ar"' in html_of(arabic)
    assert "إلغاء الاشتراك" in html_of(arabic)
    assert "Geeza Pro" in html_of(arabic)
    assert "Geeza Pro" not in html_of(english)
    assert "Unsubscribe" in html_of(english)
    assert arabic.subject.parts[0] == "رسالة إلى \N{FIRST STRONG ISOLATE}"


def test_borrowed_section_says_its_language_and_runs_its_own_way(tmp_path: Path) -> None:
    arabic = in_language(rendered(tmp_path), "ar")
    html, text = html_of(arabic), arabic.text.fill(slot_values(arabic.slots, {}))
    (about,) = re.findall(r'<div lang="en" dir="ltr">.*?About us.*?</div>', html, re.DOTALL)
    assert "We print small letters." in about
    assert '<span dir="auto">Ana</span>' in html
    assert "\N{LEFT-TO-RIGHT ISOLATE}We print small letters.\N{POP DIRECTIONAL ISOLATE}" in text


def test_line_at_the_top_leads_to_the_pages_in_other_languages(tmp_path: Path) -> None:
    found = rendered(tmp_path, settings=ARCHIVE)
    page = "https://letters.example.org/2026-02/"
    assert f'href="{page}ar/"' in html_of(in_language(found, "en"))
    assert f'href="{page}"' in html_of(in_language(found, "ar"))
    assert "translate.google.com/translate?sl=ar&amp;u=" in html_of(in_language(found, "ar"))


@pytest.mark.parametrize(("line", "others", "service"), [("offered", True, False), ("none", False, False)])
def test_line_at_the_top_can_be_shorter_or_left_out(tmp_path: Path, line: str, others: bool, service: bool) -> None:
    rendered(tmp_path, settings=ARCHIVE)
    config = (tmp_path / "newsletter.toml").read_text(encoding="utf-8")
    (tmp_path / "newsletter.toml").write_text(f'{config}line = "{line}"\n', encoding="utf-8")
    settings = load_config(tmp_path)
    found = render_issue(load_issue(settings, tmp_path / "issues/2026-02"), settings, Theme(tmp_path))
    html = html_of(in_language(found, "en"))
    assert ("العربية" in html, "translate.google" in html) == (others, service)


def test_no_line_without_an_archive(tmp_path: Path) -> None:
    html = html_of(in_language(rendered(tmp_path), "en"))
    assert "العربية" not in html
    assert "translate.google" not in html


def test_february_is_whole_in_every_language() -> None:
    config, theme = load_config(REPOSITORY), Theme(REPOSITORY)
    issue = load_issue(config, REPOSITORY / "issues/2026-02", theme.section_types)
    assert issue.languages == ("en", "es", "ja", "ar")
    assert issue.gaps == ()


def test_edit_in_one_language_renders_only_that_language_again(tmp_path: Path) -> None:
    rendered(tmp_path)
    config, theme, folder = load_config(tmp_path), Theme(tmp_path), tmp_path / "issues/2026-02"
    before = render_issue(load_issue(config, folder), config, theme)
    letter = folder / "letter.md"
    letter.write_text(f"{letter.read_text(encoding='utf-8')}\nSomething else.\n", encoding="utf-8")
    after = render_issue(load_issue(config, folder), config, theme)
    assert in_language(after, "ar") is in_language(before, "ar")
    assert in_language(after, "en").content_hash != in_language(before, "en").content_hash
    assert after.content_hash != before.content_hash
