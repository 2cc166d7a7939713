"""Versions of an issue: what a version says, what it takes from version A, and mistakes in the letters."""

from datetime import date
from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.content.loader import load_standing
from newsletter.model.issue_fields import SECTION_TYPES, LetterFields
from newsletter.web.studio.sheet import title_of
from newsletter.workflows.compose.compose import render_folder
from newsletter.workflows.compose.editing import open_file
from newsletter.workflows.compose.form_fields import every_field
from newsletter.workflows.compose.new import new_issue
from tests.content.test_loader import load, mistakes
from tests.content.test_translations import HEADING, LANGUAGES, SPANISH, events
from tests.workspaces import CONFIG, ISSUE, write_workspace

FOLDER = "issues/2026-02"
LETTER_B = "---\ngreeting: Hello {{ first_name }},\n---\nA letter with other words.\n"


def workspace(root: Path, files: dict[str, str], heading: str = "") -> Path:
    sections = "  - events\n" if any(name.startswith("events") for name in files) else ""
    issue = (ISSUE + sections).replace("sections:", f"{heading}sections:")
    return write_workspace(
        root,
        {
            "newsletter.toml": CONFIG + (LANGUAGES if ".es" in "".join([heading, *files]) else ""),
            f"{FOLDER}/issue.yaml": issue,
            **{f"{FOLDER}/{name}": text for name, text in files.items()},
        },
    )


def test_version_says_only_what_differs(tmp_path: Path) -> None:
    issue = load(workspace(tmp_path, {"letter.b.md": LETTER_B, **events()}, "subject.b: Another subject\n"))
    other = issue.in_version("B")

    assert list(issue.versions) == ["B"]
    assert issue.fields.subject == "A small letter for everybody"
    assert (other.fields.subject, other.fields.preheader) == ("Another subject", issue.fields.preheader)
    assert other.source.at("subject").line == 5
    letter, courses = other.sections
    assert isinstance(letter.fields, LetterFields)
    assert letter.source.path == f"{FOLDER}/letter.b.md"
    assert courses is issue.sections[1]
    assert issue.in_version("A") is issue.in_version("C") is issue


def test_version_without_a_text_has_that_of_version_a(tmp_path: Path) -> None:
    root = workspace(tmp_path, {"letter.b.md": "---\ngreeting: Hello,\n---\n"})
    before = load(root).in_version("B").sections[0]
    assert isinstance(before.fields, LetterFields)
    assert before.fields.greeting == "Hello,"
    assert "small letter" in before.prose.tokens[1].content

    letter = root / FOLDER / "letter.md"
    letter.write_text(letter.read_text().replace("small letter", "long letter"), encoding="utf-8")
    after = load(root).in_version("B").sections[0]
    assert "long letter" in after.prose.tokens[1].content
    assert after.fingerprint != before.fingerprint


def test_event_has_its_facts_in_every_version(tmp_path: Path) -> None:
    other = {"events/one.b.md": "---\ntitle: Come to the workshop\n---\n"}
    issue = load(workspace(tmp_path, {**events(), **other}))
    (own,), (item,) = issue.sections[1].items, issue.in_version("B").sections[1].items
    assert (item.uid, item.times(), item.fields.title) == (own.uid, own.times(), "Come to the workshop")

    other = {"events/one.b.md": "---\nstarts: 2026-02-26 08:00\n---\n"}
    told = mistakes(workspace(tmp_path, {**events(), **other}))
    assert told == [
        f"{FOLDER}/events/one.b.md:2: `starts` is the same in every version, and differs from the one in "
        f"{FOLDER}/events/one.md; delete the line, or correct the one in {FOLDER}/events/one.md"
    ]


def test_version_in_another_language_has_its_letter_first(tmp_path: Path) -> None:
    files = {**SPANISH, "letter.b.md": LETTER_B, "letter.b.es.md": "---\n---\nOtra carta.\n"}
    issue = load(workspace(tmp_path, files, f"{HEADING}subject.b: Other\nsubject.b.es: Otra\n"))
    spanish = issue.in_version("B").in_language("es")

    assert issue.languages == issue.in_version("B").languages == ("en", "es")
    assert (spanish.fields.subject, spanish.fields.title) == ("Otra", "Una carta pequeña")
    assert isinstance(spanish.sections[0].fields, LetterFields)
    assert spanish.sections[0].fields.greeting.startswith("Hola")
    assert spanish.sections[0].prose.tokens[1].content == "Otra carta."
    assert (issue.unused, issue.untranslated_versions, issue.gaps[0].language) == ((), (), "ja")
    assert issue.in_language("es").fields.subject == "Una carta"


