"""What the checks find in the versions of an issue."""

from pathlib import Path

from newsletter.config import load_config
from newsletter.workflows.compose.compose import compose_issue
from tests.content.test_translations import HEADING, SPANISH
from tests.content.test_versions import FOLDER, LETTER_B, workspace


def found(root: Path, files: dict[str, str], heading: str = "", *rules: str) -> list[str]:
    workspace(root, files, heading)
    composed = compose_issue(load_config(root), root / FOLDER)
    return [f"{each.place}: {each.what}" for each in composed.findings if each.rule in {*rules, "V1", "V2"}]


def test_versions_that_differ_have_no_findings(tmp_path: Path) -> None:
    files = {**SPANISH, "letter.b.md": LETTER_B, "letter.b.es.md": "---\n---\nOtra carta.\n"}
    assert (
        found(
            tmp_path, files, f"{HEADING}subject.b: Other\nsubject.b.es: Otra\npreheader.c: Third\npreheader.c.es: T\n"
        )
        == []
    )


def test_versions_that_are_the_same_are_an_error(tmp_path: Path) -> None:
    heading = "subject.b: A small letter for everybody\nsubject.c: Other\n"
    assert found(tmp_path, {}, heading) == [f"{FOLDER}/issue.yaml:5: version B is the same as version A"]
    files = {"letter.b.md": "Words.\n", "letter.c.md": "Words.\n"}
    assert found(tmp_path, files) == [f"{FOLDER}/letter.c.md: version C is the same as version B"]


def test_version_without_a_language_is_a_warning(tmp_path: Path) -> None:
    assert found(tmp_path, {**SPANISH, "letter.b.md": LETTER_B}, HEADING) == [
        f"{FOLDER}/letter.b.md: version B is not in Spanish, so its readers get version A there"
    ]


def test_every_version_is_checked_at_its_own_lines(tmp_path: Path) -> None:
    files = {"letter.b.md": "---\n---\nWords.\n\nSee [click here](https://www.example.org/x).\n"}
    heading = f"subject.b: {'A subject that is much longer than it should be ' * 4}\n"
    assert found(tmp_path, files, heading, "A4", "S16") == [
        f"{FOLDER}/letter.b.md:5: the link “click here” does not say where it leads",
        f"{FOLDER}/issue.yaml:5: the subject has 191 characters, so most inboxes cut it off",
    ]
