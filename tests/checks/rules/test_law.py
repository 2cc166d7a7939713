"""The postal address and the way out."""

from dataclasses import replace

import pytest

from newsletter.model.slots import Template
from tests.checks.conftest import Workspace, findings_of, summary, with_html

LINK = '<a href="{{ unsubscribe_url }}">Unsubscribe</a>'


@pytest.mark.parametrize("part", ["mjml", "txt"])
def test_a_part_without_the_postal_address_blocks(workspace: Workspace, part: str) -> None:
    workspace.edit(part, "{{ newsletter.address }}", "Harbour House, Galway")

    assert workspace.findings() == [("L1", "newsletter.toml:5")]


def test_an_address_on_several_lines_is_found(workspace: Workspace) -> None:
    lines = '{{ newsletter.address | replace(", ", ",<br>") | safe }}'
    workspace.edit("mjml", "{{ newsletter.address }}", lines)
    workspace.edit("txt", "{{ newsletter.address }}", '{{ newsletter.address | replace(", ", "\\n") }}')

    assert workspace.findings() == []


def test_an_address_that_nobody_sees_is_none(workspace: Workspace) -> None:
    workspace.edit("mjml", "{{ newsletter.address }}", '<span style="display:none">{{ newsletter.address }}</span>')

    assert workspace.findings() == [("L1", "newsletter.toml:5")]


@pytest.mark.parametrize(
    "hidden",
    ["", f'<span style="display: none">{LINK}</span>', LINK.replace("Unsubscribe", "")],
)
def test_html_without_a_visible_way_out_blocks(workspace: Workspace, hidden: str) -> None:
    workspace.edit("mjml", LINK, hidden)

    assert ("L2", "issue.yaml") in workspace.findings()


def test_text_without_a_way_out_blocks(workspace: Workspace) -> None:
    subject = workspace.subject()
    variant = subject.rendered.fullest
    cut = replace(variant, text=Template((variant.text.parts[0], "there.\n"), variant.text.slots[:1]))

    found = summary(findings_of(replace(subject, rendered=replace(subject.rendered, variants=(cut,)))))

    assert ("L2", "issue.yaml") in found


def test_another_word_for_the_way_out_is_fine(workspace: Workspace) -> None:
    edited = with_html(workspace.subject(), lambda part: part.replace(">Unsubscribe<", ">Leave this list<"))

    assert summary(findings_of(edited)) == []
