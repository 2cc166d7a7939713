"""Findings on the screen, for programs, and for GitHub's annotations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from newsletter.cli import output
from newsletter.model.finding import Finding, Severity

_STYLE = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


def show_findings(findings: Sequence[Finding], *, form: str, issue: str) -> None:
    """Prints all findings in a form: text, json or github."""
    _FORMS[form](findings, issue)


def summarise_findings(findings: Sequence[Finding]) -> str:
    """`2 errors, 1 warning`, in colour."""
    counts = {severity: sum(finding.severity is severity for finding in findings) for severity in Severity}
    words = [
        output.styled(f"{count} {severity}{'s' if count != 1 else ''}", _STYLE[severity])
        for severity, count in counts.items()
        if count
    ]
    return ", ".join(words) or output.styled("nothing found", "green")


def _text(findings: Sequence[Finding], issue: str) -> None:
    for finding in findings:
        label = output.styled(finding.severity, _STYLE[finding.severity])
        rule = output.styled(f"[{finding.rule}]", "dim")
        output.say(f"{finding.place}: {label} {finding.what}; {finding.remedy} {rule}")
    output.say(f"{issue}: {summarise_findings(findings)}")


def _json(findings: Sequence[Finding], issue: str) -> None:
    output.show_json({"issue": issue, "findings": [asdict(finding) for finding in findings]})


def _github(findings: Sequence[Finding], issue: str) -> None:
    """Workflow commands: https://docs.github.com/actions/reference/workflow-commands-for-github-actions."""
    for finding in findings:
        line = f",line={finding.place.line}" if finding.place.line else ""
        properties = f"file={_property(finding.place.path)}{line},title={_property(finding.rule)}"
        output.say(f"::{finding.severity} {properties}::{_data(f'{finding.what}; {finding.remedy}')}")
    output.say(f"{issue}: {len(findings)} findings")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


_FORMS: Mapping[str, Callable[[Sequence[Finding], str], None]] = {"text": _text, "json": _json, "github": _github}
