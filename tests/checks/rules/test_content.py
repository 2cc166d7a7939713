"""The postal address and the way out."""

import pytest
from msgspec.structs import replace

from newsletter.model.slots import Template
from tests.checks.conftest import ISSUE, Workspace, findings_of, summary, with_html

LINK = '<a href="{{ unsubscribe_url }}">Unsubscribe</a>'
KNOWN = frozenset({"email", "first_name", "last_name"})


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


def found_with(workspace: Workspace, known: frozenset[str] | None) -> list[tuple[str, str]]:
    return summary(findings_of(workspace.subject(known_fields=known)))


def test_a_field_that_the_audience_lacks_blocks_and_the_near_one_is_named(workspace: Workspace) -> None:
    workspace.edit("letter", "{{ first_name |", "{{ frist_name |")

    (finding,) = findings_of(workspace.subject(known_fields=KNOWN))

    assert (finding.rule, str(finding.place)) == ("M1", f"{ISSUE}/letter.md:7")
    assert finding.remedy == "did you mean first_name?"


def test_nothing_is_said_of_the_audience_where_it_is_unknown(workspace: Workspace) -> None:
    workspace.edit("letter", "{{ first_name |", "{{ frist_name |")

    assert found_with(workspace, None) == []


def test_known_fields_and_the_reserved_one_are_fine(workspace: Workspace) -> None:
    workspace.edit("letter", "A book", "[Leave the list]({{ unsubscribe_url }}), {{ email }}, a book")

    assert found_with(workspace, KNOWN) == []


def test_a_field_without_a_default_is_told_at_its_line(workspace: Workspace) -> None:
    workspace.edit("issue", "days of March\npre", "days of March, {{ first_name }}\npre")

    assert found_with(workspace, KNOWN) == [("M2", "issue.yaml:1")]
    assert found_with(workspace, None) == [("M2", "issue.yaml:1")]


def test_an_empty_default_is_a_default(workspace: Workspace) -> None:
    workspace.edit("letter", 'default("friends")', 'default("")')

    assert found_with(workspace, KNOWN) == []


def test_a_field_that_nobody_has_needs_no_default_but_another_name(workspace: Workspace) -> None:
    workspace.edit("letter", '{{ first_name | default("friends") }}', "{{ town }}")

    assert found_with(workspace, KNOWN) == [("M1", "letter.md:7")]
