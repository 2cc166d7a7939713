"""Sender, subject and preheader."""

import pytest

from tests.checks.conftest import Workspace

SUBJECT = "A letter for the first days of March"
PREHEADER = "Three small practices, two courses and a poem to carry with you"


@pytest.mark.parametrize("name", ["Harbour House ⚓", "💗 Harbour House", "{{ first_name }} Harbour"])
def test_a_sender_that_is_more_than_a_name_blocks(workspace: Workspace, name: str) -> None:
    workspace.edit("toml", 'from = "Harbour House', f'from = "{name}')

    assert workspace.findings() == [("H5", "newsletter.toml:4")]


@pytest.mark.parametrize("name", ["Harbour & Söhne™", "港の家", "Ana from Harbour House"])
def test_a_sender_s_name_in_any_script_is_fine(workspace: Workspace, name: str) -> None:
    workspace.edit("toml", 'from = "Harbour House', f'from = "{name}')

    assert workspace.findings() == []


@pytest.mark.parametrize("subject", ["Re: your place", "FWD: the letter", "AW: Ihr Platz", "💗 Re[2]: your place"])
def test_a_subject_that_pretends_to_answer_blocks(workspace: Workspace, subject: str) -> None:
    workspace.edit("issue", SUBJECT, f"'{subject}'")

    assert workspace.findings() == [("H6", "issue.yaml:1")]


@pytest.mark.parametrize("subject", ["Re:connect with spring", "Research: what we read", "Spring is here. Re: it"])
def test_a_subject_that_only_holds_such_letters_is_fine(workspace: Workspace, subject: str) -> None:
    workspace.edit("issue", SUBJECT, f"'{subject}'")

    assert workspace.findings() == []


@pytest.mark.parametrize(("length", "found"), [(9, True), (10, False), (78, False), (79, True)])
def test_the_length_of_the_subject(workspace: Workspace, length: int, *, found: bool) -> None:
    workspace.edit("issue", SUBJECT, "s" * length)

    assert workspace.findings() == ([("S16", "issue.yaml:1")] if found else [])


@pytest.mark.parametrize("subject", ["Our newsletter", "NEWSLETTER!", "Harbour Letters", "Boletín informativo"])
def test_a_subject_that_fits_every_issue_is_told(workspace: Workspace, subject: str) -> None:
    workspace.edit("issue", "subject: A letter for the first days of March", f"subject: {subject}")

    assert ("S16", "issue.yaml:1") in workspace.findings()


@pytest.mark.parametrize(
    "subject", ["Newsletter of the first days of March", "Harbour Letters for March", "News of us"]
)
def test_a_subject_that_also_names_the_newsletter_is_fine(workspace: Workspace, subject: str) -> None:
    workspace.edit("issue", "subject: A letter for the first days of March", f"subject: {subject}")

    assert workspace.findings() == []


def test_the_subject_is_measured_with_its_default_in_place(workspace: Workspace) -> None:
    workspace.edit("issue", SUBJECT, "'Hello {{ first_name | default(\"you\") }}'")

    assert workspace.findings() == [("S16", "issue.yaml:1")]


@pytest.mark.parametrize(("length", "found"), [(39, True), (40, False), (110, False), (111, True)])
def test_the_length_of_the_preheader(workspace: Workspace, length: int, *, found: bool) -> None:
    workspace.edit("issue", PREHEADER, "p" * length)

    assert workspace.findings() == ([("S15", "issue.yaml:2")] if found else [])


def test_a_preheader_that_repeats_the_subject_is_told(workspace: Workspace) -> None:
    workspace.edit("issue", SUBJECT, PREHEADER.title())

    assert workspace.findings() == [("S15", "issue.yaml:2")]
