"""What holds for the rules as a whole."""

import pytest
from msgspec.structs import replace

from newsletter.checks.registry import RULES, check_issue, mistakes_in_waivers
from newsletter.errors import MistakesError
from newsletter.model.finding import Finding, Severity
from tests.checks.conftest import ISSUE, Workspace, findings_of

SHORT = ("A letter for the first days of March", "Short")


def test_a_sound_issue_has_no_finding(workspace: Workspace) -> None:
    assert workspace.findings() == []


def test_each_rule_has_an_id_of_its_own_and_explains_itself() -> None:
    assert len({known.id for known in RULES}) == len(RULES)
    assert all(known.title and known.why.endswith(".") and known.source for known in RULES)


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

    severities = {rule.id: rule.severity for rule in RULES}
    assert findings
    for finding in findings:
        assert finding.severity is Severity.WARNING or severities[finding.rule] is Severity.ERROR


def test_a_rule_about_the_audience_is_left_out_where_the_audience_is_unknown(workspace: Workspace) -> None:
    subject = workspace.subject()

    assert "M1" in {left_out.rule for left_out in check_issue(subject).not_run}
    assert "M1" not in {left_out.rule for left_out in check_issue(replace(subject, known_fields=frozenset())).not_run}


def only_finding(workspace: Workspace) -> Finding:
    (finding,) = check_issue(workspace.subject()).findings
    return finding


def test_an_issue_waives_a_check_with_a_reason(workspace: Workspace) -> None:
    workspace.edit("issue", *SHORT).edit("issue", "date:", "waive:\n  S16: it is meant to be short\ndate:")
    assert only_finding(workspace).waived == "it is meant to be short"


def test_the_settings_waive_a_check_and_the_issue_s_own_reason_comes_first(workspace: Workspace) -> None:
    workspace.edit("issue", *SHORT)
    workspace.edit("toml", "[segments]", '[checks.waive]\nS16 = "our subjects are short"\n\n[segments]')
    assert only_finding(workspace).waived == "our subjects are short"
    workspace.edit("issue", "date:", "waive:\n  S16: it is meant to be short\ndate:")
    assert only_finding(workspace).waived == "it is meant to be short"


def test_a_check_can_weigh_more_than_usual(workspace: Workspace) -> None:
    workspace.edit("issue", *SHORT)
    assert only_finding(workspace).severity is Severity.WARNING
    workspace.edit("toml", "[segments]", '[checks.severity]\nS16 = "error"\n\n[segments]')
    assert only_finding(workspace).severity is Severity.ERROR
    assert only_finding(workspace).blocks


def test_what_is_waived_holds_nothing_back_and_comes_last(workspace: Workspace) -> None:
    workspace.edit("issue", *SHORT).edit("letter", "A book", "TODO a book")
    workspace.edit("issue", "date:", "waive:\n  S6: it is a poem's title\ndate:")
    warning, waived = check_issue(workspace.subject()).findings
    assert (warning.rule, waived.rule) == ("S16", "S6")
    assert not waived.blocks


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ("S61", "`waive` names the check 'S61', which does not exist"),
        ("L2", "check L2 cannot be overridden, because the law requires it or nothing could be sent without it"),
    ],
)
def test_a_check_that_cannot_be_waived_is_a_mistake_at_its_line(workspace: Workspace, rule: str, what: str) -> None:
    workspace.edit("issue", "date:", f"waive:\n  {rule}: we want to\ndate:")
    workspace.edit("toml", "[segments]", f'[checks.waive]\n{rule} = "we want to"\n\n[segments]')
    subject = workspace.subject()
    found = mistakes_in_waivers(subject.config, subject.issue)
    assert [mistake.place for mistake in found] == ["newsletter.toml:14", f"{ISSUE}/issue.yaml:5"]
    assert all(what in mistake.what for mistake in found)


def test_what_cannot_be_waived_cannot_weigh_less_either(workspace: Workspace) -> None:
    workspace.edit("toml", "[segments]", '[checks.severity]\nL2 = "warning"\n\n[segments]')
    subject = workspace.subject()
    (mistake,) = mistakes_in_waivers(subject.config, subject.issue)
    assert mistake.place == "newsletter.toml:14"
    assert mistake.what.startswith("check L2 cannot be given another severity")


@pytest.mark.parametrize(("name", "place"), [("toml", "newsletter.toml:14"), ("issue", f"{ISSUE}/issue.yaml:5")])
def test_a_waiver_without_a_reason_is_a_mistake_at_its_line(workspace: Workspace, name: str, place: str) -> None:
    if name == "toml":
        workspace.edit("toml", "[segments]", '[checks.waive]\nS16 = ""\n\n[segments]')
    else:
        workspace.edit("issue", "date:", 'waive:\n  S16: ""\ndate:')
    with pytest.raises(MistakesError) as raised:
        workspace.subject()
    assert [mistake.place for mistake in raised.value.mistakes] == [place]
