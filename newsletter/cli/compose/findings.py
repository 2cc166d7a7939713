"""Print the results of the checks as text, JSON, GitHub annotations or SARIF, and show which checks are running."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from newsletter import __version__
from newsletter.checks.probes import PROBES
from newsletter.checks.registry import RULES, named
from newsletter.cli import bars, output
from newsletter.config import Config
from newsletter.model.finding import Finding, Means, NotRun, Severity
from newsletter.workflows.compose.check import not_judged
from newsletter.workflows.compose.compose import Probing

_STYLE = {Severity.ERROR: "red", Severity.WARNING: "yellow"}
_HANG = 4  # columns
_SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"

_WORKSPACE = "the folder with newsletter.toml, or the repository that contains this folder"


class Format(StrEnum):
    """The formats in which findings are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


class Report(Struct, frozen=True, kw_only=True):
    """The findings of an issue, the skipped checks, notes about this machine, and the workspace.

    The paths of the findings are relative to the workspace.
    """

    issue: str
    findings: Sequence[Finding]
    not_run: Sequence[NotRun] = ()
    notes: Sequence[str] = ()
    root: Path | None = None  # None if the report is only printed as text


def print_report(report: Report, *, form: Format) -> None:
    """Print the whole report in the given form."""
    _FORMS[form](report)


def print_findings(findings: Sequence[Finding]) -> None:
    """Print one line per finding."""
    for finding in findings:
        rule = output.styled(f"[{finding.rule}]", "dim")
        if finding.waived:
            waived = f"{finding.place}: overridden: {finding.what}; reason: {finding.waived}"
            output.say(f"{output.styled(waived, 'dim')} {rule}", hang=_HANG)
            continue
        label = output.styled(finding.severity, _STYLE[finding.severity])
        output.say(f"{finding.place}: {label} {finding.what}; {finding.remedy} {rule}", hang=_HANG)


def summarize_findings(findings: Sequence[Finding]) -> str:
    """Return the counts in color, for example `2 errors, 1 warning, 1 overridden`, or `No problems found.`"""
    standing = [finding.severity for finding in findings if not finding.waived]
    counts = {severity: standing.count(severity) for severity in Severity}
    found = ((severity, count) for severity, count in counts.items() if count)
    words = [output.styled(output.count_of(count, severity), _STYLE[severity]) for severity, count in found]
    if waived := sum(bool(finding.waived) for finding in findings):
        words.append(output.styled(f"{waived} overridden", "dim"))
    return ", ".join(words) or output.styled("No problems found.", "green")


def _text(report: Report) -> None:
    print_findings(report.findings)
    for line in not_judged(report.not_run):
        output.say(output.styled(f"Skipped: {line}", "dim"), hang=_HANG)
    for note in report.notes:
        output.say(output.styled(f"Note: {note}.", "dim"), hang=_HANG)
    count = len(report.not_run)
    left_out = f" ({output.count_of(count, 'check')} skipped)" if count else ""
    output.say(f"{report.issue}: {summarize_findings(report.findings)}{left_out}")


def _json(report: Report) -> None:
    findings, not_run, notes = report.findings, report.not_run, report.notes
    output.print_json({"issue": report.issue, "findings": findings, "not_run": not_run, "notes": notes})


def _github(report: Report) -> None:
    """Print workflow commands: https://docs.github.com/actions/reference/workflow-commands-for-github-actions."""
    for finding in _in_repository(report):
        line = f",line={finding.place.line}" if finding.place.line else ""
        properties = f"file={_property(finding.place.path)}{line},title={_property(named(finding.rule))}"
        level = "notice" if finding.waived else finding.severity
        remedy = f"overridden: {finding.waived}" if finding.waived else finding.remedy
        output.say(f"::{level} {properties}::{_data(f'{finding.what}; {remedy}')}")
    for left_out in report.not_run:
        output.say(f"::notice title={_property(named(left_out.rule))}::{_data(f'skipped: {left_out.why}')}")
    for note in report.notes:
        output.say(f"::notice::{_data(note)}")
    output.say(f"{report.issue}: {summarize_findings(report.findings)}")


def _sarif(report: Report) -> None:
    """Print a SARIF log for code-scanning services: https://docs.oasis-open.org/sarif/sarif/v2.1.0/.

    The log has one run with all rules, all findings with their places, and a notification for each skipped check.
    """
    indexes = {rule.id: index for index, rule in enumerate(RULES)}
    rules = [
        {
            "id": rule.id,
            "shortDescription": {"text": rule.title},
            "fullDescription": {"text": rule.why},
            "help": {"text": f"Source: {rule.source}"},
            "defaultConfiguration": {"level": rule.severity.value},
        }
        for rule in RULES
    ]
    invocation = {
        "executionSuccessful": True,
        "toolExecutionNotifications": [
            {"associatedRule": {"id": each.rule}, "level": "note", "message": {"text": f"skipped: {each.why}"}}
            for each in report.not_run
        ]
        + [{"level": "note", "message": {"text": note}} for note in report.notes],
    }
    run = {
        "tool": {"driver": {"name": "newsletter", "version": __version__, "rules": rules}},
        "invocations": [invocation],
        "originalUriBaseIds": {"WORKSPACE": {"description": {"text": _WORKSPACE}}},
        "results": [_result(finding, indexes) for finding in _in_repository(report)],
    }
    output.print_json({"$schema": _SARIF, "version": "2.1.0", "runs": [run]})


def _result(finding: Finding, indexes: Mapping[str, int]) -> Mapping[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": quote(finding.place.path), "uriBaseId": "WORKSPACE"}}
    if finding.place.line:
        location["region"] = {"startLine": finding.place.line}
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": indexes[finding.rule],
        "level": finding.severity.value,
        "message": {"text": f"{finding.what}; {finding.remedy}"},
        "locations": [{"physicalLocation": location}],
    }
    if finding.waived:
        result["suppressions"] = [{"kind": "inSource", "status": "accepted", "justification": finding.waived}]
    return result


def _in_repository(report: Report) -> Sequence[Finding]:
    """Return the findings with paths from the top of the Git repository, as GitHub expects them.

    Outside of GitHub Actions the paths stay relative to the workspace.
    """
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


_FORMS: Mapping[Format, Callable[[Report], None]] = {
    Format.TEXT: _text,
    Format.JSON: _json,
    Format.GITHUB: _github,
    Format.SARIF: _sarif,
}


@contextmanager
def probing(config: Config, without: Sequence[Means], *, now: datetime) -> Iterator[Probing]:
    """Yield the settings for the probes. Probes that the user or newsletter.toml skips are excluded.

    Until the block ends, a progress bar shows which probes are running.
    """
    left_out = frozenset((*without, *map(Means, config.settings.checks.without)))
    titles = [probe.title for probe in PROBES if probe.means not in left_out]
    with bars.steps("Checking", titles) as on_probed:
        yield Probing(now=now, without=left_out, on_probed=on_probed)
