"""What holds for the rules as a whole."""

from dataclasses import replace

import pytest

from newsletter.checks.registry import RULES, check_issue, rule
from newsletter.model.finding import Severity
from tests.checks.conftest import Workspace, findings_of


def test_a_sound_issue_has_no_finding(workspace: Workspace) -> None:
    assert workspace.findings() == []


def test_each_rule_has_an_id_of_its_own_and_explains_itself() -> None:
    assert len({known.id for known in RULES}) == len(RULES)
    assert all(known.title and known.why.endswith(".") and known.source for known in RULES)


def test_a_rule_is_found_by_its_id() -> None:
    assert rule("S3").id == "S3"
    with pytest.raises(KeyError):
        rule("Z9")


def test_findings_come_errors_first_then_by_place(workspace: Workspace) -> None:
    workspace.edit("issue", "A letter for the first days of March", "Short")
    workspace.edit("letter", "[our study of kindness]", "[here]")
    workspace.edit("letter", "A book", "TODO a book")

    findings = findings_of(workspace.subject())

    assert [(finding.severity, finding.place.line) for finding in findings] == [
        (Severity.ERROR, 10),
        (Severity.ERROR, 16),
        (Severity.WARNING, 1),
    ]


def test_what_several_variants_share_is_told_once(workspace: Workspace) -> None:
    workspace.edit("letter", "[our study of kindness]", "[here]")
    workspace.edit("issue", "[letter, meditation, events]", "[letter, {section: meditation, only: teachers}, events]")
    subject = workspace.subject()

    findings = findings_of(subject)

    assert len(subject.rendered.variants) == 2
    assert [finding.rule for finding in findings] == ["A4"]


def test_a_fault_in_one_variant_alone_is_found(workspace: Workspace) -> None:
    workspace.edit("issue", "[letter, meditation, events]", "[letter, {section: meditation, only: teachers}, events]")
    workspace.edit("meditation", "Sit down", "[Click here](https://example.org/sit) and sit down")

    assert workspace.findings() == [("A4", "meditation.md:8")]


def test_no_rule_warns_and_blocks_beyond_its_declared_severity(workspace: Workspace) -> None:
    workspace.edit("letter", "Dear", "TODO [here](relative) XXX ![](images/cup.png)")
    workspace.edit("issue", "A letter for the first days of March", "'Re: it'")

    findings = findings_of(workspace.subject())

    assert findings
    for finding in findings:
        assert finding.severity is Severity.WARNING or rule(finding.rule).severity is Severity.ERROR


def test_a_rule_about_the_audience_is_left_out_where_the_audience_is_unknown(workspace: Workspace) -> None:
    subject = workspace.subject()

    assert "M1" in {left_out.rule for left_out in check_issue(subject).not_run}
    assert "M1" not in {left_out.rule for left_out in check_issue(replace(subject, known_fields=frozenset())).not_run}
