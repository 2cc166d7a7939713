"""Issues in several languages: what a translation takes from its original, and what is missing or wrong in it."""

from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.content.loader import load_issue
from newsletter.errors import InputError, MistakesError
from newsletter.model.issue import Issue
from newsletter.model.issue_fields import LetterFields
from tests.content.test_loader import load, mistakes
from tests.workspaces import CONFIG, ISSUE, write_workspace

LANGUAGES = '\n[languages]\noffered = ["es", "ja"]\n'
HEADING = "subject.es: Una carta\npreheader.es: Unas palabras sobre cosas pequeñas.\ntitle.es: Una carta pequeña\n"
EVENT = "---\ntitle: A workshop\nstarts: 2026-02-25 08:00\nends: 2026-02-25 11:00\nlocation: Online\n---\nWords.\n"
EVENT_ES = "---\ntitle: Un taller\nlocation: En línea\n---\nPalabras.\n"
SPANISH = {"letter.es.md": "---\ngreeting: Hola, {{ first_name }}\n---\nEsta es una carta pequeña.\n"}


def workspace(root: Path, files: dict[str, str], *, fallback: str = "issue", heading: str = HEADING) -> Path:
    sections = "".join(f"  - {name}\n" for name in ("events",) if any(file.startswith(name) for file in files))
    issue = (ISSUE + sections).replace("sections:", f"{heading}sections:")
    settings = CONFIG + LANGUAGES + f'fallback = "{fallback}"\n'
    return write_workspace(
        root,
        {
            "newsletter.toml": settings,
            "issues/2026-02/issue.yaml": issue,
            **{f"issues/2026-02/{name}": text for name, text in files.items()},
        },
    )


def events(**translated: str) -> dict[str, str]:
    return {
        "events/index.md": "---\ntitle: Courses\nitems: [one]\n---\n",
        "events/one.md": EVENT,
        **{name.replace("_es", ".es") + ".md": text for name, text in translated.items()},
    }


def gaps(issue: Issue, code: str = "es") -> list[str]:
    return [f"{gap.place}: {gap.what}; {gap.remedy}" for gap in issue.gaps if gap.language == code]


def test_translation_replaces_words_and_keeps_everything_else(tmp_path: Path) -> None:
    files = events(**{"events/index_es": "---\ntitle: Cursos\n---\n", "events/one_es": EVENT_ES})
    issue = load(workspace(tmp_path, {**SPANISH, **files}))
    spanish = issue.in_language("es")

    assert issue.languages == ("en", "es")
    assert spanish.fields.subject == "Una carta"
    assert spanish.source.at("subject").line == 5
    letter, courses = spanish.sections
    assert isinstance(letter.fields, LetterFields)
    assert letter.source.path.endswith("letter.es.md")
    (item,) = courses.items
    assert (item.name, item.fields.title, item.fields.location) == ("one", "Un taller", "En línea")
    assert item.times() == issue.sections[1].items[0].times()
    assert not spanish.borrowed
    assert issue.in_language("ja") is issue


@pytest.mark.parametrize(("fallback", "languages"), [("issue", ("en",)), ("section", ("en", "es"))])
def test_section_without_translation_is_borrowed_or_keeps_the_language_out(
    tmp_path: Path, fallback: str, languages: tuple[str, ...]
) -> None:
    issue = load(workspace(tmp_path, {**SPANISH, **events()}, fallback=fallback))
    assert issue.languages == languages
    assert [section.name for section in issue.in_language("es").borrowed] == ["events"]
    assert gaps(issue) == [
        "issues/2026-02/events/index.md: it is not translated into Spanish; "
        "create the file issues/2026-02/events/index.es.md",
        "issues/2026-02/events/one.md: it is not translated into Spanish; "
        "create the file issues/2026-02/events/one.es.md",
    ]


def test_section_for_a_segment_bars_only_its_readers(tmp_path: Path) -> None:
    root = workspace(tmp_path, {**SPANISH, **events()})
    path = root / "issues/2026-02/issue.yaml"
    path.write_text(path.read_text().replace("  - events\n", "  - section: events\n    only: teachers\n"))
    issue = load(root)
    assert issue.languages == ("en", "es")
    assert issue.barred("es") == {"teachers"}


def test_words_that_are_left_out_make_a_gap_at_their_place(tmp_path: Path) -> None:
    letter = "---\ngreeting: Dear friends,\nsignature:\n  name: Ana Lima\n  role: Director\n---\nWords.\n"
    spanish = "---\ngreeting: Hola\nsignature:\n  name: Ana Lima\n---\n"
    issue = load(workspace(tmp_path, {"letter.md": letter, "letter.es.md": spanish}))
    assert gaps(issue) == [
        "issues/2026-02/letter.es.md:3: `signature.role` is not in Spanish; add the line in this file",
        "issues/2026-02/letter.es.md: the text is not in Spanish; write it below the keys",
    ]


