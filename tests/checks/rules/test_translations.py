"""What the checks find in translations, and what they say only once."""

from pathlib import Path

from msgspec.structs import replace

from newsletter.checks.registry import check_issue
from newsletter.config import load_config
from newsletter.workflows.compose.compose import compose_issue
from tests.content.test_translations import EVENT, SPANISH, events, workspace

REASON = '\n[newsletter.wording.es]\nreason = "Recibes esta carta porque te apuntaste."\n'
LONG = "We print small letters on small paper, and we send them to everyone who asks us for one of them."


def found(root: Path, files: dict[str, str], *, fallback: str = "section", settings: str = REASON) -> list[str]:
    folder = workspace(root, {**SPANISH, **files}, fallback=fallback)
    toml = folder / "newsletter.toml"
    toml.write_text(toml.read_text(encoding="utf-8") + settings, encoding="utf-8")
    composed = compose_issue(load_config(root), root / "issues/2026-02")
    wanted = ("T1", "T2", "T3", "A14", "C3", "E5", "E7")
    return [f"{each.place}: {each.what}" for each in composed.findings if each.rule in wanted]


def test_complete_translation_has_no_findings(tmp_path: Path) -> None:
    assert found(tmp_path, {}) == []


def test_borrowed_section_is_told_once_and_judged_in_its_own_language(tmp_path: Path) -> None:
    files = {**events(), "events/one.md": EVENT.replace("Words.", LONG)}
    assert [each.partition(": ")[0] for each in found(tmp_path, files)] == [
        "issues/2026-02/events/index.md",
        "issues/2026-02/events/one.md",
    ]


def test_text_that_was_copied_is_found_at_its_line(tmp_path: Path) -> None:
    files = {"letter.md": f"{LONG}\n", "letter.es.md": f"---\n---\n{LONG}\n"}
    place = "issues/2026-02/letter.es.md:3: “We print small letters on small …”"
    assert found(tmp_path, files) == [
        f"{place} is in English, but the issue is in Spanish",
        f"{place} is the same as in the original, so it is not in Spanish",
    ]


def test_footer_without_a_reason_in_the_language_is_an_error(tmp_path: Path) -> None:
    assert found(tmp_path, {}, settings="") == ["newsletter.toml:8: the footer has no reason in Spanish"]


def test_footer_blocks_only_a_broadcast_that_someone_gets_in_that_language(tmp_path: Path) -> None:
    workspace(tmp_path, SPANISH)
    subject = compose_issue(load_config(tmp_path), tmp_path / "issues/2026-02").subject
    variants = subject.rendered.variants

    for languages, rules in (({"en"}, set()), ({"es"}, {"T3"}), ({"en", "es"}, {"T3"})):
        got = tuple(each for each in variants if each.language in languages)
        part = replace(subject, rendered=replace(subject.rendered, variants=got))
        assert {each.rule for each in check_issue(part).findings if each.rule == "T3"} == rules


def test_translations_without_original_or_language_are_told(tmp_path: Path) -> None:
    files = {"letter.fr.md": "Une lettre.", "gone.es.md": "Una carta."}
    assert sorted(found(tmp_path, files)) == [
        "issues/2026-02/gone.es.md: there is no gone.md that this file translates",
        "issues/2026-02/letter.fr.md: this file is a translation into French, which the newsletter does not offer",
    ]
