"""Findings on the screen, for programs, and for GitHub's annotations."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from newsletter.cli import output
from newsletter.model.finding import Finding, NotRun, Severity

_STYLE = {Severity.ERROR: "red", Severity.WARNING: "yellow"}
_HANG = 4  # columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is told of an issue: what was found, which rules nobody judged, and the workspace that the places are in."""

    issue: str
    findings: Sequence[Finding]
    not_run: Sequence[NotRun] = ()
    root: Path | None = None  # None where all that is told is told to a person


def show_report(report: Report, *, form: str) -> None:
    """Prints all of it in a form: text, json, github or sarif."""
    _FORMS[form](report)


def show_findings(findings: Sequence[Finding]) -> None:
    """Prints a line for each finding, for a person."""
    for finding in findings:
        rule = output.styled(f"[{finding.rule}]", "dim")
        if finding.waived:
            waived = f"{finding.place}: waived: {finding.what}; because {finding.waived}"
            output.say(f"{output.styled(waived, 'dim')} {rule}", hang=_HANG)
            continue
        label = output.styled(finding.severity, _STYLE[finding.severity])
        output.say(f"{finding.place}: {label} {finding.what}; {finding.remedy} {rule}", hang=_HANG)


def summarise_findings(findings: Sequence[Finding]) -> str:
    """`2 errors, 1 warning, 1 waived`, in colour."""
    counts = {
        severity: sum(finding.severity is severity and not finding.waived for finding in findings)
        for severity in Severity
    }
    words = [
        output.styled(output.count_of(count, severity), _STYLE[severity]) for severity, count in counts.items() if count
    ]
    if waived := sum(bool(finding.waived) for finding in findings):
        words.append(output.styled(f"{waived} waived", "dim"))
    return ", ".join(words) or output.styled("nothing found", "green")


def not_judged(not_run: Sequence[NotRun]) -> list[str]:
    """The rules that nobody judged, a line for each reason: `A6, S13: done without browser`."""
    reasons: dict[str, list[str]] = {}
    for left_out in not_run:
        reasons.setdefault(left_out.why, []).append(left_out.rule)
    return [f"{', '.join(rules)}: {why}" for why, rules in reasons.items()]


def _text(report: Report) -> None:
    show_findings(report.findings)
    for line in not_judged(report.not_run):
        output.say(output.styled(f"not judged: {line}", "dim"), hang=_HANG)
    count = len(report.not_run)
    left_out = f"; {output.count_of(count, 'check')} not judged" if count else ""
    output.say(f"{report.issue}: {summarise_findings(report.findings)}{left_out}")


def _json(report: Report) -> None:
    output.show_json(
        {
            "issue": report.issue,
            "findings": [asdict(each) for each in report.findings],
            "not_run": [asdict(each) for each in report.not_run],
        }
    )


def _github(report: Report) -> None:
    """Workflow commands: https://docs.github.com/actions/reference/workflow-commands-for-github-actions."""
    for finding in _in_repository(report):
        line = f",line={finding.place.line}" if finding.place.line else ""
        properties = f"file={_property(finding.place.path)}{line},title={_property(finding.rule)}"
        level = "notice" if finding.waived else finding.severity
        remedy = f"waived: {finding.waived}" if finding.waived else finding.remedy
        output.say(f"::{level} {properties}::{_data(f'{finding.what}; {remedy}')}")
    for left_out in report.not_run:
        output.say(f"::notice title={_property(left_out.rule)}::{_data(f'not judged: {left_out.why}')}")
    output.say(f"{report.issue}: {summarise_findings(report.findings)}")


def _sarif(report: Report) -> None:
    from newsletter.cli.sarif import sarif_log

    output.show_json(sarif_log(_in_repository(report), report.not_run))


def _in_repository(report: Report) -> Sequence[Finding]:
    """The findings with their places as GitHub knows them: from the top of the repository that holds the workspace."""
    checkout = os.environ.get("GITHUB_WORKSPACE")
    if not checkout or report.root is None or not report.root.is_relative_to(checkout):
        return report.findings
    above = report.root.relative_to(checkout)
    return [
        replace(finding, place=replace(finding.place, path=(above / finding.place.path).as_posix()))
        for finding in report.findings
    ]


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


_FORMS: Mapping[str, Callable[[Report], None]] = {
    "text": _text,
    "json": _json,
    "github": _github,
    "sarif": _sarif,
}