def test_what_no_version_says_in_a_language_is_told(tmp_path: Path) -> None:
    files = {**SPANISH, "letter.b.md": LETTER_B}
    issue = load(workspace(tmp_path, files, f"{HEADING}subject.b: Other\n"))
    assert [f"{gap.place}: {gap.what}; {gap.remedy}" for gap in issue.untranslated_versions] == [
        f"{FOLDER}/issue.yaml:8: `subject.b` is not in Spanish, so its readers get version A there; "
        "add the line `subject.b.es: …`",
        f"{FOLDER}/letter.b.md: version B is not in Spanish, so its readers get version A there; "
        f"create the file {FOLDER}/letter.b.es.md",
    ]
    assert issue.in_version("B").in_language("es").sections == issue.in_language("es").sections


@pytest.mark.parametrize(
    ("files", "heading", "told"),
    [
        (
            {},
            "subject.a: One\n",
            "issue.yaml:5: `subject.a` names version A, which is the one without a letter; write `subject.b`",
        ),
        ({}, "subject.B: One\n", "issue.yaml:5: `subject.B` names version B, but versions are called b, c"),
        (
            {"letter.e.md": "Words."},
            "",
            "letter.e.md: `letter.e.md` names version E, but versions are called b, c and d; write letter.b.md",
        ),
        (
            {"letter.c.md": "Words."},
            "",
            "letter.c.md: `letter.c.md` is in version C, but there is no version B; rename it: letter.b.md",
        ),
        ({"letter.b.md": "---\ngreting: Hi\n---\n"}, "", "letter.b.md:2: unknown key 'greting'; did you mean"),
        ({"letter.b.md": "![](none.png)\n"}, "", "letter.b.md:1: "),
        ({}, "subject.b: '**One**'\n", "issue.yaml:5: subject: this key takes only words"),
        ({}, "versions:\n  share: 95 %\n", "issue.yaml:6: versions › share: '95 %' leaves too few people"),
        ({}, "versions:\n  wait: a while\n", "issue.yaml:6: versions › wait: 'a while' is not a time span; write"),
        ({}, "versions:\n  winner: sales\n", "issue.yaml:6: versions › winner: 'sales' is not valid; write 'clicks',"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_at_its_line(tmp_path: Path, files: dict[str, str], heading: str, told: str) -> None:
    found = mistakes(workspace(tmp_path, files, heading))
    assert len(found) == 1
    assert found[0].startswith(f"{FOLDER}/{told}")


def test_version_with_mistakes_is_not_shown_while_it_is_written(tmp_path: Path) -> None:
    root = workspace(tmp_path, {"letter.b.md": "---\ngreting: Hi\n---\nWords.\n"}, "subject.b: Other\n")
    standing = load_standing(load_config(root), root / FOLDER, SECTION_TYPES)
    assert standing is not None
    assert standing.in_version("B").fields.subject == "Other"
    assert standing.in_version("B").sections == standing.sections


def test_content_hash_covers_each_version_in_each_language(tmp_path: Path) -> None:
    files = {**SPANISH, "letter.b.md": LETTER_B, "letter.b.es.md": "---\n---\nOtra carta.\n"}
    root = workspace(tmp_path, files, f"{HEADING}subject.b: Other\nsubject.b.es: Otra\n")
    config, hashes = load_config(root), set()
    for name in ("", "letter.b.md", "letter.b.es.md", "issue.yaml"):
        path = root / FOLDER / name
        if name:
            path.write_text(path.read_text(encoding="utf-8").replace("Otra", "Nueva").replace("other", "new"))
        hashes.add(render_folder(config, root / FOLDER)[1].content_hash)
    assert len(hashes) == 4


def test_new_issue_has_no_versions(tmp_path: Path) -> None:
    files = {**SPANISH, "letter.b.md": LETTER_B, "letter.b.es.md": "---\n---\nOtra.\n", **events()}
    root = workspace(tmp_path, {**files, "events/one.b.md": "---\ntitle: Come\n---\n"}, "subject.b: Other\n")
    folder = new_issue(load_config(root), "2026-03", source=None, issue_date=None, today=date(2026, 2, 20))
    assert not list(folder.rglob("*.b.*"))
    assert "subject.b" not in (folder / "issue.yaml").read_text(encoding="utf-8")


def test_form_of_a_version_has_the_fields_of_its_section(tmp_path: Path) -> None:
    files = {"letter.b.md": LETTER_B, **events(), "events/index.b.md": "---\ntitle: Meet us\n---\n"}
    root = workspace(tmp_path, files)
    config = load_config(root)

    def names(name: str) -> list[str]:
        return [each.name for each in every_field(open_file(config, root / FOLDER, f"{FOLDER}/{name}").fields)]

    assert names("letter.b.md") == names("letter.md")
    assert "items/0" in names("events/index.b.md")
    assert title_of(open_file(config, root / FOLDER, f"{FOLDER}/letter.b.md")) == "Letter, version B"