def test_key_of_the_heading_that_is_left_out_keeps_the_language_out(tmp_path: Path) -> None:
    issue = load(workspace(tmp_path, SPANISH, heading="subject.es: Una carta\ntitle.es: Una carta pequeña\n"))
    assert issue.languages == ("en",)
    assert gaps(issue) == [
        "issues/2026-02/issue.yaml:2: `preheader` is not in Spanish; write it below, as `preheader.es: …`"
    ]


def test_facts_that_differ_are_mistakes_at_their_line(tmp_path: Path) -> None:
    wrong = EVENT_ES.replace("location", "starts: 2026-02-26 08:00\nends: 2026-02-25 11:00\nrepeats: weekly\nlocation")
    files = events(**{"events/index_es": "---\ntitle: Cursos\n---\n", "events/one_es": wrong})
    assert mistakes(workspace(tmp_path, {**SPANISH, **files})) == [
        "issues/2026-02/events/one.es.md:3: `starts` is the same in every language, and differs from the one in "
        "issues/2026-02/events/one.md; delete the line, or correct the one in issues/2026-02/events/one.md",
        "issues/2026-02/events/one.es.md:5: `repeats` is the same in every language, so it must not be only in a "
        "translation; move the line to issues/2026-02/events/one.md",
    ]


def test_mistakes_in_a_translation_are_at_its_lines(tmp_path: Path) -> None:
    files = {"letter.es.md": "---\ngreting: Hola\n---\nTexto {{ first name }}.\n"}
    assert [mistake.partition("; ")[0] for mistake in mistakes(workspace(tmp_path, files))] == [
        "issues/2026-02/letter.es.md:2: unknown key 'greting'",
        "issues/2026-02/letter.es.md:4: {{ first name }} is not a merge field",
    ]


def test_key_in_a_language_that_is_not_offered_is_left_out(tmp_path: Path) -> None:
    issue = load(workspace(tmp_path, SPANISH, heading=HEADING + "subject.fr: Une lettre\n"))
    assert issue.languages == ("en", "es")
    (gap,) = gaps(issue, "fr")
    assert gap.startswith("issues/2026-02/issue.yaml:8: `subject.fr` is in French, which the newsletter does not offer")


def test_section_without_words_needs_no_translation(tmp_path: Path) -> None:
    root = workspace(tmp_path, {**SPANISH, "tips.md": "---\nshow: own\n---\n"})
    path = root / "issues/2026-02/issue.yaml"
    path.write_text(path.read_text() + "  - tips\n")
    issue = load(root)
    spanish = issue.in_language("es")
    assert issue.languages == ("en", "es")
    assert spanish.sections[1] is issue.sections[1]
    assert spanish.tips is not None
    assert spanish.tips != issue.tips


def test_translations_of_items_are_not_items(tmp_path: Path) -> None:
    files = {**SPANISH, **events(**{"events/one_es": EVENT_ES}), "events/one.fr.md": "Texte."}
    issue = load(workspace(tmp_path, {**files, "events/index.md": "---\ntitle: Courses\n---\n"}))
    assert [item.name for item in issue.sections[1].items] == ["one"]
    assert issue.unused == ("events/one.fr.md",)


def test_a_follow_up_has_another_subject_in_each_language(tmp_path: Path) -> None:
    root = workspace(tmp_path, SPANISH, heading=f"{HEADING}subject.b: Another\n")
    config = load_config(root)
    before = load_issue(config, root / "issues/2026-02")
    subjects = ("Last days, {{ first_name }}", "es=Últimos días")
    issue = load_issue(config, root / "issues/2026-02", subjects=subjects)
    assert issue.fields.subject.startswith("Last days, ")
    assert "first_name" not in issue.fields.subject  # it is a merge field, as in the file
    assert issue.in_language("es").fields.subject == "Últimos días"
    assert before.versions
    assert not issue.versions  # their only difference was the subject
    assert (issue.fields.preheader, issue.sections) == (before.fields.preheader, before.sections)

    for wrong, said in (
        (("Last days",), "add --subject es=TEXT"),
        (("es=Últimos días",), "add --subject TEXT"),
        (("One", "es=Uno", "fr=Un"), "is the second one in the same language"),
    ):
        with pytest.raises(InputError, match=said):
            load_issue(config, root / "issues/2026-02", subjects=wrong)
    with pytest.raises(MistakesError):
        load_issue(config, root / "issues/2026-02", subjects=("", "es=Uno"))
