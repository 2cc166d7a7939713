"""Merge fields against what the audience has."""

from tests.checks.conftest import ISSUE, Workspace, findings_of, summary

KNOWN = frozenset({"email", "first_name", "last_name"})


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
